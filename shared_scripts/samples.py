"""Photographs that come with the projects' dependencies: for demos, figures and benchmarks, without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shared_scripts.files import resolve_path
from shared_scripts.images import write_image

# scikit-learn: by danielbuechele (CC BY 2.0); scikit-image: by Stéfan van der Walt and Rachel Michetti (CC0)
PHOTOS = {"china": "scikit-learn", "flower": "scikit-learn", "chelsea": "scikit-image", "coffee": "scikit-image"}


def sample_photo(name: str) -> np.ndarray:
    """One of `PHOTOS`, (H, W, 3) uint8 RGB."""
    if PHOTOS[name] == "scikit-learn":
        from sklearn.datasets import load_sample_image

        return np.array(load_sample_image(f"{name}.jpg"))
    import skimage.data

    return np.array(getattr(skimage.data, name)())


def photo_file(name: str, folder: Path) -> Path:
    """A person's own file, or a sample photograph written to `folder`."""
    if name not in PHOTOS:
        return resolve_path(name)
    path = folder / f"{name}.png"
    write_image(path, sample_photo(name))
    return path
