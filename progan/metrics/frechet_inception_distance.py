#!/usr/bin/env python3
"""Fréchet inception distance between two sets of images (Heusel et al. 2017). Lower is better.

`python metrics/frechet_inception_distance.py PATH1 PATH2`, where a path is a folder of images or an .npz file with the
arrays `mu` and `sigma` of such a set, as other FID programs write it.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # the project: `metrics` is a folder of it

import numpy as np

from metrics.inception import Inception
from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import atomic_write, resolve_path

Statistics = tuple[np.ndarray, np.ndarray]  # mean (D,) and covariance (D, D) of features, float64


def statistics(features: np.ndarray) -> Statistics:
    """Of features (N, D)."""
    features = np.asarray(features, np.float64)
    return features.mean(axis=0), np.cov(features, rowvar=False)


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """|mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), of two normal distributions.

    The root's trace is the sum of the roots of the eigenvalues of R S2 R, where R R = S1: symmetric, so that it stays
    real, and exact also where there are fewer images than dimensions.
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ cov_b @ root
    values = np.linalg.eigvalsh((product + product.T) / 2)
    trace_of_root = np.sqrt(np.maximum(values, 0)).sum()
    return float(np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * trace_of_root)


class FID:
    """The metric, fed with minibatches; `end` gives the distance to the real images, 0 for themselves."""

    def __init__(self, inception: Inception):
        self.inception = inception
        self.found: list[np.ndarray] = []
        self.reals: Statistics | None = None

    def names(self) -> list[str]:
        """The columns."""
        return ["FID"]

    def formats(self) -> list[str]:
        """How the reference prints them."""
        return ["%-10.4f"]

    def begin(self, mode: str) -> None:
        """Start a set: 'reals' (or 'warmup') to compare with later, or 'fakes' to be compared."""
        self.found = []

    def feed(self, mode: str, images: np.ndarray) -> None:
        """Add images (N, 3, H, W) uint8."""
        self.found.append(self.inception(images)[0])

    def end(self, mode: str) -> list[float]:
        """The distance; NaN where one image has no covariance."""
        features = np.concatenate(self.found)
        if len(features) < 2:
            return [float("nan")]
        found = statistics(features)
        if mode != "fakes":
            self.reals = found
            return [0.0]
        return [frechet_distance(self.reals, found)]


# --- the script ---------------------------------------------------------------------------------------------------


def read_statistics(path: Path) -> Statistics:
    """An .npz file's `mu` and `sigma`. UserError where it has none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, cov = (np.asarray(file[name], np.float64) for name in ("mu", "sigma"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as problem:
        raise UserError(f"{path} is damaged or holds no mu and sigma ({problem})") from problem
    if mean.ndim != 1 or cov.shape != 2 * mean.shape or not (np.isfinite(mean).all() and np.isfinite(cov).all()):
        raise UserError(f"{path} holds no mean and covariance: mu is {mean.shape}, sigma {cov.shape}")
    return mean, cov


def statistics_of(path: Path, inception: Inception | None) -> Statistics:
    """Of a folder of images, or read from a file."""
    if inception is None or path.is_file():
        return read_statistics(path)
    from metrics.folders import ImageFolder

    folder = ImageFolder(path)
    if len(folder) < 2:
        raise UserError(f"{path} has one image; FID needs many")
    return statistics(np.concatenate([inception(images)[0] for images in folder.minibatches()]))


def main(argv: list[str] | None = None) -> int:
    """Compare two sets."""
    parser = ArgumentParser(prog="metrics/frechet_inception_distance.py", description="FID between two sets of images.")
    add = parser.add_argument
    add("path1", metavar="PATH1", help="a folder of images, or an .npz file with mu and sigma")
    add("path2", metavar="PATH2", help="likewise")
    add("-i", "--inception", metavar="DIR_or_FILE", help="the Inception network's weights, or the folder they are in")
    add("--gpu", default="", metavar="N", help="number of the GPU; without one the first there is, -1: the CPU")
    add("--save", metavar="FILE.npz", help="write mu and sigma of PATH1 for the next time")
    flags = parser.parse_args(argv)
    paths = [resolve_path(path) for path in (flags.path1, flags.path2)]
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no file or folder {path}")
    inception = None
    if any(path.is_dir() for path in paths):
        from shared_scripts.devices import pick_device

        inception = Inception(flags.inception, pick_device("auto", flags.gpu or None))
    a, b = (statistics_of(path, inception) for path in paths)
    if a[0].shape != b[0].shape:
        raise UserError(f"{paths[0]} has {len(a[0])} features, {paths[1]} {len(b[0])}")
    if flags.save:
        with atomic_write(resolve_path(flags.save)) as temporary:
            np.savez(temporary, mu=a[0], sigma=a[1])
    print(f"FID:  {frechet_distance(a, b)}")
    return 0


if __name__ == "__main__":
    run(main)
