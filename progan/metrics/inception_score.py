"""Inception score of a set of images: whether each is clearly of some class, and all classes appear (Salimans et al.
2016). Higher is better."""

from __future__ import annotations

import numpy as np

from metrics.inception import Inception

SPLITS = 10


def inception_score(probabilities: np.ndarray, splits: int = SPLITS) -> tuple[float, float]:
    """Mean and standard deviation, over `splits` contiguous parts, of exp(mean KL of a row from the part's mean row).

    `probabilities` is (N, classes), in float32 as the reference computes it or more exact. NaN with fewer images than
    parts.
    """
    count, scores = len(probabilities), []
    if count < splits:
        return float("nan"), float("nan")
    for i in range(splits):
        part = probabilities[i * count // splits : (i + 1) * count // splits]
        kl = part * (np.log(part) - np.log(part.mean(axis=0, keepdims=True)))
        scores.append(np.exp(kl.sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


class InceptionScore:
    """The metric, fed with minibatches; `end` gives the mean and the standard deviation over ten parts of the set."""

    def __init__(self, inception: Inception):
        self.inception = inception
        self.found: list[np.ndarray] = []

    def names(self) -> list[str]:
        """The columns."""
        return ["IS_mean", "IS_std"]

    def formats(self) -> list[str]:
        """How the reference prints them."""
        return ["%-10.4f", "%-10.4f"]

    def begin(self, mode: str) -> None:
        """Start a set; of which kind makes no difference here."""
        self.found = []

    def feed(self, mode: str, images: np.ndarray) -> None:
        """Add images (N, 3, H, W) uint8."""
        self.found.append(self.inception(images)[1])

    def end(self, mode: str) -> list[float]:
        """Mean and standard deviation."""
        return list(inception_score(np.concatenate(self.found)))
