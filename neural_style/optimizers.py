"""Adam as TensorFlow 1 has it, which the reference's results and its --eps depend on."""

from __future__ import annotations

import torch
from torch import Tensor


class TensorFlowAdam:
    """Adam (Kingma & Ba 2015) in the form of its section 2's last paragraph, for one tensor.

    step = lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps). torch.optim.Adam divides v by 1 - beta2^t before
    it adds eps; the two differ wherever eps is not tiny against the gradient.
    """

    def __init__(self, x: Tensor, lr: float = 10.0, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        self.x, self.lr, self.beta1, self.beta2, self.eps = x, lr, beta1, beta2, eps
        self.m, self.v = torch.zeros_like(x), torch.zeros_like(x)
        self.t = 0

    @torch.no_grad()
    def step(self, gradient: Tensor) -> None:
        """Move x, in place, against `gradient` (of x's shape)."""
        self.t += 1
        self.m.lerp_(gradient, 1 - self.beta1)
        self.v.lerp_(gradient.square(), 1 - self.beta2)
        rate = self.lr * (1 - self.beta2**self.t) ** 0.5 / (1 - self.beta1**self.t)
        self.x.addcdiv_(self.m, self.v.sqrt().add_(self.eps), value=-rate)

    def state(self) -> dict:
        """What a resumed run needs."""
        return {"m": self.m, "v": self.v, "t": self.t}

    def load_state(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.m.copy_(state["m"])
        self.v.copy_(state["v"])
        self.t = int(state["t"])
