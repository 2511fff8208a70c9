"""VGG-19's convolutions, the eyes of neural style: 36 named layers (Simonyan & Zisserman 2014)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared_scripts.networks.matconvnet import convolution_names, layer_order

MEAN = (123.68, 116.779, 103.939)  # of the training images, RGB


def pool(x: Tensor, kind: str) -> Tensor:
    """Halve (N, C, H, W), odd sizes rounded up (TensorFlow's SAME). `avg` divides by the real pixels only."""
    if kind == "max":
        return F.max_pool2d(x, 2, ceil_mode=True)
    return F.avg_pool2d(x, 2, ceil_mode=True)


class VGG19(nn.Module):
    """`forward(x, layers)` takes (N, 3, H, W) RGB 0..255 minus `mean` and returns {layer: (N, C, H', W')}.

    The weights (conv name -> kernel (out, in, 3, 3) and bias (out,)) decide the widths, so narrow test networks work
    too. Padding is zeros. Nothing behind the last of the asked layers is computed.
    """

    title = "VGG-19"
    style_layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    content_layers = ("relu4_2", "relu5_2")

    def __init__(
        self, weights: Mapping[str, tuple[Tensor, Tensor]], mean: Iterable[float] = MEAN, pooling: str = "max"
    ):
        super().__init__()
        self.pooling = pooling
        self.mean = tuple(float(value) for value in mean)
        for name in convolution_names():
            kernel, bias = weights[name]
            kernel = kernel.to(memory_format=torch.channels_last)
            self.register_parameter(f"{name}_weight", nn.Parameter(kernel, requires_grad=False))
            self.register_parameter(f"{name}_bias", nn.Parameter(bias, requires_grad=False))

    def forward(self, x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        order = layer_order()
        wanted = set(layers)
        last = max(order.index(name) for name in wanted)
        features = {}
        for name in order[: last + 1]:
            if name.startswith("conv"):
                x = F.conv2d(x, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias"), padding=1)
            elif name.startswith("relu"):
                # in place: half the memory traffic. Only where the convolution's own output is asked for, a copy.
                x = F.relu(x, inplace=name.replace("relu", "conv") not in wanted)
            else:
                x = pool(x, self.pooling)
            if name in wanted:
                features[name] = x
        return features
