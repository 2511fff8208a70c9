"""Labels as the conditional networks take them: a weight for each class, which add up to 1."""

from __future__ import annotations

import numpy as np

from shared_scripts.cli import UserError

LABELS = 10  # MNIST's digits 0..9


def one_hot(labels: np.ndarray, count: int = LABELS) -> np.ndarray:
    """Labels (N,), whole numbers from 0 to below `count`, as (N, count) float32: 1 for the label, 0 elsewhere.
    ValueError for others."""
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < count:
        raise ValueError(f"labels go from 0 to {count - 1}, not from {labels.min()} to {labels.max()}")
    return np.eye(count, dtype=np.float32)[labels]


def mix(label: int | tuple[int, int], t: float = 0.0, count: int = LABELS) -> np.ndarray:
    """(count,) float32: one label, or the mixture at the part t of the way between two."""
    first, last = one_hot(label if isinstance(label, tuple) else (label, label), count)
    return ((1 - t) * first + t * last).astype(np.float32)


def check_label(label: int | None, count: int) -> None:
    """UserError for a --label that a network with `count` of them (0: none) does not know."""
    if label is not None and not 0 <= label < count:
        known = f"the labels 0 to {count - 1}" if count else "no labels"
        raise UserError(f"--label {label}: this network knows {known}")
