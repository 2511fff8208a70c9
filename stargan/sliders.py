"""Sliders: labels are 0 or 1 in training, but G is linear in them at its first layer, and values between work."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn


def swing(frames: int) -> list[float]:
    """Strengths from 0 up to 1 and back, slow at both ends: `frames` of them."""
    return [(1 - math.cos(2 * math.pi * number / frames)) / 2 for number in range(frames)]


@torch.inference_mode()
def slide(generator: nn.Module, x: Tensor, c_from: Tensor, c_to: Tensor, strengths: list[float]) -> Iterator[Tensor]:
    """x (N, 3, H, W), translated to labels between `c_from` and `c_to` (N, c_dim) at each of the strengths."""
    for strength in strengths:
        yield generator(x, c_from + strength * (c_to - c_from))
