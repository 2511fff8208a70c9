"""The losses of Gatys, Ecker and Bethge (CVPR 2016), with the reference's normalisations.

A picture is (1, 3, H, W); features of a layer are (1, C, H, W). All losses are scalars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def gram_matrix(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (C, C): how often channels fire together, F F^T / (H W C), whatever the place.

    Divided by all elements of F, so pictures of different sizes compare; Gatys divides differently.
    """
    return _Gram.apply(features) / features.numel()


class _Gram(torch.autograd.Function):
    """F F^T of (1, C, H, W), by way of convolutions.

    F F^T is what the weight gradient of a 1x1 convolution computes, and its own gradient (G + G^T) F is a 1x1
    convolution. On CPUs PyTorch's float32 matrix products are two to four times slower than its convolutions, and
    here F need not be brought into another memory layout first.
    """

    @staticmethod
    def forward(ctx, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        if features.device.type != "cpu":
            flat = features.flatten(2)[0]
            return (flat @ flat.T).float()
        channels = features.shape[1]
        weight = features.new_empty(channels, channels, 1, 1)
        one, none = [1, 1], [0, 0]
        gram = torch.ops.aten.convolution_backward(
            features, features, weight, None, one, none, one, False, none, 1, [False, True, False]
        )[1]
        return gram.view(channels, channels).float()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        weight = (gradient + gradient.T).to(features.dtype)
        return F.conv2d(features, weight[:, :, None, None])


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two (1, C, H, W) feature maps."""
    return F.mse_loss(features.float(), target)


def tv_loss(picture: Tensor) -> Tensor:
    """Total variation: mean squared difference of vertical neighbours plus that of horizontal ones (0 for 1 pixel)."""
    vertical = picture[:, :, 1:] - picture[:, :, :-1]
    horizontal = picture[:, :, :, 1:] - picture[:, :, :, :-1]
    return sum((d.square().mean() for d in (vertical, horizontal) if d.numel()), picture.new_zeros(()))


def layer_weights(exponent: float, count: int = 5) -> list[float]:
    """Weights of the style layers, each `exponent` times the one before, summing to 1."""
    largest = count - 1 if exponent > 1 else 0  # counted from the largest weight, which therefore is 1: no overflow
    powers = [float(exponent) ** (k - largest) for k in range(count)]
    return [power / sum(powers) for power in powers]


@dataclass(frozen=True)
class StyleTarget:
    """What a layer's Gram matrix should be: the styles' matrices blended into one.

    The paper's loss is sum_i b_i mean((G - A_i)^2) over the styles i. With sum_i b_i = 1 this equals
    mean((G - A)^2) + spread, where A = sum_i b_i A_i and spread = sum_i b_i mean(A_i^2) - mean(A^2) is constant: one
    comparison instead of one a style, the same gradient, and the same value.
    """

    gram: Tensor
    spread: float

    @classmethod
    def blend(cls, grams: Sequence[Tensor], weights: Sequence[float]) -> StyleTarget:
        """From (C, C) matrices and their weights, which sum to 1."""
        exact = [gram.cpu().double() for gram in grams]  # the spread is a small difference of large numbers
        mean = sum(weight * gram for weight, gram in zip(weights, exact, strict=True))
        squares = sum(weight * gram.square().mean() for weight, gram in zip(weights, exact, strict=True))
        return cls(mean.float().to(grams[0].device), float(squares - mean.square().mean()))

    def loss(self, features: Tensor) -> Tensor:
        """The style loss of one layer's (1, C, H, W) features."""
        return F.mse_loss(gram_matrix(features), self.gram) + self.spread
