"""Between network outputs and pictures: 8 bits, grids, latents at random and on a smooth walk.

Everything rounds half to even. Random numbers come from a `numpy.random.RandomState` in the order in which the
reference takes them from numpy's global one, so that its seeds give its pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write

DRANGE_NET = (-1.0, 1.0)  # the numbers a network takes for black and white

# Snapshot grids: the sheet's size in pixels, then the fewest and the most columns and rows
SHEETS = {"1080p": ((1920, 3, 32), (1080, 2, 32)), "4k": ((3840, 7, 32), (2160, 4, 32))}


def adjust_range(x, source: tuple[float, float], target: tuple[float, float]):
    """`x` (an array or a tensor of floats), scaled so that the range `source` becomes `target`. Nothing is clipped."""
    if tuple(source) == tuple(target):
        return x
    low, high = (np.float32(value) for value in source)
    new_low, new_high = (np.float32(value) for value in target)
    scale = (new_high - new_low) / (high - low)
    bias = new_low - low * scale
    return x * float(scale) + float(bias)


def to_uint8(images, drange: tuple[float, float] = DRANGE_NET, shrink: int = 1) -> np.ndarray:
    """Network outputs (N, C, H, W), an array or a tensor, as uint8 (N, C, H / shrink, W / shrink).

    Averaging comes before rounding, as in the reference's `Network.run`. What lies outside `drange` is saturated.
    ValueError where `shrink` does not divide the size.
    """
    x = adjust_range(torch.as_tensor(images).detach().float(), drange, (0.0, 255.0))
    if shrink > 1:
        if x.shape[2] % shrink or x.shape[3] % shrink:
            raise ValueError(f"{x.shape[3]}x{x.shape[2]} pixels cannot be shrunk by {shrink}")
        x = F.avg_pool2d(x, shrink)
    return torch.round(x).clamp_(0, 255).to(torch.uint8).cpu().numpy()


def grid_shape(count: int, size: Sequence[int] | None = None) -> tuple[int, int]:
    """Columns and rows for so many pictures: `size` where it is given, else about a square."""
    if size is not None:
        return int(size[0]), int(size[1])
    columns = max(int(np.ceil(np.sqrt(count))), 1)
    return columns, max((count - 1) // columns + 1, 1)


def image_grid(images: np.ndarray, size: Sequence[int] | None = None) -> np.ndarray:
    """(N, C, H, W) as one picture (C, rows * H, columns * W), row by row; `size` is (columns, rows).

    Cells without a picture are 0; pictures without a cell are left out.
    """
    columns, rows = grid_shape(len(images), size)
    _, channels, height, width = images.shape
    cells = np.zeros((rows * columns, channels, height, width), images.dtype)
    shown = images[: len(cells)]
    cells[: len(shown)] = shown
    cells = cells.reshape(rows, columns, channels, height, width)
    return np.ascontiguousarray(cells.transpose(2, 0, 3, 1, 4).reshape(channels, rows * height, columns * width))


def to_pixels(image: np.ndarray, drange: tuple[float, float] = (0.0, 255.0)) -> np.ndarray:
    """A picture (C, H, W) or (H, W) with numbers in `drange` as (H, W, 3) uint8; a grey one as (H, W)."""
    pixels = np.clip(np.rint(adjust_range(np.asarray(image), drange, (0.0, 255.0))), 0, 255).astype(np.uint8)
    if pixels.ndim == 2 or pixels.shape[0] == 1:
        return pixels.reshape(pixels.shape[-2:])
    if pixels.shape[0] != 3:
        raise ValueError(f"a picture has 1 or 3 channels, not {pixels.shape[0]}")
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def to_rgb(pixels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 as (H, W, 3)."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def save_picture(path: str | Path, image: np.ndarray, drange: tuple[float, float] = (0.0, 255.0)) -> None:
    """Write a picture (C, H, W) or (H, W) as the name's ending says; the file is whole or not there."""
    with atomic_write(Path(path)) as temporary:
        Image.fromarray(to_pixels(image, drange)).save(temporary)


def save_grid(
    path: str | Path, images, drange: tuple[float, float] = DRANGE_NET, size: Sequence[int] | None = None
) -> None:
    """Write images (N, C, H, W), an array or a tensor, as one sheet; `size` is (columns, rows)."""
    images = images.detach().float().cpu().numpy() if isinstance(images, Tensor) else np.asarray(images)
    save_picture(path, image_grid(images, size), drange)


def snapshot_grid_size(size: str | Sequence[int], resolution: int) -> tuple[int, int]:
    """Columns and rows of the sheets that training writes; `size` is '1080p' or '4k', or says it: '8x6' or (8, 6).

    UserError where it is none of these.
    """
    if isinstance(size, str) and size in SHEETS:
        return tuple(min(max(pixels // resolution, low), high) for pixels, low, high in SHEETS[size])
    text = size if isinstance(size, str) else "x".join(map(str, size))
    match = re.fullmatch(r"\s*([1-9]\d{0,3})\s*[x,]\s*([1-9]\d{0,3})\s*", text)
    if not match:
        raise UserError(f"grid size {text!r} is none; take {', '.join(SHEETS)}, or columns x rows such as 8x6")
    return int(match[1]), int(match[2])


def random_latents(count: int, size: int, rng: np.random.RandomState) -> np.ndarray:
    """(count, size) float32 from a normal distribution."""
    return rng.randn(count, size).astype(np.float32)


def interpolation_latents(
    frames: int,
    cells: int,
    latent_size: int,
    smoothing_sec: float = 1.0,
    fps: float = 30,
    seed: int | None = 1000,
) -> np.ndarray:
    """A smooth closed walk through the latent space for each cell of a grid: (frames, cells, latent_size) float32.

    Independent latents of every frame, smoothed over time by a Gaussian of `smoothing_sec` (the last frame goes over
    into the first), then scaled to a root mean square of 1.
    """
    from scipy.ndimage import gaussian_filter  # here: scipy takes half a second, and only films need it

    latents = np.random.RandomState(seed).randn(frames, cells, latent_size).astype(np.float32)
    latents = gaussian_filter(latents, [smoothing_sec * fps, 0, 0], mode="wrap")
    return latents / np.sqrt(np.mean(np.square(latents)))


def mirror_randomly(images: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Images (N, C, H, W), each of them mirrored left to right with a chance of a half; a new array."""
    mirrored = rng.rand(len(images)) < 0.5
    result = np.array(images)
    result[mirrored] = result[mirrored, :, :, ::-1]
    return result


def zoom(pixels: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, ...), every pixel repeated `factor` times in both directions."""
    return pixels if factor == 1 else pixels.repeat(factor, axis=0).repeat(factor, axis=1)
