"""A transform net's checkpoint of any age: finding it, checking that it is one, reading it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared_scripts import tf1

USUAL_NAME = "fns.ckpt"


@dataclass(frozen=True)
class Checkpoint:
    """The 48 weights {name: float32 array}, and Adam's state (98 tensors) where the file has it."""

    weights: dict[str, np.ndarray]
    adam: dict[str, np.ndarray] | None
    prefix: Path


def adam_shapes(weights: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Adam's tensors beside weights of these shapes: both moments of each weight, and the powers of the betas."""
    moments = {f"{name}/{slot}": shape for name, shape in weights.items() for slot in ("Adam", "Adam_1")}
    return {**moments, "beta1_power": (), "beta2_power": ()}


def find_checkpoint(text: str | os.PathLike) -> Path:
    """What a person meant by --checkpoint; see `tf1.find_checkpoint`."""
    return tf1.find_checkpoint(text, USUAL_NAME)


def load_checkpoint(text: str | os.PathLike, shapes: dict[str, tuple[int, ...]] | None = None) -> Checkpoint:
    """Read a transform net's checkpoint. `shapes` are its weights' (by default the transform net's).

    Raises UserError, naming what the file is, where it is no whole checkpoint of this network. Half-precision tensors
    become float32.
    """
    from networks import variable_shapes

    shapes = shapes or variable_shapes()
    prefix = find_checkpoint(text)
    with tf1.open_checkpoint(prefix) as reader:
        tf1.check_network(prefix, reader.shapes, shapes)
        weights = {name: reader.floats(name) for name in shapes}
        adam = read_adam(reader, shapes)
    tf1.check_finite(prefix, weights)
    return Checkpoint(weights, adam, prefix)


def read_adam(reader: tf1.Reader, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray] | None:
    """Adam's tensors, or None where one of them is missing or not finite."""
    wanted = adam_shapes(shapes)
    if any(reader.shapes.get(name) != shape for name, shape in wanted.items()):
        return None
    adam = {name: reader.floats(name) for name in wanted}
    return adam if all(np.isfinite(value).all() for value in adam.values()) else None
