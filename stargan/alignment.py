"""Your own photograph: find a face, put it where CelebA's pictures have it, and put the changed face back.

A network that learnt from CelebA expects a face as CelebA's aligned pictures show it: 178 pixels wide and 218 high, the
eyes on one line, in the middle. `prepare` makes such a picture of any photograph, `paste_back` is the way back.

Coordinates here are (x, y) in pixels from the upper left corner of the picture, so the first pixel's centre is
(0.5, 0.5). CelebA's and dlib's own numbers count pixels and are 0.5 smaller. A transform is (2, 3), it takes a column
(x, y, 1) of the photograph to the aligned picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from shared_scripts.cli import UserError

WIDTH, HEIGHT = 178, 218  # CelebA's aligned pictures
CROP = 178  # the square in the middle of them that StarGAN sees
# Where CelebA has, on average: the eye on the left of the picture, the other, and the mouth's corners. Its authors say
# that they went by the eyes; but of what they publish, the faces' landmarks before and after, these four points with
# these weights give the first three to within a pixel. (For the third, which is turned aside, the eyes alone are 17
# pixels off, and with the nose it is 4.)
MEAN_FACE = np.array([(69.5, 111.5), (107.5, 111.5), (71, 152), (106, 152)]) + 0.5
WEIGHTS = np.array([2, 2, 1, 1])
INSTALL = "pip install dlib-bin face_recognition_models"
LARGEST_SEARCHED = 1000  # pixels on the longer side: the detector takes 0.3 s then, and sees faces from 40 pixels on
SURE = 0.25  # the detector's confidence; below it are profiles and far faces, but also things that are no face
FEATHER = 0.15  # of the square's side: how broad the soft edge is


@dataclass(frozen=True)
class Aligned:
    """A picture as the network wants it.

    pixels: (218, 178, 3) uint8 RGB; with `mode="none"` the photograph itself, of any size.
    how: where it comes from, for people to read.
    transform: (2, 3) float64, from the photograph to `pixels`.
    found: whether a face was found and put in its place.
    """

    pixels: np.ndarray
    how: str
    transform: np.ndarray
    found: bool = False


def prepare(pixels: np.ndarray, mode: str = "auto", name: str = "the picture") -> Aligned:
    """A photograph, (H, W, 3) uint8 RGB, as a picture like CelebA's.

    mode: "dlib" aligns the largest face; "centre" takes the photograph's middle; "none" leaves it as it is; "auto"
    aligns where it can, else takes the middle, and leaves a picture of CelebA's very size as it is.
    name: what error messages call it.

    Raises UserError in mode "dlib" where dlib is not installed or there is no face, ValueError for other modes.
    """
    if mode not in ("auto", "dlib", "centre", "none"):
        raise ValueError(f"mode is auto, dlib, centre or none, not {mode!r}")
    if mode == "none":
        return unchanged(pixels, "as it is")
    if mode == "centre":
        return centre_crop(pixels)
    if mode == "auto" and pixels.shape[:2] == (HEIGHT, WIDTH):
        return unchanged(pixels, "as it is: it has the size of CelebA's pictures")
    if not available():
        if mode == "dlib":
            raise UserError(f"finding a face needs dlib: {INSTALL}")
        return centre_crop(pixels, f"its middle; to have faces found: {INSTALL}")
    faces = find_faces(pixels)
    if faces:
        return align(pixels, faces[0], "its face" if len(faces) == 1 else f"the largest of its {len(faces)} faces")
    if mode == "dlib":
        raise UserError(
            f"no face was found in {name}: it should be upright, seen from the front, and not smaller than a "
            f"{LARGEST_SEARCHED // 40}th of the picture"
        )
    return centre_crop(pixels, "its middle: no face was found")


def unchanged(pixels: np.ndarray, how: str) -> Aligned:
    """The photograph as it is."""
    return Aligned(pixels, how, np.eye(2, 3))


def centre_crop(pixels: np.ndarray, how: str = "its middle") -> Aligned:
    """The largest part in the middle of (H, W, 3) uint8 that has CelebA's proportions, as (218, 178, 3).

    CelebA's eyes lie a hair below the middle of the picture, so this serves for a portrait that a face fills.
    """
    height, width = pixels.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    transform = np.array([[scale, 0, (WIDTH - scale * width) / 2], [0, scale, (HEIGHT - scale * height) / 2]])
    return Aligned(to_bytes(warp(pixels, transform, (WIDTH, HEIGHT))), how, transform)


def align(pixels: np.ndarray, landmarks: np.ndarray, how: str = "its face") -> Aligned:
    """One face of (H, W, 3) uint8, by its landmarks of `find_faces`, as (218, 178, 3)."""
    points = eyes_and_mouth(landmarks)
    transform = similarity(points, MEAN_FACE[: len(points)], WEIGHTS[: len(points)])
    return Aligned(to_bytes(warp(pixels, transform, (WIDTH, HEIGHT))), how, transform, found=True)


# --- finding faces ------------------------------------------------------------------------------------------------


def model_file() -> Path | None:
    """dlib's landmarks model, the one with 68 points or else with 5; None where it is not installed.

    The package is looked for, not imported: it needs pkg_resources, which setuptools no longer has.
    """
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for points in (68, 5):
            path = Path(folder) / "models" / f"shape_predictor_{points}_face_landmarks.dat"
            if path.is_file():
                return path
    return None


def available() -> bool:
    """Whether faces can be found here: dlib and its landmarks model are installed and work."""
    try:
        import dlib  # noqa: F401
    except ImportError:
        return False
    return model_file() is not None


@lru_cache(maxsize=1)
def load_dlib() -> tuple:
    """dlib's (face detector, landmarks model); the second is 100 MB. UserError where they are missing or damaged."""
    if not available():
        raise UserError(f"finding a face needs dlib: {INSTALL}")
    import dlib

    path = model_file()
    try:
        return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
    except RuntimeError as problem:
        raise UserError(f"{path} is damaged: pip install --force-reinstall face_recognition_models") from problem


def find_faces(pixels: np.ndarray) -> list[np.ndarray]:
    """The landmarks of the faces in (H, W, 3) uint8 RGB: (68, 2) or (5, 2) float64 each, in dlib's order of points.

    The largest comes first. Those that the detector is unsure of are left out where it is sure of others. UserError
    without dlib.
    """
    detector, predictor = load_dlib()
    image = Image.fromarray(pixels)
    shrink = max(1.0, max(image.size) / LARGEST_SEARCHED)
    size = [max(1, round(side / shrink)) for side in image.size]
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS) if shrink > 1 else image)
    boxes, scores, _ = detector.run(small, 1, 0.0)  # 1: also in the picture twice as large, for small faces
    kept = [box for box, score in zip(boxes, scores, strict=True) if score >= min(SURE, max(scores))]
    kept.sort(key=lambda box: box.area(), reverse=True)
    shapes = [[(point.x + 0.5, point.y + 0.5) for point in predictor(small, box).parts()] for box in kept]
    return [np.array(shape) * (np.array(image.size) / size) for shape in shapes]


# --- geometry -----------------------------------------------------------------------------------------------------


def eyes_and_mouth(landmarks: np.ndarray) -> np.ndarray:
    """The points of `MEAN_FACE` among dlib's 68, (4, 2). Its 5 lack the mouth: then the eyes alone, (2, 2)."""
    if len(landmarks) == 68:
        eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
        return np.array([*eyes, landmarks[48], landmarks[54]])
    if len(landmarks) == 5:  # the corners of the right-hand eye, then of the other, then below the nose
        return np.array([landmarks[2:4].mean(axis=0), landmarks[0:2].mean(axis=0)])
    raise ValueError(f"expected 68 or 5 landmarks, not {len(landmarks)}")


def similarity(points: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The rotation, scaling and shift that takes (N, 2) points nearest to their (N, 2) targets, as (2, 3).

    As complex numbers the points are z, the targets w, and w = a z + b is a straight line to be fitted.
    weights: (N,), how much each squared distance counts.
    """
    z, w, share = points @ [1, 1j], targets @ [1, 1j], weights / np.sum(weights)
    middle, target_middle = share @ z, share @ w
    a = (share * (z - middle).conj()) @ (w - target_middle) / (share @ abs(z - middle) ** 2)
    b = target_middle - a * middle
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def square(transform: np.ndarray) -> np.ndarray:
    """A (2, 3) transform as (3, 3), so that it can be multiplied and inverted."""
    return np.vstack([transform, (0, 0, 1)])


def scaling(scale: float, x: float = 0, y: float = 0) -> np.ndarray:
    """(3, 3): a shift by (x, y), then a scaling."""
    return np.array([[scale, 0, scale * x], [0, scale, scale * y], [0, 0, 1]])


def bounds(transform: np.ndarray, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """The upper left and the lower right corner of the upright box around where a (3, 3) transform puts a picture."""
    corners = (transform @ [(0, width, 0, width), (0, 0, height, height), (1, 1, 1, 1)])[:2]
    return corners.min(axis=1), corners.max(axis=1)


def warp(pixels: np.ndarray, transform: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture (H, W, C), uint8 or float32, seen through a (2, 3) similarity: (height, width, C) float32 of `size`.

    size: (width, height). Bicubic; where it shrinks, every pixel of the source has its share, so that nothing turns
    jagged. Beyond its border the source goes on with the border's pixels: a mirror there would show a second face.
    """
    width, height = size
    back = np.linalg.inv(square(transform))
    shrink = math.hypot(back[0, 0], back[1, 0])  # the source's pixels to one of the target's
    # A coarse reduction by averaging leaves a factor of less than 4; so much larger the target is made, then reduced.
    coarse = max(1, int(shrink / 2))
    fine = max(1, math.ceil(shrink / coarse - 1e-9))
    first, last = bounds(back, width, height)
    left, top = np.floor(first).astype(int) - 2 * coarse
    columns, rows = (np.ceil((last - (left, top)) / coarse).astype(int) + 2) * coarse
    region = pixels[np.clip(np.arange(top, top + rows), 0, pixels.shape[0] - 1)]
    region = region[:, np.clip(np.arange(left, left + columns), 0, pixels.shape[1] - 1)]
    # Pillow asks for the way from the target to the source.
    coefficients = (scaling(1 / coarse, -left, -top) @ back @ scaling(1 / fine))[:2].ravel().tolist()
    result = np.empty((height, width, pixels.shape[2]), np.float32)
    for channel in range(pixels.shape[2]):
        image = Image.fromarray(region[:, :, channel].astype(np.float32)).reduce(coarse)
        image = image.transform(
            (width * fine, height * fine), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
        )
        result[:, :, channel] = image.resize(size, Image.Resampling.LANCZOS) if fine > 1 else image
    return result


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Numbers as uint8, rounded, those outside 0..255 cut off."""
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


# --- the way back -------------------------------------------------------------------------------------------------


def paste_back(
    original: np.ndarray, result: np.ndarray, aligned: Aligned, crop: int = CROP, keep_detail: bool = True
) -> np.ndarray:
    """The photograph with a changed face, (H, W, 3) uint8; softly blended in, and untouched further away.

    original: (H, W, 3) uint8, what `aligned` was made from, or that with another of its faces changed already.
    result: (S, S, 3) uint8, what became of the square of `crop` pixels in the middle of `aligned.pixels`.
    keep_detail: add what the network changed, rather than paste what it painted. A photograph is mostly sharper than
        the network's picture; this keeps its pores and hairs, and where nothing was changed, it is exactly as it was.

    Raises ValueError where the result is no square picture.
    """
    side = result.shape[0]
    if result.shape != (side, side, 3) or result.dtype != np.uint8:
        raise ValueError(f"expected a square (S, S, 3) uint8 picture, not {result.shape} {result.dtype}")
    left, top = (crop_offset(length, crop) for length in (aligned.pixels.shape[1], aligned.pixels.shape[0]))
    layer = result.astype(np.float32)
    if keep_detail:
        before = Image.fromarray(aligned.pixels).crop((left, top, left + crop, top + crop))
        layer -= np.asarray(before.resize((side, side), Image.Resampling.BILINEAR), np.float32)
    back = np.linalg.inv(scaling(side / crop, -left, -top) @ square(aligned.transform))
    first, last = bounds(back, side, side)
    x0, y0 = np.clip(np.floor(first), 0, original.shape[1::-1]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(last), 0, original.shape[1::-1]).astype(int).tolist()
    if x0 == x1 or y0 == y1:
        return original.copy()
    layers = np.dstack([layer, soft_square(side)])
    warped = warp(layers, (scaling(1, -x0, -y0) @ back)[:2], (x1 - x0, y1 - y0))
    share = np.clip(warped[:, :, 3:], 0, 1)
    there = original[y0:y1, x0:x1]
    pasted = original.copy()
    pasted[y0:y1, x0:x1] = to_bytes(there + share * (warped[:, :, :3] - (0 if keep_detail else there)))
    return pasted


def crop_offset(length: int, crop: int) -> int:
    """Where a centre crop begins, as torchvision has it; negative where the picture is smaller than the crop."""
    return int(round((length - crop) / 2)) if length >= crop else -((crop - length) // 2)


def soft_square(side: int) -> np.ndarray:
    """(side, side) float32: 1 in the middle, falling smoothly to 0 at the border."""
    position = np.arange(side)
    near = np.minimum(position, side - 1 - position) / max(1, FEATHER * side)
    ramp = np.clip(near, 0, 1) ** 2 * (3 - 2 * np.clip(near, 0, 1))
    return np.outer(ramp, ramp).astype(np.float32)
