"""Pictures in and out: any file a person has becomes (H, W, 3) uint8 RGB, and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from shared_scripts.cli import UserError, one_line
from shared_scripts.files import atomic_write, natural_key, resolve_path

EXTENSIONS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}


def read_image(path: str | Path, auto_rotate: bool = True) -> np.ndarray:
    """Read a picture as people see it: (H, W, 3) uint8 RGB.

    The EXIF orientation is applied (unless `auto_rotate` is false), palettes are looked up, transparency is dropped
    (the colours under it stay), 16-bit and floating-point pictures are scaled to 0..255, CMYK and grey become RGB. Of
    an animation the first frame is taken. Raises UserError naming the file where it is missing, empty, truncated or
    no picture.
    """
    path = resolve_path(path)
    if not path.exists():
        raise UserError(f"there is no file {path}")
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a picture")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty")
    with problems_named(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the hard limit still holds
        with Image.open(path) as image:
            return to_rgb(ImageOps.exif_transpose(image) if auto_rotate else image)


@contextmanager
def problems_named(shown: str | Path) -> Iterator[None]:
    """What Pillow raises for a picture inside, as a UserError that calls it `shown`."""
    try:
        yield
    except UnidentifiedImageError as problem:
        raise UserError(f"{shown} is not a picture in a format this program reads") from problem
    except Image.DecompressionBombError as problem:
        raise UserError(f"{shown} is too large: {one_line(problem)}") from problem
    except PermissionError as problem:
        raise UserError(f"{shown} cannot be read: {problem.strerror}") from problem
    except (OSError, SyntaxError, ValueError, EOFError) as problem:  # Pillow's words for damaged files
        raise UserError(f"{shown} is damaged or cut short ({one_line(problem)})") from problem


def is_deep(image: Image.Image) -> bool:
    """Whether a picture is grey with more than 8 bits, which Pillow's own conversions would clip to white."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def to_rgb(image: Image.Image, rounded: bool = False) -> np.ndarray:
    """A Pillow image of any mode as (H, W, 3) uint8; for `rounded` see `scale_to_8_bits`."""
    if is_deep(image):
        return np.repeat(scale_to_8_bits(np.asarray(image), rounded)[..., None], 3, axis=2)
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")  # straight to RGB would warn, and mixes up some palettes' transparent entry
    return np.array(image.convert("RGB"))  # np.array: a copy that may be written to


def scale_to_8_bits(grey: np.ndarray, rounded: bool = False) -> np.ndarray:
    """Grey values of more than 8 bits as uint8. Floats up to 1 are taken as 0..1, integers as 16 bit.

    What is between two values is cut off, or goes to the nearer one if `rounded`.
    """
    if np.issubdtype(grey.dtype, np.floating):
        scale = 255.0 if np.nanmax(grey) <= 1 else 1.0
        scaled = np.clip(np.nan_to_num(grey) * scale, 0, 255)
        return (np.rint(scaled) if rounded else scaled).astype(np.uint8)
    half = 128 if rounded else 0
    return ((np.clip(grey, 0, 65535).astype(np.int64) + half) // 257).astype(np.uint8)  # 257 = 65535 / 255


def check_format(path: Path) -> None:
    """UserError where the file name's ending is none a picture can be written in."""
    if path.suffix.lower() not in EXTENSIONS:
        raise UserError(f"cannot tell the picture format from {path.name!r}; end it in .jpg or .png")


def write_image(path: str | Path, pixels: np.ndarray, quality: int = 95) -> None:
    """Write (H, W, 3) uint8 RGB, in the format the name ends in. The file is whole or not there."""
    path = Path(path)
    check_format(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected (H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
    with atomic_write(path) as temporary:
        Image.fromarray(pixels).save(temporary, quality=quality)


def write_small(path: str | Path, pixels: np.ndarray, max_bytes: int = 150_000) -> None:
    """Write (H, W, 3) uint8 RGB as a JPEG, as good as fits into `max_bytes`: the figures of the READMEs."""
    with atomic_write(Path(path)) as temporary:
        for quality in range(92, 40, -3):
            Image.fromarray(pixels).save(temporary, "jpeg", quality=quality)
            if temporary.stat().st_size <= max_bytes:
                break
    print(f"wrote {path}", flush=True)


def has_picture_name(path: Path) -> bool:
    """Whether a file's name is a picture's: a known ending, and not hidden."""
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")


def list_images(folder: str | Path) -> list[Path]:
    """The pictures in a folder by their endings, in natural order (2 before 10). UserError where there are none."""
    folder = resolve_path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    found = [path for path in folder.iterdir() if has_picture_name(path)]
    if not found:
        raise UserError(f"there are no pictures in {folder}")
    return sorted(found, key=lambda path: natural_key(path.name))


def truncate(pixels: np.ndarray) -> np.ndarray:
    """Any numbers as uint8: clipped to 0..255, then cut off, not rounded, as the references do."""
    return np.clip(pixels, 0, 255).astype(np.uint8)


def preserve_colors(content: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """The painted picture's brightness with the content's colours, (H, W, 3) uint8, of any numbers 0..255.

    Luma transfer in YCbCr (Gatys et al. 2016, "Preserving color in neural artistic style transfer"). The luma takes the
    detour over a grey picture and Pillow's RGB -> YCbCr tables, which lower 22 of the 256 greys by one: neural style's
    reference does, and pixels are compared with its.
    """
    luma = (np.clip(painted, 0, 255) @ np.array([0.299, 0.587, 0.114])).astype(np.float32).astype(np.uint8)
    grey = Image.fromarray(np.repeat(luma[..., None], 3, axis=2)).convert("YCbCr")
    colours = Image.fromarray(truncate(content)).convert("YCbCr")
    merged = Image.merge("YCbCr", (grey.getchannel(0), colours.getchannel(1), colours.getchannel(2)))
    return np.array(merged.convert("RGB"))


def resize(
    pixels: np.ndarray, height: int, width: int, resample: Image.Resampling = Image.Resampling.BICUBIC
) -> np.ndarray:
    """(height, width, 3) uint8, stretched."""
    return np.array(resize_image(Image.fromarray(pixels), height, width, resample))


def resize_image(image: Image.Image, height: int, width: int, resample: Image.Resampling) -> Image.Image:
    """A picture, stretched. The columns go first, on their own.

    In which order Pillow takes the two passes when it may choose differs between its versions, and with it the
    rounding; columns first is what the versions did that the references ran with.
    """
    image = image.resize((width, image.height), resample)
    return image.resize((width, height), resample)


def fit(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8: the largest centred part of that aspect, resized."""
    return np.array(ImageOps.fit(Image.fromarray(pixels), (width, height), Image.Resampling.LANCZOS))


def font_for(titles: Sequence[str], width: int) -> ImageFont.FreeTypeFont:
    """The largest font, of 8 to 16 pixels, in which each of the titles fits into `width`; the smallest where none."""
    for size in range(16, 7, -1):
        font = ImageFont.load_default(size=size)
        if max(map(font.getlength, titles), default=0) <= width:
            break
    return font


def grid(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str] = (),
    gap: int = 8,
    background: int = 255,
    row_titles: Sequence[str] = (),
) -> np.ndarray:
    """One (H, W, 3) uint8 sheet of pictures that all have one size, with a title over each column and one before each
    row."""
    height, width = rows[0][0].shape[:2]
    font = ImageFont.load_default(size=16)
    left = gap + max((int(font.getlength(title)) + gap for title in row_titles), default=0)
    top = 28 if titles else gap
    columns = max(len(row) for row in rows)
    size = (left + columns * (width + gap), top + len(rows) * (height + gap))
    sheet = Image.new("RGB", size, (background,) * 3)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (left + x * (width + gap), top + y * (height + gap)))
    pen, ink = ImageDraw.Draw(sheet), (40, 40, 40)
    small = font_for(titles, width + gap // 2)
    for x, title in enumerate(titles):
        pen.text((left + x * (width + gap) + width / 2, top / 2), title, fill=ink, font=small, anchor="mm")
    for y, title in enumerate(row_titles):
        pen.text((gap, top + y * (height + gap) + height / 2), title, fill=ink, font=font, anchor="lm")
    return np.array(sheet)
