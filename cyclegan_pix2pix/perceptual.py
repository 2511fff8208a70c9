"""A distance of pictures by what a network sees in them, not by their pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from shared_scripts.networks.compact import compact_mean, load_compact

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


class PerceptualDistance:
    """`distance(a, b)` of two pictures (H, W, 3) uint8: 0 for equal ones, about 1 for two that have nothing in common.

    After Zhang et al. 2018 (LPIPS), without the weights they learned from people: the features of five layers of the
    compact network, scaled to length 1 at every pixel; the squared differences, averaged over pixels and layers.
    """

    def __init__(self):
        self.network, self.mean = load_compact(), compact_mean()

    def __call__(self, a: np.ndarray, b: np.ndarray) -> float:
        with torch.inference_mode():
            return float(
                np.mean([self.difference(x, y) for x, y in zip(self.features(a), self.features(b), strict=True)])
            )

    def features(self, picture: np.ndarray) -> list[Tensor]:
        """(1, C, H, W) of each layer, of length 1 at every pixel."""
        x = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32))[None] - self.mean
        return [torch.nn.functional.normalize(f, dim=1) for f in self.network(x, LAYERS).values()]

    def difference(self, x: Tensor, y: Tensor) -> float:
        """The mean over pixels of the squared distance of the directions, 0 to 2 (features are never negative)."""
        return float(((x - y) ** 2).sum(1).mean())
