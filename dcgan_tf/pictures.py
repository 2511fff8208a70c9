"""Pictures out: what a generator gives becomes pixels, grids, PNG and GIF files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image

from shared_scripts.files import atomic_write

FASTEST_GIF = 50  # frames a second; browsers play anything faster at 10


def to_pixels(images: np.ndarray, sigmoid: bool = False, stretch: bool = False) -> np.ndarray:
    """Raw network output (..., H, W, C) as uint8 of that shape.

    tanh's -1..1 (sigmoid's 0..1) becomes 0..255, rounded; what is no number becomes black. `stretch`: the lowest value
    of the whole array becomes 0 and the highest 255, as in the reference's files. Of a film's single frames that makes
    the brightness flicker.
    """
    if stretch:
        return stretch_levels(images)
    values = np.asarray(images, np.float32)
    values = values * 255 if sigmoid else (values + 1) * 127.5
    return np.clip(np.rint(np.nan_to_num(values)), 0, 255).astype(np.uint8)


def stretch_levels(values: np.ndarray) -> np.ndarray:
    """Any numbers as uint8, their lowest as 0 and their highest as 255: what scipy.misc did to all but uint8."""
    values = np.nan_to_num(np.asarray(values, np.float64))
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    return (np.clip((values - low) * (255 / ((high - low) or 1)), 0, 255) + 0.5).astype(np.uint8)


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1, 3 or 4) uint8 as (H, W, 3); alpha is dropped."""
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]


def to_image(pixels: np.ndarray) -> Image.Image:
    """A Pillow image of (H, W, C) uint8: grey, RGB or RGBA."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def save_picture(path: str | Path, pixels: np.ndarray) -> None:
    """Write (H, W, C) uint8, C 1, 3 or 4, as a PNG of that many channels. The file is whole or not there."""
    with atomic_write(Path(path)) as temporary:
        to_image(pixels).save(temporary, "png")


def numbered(stem: str, i: int, count: int) -> str:
    """The file name of the i-th of so many pictures."""
    return f"{stem}_{i:0{max(3, len(str(count - 1)))}d}.png"


# --- grids --------------------------------------------------------------------------------------------------------


def manifold_size(n: int) -> tuple[int, int]:
    """(rows, columns) of a grid for n pictures, as square as can be.

    The reference's (floor sqrt n, ceil sqrt n) where that holds n exactly; it refused every other n. Here the last row
    may stay blank in part.
    """
    columns = math.isqrt(max(n, 1) - 1) + 1
    return max(1, math.ceil(n / columns)), columns


def merge(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(N, h, w, C) as one canvas (rows * h, columns * w, C), filled row by row; cells left over are zero."""
    (rows, columns), (n, height, width, channels) = size, images.shape
    if n > rows * columns:
        raise ValueError(f"{n} pictures do not fit into {rows} rows of {columns}")
    cells = np.zeros((rows * columns, height, width, channels), images.dtype)
    cells[:n] = images
    cells = cells.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return cells.reshape(rows * height, columns * width, channels)


def grid_pixels(
    images: np.ndarray, sigmoid: bool = False, stretch: bool = False, size: tuple[int, int] | None = None
) -> np.ndarray:
    """Raw output (N, h, w, C) as the uint8 canvas of a grid, by default of `manifold_size`; blank cells are black."""
    size = size or manifold_size(len(images))
    if stretch:  # of the canvas: a blank cell's 0 counts, and stands for the output -1, also of a sigmoid
        return stretch_levels(merge((np.asarray(images, np.float32) + 1) / 2, size))
    return merge(to_pixels(images, sigmoid), size)


def save_grid(
    path: str | Path,
    images: np.ndarray,
    sigmoid: bool = False,
    stretch: bool = False,
    size: tuple[int, int] | None = None,
) -> None:
    """Write raw network output (N, h, w, C) as one PNG; see `grid_pixels`."""
    save_picture(path, grid_pixels(images, sigmoid, stretch, size))


# --- GIFs ---------------------------------------------------------------------------------------------------------


def gif_frames(images: np.ndarray, sigmoid: bool = False) -> np.ndarray:
    """Raw output (..., C) as uint8, cut off instead of rounded, as the reference's GIFs are."""
    values = np.asarray(images, np.float32)
    values = values * 255 if sigmoid else (values + 1) / 2 * 255
    return np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)


def gif_times(n: int, seconds: float) -> list[tuple[int, int]]:
    """Which of n frames a GIF of that length shows, each with how long, in milliseconds.

    A GIF counts in hundredths of a second: the times are rounded so that their sum is right. Of more than 50 frames a
    second only some are shown.
    """
    shown = max(1, min(n, int(seconds * FASTEST_GIF)))
    ends = [round(seconds * 100 * (k + 1) / shown) for k in range(shown)]
    return [
        (k * n // shown, 10 * max(1, end - start)) for k, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
    ]


def save_gif(path: str | Path, frames: np.ndarray, seconds: float) -> None:
    """Write (N, H, W, C) uint8 as an endless GIF that takes `seconds` a round."""
    times = gif_times(len(frames), seconds)
    images = [to_image(frames[i] if frames.shape[3] < 4 else to_rgb(frames[i])) for i, _ in times]
    with atomic_write(Path(path)) as temporary:
        images[0].save(
            temporary, "gif", save_all=True, append_images=images[1:], duration=[time for _, time in times], loop=0
        )
