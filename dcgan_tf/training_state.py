"""A training's position, as tensors beside the weights in its newest checkpoint, so that it goes on exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legacy import STATE

COUNTS = ("epoch", "position", "size", "batch")
MARK = f"{STATE}epoch"  # stays in checkpoints that have lost the rest: they are of our making


@dataclass
class Position:
    """Where a training stands: in which epoch, how many of its batches are done, and the random numbers then.

    `epoch_start` are the numbers as they stood before the epoch's order was drawn, `random` as they stand now. `size`
    and `batch` tell whether the data and the batches are still the same. `sample_z` are the sheets' latent vectors.
    """

    epoch: int
    position: int
    size: int
    batch: int
    epoch_start: tuple
    random: tuple
    sample_z: np.ndarray

    def tensors(self) -> dict[str, np.ndarray]:
        """As a checkpoint holds it."""
        counts = {name: np.int64(getattr(self, name)) for name in COUNTS}
        numbers = {**packed("epoch_start", self.epoch_start), **packed("random", self.random)}
        return {STATE + name: np.asarray(v) for name, v in {**counts, **numbers, "sample_z": self.sample_z}.items()}


def position_of(others: dict[str, np.ndarray]) -> Position | None:
    """The position among a checkpoint's tensors; None where it has none."""
    held = {name.removeprefix(STATE): value for name, value in others.items() if name.startswith(STATE)}
    try:
        counts = {name: int(held[name]) for name in COUNTS}
        return Position(
            **counts, **{n: unpacked(held, n) for n in ("epoch_start", "random")}, sample_z=held["sample_z"]
        )
    except (KeyError, ValueError, TypeError):
        return None


def epoch_of(others: dict[str, np.ndarray], otherwise: int) -> int:
    """The epoch among a checkpoint's tensors, which stays there when the rest is dropped; else `otherwise`."""
    return int(others[MARK]) if MARK in others else otherwise


def packed(name: str, state: tuple) -> dict[str, np.ndarray]:
    """The state of a RandomState as two tensors."""
    _, keys, *rest = state
    return {f"{name}_keys": keys, f"{name}_rest": np.array(rest, np.float64)}


def unpacked(held: dict[str, np.ndarray], name: str) -> tuple:
    """What `packed` took apart."""
    place, has_gauss, gauss = held[f"{name}_rest"].tolist()
    return ("MT19937", np.asarray(held[f"{name}_keys"], np.uint32), int(place), int(has_gauss), gauss)
