"""MNIST's idx files, plain or gzipped, in the order the reference reads and shuffles them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labels import LABELS
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.idx import IMAGES_MAGIC, KINDS, LABELS_MAGIC, find_idx, read_idx
from shared_scripts.progress import tell

SEED = 547  # of the reference's shuffling, and of all noise it draws after
AGAIN = "delete it, then run python download.py mnist"
PARTS = {"train": "train", "test": "t10k"}


def load_mnist(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """All digits in a folder: images (N, 28, 28, 1) float32 in 0..1 and labels (N,) int64.

    The training images come first, then the test images. Where one of the two is missing, the other is used alone,
    and that is said. UserError where the folder or both are missing, or a file is damaged.
    """
    folder = resolve_path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; get MNIST with: python download.py mnist")
    found = {part: find(folder, part, IMAGES_MAGIC) for part in PARTS}
    there = [part for part, path in found.items() if path]
    if not there:
        raise UserError(f"there are no MNIST images in {folder}; get them with: python download.py mnist")
    parts = [read_part(folder, part, found[part]) for part in there]
    for part in found.keys() - set(there):
        tell(f"{folder} has no {part} images: using the {len(parts[0][0])} {there[0]} images alone")
    if len({images.shape[1:] for images, _ in parts}) > 1:
        raise UserError(
            f"the training and the test images in {folder} have different sizes; they do not belong together"
        )
    images = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    return images[..., None].astype(np.float32) / 255, labels


def shuffled(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.random.RandomState]:
    """Images and labels in the reference's order, and its random numbers as they stand then.

    It shuffles both with the seed 547 once, never again between epochs, and draws all its noise from what follows:
    sample_z first, then batch_z after batch_z, so that its runs on MNIST repeat each other.
    """
    rng = np.random.RandomState(SEED)
    order = np.arange(len(images))
    rng.shuffle(order)
    return images[order], labels[order], rng


def read_part(folder: Path, part: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, rows, columns) and labels (N,), both uint8, of "train" or "test"."""
    labels_path = find(folder, part, LABELS_MAGIC)
    if labels_path is None:
        missing = folder / file_name(part, LABELS_MAGIC)
        raise UserError(f"{path} is there, but not {missing}: run python download.py mnist")
    images, labels = read_idx(path, IMAGES_MAGIC, AGAIN), read_idx(labels_path, LABELS_MAGIC, AGAIN)
    if len(images) != len(labels):
        raise UserError(f"{path} has {len(images)} images, but {labels_path} {len(labels)} labels; get both again")
    if labels.max(initial=0) >= LABELS:
        raise UserError(f"{labels_path} has the label {labels.max()}; digits go from 0 to {LABELS - 1}")
    return images, labels


def file_name(part: str, kind: int) -> str:
    """The file's published name, un-gzipped."""
    return f"{PARTS[part]}-{KINDS[kind]}-idx{3 if kind == IMAGES_MAGIC else 1}-ubyte"


def find(folder: Path, part: str, kind: int) -> Path | None:
    """The file, if it is there."""
    return find_idx(folder, file_name(part, kind))
