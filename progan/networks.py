"""The generator and the discriminator (sections 2 to 4 and appendix A of the paper), at any stage of their growth.

How far they have grown is the *level of detail*, `lod`: 0 is the full resolution, 1 half of it, 2 a quarter, and 1.3
says that the layers of lod 1 are being faded in and 0.3 of the picture is still made without them. Here pictures have
the resolution of their lod, not the full one: a generator at lod 3 of 128 pixels gives 16 x 16, and the discriminator
takes that. The original stretches them to the full size in between, which changes no value and costs most of the
memory; `upscale` and `downscale` do it where it matters.

Weights have the reference's names, with dots: `8x8.Conv0_up.weight` was `8x8/Conv0_up/weight`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU below zero
SQRT2 = math.sqrt(2)  # He's gain for layers that a ReLU follows


# --- what the layers are made of --------------------------------------------------------------------------------


class Scaled(nn.Module):
    """A layer with an equalised learning rate (section 4.1).

    The weights are drawn from N(0, 1), and He's constant, gain / sqrt(fan_in), multiplies them whenever they are used.
    An optimiser such as Adam moves every weight by about the learning rate whatever its scale: this way that is the
    same share of each layer's range. Without `use_wscale` the constant goes into the weights at the beginning.
    """

    def __init__(self, shape: tuple[int, ...], biases: int, fan_in: int, gain: float = SQRT2, use_wscale: bool = True):
        super().__init__()
        std = gain / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.randn(shape) * (1.0 if use_wscale else std))
        self.bias = nn.Parameter(torch.zeros(biases))
        self.wscale = float(np.float32(std)) if use_wscale else 1.0  # as exact as the reference's

    def scaled(self) -> Tensor:
        """The weights as they are used."""
        return self.weight if self.wscale == 1.0 else self.weight * self.wscale


class Dense(Scaled):
    """A fully connected layer: (N, inputs) to (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, gain: float = SQRT2, use_wscale: bool = True):
        super().__init__((outputs, inputs), outputs, inputs, gain, use_wscale)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.scaled(), self.bias)


class DenseTo4x4(Scaled):
    """The generator's first layer: (N, inputs) to (N, channels, 4, 4), with one bias a channel.

    Its gain is a quarter of the others': as a transposed convolution, which it was first, it has 16 times the fan-in.
    """

    def __init__(self, inputs: int, channels: int, use_wscale: bool = True):
        super().__init__((channels * 16, inputs), channels, inputs, SQRT2 / 4, use_wscale)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.scaled()).view(len(x), -1, 4, 4) + self.bias[:, None, None]


class Conv(Scaled):
    """A convolution with zeros around the picture: (N, inputs, H, W) to (N, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, gain: float = SQRT2, use_wscale: bool = True):
        super().__init__((outputs, inputs, kernel, kernel), outputs, inputs * kernel**2, gain, use_wscale)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.scaled(), self.bias, padding=self.weight.shape[-1] // 2)


class ConvUp(Scaled):
    """Twice the size and a 3x3 convolution as one transposed 4x4 convolution: (N, inputs, H, W) to (…, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int, use_wscale: bool = True):
        super().__init__((inputs, outputs, 3, 3), outputs, inputs * 9, use_wscale=use_wscale)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, widen(self.scaled()), self.bias, stride=2, padding=1)


class UpscaleConv(Conv):
    """The same in two steps, as the published networks have it: every pixel becomes 2x2, then a 3x3 convolution.

    Computed in one like `ConvUp`, with 4 multiplications a pixel in place of 9: where pixels are alike, so are their
    kernels' products, and the kernels can be added first. As a transposed convolution has its kernel the other way
    round, this one is turned.
    """

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.scaled().flip(2, 3).transpose(0, 1)
        return F.conv_transpose2d(x, widen(kernel), self.bias, stride=2, padding=1)


class ConvDown(Conv):
    """A 3x3 convolution and half the size as one 4x4 convolution: (N, inputs, H, W) to (N, outputs, H/2, W/2)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, widen(self.scaled()) * 0.25, self.bias, stride=2, padding=1)


def widen(kernel: Tensor) -> Tensor:
    """(…, 3, 3) to (…, 4, 4): the kernel added up at its four places when every pixel is made of 2x2 equal ones."""
    padded = F.pad(kernel, (1, 1, 1, 1))
    return padded[..., 1:, 1:] + padded[..., :-1, 1:] + padded[..., 1:, :-1] + padded[..., :-1, :-1]


def pixel_norm(x: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Every pixel's vector of features (dimension 1) to a mean square of 1 (section 4.2)."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + epsilon)


def minibatch_stddev(x: Tensor, group_size: int = 4, batches: int = 1) -> Tensor:
    """Append one channel that says how much the pictures of a group differ (section 3): (N, C, H, W) to (N, C+1, …).

    Picture n belongs to group n mod (N / group_size). `x` may be several batches, one behind the other, that are not
    to be mixed. ValueError where a batch cannot be divided into groups.
    """
    n, c, h, w = x.shape
    size = n // batches
    group = min(group_size, size)
    if size % group:
        raise ValueError(f"a batch of {size} cannot be divided into groups of {group}")
    y = x.reshape(batches, group, size // group, c, h, w)
    deviation = torch.sqrt((y - y.mean(1, keepdim=True)).square().mean(1) + 1e-8)  # over the group
    value = deviation.mean((2, 3, 4), keepdim=True)  # (batches, groups, 1, 1, 1)
    tiled = value[:, None].expand(batches, group, size // group, 1, h, w).reshape(n, 1, h, w)
    return torch.cat([x, tiled], 1)


def upscale(x: Tensor, factor: int = 2) -> Tensor:
    """(N, C, H, W) to `factor` times the size: every pixel becomes a square of equal ones."""
    return x if factor == 1 else F.interpolate(x, scale_factor=factor, mode="nearest")


def downscale(x: Tensor, factor: int = 2) -> Tensor:
    """(N, C, H, W) to a `factor`-th of the size: the means of squares."""
    return x if factor == 1 else F.avg_pool2d(x, factor)


def fade(new: Tensor, old: Tensor, t: float) -> Tensor:
    """The layers that are being faded in, at 1 - t, and what there was without them, at t."""
    return new + (old - new) * t


# --- how wide and how tall ---------------------------------------------------------------------------------------


class Growing(nn.Module):
    """What both networks know of their sizes. `levels` is log2 of the resolution."""

    def __init__(
        self, num_channels: int, resolution: int, label_size: int, fmap_base: int, fmap_decay: float, fmap_max: int
    ):
        super().__init__()
        self.levels = int(math.log2(max(resolution, 1)))
        if 2**self.levels != resolution or resolution < 4:
            raise ValueError(f"the resolution is a power of two from 4 on, not {resolution}")
        self.num_channels, self.resolution, self.label_size = num_channels, resolution, label_size
        self.fmap_base, self.fmap_decay, self.fmap_max = fmap_base, fmap_decay, fmap_max
        if self.nf(self.levels - 1) < 1:
            raise ValueError(f"fmap_base {fmap_base} is too small: no feature map is left at {resolution}x{resolution}")
        self.register_buffer("lod", torch.zeros(()))

    def nf(self, stage: int) -> int:
        """The number of feature maps: `fmap_max` at first, halved from some stage on."""
        return min(int(self.fmap_base / 2.0 ** (stage * self.fmap_decay)), self.fmap_max)

    def split(self, lod: float | None) -> tuple[int, int, float]:
        """A lod as the level (log2 of the resolution) to compute at, the whole lod, and the older layers' share t."""
        lod = float(self.lod) if lod is None else float(lod)
        lod = min(max(lod, 0.0), self.levels - 2.0)
        whole = math.floor(lod)
        return self.levels - whole, whole, lod - whole

    def block(self, level: int) -> nn.Module:
        """The layers of a resolution."""
        return getattr(self, f"{2**level}x{2**level}")


class Generator(Growing):
    """Latents (N, latent_size) and labels (N, label_size) to pictures (N, num_channels, R, R) in about [-1, 1].

    R is the resolution of `lod`, by default of the lod that was trained last. There is no tanh: values may lie outside.
    The arguments are the reference's `G_paper`; ValueError where they make no network.
    """

    def __init__(
        self,
        num_channels: int = 1,
        resolution: int = 32,
        label_size: int = 0,
        fmap_base: int = 8192,
        fmap_decay: float = 1.0,
        fmap_max: int = 512,
        latent_size: int | None = None,
        normalize_latents: bool = True,
        use_wscale: bool = True,
        use_pixelnorm: bool = True,
        pixelnorm_epsilon: float = 1e-8,
        use_leakyrelu: bool = True,
        fused_scale: bool = True,
    ):
        super().__init__(num_channels, resolution, label_size, fmap_base, fmap_decay, fmap_max)
        self.latent_size = self.nf(0) if latent_size is None else latent_size
        self.normalize_latents, self.fused_scale = normalize_latents, fused_scale
        self.use_pixelnorm, self.pixelnorm_epsilon = use_pixelnorm, pixelnorm_epsilon
        self.slope = SLOPE if use_leakyrelu else 0.0
        first = nn.Module()
        first.Dense = DenseTo4x4(self.latent_size + label_size, self.nf(1), use_wscale)
        first.Conv = Conv(self.nf(1), self.nf(1), use_wscale=use_wscale)
        self.add_module("4x4", first)
        self.add_module(f"ToRGB_lod{self.levels - 2}", self.make_to_rgb(2, use_wscale))
        for level in range(3, self.levels + 1):
            block = nn.Module()
            up, name = (ConvUp, "Conv0_up") if fused_scale else (UpscaleConv, "Conv0")
            block.add_module(name, up(self.nf(level - 2), self.nf(level - 1), use_wscale=use_wscale))
            block.Conv1 = Conv(self.nf(level - 1), self.nf(level - 1), use_wscale=use_wscale)
            self.add_module(f"{2**level}x{2**level}", block)
            self.add_module(f"ToRGB_lod{self.levels - level}", self.make_to_rgb(level, use_wscale))

    def make_to_rgb(self, level: int, use_wscale: bool) -> Conv:
        """The 1x1 convolution from a level's features to colours."""
        return Conv(self.nf(level - 1), self.num_channels, 1, 1.0, use_wscale)

    def forward(self, latents: Tensor, labels: Tensor | None = None, lod: float | None = None) -> Tensor:
        level, whole, t = self.split(lod)
        x = self.first_features(latents, labels)
        for lower in range(3, level):
            x = self.grow(x, lower)
        if level == 2:
            return self.to_rgb(x, level)
        new = self.to_rgb(self.grow(x, level), level)
        return fade(new, upscale(self.to_rgb(x, level - 1)), t) if t > 0 else new

    def first_features(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """The features of the 4x4 layers, (N, nf(1), 4, 4)."""
        x = latents if labels is None or not self.label_size else torch.cat([latents, labels.to(latents.dtype)], 1)
        if self.normalize_latents:
            x = pixel_norm(x, self.pixelnorm_epsilon)  # the labels with them, as the reference has it
        block = self.block(2)
        return self.activate(block.Conv(self.activate(block.Dense(x))))

    def grow(self, x: Tensor, level: int) -> Tensor:
        """The features of a level from those of the level below: twice the size."""
        block = self.block(level)
        up = block.Conv0_up if self.fused_scale else block.Conv0
        return self.activate(block.Conv1(self.activate(up(x))))

    def activate(self, x: Tensor) -> Tensor:
        """Leaky ReLU and pixel norm, which follow every layer but the last."""
        x = F.leaky_relu(x, self.slope)
        return pixel_norm(x, self.pixelnorm_epsilon) if self.use_pixelnorm else x

    def to_rgb(self, x: Tensor, level: int) -> Tensor:
        """Colours from a level's features."""
        return getattr(self, f"ToRGB_lod{self.levels - level}")(x)


class Discriminator(Growing):
    """Pictures (N, num_channels, R, R) in [-1, 1] to scores (N, 1) and the logits of labels (N, label_size).

    A high score says "real"; it is no probability. The labels' logits are an auxiliary classifier: without labels there
    are none, and only the score counts. R is the resolution of `lod`, or the full one. The arguments are the
    reference's `D_paper`; ValueError where they make no network.
    """

    def __init__(
        self,
        num_channels: int = 1,
        resolution: int = 32,
        label_size: int = 0,
        fmap_base: int = 8192,
        fmap_decay: float = 1.0,
        fmap_max: int = 512,
        use_wscale: bool = True,
        fused_scale: bool = True,
        mbstd_group_size: int = 4,
    ):
        super().__init__(num_channels, resolution, label_size, fmap_base, fmap_decay, fmap_max)
        self.fused_scale, self.mbstd_group_size = fused_scale, mbstd_group_size
        self.add_module("FromRGB_lod0", self.make_from_rgb(self.levels, use_wscale))
        for level in range(self.levels, 2, -1):
            block = nn.Module()
            block.Conv0 = Conv(self.nf(level - 1), self.nf(level - 1), use_wscale=use_wscale)
            down, name = (ConvDown, "Conv1_down") if fused_scale else (Conv, "Conv1")
            block.add_module(name, down(self.nf(level - 1), self.nf(level - 2), use_wscale=use_wscale))
            self.add_module(f"{2**level}x{2**level}", block)
            self.add_module(f"FromRGB_lod{self.levels - level + 1}", self.make_from_rgb(level - 1, use_wscale))
        last = nn.Module()
        last.Conv = Conv(self.nf(1) + (mbstd_group_size > 1), self.nf(1), use_wscale=use_wscale)
        last.Dense0 = Dense(self.nf(1) * 16, self.nf(0), use_wscale=use_wscale)
        last.Dense1 = Dense(self.nf(0), 1 + label_size, 1.0, use_wscale)
        self.add_module("4x4", last)

    def make_from_rgb(self, level: int, use_wscale: bool) -> Conv:
        """The 1x1 convolution from colours to a level's features."""
        return Conv(self.num_channels, self.nf(level - 1), 1, use_wscale=use_wscale)

    def forward(self, images: Tensor, lod: float | None = None, batches: int = 1) -> tuple[Tensor, Tensor]:
        """`batches`: how many minibatches `images` are, one behind the other, whose variation is not to be mixed."""
        level, whole, t = self.split(lod)
        if images.shape[-1] != 2**level:
            images = downscale(images, images.shape[-1] >> level)
        x = self.from_rgb(images, level)
        if level > 2:
            x = self.shrink(x, level)
            if t > 0:
                x = fade(x, self.from_rgb(downscale(images), level - 1), t)
        for lower in range(level - 1, 2, -1):
            x = self.shrink(x, lower)
        return self.judge(x, batches)

    def from_rgb(self, images: Tensor, level: int) -> Tensor:
        """Features from colours."""
        return F.leaky_relu(getattr(self, f"FromRGB_lod{self.levels - level}")(images), SLOPE)

    def shrink(self, x: Tensor, level: int) -> Tensor:
        """The features of the level below from those of a level: half the size."""
        block = self.block(level)
        x = F.leaky_relu(block.Conv0(x), SLOPE)
        if self.fused_scale:
            return F.leaky_relu(block.Conv1_down(x), SLOPE)
        return downscale(F.leaky_relu(block.Conv1(x), SLOPE))

    def judge(self, x: Tensor, batches: int = 1) -> tuple[Tensor, Tensor]:
        """Scores and the labels' logits from the features at 4x4.

        Always in float32, which costs next to nothing here: the loss is a difference of scores that are nearly alike.
        """
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            if self.mbstd_group_size > 1:
                x = minibatch_stddev(x, self.mbstd_group_size, batches)
            block = self.block(2)
            x = F.leaky_relu(block.Conv(x), SLOPE)
            x = block.Dense1(F.leaky_relu(block.Dense0(x.flatten(1)), SLOPE))
        return x[:, :1], x[:, 1:]
