"""The handwritten digits that scikit-learn brings: pictures to learn from, with no download."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from PIL import Image

from shared_scripts.cli import UserError

LEVELS = 16  # they count the inked pixels of 4x4 blocks


def load_digits(size: int) -> tuple[np.ndarray, np.ndarray]:
    """All of them enlarged: (1797, size, size) uint8, and their labels (1797,). UserError without scikit-learn."""
    check_scikit_learn()
    from sklearn import datasets

    digits = datasets.load_digits()
    pixels = np.rint(digits.images * (255 / LEVELS)).astype(np.uint8)
    return enlarge(pixels, size), digits.target


def check_scikit_learn() -> None:
    """UserError where it is missing: nothing else needs it."""
    if find_spec("sklearn") is None:
        raise UserError("scikit-learn is not installed; get it with: pip install scikit-learn")


def enlarge(pixels: np.ndarray, size: int) -> np.ndarray:
    """(N, h, w) uint8 -> (N, size, size) by bicubic interpolation; Pillow clips what it overshoots."""
    if pixels.shape[1:] == (size, size):
        return pixels
    shape = (size, size)
    return np.stack([np.array(Image.fromarray(one).resize(shape, Image.Resampling.BICUBIC)) for one in pixels])
