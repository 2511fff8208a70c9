"""Pictures and measured arrays in, lists of them: what the datasets feed on.

A picture is one array (H, W, bands): uint8 where it comes from an ordinary picture file (grey, RGB or RGBA), float32 in
0..1 where it holds measured bands (.npy, .npz, TIFF of n bands), whose precision 8 bits would lose.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageOps, ImageSequence

from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.images import EXTENSIONS, has_picture_name, is_deep, read_image, to_rgb

ARRAYS = {".npy", ".npz"}
TIFFS = {".tif", ".tiff"}


def read_picture(
    path: str | Path, channels: int, alpha: str | None = None, auto_rotate: bool = False, flag: str = "--input_nc"
) -> np.ndarray:
    """A file as (H, W, channels): 3 is RGB, 1 the grey of the RGB, 4 RGBA, any other number the bands of the file.

    Transparency is dropped in 1 and 3 channels, or composited over the colour `alpha` ("white", "#ff8800"). 16 bits
    are scaled to 8 with rounding; the EXIF orientation counts only with `auto_rotate`. Bands (of a .npy or .npz in
    uint8, uint16 or floats in 0..1, of a TIFF's frames or samples) come as float32 in 0..1. Raises UserError where the
    file is missing or damaged, or has another number of bands than `flag` asks for.
    """
    path = resolve_path(path)
    if is_array(path):
        return as_bands(read_array(path), path, channels, flag)
    if channels == 4 and (not is_tiff(path) or is_coloured(path)):
        with opened(path, auto_rotate) as image:
            return to_rgba(image)
    if channels in (1, 3):
        with opened(path, auto_rotate) as image:
            rgb = to_8_bit_rgb(image, alpha)
        return rgb if channels == 3 else to_grey(rgb)
    return as_bands(read_tiff(path) if is_tiff(path) else read_samples(path), path, channels, flag)


def is_array(path: str | Path) -> bool:
    """Whether a file's name says that it holds an array of numpy's."""
    return Path(path).suffix.lower() in ARRAYS


def is_tiff(path: Path) -> bool:
    return path.suffix.lower() in TIFFS


def to_grey(picture: np.ndarray) -> np.ndarray:
    """(H, W, 1) of an RGB picture by Pillow's rounded ITU-R 601 luma; what has one band already stays."""
    if picture.shape[2] == 1:
        return picture
    return np.array(Image.fromarray(picture).convert("L"))[..., None]


# --- ordinary pictures, by Pillow ---------------------------------------------------------------------------------


@contextmanager
def opened(path: Path, auto_rotate: bool = False) -> Iterator[Image.Image]:
    """A picture file opened by Pillow. UserError, in read_image's words, where it or its decoding fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata and large pictures: a data set may have thousands of them
        try:
            with Image.open(path) as image:
                yield ImageOps.exif_transpose(image) if auto_rotate else image
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as problem:
            read_image(path)  # it tells every kind of damage apart
            raise UserError(f"{path} cannot be read ({problem})") from problem


def to_8_bit_rgb(image: Image.Image, alpha: str | None = None) -> np.ndarray:
    """A Pillow image of any mode as (H, W, 3) uint8, its transparency over the colour `alpha` or dropped."""
    if alpha is not None and image.has_transparency_data and not is_deep(image):
        background = Image.new("RGBA", image.size, background_colour(alpha))
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return to_rgb(image, rounded=True)


def background_colour(text: str) -> tuple[int, int, int]:
    """The RGB of a colour's name or code. UserError where there is no such colour."""
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError as problem:
        raise UserError(f"--alpha takes a colour such as white or #ff8800, not {text!r}") from problem


def to_rgba(image: Image.Image) -> np.ndarray:
    """(H, W, 4) uint8; a picture without transparency is opaque."""
    if is_deep(image):
        rgb = to_8_bit_rgb(image)
        return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    return np.array(image.convert("RGBA"))


def is_coloured(path: Path) -> bool:
    """Whether a TIFF is an RGB, RGBA or palette picture rather than a pile of bands."""
    try:
        with opened(path) as image:
            return image.mode == "P" or len(image.getbands()) > 1
    except UserError:  # of a kind that only tifffile knows, or damaged, which read_tiff will say
        return False


# --- bands --------------------------------------------------------------------------------------------------------


def read_array(path: Path) -> np.ndarray:
    """The array of a .npy, or the only one of a .npz. UserError where there is none."""
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            if len(found.files) != 1:
                raise UserError(f"{path} holds {len(found.files)} arrays; save one picture a file")
            return found[found.files[0]]
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except UserError:
        raise
    except Exception as problem:  # numpy lets zip's, zlib's and its own exceptions through
        raise UserError(f"{path} is damaged or no array of numbers ({problem})") from problem


def read_samples(path: Path) -> np.ndarray:
    """The samples of a picture file as they are: (H, W, 2) of grey with alpha, say."""
    with opened(path) as image:
        return np.array(image)


def read_tiff(path: Path) -> np.ndarray:
    """All samples of a TIFF's frames, (H, W, n) or (n, H, W), or (H, W) of a single one.

    tifffile knows any number of samples, Pillow more compressions: the second takes what the first cannot.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        import tifffile

        logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file is said below
        array = tifffile.imread(path)
        if not array.size:
            raise ValueError("no frames")
        return array
    except Exception as problem:  # not installed, a codec missing, or a damaged file: each its own exception
        try:
            with opened(path) as image:
                frames = [np.array(frame) for frame in ImageSequence.Iterator(image)]
        except UserError:
            if isinstance(problem, ImportError):
                raise UserError(f"{path}: TIFFs of many bands need a package: pip install tifffile") from problem
            raise
        if len({frame.shape for frame in frames}) > 1:
            raise UserError(f"{path} has frames of different sizes") from None
        return frames[0] if len(frames) == 1 else np.stack(frames)


def as_bands(array: np.ndarray, path: Path, channels: int, flag: str) -> np.ndarray:
    """(H, W, channels) float32 in 0..1 of an array (H, W), (H, W, n) or (n, H, W). UserError where it does not fit."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or 0 in array.shape:
        raise UserError(f"{path} holds an array of shape {array.shape}; a picture is (H, W, bands) or (bands, H, W)")
    if array.shape[2] != channels and array.shape[0] == channels:
        array = np.moveaxis(array, 0, 2)
    if array.shape[2] != channels:
        has = min(array.shape[0], array.shape[2])  # pictures have fewer bands than rows or columns
        raise UserError(f"{path} has {count(has, 'band')}, but {flag} asks for {channels}; give {flag} {has}")
    return to_unit(array, path)


def count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def to_unit(array: np.ndarray, path: Path) -> np.ndarray:
    """Numbers of a known range as float32 in 0..1. UserError where the range is not known."""
    if array.dtype in (np.uint8, np.uint16):
        return array.astype(np.float32) / np.iinfo(array.dtype).max
    if not np.issubdtype(array.dtype, np.floating):
        raise UserError(f"{path} holds {array.dtype} numbers; save uint8, uint16 or floats in 0..1")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # not-a-number fails as well
        raise UserError(f"{path} holds values from {low:g} to {high:g}; scale them to 0..1")
    return array.astype(np.float32)


# --- folders ------------------------------------------------------------------------------------------------------


def list_pictures(folder: str | Path, limit: float = math.inf, channels: int = 3) -> list[str]:
    """The picture files in a folder and its sub-folders, also linked ones: the first `limit` of the sorted full paths.

    Arrays (.npy, .npz) count where `channels` is neither 1 nor 3, or where there is nothing else. Hidden files and
    folders are left out. UserError where the folder is missing or has none.
    """
    folder = resolve_path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is a file, not a folder" if folder.exists() else f"there is no folder {folder}")
    files = list(walk(folder))
    arrays = [path for path in files if is_array(path)]
    found = [path for path in files if has_picture_name(path)]
    if channels not in (1, 3) or not found:
        found += arrays
    if not found:
        known = " ".join(sorted(EXTENSIONS | ARRAYS))
        raise UserError(f"there are no pictures in {folder} or its sub-folders (looked for {known})")
    found = sorted(str(path) for path in found)
    return found if limit >= len(found) else found[: int(limit)]


def walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """All files under a folder that are not hidden. Links are followed, but not back to a folder they lie in."""
    real = folder.resolve()
    if real in above:
        return
    try:
        entries = list(folder.iterdir())
    except OSError as problem:
        raise UserError(f"the folder {folder} cannot be read: {problem.strerror or problem}") from problem
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from walk(entry, (*above, real))
        elif entry.is_file():
            yield entry
