"""Pictures as people have them, in a folder or a zip, made square and of one size."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from shared_scripts.cli import UserError, one_line
from shared_scripts.images import EXTENSIONS, has_picture_name, problems_named, resize_image, to_rgb

METADATA = "dataset.json"  # StyleGAN's name for the file with the labels
MAX_MEMBER = 1 << 28  # bytes: a zip may claim to hold terabytes
MAX_TABLE = 1 << 29  # numbers in a table of labels
GREY_MODES = {"1", "L", "LA", "La", "I", "F"}
FITS = ("crop", "pad", "stretch")

# Decoding happens in threads, where warnings cannot be silenced one by one; the hard limit of twice the pixels holds.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


# --- collections --------------------------------------------------------------------------------------------------


class PictureFolder:
    """The pictures in a folder and the folders in it. `names` are their paths within it, sorted, with slashes."""

    def __init__(self, folder: Path):
        self.path = folder
        self.names = sorted(path.relative_to(folder).as_posix() for path in walk(folder) if has_picture_name(path))

    def shown(self, name: str) -> str:
        """A picture as messages name it."""
        return str(self.path / name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file to read from. UserError where it cannot be."""
        try:
            with open(self.path / name, "rb") as file:
                yield file
        except OSError as problem:
            raise UserError(f"{self.shown(name)} cannot be read: {problem.strerror or problem}") from problem

    def metadata(self) -> bytes | None:
        """What is in its dataset.json."""
        path = self.path / METADATA
        return path.read_bytes() if path.is_file() else None


class PictureZip:
    """The same of a zip file, which is never unpacked to the disk."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError) as problem:
            raise UserError(f"{path} is damaged or no zip file ({one_line(problem)})") from problem
        members = {info.filename.replace("\\", "/"): info for info in self.zip.infolist() if not info.is_dir()}
        self.members = {name: info for name, info in members.items() if not is_hidden(name)}
        self.names = sorted(name for name in self.members if has_picture_name(Path(name)))

    def shown(self, name: str) -> str:
        """A picture as messages name it."""
        return f"{self.path}, {name}"

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A file to read from. UserError where it cannot be."""
        yield BytesIO(self.read(name))

    def read(self, name: str) -> bytes:
        """A member's bytes. UserError where it is damaged, encrypted or far too large."""
        info = self.members[name]
        if info.file_size > MAX_MEMBER:
            raise UserError(f"{self.shown(name)} is too large ({info.file_size} bytes)")
        try:
            return self.zip.read(info)  # never more than file_size bytes
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as problem:
            raise UserError(f"{self.shown(name)} cannot be unpacked ({one_line(problem)})") from problem

    def metadata(self) -> bytes | None:
        """What is in its dataset.json."""
        return self.read(METADATA) if METADATA in self.members else None


Pictures = PictureFolder | PictureZip


def open_pictures(path: Path) -> Pictures:
    """The pictures of a folder or zip. UserError where there are none."""
    if not path.exists():
        raise UserError(f"there is no folder or file {path}")
    pictures = PictureFolder(path) if path.is_dir() else PictureZip(path)
    if not pictures.names:
        raise UserError(f"there are no pictures in {path} (files ending in {' '.join(sorted(EXTENSIONS))})")
    return pictures


def is_hidden(name: str) -> bool:
    """Whether a path leads through something hidden, or through what macOS adds to zips."""
    return any(part.startswith(".") and part != ".." or part == "__MACOSX" for part in PurePosixPath(name).parts)


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, also behind links, hidden folders left out."""
    seen = {os.path.realpath(folder)}
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not is_hidden(name)]
        for name in list(folders):  # a link to a folder above would never end
            real = os.path.realpath(os.path.join(root, name))
            if real in seen:
                folders.remove(name)
            seen.add(real)
        yield from (Path(root, name) for name in files)


# --- labels -------------------------------------------------------------------------------------------------------


def has_labels(pictures: Pictures) -> bool:
    """Whether there is a dataset.json with labels: folders alone may be classes, or may be not."""
    data = pictures.metadata()
    return data is not None and bool(parse_metadata(pictures, data))


def read_labels(pictures: Pictures) -> np.ndarray:
    """[N, label_size] float32: a label for each of the names.

    They are those of dataset.json, {"labels": [[name, class number or vector], ...]}; where there is no such file, the
    folders that the pictures are in are the classes, in alphabetical order. UserError where there are none.
    """
    data = pictures.metadata()
    if data is not None:
        return labels_of_metadata(pictures, data)
    classes = [PurePosixPath(name).parts[0] if "/" in name else None for name in pictures.names]
    if None in classes or len(set(classes)) < 2:
        raise UserError(
            f"{pictures.path} has no labels: they come from a {METADATA} in it, or from a folder for each class; "
            "without labels, set max_label_size to 0"
        )
    order = sorted(set(classes))
    return one_hot(np.array([order.index(name) for name in classes]), len(order))


def parse_metadata(pictures: Pictures, data: bytes) -> dict[str, object]:
    """The entries of a dataset.json: names and labels. UserError where it is damaged."""
    try:
        entries = json.loads(data)["labels"]
        return {str(name).replace("\\", "/"): label for name, label in entries or ()}
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        form = '{"labels": [["name.png", 3], ...]}'
        raise UserError(f"{pictures.shown(METADATA)} is not of the form {form} ({one_line(problem)})") from None


def labels_of_metadata(pictures: Pictures, data: bytes) -> np.ndarray:
    """The labels in a dataset.json."""
    place, found = pictures.shown(METADATA), parse_metadata(pictures, data)
    if not found:
        raise UserError(f"{place} has no labels; without labels, set max_label_size to 0")
    missing = [name for name in pictures.names if name not in found]
    if missing:
        raise UserError(f"{place} has no label for {len(missing)} of the pictures, {missing[0]} for one")
    return label_table([found[name] for name in pictures.names], place)


def label_table(labels: list, place: str) -> np.ndarray:
    """Class numbers, or vectors of one length, as [N, label_size] float32."""
    if all(type(label) is int and label >= 0 for label in labels):
        classes = max(labels) + 1
        if classes * len(labels) > MAX_TABLE:
            raise UserError(f"the labels in {place} go up to {classes - 1}, which is too many classes")
        return one_hot(np.array(labels), classes)
    try:
        table = np.array(labels, np.float32)
    except (ValueError, TypeError, OverflowError):
        table = np.empty(0)
    if table.ndim != 2 or table.shape[1] < 1 or not np.isfinite(table).all():
        raise UserError(f"the labels in {place} must be whole numbers from 0 on, or lists of numbers of one length")
    return table


def one_hot(numbers: np.ndarray, size: int) -> np.ndarray:
    """[N] class numbers as [N, size] float32."""
    table = np.zeros((len(numbers), size), np.float32)
    table[np.arange(len(numbers)), numbers] = 1
    return table


# --- pictures -----------------------------------------------------------------------------------------------------


@contextmanager
def zip_problems_named(shown: str) -> Iterator[None]:
    """`problems_named`, and what a damaged zip raises in the middle of a picture."""
    with problems_named(shown):
        try:
            yield
        except (MemoryError, zlib.error) as problem:
            raise UserError(f"{shown} is damaged or cut short ({one_line(problem)})") from problem


def load(pictures: Pictures, name: str, channels: int | None = None) -> np.ndarray:
    """The same of one in a collection."""
    with pictures.open(name) as file:
        return load_file(file, pictures.shown(name), channels)


def load_file(file: BinaryIO, shown: str, channels: int | None = None) -> np.ndarray:
    """A picture's (H, W, channels) uint8 pixels; None: as many channels as it has, 1 or 3.

    UserError, which calls it `shown`, where it is none or damaged.
    """
    with zip_problems_named(shown):
        image = ImageOps.exif_transpose(Image.open(file))
        return to_pixels(image, channels or channels_of(image.mode))


def mode_of(pictures: Pictures, name: str) -> str:
    """How Pillow calls the kind of a picture ("L", "RGB", "P", ...). Only the file's beginning is read."""
    with pictures.open(name) as file, zip_problems_named(pictures.shown(name)):
        return Image.open(file).mode


def channels_of(mode: str) -> int:
    """1 for grey pictures, 3 for all others."""
    return 1 if mode in GREY_MODES or mode.startswith("I;16") else 3


def to_pixels(image: Image.Image, channels: int) -> np.ndarray:
    """A Pillow image of any mode as (H, W, channels) uint8."""
    if channels == 3 or channels_of(image.mode) == 1:
        return to_rgb(image)[..., :channels]
    return np.array(Image.fromarray(to_rgb(image)).convert("L"))[..., None]


def cropped(pixels: np.ndarray) -> np.ndarray:
    """The largest square in the middle of (H, W, C)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def padded(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C) in the middle of a black square."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, pixels.shape[2]), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def squared(pixels: np.ndarray, resolution: int, fit: str = "crop") -> np.ndarray:
    """(H, W, C) uint8 as (C, resolution, resolution), scaled with Lanczos' filter.

    What is not square loses its ends ("crop"), gets black bars ("pad"), or its proportions change ("stretch").
    """
    pixels = {"crop": cropped, "pad": padded, "stretch": lambda pixels: pixels}[fit](pixels)
    if pixels.shape[:2] != (resolution, resolution):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
        scaled = np.array(resize_image(image, resolution, resolution, Image.Resampling.LANCZOS))
        pixels = scaled.reshape(resolution, resolution, -1)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def first_size(pictures: Pictures) -> tuple[int, int]:
    """(width, height) of the first picture that can be read. UserError where none can."""
    first_problem = None
    for name in pictures.names:
        try:
            pixels = load(pictures, name)
            return pixels.shape[1], pixels.shape[0]
        except UserError as problem:
            first_problem = first_problem or problem
    raise UserError(f"no picture in {pictures.path} can be read: {first_problem}")


def common_channels(pictures: Pictures) -> int:
    """1 where all pictures that can be read are grey, otherwise 3. Only the files' beginnings are read."""
    for name in pictures.names:
        try:
            if channels_of(mode_of(pictures, name)) == 3:
                return 3
        except UserError:
            continue
    return 1
