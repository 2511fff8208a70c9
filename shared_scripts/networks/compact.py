"""The compact perceptual network: VGG-19's shape at a seventeenth of its weights, shipped with the project.

Sixteen convolutions make VGG-19; up to relu5_1, the last layer a style loss looks at, it has thirteen. This network has
the same thirteen at 24 to 136 channels instead of 64 to 512. Where losses look (`HEADS`) a 1x1 convolution and a
ReLU ("head") widen its features to estimates of VGG-19's own, so Gram matrices have VGG-19's sizes. It was trained
from scratch by `neural_style/train_compact.py`; the README beside the weights tells how, and how close it comes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared_scripts.checkpoints import load_safetensors, save_safetensors
from shared_scripts.cli import UserError
from shared_scripts.networks.layout import GAINS, HEADS, INPUT_SCALE, MEAN, WEIGHTS, WIDTHS, layer_names


def reflect(x: Tensor) -> Tensor:
    """Pad (N, C, H, W) by one pixel of mirror image; a side one pixel long can only be repeated."""
    return F.pad(x, (1, 1, 1, 1), mode="reflect" if min(x.shape[2:]) > 1 else "replicate")


class CompactVGG(nn.Module):
    """`forward(x, layers)` takes (N, 3, H, W) RGB 0..255 minus `mean` and returns {layer: (N, C, H', W')}.

    `layers` are names among `HEADS`; nothing behind the last of them is computed. Block k works at 1 / 2^(k-1) of the
    size, odd sizes rounded up, down to a single pixel.
    """

    title = "compact network"
    mean = MEAN
    style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    content_layers = ("relu4_2", "relu5_1")  # there is no relu5_2; relu5_1 stands in for it

    def __init__(self, pooling: str = "max"):
        super().__init__()
        self.pooling = pooling
        channels = 3
        for name in layer_names():
            width = WIDTHS[int(name[4]) - 1]
            self.add_module(name, nn.Conv2d(channels, width, 3))
            channels = width
        for layer, width in HEADS.items():
            self.add_module(f"head{layer[4:]}", nn.Conv2d(WIDTHS[int(layer[4]) - 1], width, 1))

    def head(self, layer: str) -> nn.Conv2d:
        """The 1x1 convolution that widens a layer's features."""
        return getattr(self, f"head{layer[4:]}")

    def convolve(self, name: str, x: Tensor) -> Tensor:
        """One 3x3 convolution, ReLU not yet applied; a block's first one halves its input before."""
        if name.endswith("_1") and name != "conv1_1":
            x = (F.max_pool2d if self.pooling == "max" else F.avg_pool2d)(x, 2, ceil_mode=True)
        return getattr(self, name)(reflect(x))

    def trunk(self, x: Tensor, last: str) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, features) of each convolution, ReLU applied, up to the one named `last`."""
        x = x * INPUT_SCALE
        for name in layer_names():
            x = F.relu(self.convolve(name, x), inplace=True)
            yield name, x
            if name == last:
                return

    def forward(self, x: Tensor, layers: list[str]) -> dict[str, Tensor]:
        last = max(layers).replace("relu", "conv")
        features = {}
        for name, h in self.trunk(x, last):
            if (layer := name.replace("conv", "relu")) in layers:
                features[layer] = F.relu(self.head(layer)(h), inplace=True)
        return features


def load_compact(path: Path = WEIGHTS, pooling: str = "max", gains: dict[str, float] = GAINS) -> CompactVGG:
    """The network with its shipped weights (stored as float16), its features scaled by `gains`; frozen, float32."""
    network = CompactVGG(pooling)
    weights = {name: value.float() for name, value in load_safetensors(path).items()}
    if {name: value.shape for name, value in weights.items()} != {n: v.shape for n, v in network.state_dict().items()}:
        raise UserError(f"{path} does not hold the compact network's weights")
    network.load_state_dict(weights)
    for layer, gain in gains.items():
        for parameter in network.head(layer).parameters():
            parameter.data *= gain
    return network.requires_grad_(False).eval()


def save_compact(network: nn.Module, path: Path, about: dict) -> None:
    """Write the weights as float16 with `about` (training settings and errors) in the file's metadata."""
    weights = {name: value.detach().half().contiguous() for name, value in network.state_dict().items()}
    save_safetensors(path, weights, {"about": json.dumps(about), "licence": "MIT"})


def compact_mean() -> Tensor:
    """(1, 3, 1, 1): what to subtract from RGB 0..255."""
    return torch.tensor(CompactVGG.mean).view(1, 3, 1, 1)
