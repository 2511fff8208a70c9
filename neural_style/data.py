"""Pictures as the reference treats them: resizing, mean subtraction, noise, colours. Pixels are (H, W, 3) RGB."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from shared_scripts import images

NOISE_SCALE = 0.256  # of the starting noise, in pixel values: nearly a uniform grey


def resize(pixels: np.ndarray, size: float | tuple[int, int]) -> np.ndarray:
    """Resize by a factor or to (height, width), to uint8. A side never becomes smaller than one pixel.

    Pillow's bicubic filter on truncated uint8; factor sizes are cut off, which often loses a pixel (49 -> 512 gives
    511): results depend on both.
    """
    height, width = pixels.shape[:2]
    if isinstance(size, tuple):
        height, width = size
    else:
        height, width = int(height * size), int(width * size)
    return images.resize(images.truncate(pixels), max(1, height), max(1, width))


def content_size(height: int, width: int, new_width: int | None) -> tuple[int, int]:
    """(height, width) of the result: the content's own, or scaled to `new_width` with the height rounded down."""
    if new_width is None:
        return height, width
    return max(1, math.floor(height / width * new_width)), new_width


def resize_style(pixels: np.ndarray, target_width: int, scale: float = 1.0) -> np.ndarray:
    """A style picture at `scale` times the result's width, its aspect kept."""
    return resize(pixels, scale * target_width / pixels.shape[1])


def preprocess(pixels: np.ndarray, mean: Sequence[float]) -> Tensor:
    """(H, W, 3) values 0..255 -> (1, 3, H, W) float32 minus `mean`; the subtraction is in float64."""
    centred = pixels.astype(np.float64) - np.asarray(mean, dtype=np.float64)
    return torch.from_numpy(centred.astype(np.float32)).permute(2, 0, 1).unsqueeze(0)


def unprocess(picture: Tensor, mean: Sequence[float]) -> np.ndarray:
    """(1, 3, H, W) minus `mean` -> (H, W, 3) float64, neither clipped nor rounded."""
    pixels = picture.detach()[0].permute(1, 2, 0).cpu().numpy().astype(np.float64)
    return pixels + np.asarray(mean, dtype=np.float64)


def gaussian_noise(height: int, width: int, generator: torch.Generator | None = None) -> Tensor:
    """(1, 3, height, width) of N(0, 1). Drawn on the CPU so that a seed means the same picture on every device."""
    return torch.randn(1, height, width, 3, generator=generator).permute(0, 3, 1, 2)


def start_picture(initial: Tensor | None, noise: Tensor, noiseblend: float) -> Tensor:
    """The picture the optimisation starts from, (1, 3, H, W): `initial` mixed with noise, or noise alone."""
    if initial is None:
        return noise * NOISE_SCALE
    return initial * (1 - noiseblend) + noise * NOISE_SCALE * noiseblend
