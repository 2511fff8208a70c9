"""A generator for making pictures, not for training: the same results in a third of the time, on a CPU as well.

What can be computed beforehand is: the weights times their constants, and the kernels of the upscaling convolutions.
Of both networks' ways to upscale one remains, the transposed convolution, which needs 4 multiplications a pixel where
a convolution of an upscaled picture needs 9.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from networks import Conv, Generator, fade, upscale, widen

PIXELS = 8 * 256 * 256  # how many `at_once` allows


class FastGenerator:
    """Called like the `Generator` it is made from; gives float32 pictures. Later changes of that one do not reach it.

    By default the pictures have the full resolution, whatever the lod: `native` leaves them at the lod's.
    """

    def __init__(
        self,
        G: Generator,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        lod: float | None = None,
        native: bool = False,
    ):
        self.device, self.dtype, self.native = torch.device(device), dtype, native
        self.latent_size, self.label_size = G.latent_size, G.label_size
        self.num_channels, self.resolution = G.num_channels, G.resolution
        self.normalize_latents, self.slope = G.normalize_latents, G.slope
        self.epsilon, self.use_pixelnorm = G.pixelnorm_epsilon, G.use_pixelnorm
        self.level, whole, self.t = G.split(lod)
        self.factor = 1 if native else 2**whole
        self.fold(G)

    @torch.no_grad()
    def fold(self, G: Generator) -> None:
        """Take over the weights of the levels that are needed, multiplied out."""
        first = G.block(2)
        self.dense = first.Dense.scaled().float().to(self.device), first.Dense.bias.float().to(self.device)
        self.convs: list[tuple[Tensor, Tensor]] = [self.kernel(first.Conv, first.Conv.scaled())]
        self.ups: list[tuple[Tensor, Tensor]] = []
        for level in range(3, self.level + 1):
            block = G.block(level)
            if G.fused_scale:
                up, kernel = block.Conv0_up, widen(block.Conv0_up.scaled())
            else:
                up, kernel = block.Conv0, widen(block.Conv0.scaled().flip(2, 3).transpose(0, 1))
            self.ups.append(self.kernel(up, kernel))
            self.convs.append(self.kernel(block.Conv1, block.Conv1.scaled()))
        wanted = range(max(2, self.level - (self.t > 0)), self.level + 1)
        layers = {level: getattr(G, f"ToRGB_lod{G.levels - level}") for level in wanted}
        self.colours = {level: self.kernel(layer, layer.scaled()) for level, layer in layers.items()}

    def kernel(self, layer: Conv, weight: Tensor) -> tuple[Tensor, Tensor]:
        """A layer's kernel and bias, ready."""
        weight = weight.to(self.device, self.dtype, memory_format=torch.channels_last)
        return weight, layer.bias.to(self.device, self.dtype)

    def __call__(self, latents: Tensor | np.ndarray, labels: Tensor | np.ndarray | None = None) -> Tensor:
        """Latents (N, latent_size) and labels (N, label_size) to pictures (N, num_channels, R, R)."""
        with torch.inference_mode():
            return self.run(self.ready(latents), None if labels is None else self.ready(labels))

    def ready(self, values: Tensor | np.ndarray) -> Tensor:
        """Where and as what it is computed with."""
        return torch.as_tensor(values, dtype=torch.float32).to(self.device)

    def run(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        x = torch.cat([latents, labels], 1) if labels is not None and self.label_size else latents
        if self.normalize_latents:
            x = x * torch.rsqrt(x.square().mean(1, keepdim=True) + self.epsilon)
        weight, bias = self.dense
        x = (F.linear(x, weight).view(len(x), -1, 4, 4) + bias[:, None, None]).to(self.dtype)
        x = self.activate(x.contiguous(memory_format=torch.channels_last))
        x = self.activate(F.conv2d(x, *self.convs[0], padding=1))
        before = None
        for up, conv in zip(self.ups, self.convs[1:], strict=True):
            before = x
            x = self.activate(F.conv_transpose2d(x, *up, stride=2, padding=1))
            x = self.activate(F.conv2d(x, *conv, padding=1))
        images = self.to_rgb(x, self.level)
        if self.t > 0:
            images = fade(images, upscale(self.to_rgb(before, self.level - 1)), self.t)
        return upscale(images, self.factor)

    def activate(self, x: Tensor) -> Tensor:
        """Leaky ReLU and pixel norm, in place: nobody else has these features."""
        x = F.leaky_relu_(x, self.slope)
        if not self.use_pixelnorm:
            return x
        return x.mul_(torch.rsqrt(torch.linalg.vecdot(x, x, dim=1)[:, None] / x.shape[1] + self.epsilon))

    def to_rgb(self, x: Tensor, level: int) -> Tensor:
        """Colours from a level's features."""
        return F.conv2d(x, *self.colours[level]).float()


def batches(count: int, size: int) -> Iterator[slice]:
    """`count` things in slices of at most `size`."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def at_once(resolution: int) -> int:
    """How many pictures of a resolution to make at a time: as many as keep the processor busy, and little memory."""
    return max(1, PIXELS // resolution**2)
