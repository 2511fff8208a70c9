"""From what a network gives back to pictures: (H, W, 3) or (H, W, 4) uint8."""

from __future__ import annotations

import warnings

import numpy as np
from torch import Tensor

from shared_scripts import images
from shared_scripts.cli import UserError


def tensor_to_image(tensor: Tensor | np.ndarray) -> np.ndarray:
    """The first picture of a batch (N, C, H, W) in [-1, 1] as (H, W, 3) uint8, cut off, not rounded.

    One channel is shown grey, two as red and green, four are RGBA and give (H, W, 4); of more, the first three are
    shown. An array of numpy's is a picture already and is only cast.
    """
    if isinstance(tensor, np.ndarray):
        return tensor.astype(np.uint8)
    pixels = tensor[0].detach().float().cpu().numpy()
    pixels = images.truncate((pixels.transpose(1, 2, 0) + 1) / 2.0 * 255.0)
    channels = pixels.shape[2]
    if channels == 1:
        return np.repeat(pixels, 3, axis=2)
    if channels == 2:
        return np.pad(pixels, ((0, 0), (0, 0), (0, 1)))
    return pixels if channels == 4 else np.ascontiguousarray(pixels[..., :3])


def lab_to_image(lightness: Tensor, colour: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 of the first of a batch in Lab: L (N, 1, H, W) and ab (N, 2, H, W), both scaled to [-1, 1]."""
    lab = np.concatenate([to_numbers(lightness, lambda x: (x + 1.0) * 50.0), to_numbers(colour, lambda x: x * 110.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # colours that no screen shows are clipped, and said so each time
        rgb = lab_module().lab2rgb(lab.transpose(1, 2, 0).astype(np.float64))
    return images.truncate(rgb * 255)


def to_numbers(tensor: Tensor, scale) -> np.ndarray:
    """The first of a batch, scaled in float32."""
    return scale(tensor[0].detach().float().cpu()).numpy()


def lab_module():
    """skimage.color; only colorization needs it. UserError where it is missing."""
    try:
        from skimage import color
    except ImportError as problem:
        raise UserError("colorization needs scikit-image; get it with: pip install scikit-image") from problem
    return color


def stretch(image: np.ndarray, aspect_ratio: float) -> np.ndarray:
    """The picture with its height times `aspect_ratio` if that is above 1, its width divided by it if below.

    That is what the original means to do; it mixes up height and width where a picture is not square.
    """
    height, width = image.shape[:2]
    if aspect_ratio > 1:
        return images.resize(image, int(height * aspect_ratio), width)
    if aspect_ratio < 1:
        return images.resize(image, height, int(width / aspect_ratio))
    return image


def fit_back(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture at the size its original came in, by the bicubic filter."""
    return image if image.shape[:2] == (height, width) else images.resize(image, height, width)
