"""The optimisation: one picture's pixels, moved by Adam until it has one picture's content and others' style."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from losses import StyleTarget, content_loss, gram_matrix, layer_weights, tv_loss
from optimizers import TensorFlowAdam
from shared_scripts.cli import RunError


@dataclass(frozen=True)
class LossWeights:
    """How much each loss counts; the reference's defaults."""

    content: float = 5e0
    content_blend: float = 1.0  # relu4_2 gets this share, relu5_2 the rest
    style: float = 5e2
    style_layer_exp: float = 1.0  # each style layer counts this much more than the one before
    style_blend: Sequence[float] | None = None  # one weight a style picture, normalised here; None: equal
    tv: float = 1e2


@dataclass(frozen=True)
class Losses:
    """The weighted losses of one picture."""

    content: float
    style: float
    tv: float

    @property
    def total(self) -> float:
        return self.content + self.style + self.tv

    def items(self) -> list[tuple[str, float]]:
        """Name and value, in the order they are printed."""
        return [("content", self.content), ("style", self.style), ("tv", self.tv), ("total", self.total)]


class Objective:
    """The total loss as a function of the picture; content and style are looked at once, here at the start.

    `content` is (1, 3, H, W), each style (1, 3, h, w), all minus the network's mean, on the network's device.
    """

    def __init__(self, network, content: Tensor, styles: Sequence[Tensor], weights: LossWeights):
        self.network, self.weights = network, weights
        self.dtype = next(network.parameters()).dtype
        self.content_weights = self._content_layers()
        self.style_weights = self._style_layers()
        self.content_targets = self._content_targets(content)
        self.style_targets = self._style_targets(styles)

    def _content_layers(self) -> dict[str, float]:
        """Layers with a weight other than 0: a layer no loss uses is not computed."""
        blend = self.weights.content_blend
        shares = dict(zip(self.network.content_layers, (blend, 1 - blend), strict=True))
        return {layer: self.weights.content * share for layer, share in shares.items() if self.weights.content * share}

    def _style_layers(self) -> dict[str, float]:
        shares = layer_weights(self.weights.style_layer_exp, len(self.network.style_layers))
        pairs = zip(self.network.style_layers, shares, strict=True)
        return {layer: self.weights.style * share for layer, share in pairs if self.weights.style * share}

    @torch.no_grad()
    def _content_targets(self, content: Tensor) -> dict[str, Tensor]:
        features = self._features(content, self.content_weights)
        return {layer: value.float().clone() for layer, value in features.items()}

    @torch.no_grad()
    def _style_targets(self, styles: Sequence[Tensor]) -> dict[str, StyleTarget]:
        blend = self.weights.style_blend or [1.0] * len(styles)
        shares = [weight / sum(blend) for weight in blend]
        grams: dict[str, list[Tensor]] = {layer: [] for layer in self.style_weights}
        for style in styles:
            for layer, value in self._features(style, self.style_weights).items():
                grams[layer].append(gram_matrix(value))
        return {layer: StyleTarget.blend(values, shares) for layer, values in grams.items()}

    def _features(self, picture: Tensor, layers) -> dict[str, Tensor]:
        if not layers:
            return {}
        picture = picture.to(dtype=self.dtype, memory_format=torch.channels_last)
        return self.network(picture, list(layers))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The weighted content, style and total-variation losses of (1, 3, H, W), from one pass of the network."""
        features = self._features(picture, {**self.content_weights, **self.style_weights})
        zero = picture.new_zeros(())
        content = sum(
            (
                w * content_loss(features[layer], self.content_targets[layer])
                for layer, w in self.content_weights.items()
            ),
            zero,
        )
        style = sum(
            (w * self.style_targets[layer].loss(features[layer]) for layer, w in self.style_weights.items()), zero
        )
        tv = self.weights.tv * tv_loss(picture) if self.weights.tv else zero
        return content, style, tv

    def losses(self, picture: Tensor) -> Losses:
        """The losses alone."""
        with torch.no_grad():
            return Losses(*(value.item() for value in self.forward(picture)))

    def gradient(self, picture: Tensor) -> tuple[Losses, Tensor]:
        """The losses and d total / d picture, (1, 3, H, W)."""
        leaf = picture.detach().requires_grad_()
        content, style, tv = self.forward(leaf)
        total = content + style + tv
        gradient = torch.autograd.grad(total, leaf)[0] if total.requires_grad else torch.zeros_like(leaf)
        return Losses(content.item(), style.item(), tv.item()), gradient


@dataclass(frozen=True)
class Step:
    """What is known after a step. `iteration` counts as the reference's checkpoints do: from 0, the last one is N.

    The first Step, before anything moved, has the iteration -1. `best` is there at checkpoints and at the end.
    """

    iteration: int
    losses: Losses
    best: Tensor | None = None


class NotFinite(RunError):
    """The loss became infinite or not a number."""


class Optimization:
    """A run that can be watched, stopped and resumed. `picture` (1, 3, H, W) is what is optimised."""

    def __init__(
        self, objective: Objective, start: Tensor, iterations: int, lr: float, beta1: float, beta2: float, eps: float
    ):
        self.objective, self.iterations = objective, iterations
        self.picture = start.clone(memory_format=torch.channels_last)
        self.optimizer = TensorFlowAdam(self.picture, lr, beta1, beta2, eps)
        self.done = 0  # steps taken
        self.best, self.best_loss = None, math.inf  # at checkpoints: what the reference writes
        self.lowest, self.lowest_loss = self.picture.clone(), math.inf  # at any step: what Ctrl-C saves

    def run(self, checkpoint_iterations: int | None = None) -> Iterator[Step]:
        """Take the remaining steps, yielding after each.

        The pass that gives step k's gradient also gives the losses after step k - 1: nothing is computed twice. Only
        the last step's losses need a pass of their own. NotFinite is raised before a picture that is no use is kept.
        """
        losses, gradient = self.objective.gradient(self.picture)
        self._keep_lowest(losses)
        if self.done == 0:
            yield Step(-1, losses)
        for i in range(self.done, self.iterations):
            last = i == self.iterations - 1
            self.optimizer.step(gradient)
            self.done = i + 1
            if last:
                losses = self.objective.losses(self.picture)
            else:
                losses, gradient = self.objective.gradient(self.picture)
            self._keep_lowest(losses)
            checkpoint = last or bool(checkpoint_iterations) and i % checkpoint_iterations == 0
            if checkpoint and losses.total < self.best_loss:
                self.best, self.best_loss = self.picture.clone(), losses.total
            yield Step(self.iterations if last else i, losses, self.best if checkpoint else None)

    def _keep_lowest(self, losses: Losses) -> None:
        if not math.isfinite(losses.total):
            raise NotFinite(f"the loss is no longer a finite number after {self.done} iterations; "
                            "try a smaller --learning-rate or smaller weights")  # fmt: skip
        if losses.total < self.lowest_loss:
            self.lowest, self.lowest_loss = self.picture.clone(), losses.total

    def state(self) -> dict:
        """Everything needed to go on later exactly as if nothing had happened."""
        names = ("picture", "done", "best", "best_loss", "lowest", "lowest_loss")
        return {name: getattr(self, name) for name in names} | {"optimizer": self.optimizer.state()}

    def load_state(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.picture.copy_(state["picture"])
        self.optimizer.load_state(state["optimizer"])
        self.done = int(state["done"])
        for name in ("best", "lowest"):
            value = state[name]
            setattr(self, name, None if value is None else value.to(self.picture))
        self.best_loss, self.lowest_loss = float(state["best_loss"]), float(state["lowest_loss"])
