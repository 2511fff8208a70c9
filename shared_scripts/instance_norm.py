"""Instance normalisation that is fast on a CPU: torch's formula, by whichever way is quick for the shape.

Measured with torch 2.13: `instance_norm` takes 2 to 12 times as long as `group_norm` with one channel a group, which is
the same. But `group_norm` is slow in channels_last order for maps below 1024 pixels (30 times in bfloat16), and its
gradient in that order for all. There the formula is written out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5
SMALL_MAP = 1024  # pixels; below, group_norm has another way of working


class InstanceNorm(nn.Module):
    """Each channel of each picture to mean 0 and variance 1; no parameters, no running statistics.

    ValueError on 1x1 maps, where nothing would be left of the picture.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] * x.shape[3] == 1:
            raise ValueError("instance normalisation of a single pixel: the picture is too small for this network")
        if x.device.type != "cpu" or not x.is_contiguous(memory_format=torch.channels_last):
            return F.group_norm(x, self.channels, eps=EPS)
        return WrittenOut.apply(x) if x.requires_grad else normalize(x)[0]


class AffineInstanceNorm(nn.Module):
    """Instance normalisation, then each channel times `weight` plus `bias`, as nn.InstanceNorm2d(affine=True,
    track_running_stats=True) does *while training*; this one always does, also after `eval()`.

    It has that module's running statistics, for the sake of files that other programs read, and follows them while
    training; it never uses them. In evaluation they stay as they are. ValueError on 1x1 maps.
    """

    momentum = 0.1  # torch's default

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))  # torch never counts it up here

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        pixels = height * width
        if pixels == 1:
            raise ValueError("instance normalisation of a single pixel: the picture is too small for this network")
        # One channel a group. In contiguous order it is quick both ways, see above.
        y, mean, rstd = torch.native_group_norm(
            x.contiguous(), self.weight, self.bias, n, channels, pixels, channels, EPS
        )
        if self.training:
            self.follow(mean.detach(), rstd.detach(), pixels)
        return y

    @torch.no_grad()
    def follow(self, mean: Tensor, rstd: Tensor, pixels: int) -> None:
        """Move the running statistics towards those of a batch, (N, C) each; the variance is the unbiased one."""
        variance = (rstd.float().pow(-2) - EPS) * (pixels / (pixels - 1))
        self.running_mean.lerp_(mean.float().mean(0), self.momentum)
        self.running_var.lerp_(variance.mean(0), self.momentum)

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={EPS:g}, momentum={self.momentum}, affine=True, track_running_stats=True"


def normalize(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, C, H, W) in channels_last order to the normalised map, and mean and 1 / std as (N, C, 1, 1)."""
    n, c, h, w = x.shape
    if h * w < SMALL_MAP:
        mean = x.mean((2, 3), keepdim=True)
        y = x - mean
        rstd = torch.rsqrt((y * y).mean((2, 3), keepdim=True) + EPS)
        return y.mul_(rstd), mean, rstd
    y, mean, rstd = torch.native_group_norm(x, None, None, n, c, h * w, c, EPS)
    return y, mean[:, :, None, None], rstd[:, :, None, None]


class WrittenOut(torch.autograd.Function):
    """y = (x - mean) / std, and dx = (dy - mean(dy) - y mean(y dy)) / std, means over the pixels of a channel."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        y, mean, rstd = normalize(x)
        ctx.save_for_backward(x, mean, rstd)  # not y: the ReLU behind works in place
        return y

    @staticmethod
    def backward(ctx, dy: Tensor) -> Tensor:
        x, mean, rstd = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient is wanted: it must see that mean and std depend on x
            variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
            rstd = torch.rsqrt(variance + EPS)
        y = (x - mean) * rstd
        dx = torch.addcmul(dy - dy.mean((2, 3), keepdim=True), y, (dy * y).mean((2, 3), keepdim=True), value=-1)
        return dx * rstd
