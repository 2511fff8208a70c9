"""The compact network's teacher: the 16x smaller VGG-19 encoder of Collaborative Distillation.

Wang, Li, Wang, Hu, Yang: "Collaborative Distillation for Ultra-Resolution Universal Style Transfer" (CVPR 2020). The
published encoder computes relu1_1 to relu5_1 with 16 to 128 channels; 1x1 convolutions ("aux") widen five of them to
estimates of VGG-19's features, normalised to a mean activation near 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from shared_scripts.checkpoints import load_tensors
from shared_scripts.cli import UserError
from shared_scripts.networks.compact import compact_mean, reflect
from shared_scripts.networks.layout import layer_names

WIDTHS = (16, 32, 64, 128, 128)  # channels of the five blocks


class Teacher:
    """Reads the encoder's weights (float32, torch layout, names `conv11.weight`, `conv11_aux.weight`, …).

    Raises UserError where the file is missing, damaged or holds something else.
    """

    def __init__(self, path: str | Path):
        self.weights = load_tensors(path)
        layers = ["conv0", *(name.replace("_", "") for name in layer_names())]
        layers += [f"conv{block}1_aux" for block in range(1, 6)]
        missing = [layer for layer in layers if not {f"{layer}.weight", f"{layer}.bias"} <= self.weights.keys()]
        if missing:
            raise UserError(f"{path} is not the teacher's encoder: it has no {missing[0]}")

    def _convolve(self, layer: str, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"])

    def trunk(self, x: Tensor, last: str = "conv5_1") -> Iterator[tuple[str, Tensor]]:
        """Yield (name, features after the ReLU) of each convolution up to `last`.

        `x` is (N, 3, H, W) RGB 0..255 minus the mean, as the compact network takes it.
        """
        h = self._convolve("conv0", (x + compact_mean()) / 255)  # to BGR minus the mean, 0..255
        for name in layer_names():
            if name.endswith("_1") and name != "conv1_1":
                h = F.max_pool2d(h, 2, ceil_mode=True)
            h = F.relu(self._convolve(name.replace("_", ""), reflect(h)), inplace=True)
            yield name, h
            if name == last:
                return

    def widen(self, name: str, h: Tensor) -> Tensor:
        """The estimate of VGG-19's features behind `conv1_1` … `conv5_1`; of other layers, the trunk's own."""
        if not name.endswith("_1"):
            return h
        return F.relu(self._convolve(name.replace("_", "") + "_aux", h))

    def __call__(self, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
        """{layer: features} of the layers `relu1_1` … `relu5_1` (widened) and `relu4_2` (its own 128 channels)."""
        last = max(layers).replace("relu", "conv")
        features = {}
        for name, h in self.trunk(x, last):
            if (layer := name.replace("conv", "relu")) in layers:
                features[layer] = self.widen(name, h)
        return features


@torch.no_grad()
def relative_errors(student, teacher: Teacher, pictures: list[Tensor], layers: list[str]) -> dict[str, float]:
    """||student - teacher|| / ||teacher|| of each layer, over all pictures, each (1 or N, 3, H, W)."""
    sums = {layer: [0.0, 0.0] for layer in layers}
    for x in pictures:
        ours, theirs = student(x, layers), teacher(x, layers)
        for layer in layers:
            sums[layer][0] += (ours[layer] - theirs[layer]).square().sum().item()
            sums[layer][1] += theirs[layer].square().sum().item()
    return {layer: (error / total) ** 0.5 for layer, (error, total) in sums.items()}
