"""A picture at every resolution down to 4x4, as the training files have it."""

from __future__ import annotations

import numpy as np

from shared_scripts.cli import UserError

LOWEST = 2  # log2 of the smallest resolution


def log2_of(resolution: int, what: str) -> int:
    """The level of a resolution. UserError, beginning with `what`, unless it is a power of two from 4 on."""
    if resolution < 4 or resolution & (resolution - 1):
        raise UserError(f"{what} is {resolution}, and must be a power of two: 4, 8, 16, 32, ..., 1024")
    return resolution.bit_length() - 1


def largest_power(side: int, most: int = 1024) -> int:
    """The largest power of two that is not above `side`; between 4 and `most`."""
    return min(max(1 << (max(side, 1).bit_length() - 1), 4), most)


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Any numbers as uint8, half-way ones to the even neighbour."""
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def halved(pixels: np.ndarray) -> np.ndarray:
    """[..., H, W] float32 with every 2x2 block averaged: [..., H/2, W/2]."""
    top, bottom = pixels[..., 0::2, :], pixels[..., 1::2, :]
    return (top[..., 0::2] + top[..., 1::2] + bottom[..., 0::2] + bottom[..., 1::2]) * np.float32(0.25)


def pyramid(images: np.ndarray) -> list[np.ndarray]:
    """[..., R, R] uint8 pictures at R, R/2, ..., 4, each uint8.

    Every level is the mean of the level above as it was before rounding, so that rounding errors do not add up.
    """
    levels, pixels = [images], images.astype(np.float32)
    while pixels.shape[-1] > 1 << LOWEST:
        pixels = halved(pixels)
        levels.append(to_bytes(pixels))
    return levels
