"""CelebA-HQ, computed from CelebA's photographs and the corrections that were published with the paper.

A face is cut out by its landmarks, 1024x1024, with blurred reflections where the photograph ends (paper, appendix C).
The published correction is added to that, byte by byte. It only fits to the bit what Pillow 3.1.1 with libjpeg 8d
computed; other versions give pictures that differ by a few grey values, and in single pixels, where a byte
overflows, by more. Whoever has the 30,000 finished pictures takes them with create_from_images.
"""

from __future__ import annotations

import base64
import bz2
import hashlib
import math
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from dataset_sources import Source, order_of
from shared_scripts.cli import UserError, one_line
from shared_scripts.progress import tell

SIZE = 1024
SUPERSAMPLED = 4096
DELTAS_A_ZIP = 1000
COLUMNS = ("idx", "orig_file", "final_md5")


# --- geometry -----------------------------------------------------------------------------------------------------


def rotated(vector: np.ndarray) -> np.ndarray:
    """By a quarter turn."""
    return np.array([-vector[1], vector[0]])


def face_quad(landmarks: np.ndarray) -> np.ndarray:
    """[4, 2]: the corners of the square to cut out, from the eyes, nose and corners of the mouth, [5, 2] in pixels.

    UserError where they are no face.
    """
    landmarks = np.asarray(landmarks, np.float32)
    eyes, mouth = (landmarks[0] + landmarks[1]) * 0.5 + 0.5, (landmarks[3] + landmarks[4]) * 0.5 + 0.5
    between, down = landmarks[1] - landmarks[0], mouth - eyes
    x = between - rotated(down)
    length = np.hypot(*x)
    if not 1e-3 < length < 1e6:
        raise UserError("its landmarks are no face")
    x = x / length
    x = x * max(np.hypot(*between) * 2.0, np.hypot(*down) * 1.8)
    y = rotated(x)
    centre = eyes + down * 0.1
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def bounds(quad: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels that corners span."""
    low, high = np.floor(quad.min(0)), np.ceil(quad.max(0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    """With Lanczos' filter."""
    return image.resize((width, height), Image.Resampling.LANCZOS)


def cut_face(image: Image.Image, landmarks: np.ndarray) -> np.ndarray:
    """(3, 1024, 1024) uint8: the face of an RGB photograph. UserError where the landmarks are no face."""
    quad = face_quad(landmarks)
    zoom = SIZE / np.hypot(*(quad[3] - quad[0]))
    shrink = math.floor(0.5 / zoom)
    if shrink > 1:
        image = scaled(image, round(image.width / shrink), round(image.height / shrink))
        quad, zoom = quad / shrink, zoom * shrink
    border = max(round(SIZE * 0.1 / zoom), 3)
    image, quad = crop_around(image, quad, border)
    enlarge = 2 ** math.ceil(math.log2(zoom))
    if enlarge > 1:
        image = scaled(image, image.width * enlarge, image.height * enlarge)
        quad, zoom = quad * enlarge, zoom / enlarge
    image, quad = pad_around(image, quad, border, zoom)
    corners = tuple((quad + 0.5).ravel().tolist())
    size = (SUPERSAMPLED, SUPERSAMPLED)
    image = image.transform(size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    return np.array(scaled(image, SIZE, SIZE)).transpose(2, 0, 1)


def crop_around(image: Image.Image, quad: np.ndarray, border: int) -> tuple[Image.Image, np.ndarray]:
    """Cut off what is not needed: less to enlarge."""
    left, top, right, bottom = bounds(quad)
    left, top = max(left - border, 0), max(top - border, 0)
    right, bottom = min(right + border, image.width), min(bottom + border, image.height)
    if right <= left or bottom <= top:
        raise UserError("its landmarks lie outside of it")
    if (right - left, bottom - top) == image.size:
        return image, quad
    return image.crop((left, top, right, bottom)), quad - np.array([left, top])


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W, C) float32 under a Gaussian, cut off at four sigma, with the picture reflected at its edges.

    What scipy.ndimage.gaussian_filter computes, twenty times as fast where sigma is 30: reflected pictures are what
    the cosine transform is about, and there a symmetric filter is a factor for each frequency.
    """
    from scipy.fft import dctn, idctn

    offsets = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    height, width = (weights @ np.cos(np.pi / n * np.outer(offsets, np.arange(n))) for n in pixels.shape[:2])
    factors = np.outer(height, width).astype(np.float32)[..., None]
    return idctn(dctn(pixels, axes=(0, 1)) * factors, axes=(0, 1))


def pad_around(image: Image.Image, quad: np.ndarray, border: int, zoom: float) -> tuple[Image.Image, np.ndarray]:
    """Reflect the photograph where the square reaches out of it, and fade that to a blur, and to one colour."""
    left, top, right, bottom = bounds(quad)
    pads = [border - left, border - top, right - image.width + border, bottom - image.height + border]
    pads = [max(pad, 0) for pad in pads]
    if max(pads) <= border - 4:
        return image, quad
    left, top, right, bottom = (max(pad, round(SIZE * 0.3 / zoom)) for pad in pads)
    pixels = np.pad(np.float32(image), ((top, bottom), (left, right), (0, 0)), "reflect")
    height, width = pixels.shape[:2]
    y, x = np.ogrid[:height, :width]
    inside_x = np.minimum(np.float32(x) / left, np.float32(width - 1 - x) / right)
    inside_y = np.minimum(np.float32(y) / top, np.float32(height - 1 - y) / bottom)
    mask = (1 - np.minimum(inside_x, inside_y))[..., None]
    pixels += (blurred(pixels, SIZE * 0.02 / zoom) - pixels) * np.clip(mask * 3 + 1, 0, 1)
    pixels += (np.median(pixels, axis=(0, 1)) - pixels) * np.clip(mask, 0, 1)
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255))), quad + np.array([left, top])


# --- the corrections ----------------------------------------------------------------------------------------------


@dataclass
class Face:
    """A line of image_list.txt."""

    idx: int
    orig_file: str
    final_md5: str


def read_image_list(path: Path) -> list[Face]:
    """The lines of image_list.txt. UserError where it is missing or damaged."""
    rows = read_table(path)
    try:
        places = [rows[0].index(column) for column in COLUMNS]
        found = [[row[place] for place in places] for row in rows[1:]]
        return [Face(int(row[0]), *row[1:]) for row in found]
    except (ValueError, IndexError) as problem:
        raise UserError(f"{path} must have the columns {' '.join(COLUMNS)} ({one_line(problem)})") from problem


def read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """The lines of list_landmarks_celeba.txt: file names, and [5, 2] float32 each."""
    rows = read_table(path)
    try:
        return {row[0]: np.array(row[1:], np.float32).reshape(5, 2) for row in rows[2:]}
    except ValueError as problem:
        raise UserError(f"{path} is damaged: it must have a file name and ten numbers a line") from problem


def read_table(path: Path) -> list[list[str]]:
    """A text file's lines, split at blanks."""
    try:
        return [line.split() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, ValueError) as problem:
        raise UserError(
            f"{path} cannot be read: {getattr(problem, 'strerror', None) or one_line(problem)}"
        ) from problem


def decrypt(token: bytes, photograph: bytes, name: str) -> bytes:
    """A correction, which is encrypted with the photograph that it belongs to. UserError where that is another one."""
    try:
        from cryptography.fernet import Fernet, InvalidToken
    except ImportError:
        raise UserError(
            "the corrections of CelebA-HQ are encrypted: pip install cryptography (the 30,000 finished pictures need "
            "none of this: create_from_images)"
        ) from None
    key = hashlib.pbkdf2_hmac("sha256", photograph, name.encode("ascii"), 100_000, 32)
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(token)
    except InvalidToken:
        raise UserError(f"{name} is not the photograph of CelebA's original download (img_celeba)") from None


class Faces:
    """CelebA-HQ's pictures by their number; counts how many are the original's to the bit."""

    def __init__(self, celeba: Path, deltas: Path):
        self.photographs, self.deltas = celeba / "img_celeba", deltas
        self.faces = read_image_list(deltas / "image_list.txt")
        self.landmarks = read_landmarks(celeba / "Anno" / "list_landmarks_celeba.txt")
        if not self.faces:
            raise UserError(f"{deltas / 'image_list.txt'} lists no pictures")
        missing = [face.orig_file for face in self.faces if face.orig_file not in self.landmarks]
        if missing:
            raise UserError(
                f"{celeba / 'Anno'} has no landmarks of {missing[0]} ({len(missing)} missing); get it again"
            )
        self.zips = {first: self._zip(first) for first in sorted({self._first(face) for face in self.faces})}
        self.exact: set[int] = set()  # which pictures are the original's to the bit

    @staticmethod
    def _first(face: Face) -> int:
        """The number of the first face in the same zip."""
        return face.idx - face.idx % DELTAS_A_ZIP

    def _zip(self, first: int) -> zipfile.ZipFile:
        path = self.deltas / f"deltas{first:05d}.zip"
        try:
            return zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as problem:
            raise UserError(f"{path} is missing or damaged ({one_line(problem)}); get it again") from problem

    def image(self, number: int) -> np.ndarray:
        """(3, 1024, 1024) uint8."""
        face = self.faces[number]
        path = self.photographs / face.orig_file
        try:
            photograph = path.read_bytes()
            image = Image.open(BytesIO(photograph)).convert("RGB")
            pixels = cut_face(image, self.landmarks[face.orig_file])
            pixels = pixels + self._delta(face, photograph)  # bytes that overflow: so it was published
        except UserError as problem:
            raise UserError(f"{path}: {problem}") from problem
        except (OSError, SyntaxError, ValueError) as problem:
            raise UserError(f"{path} is missing or damaged ({one_line(problem)})") from problem
        if hashlib.md5(pixels.tobytes(), usedforsecurity=False).hexdigest() == face.final_md5:
            self.exact.add(number)
        return pixels

    def _delta(self, face: Face, photograph: bytes) -> np.ndarray:
        name = f"delta{face.idx:05d}.dat"
        try:
            token = self.zips[self._first(face)].read(name)
            delta = bz2.decompress(decrypt(token, photograph, face.orig_file))
            return np.frombuffer(delta, np.uint8).reshape(3, SIZE, SIZE)
        except (KeyError, OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
            raise UserError(f"its correction {name} is missing or damaged ({one_line(problem)})") from problem

    def report(self) -> None:
        """Say how many are exact."""
        inexact, count = len(self.faces) - len(self.exact), len(self.faces)
        if inexact:
            tell(
                f"Warning: {inexact} of {count} pictures are not to the bit those of the paper, which needs Pillow "
                "3.1.1 with libjpeg 8d; they differ by a few grey values."
            )


def celebahq(celeba: Path, deltas: Path) -> tuple[Source, Faces]:
    """All 30,000 pictures, shuffled, no labels; `Faces.report` is for the end."""
    faces = Faces(celeba, deltas)
    return Source(order_of(len(faces.faces)), len(faces.faces), faces.image), faces
