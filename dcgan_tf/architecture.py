"""What a DCGAN is made of: its sizes, the names and shapes of its variables, and their first values.

Names and layouts are those of the original's checkpoints: `generator/g_h0_lin/Matrix`, `discriminator/d_h1_conv/w`, …
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shared_scripts.cli import UserError

KERNEL = 5
DEVIATION = 0.02  # of every first weight, as in the paper
GENERATOR, DISCRIMINATOR = "generator/", "discriminator/"
STATISTICS = ("moving_mean", "moving_variance")


@dataclass(frozen=True)
class Architecture:
    """The sizes of both networks. With `y_dim` labels they are the conditional ones for MNIST, else the generic ones.

    `gf_dim` and `df_dim` are the channels beside the picture, which double at every halving; `gfc_dim` and `dfc_dim`
    are the units of the conditional networks' dense layers.
    """

    height: int = 64
    width: int = 64
    channels: int = 3
    z_dim: int = 100
    y_dim: int = 0
    gf_dim: int = 64
    df_dim: int = 64
    gfc_dim: int = 1024
    dfc_dim: int = 1024

    @property
    def conditional(self) -> bool:
        """Whether the networks are told the label. The generator's values are then 0..1 (sigmoid), not -1..1 (tanh)."""
        return self.y_dim > 0

    def sizes(self) -> list[tuple[int, int]]:
        """(height, width) of the picture and after each halving, rounded up: five of the generic, three else."""
        sizes = [(self.height, self.width)]
        for _ in range(2 if self.conditional else 4):
            sizes.append(tuple(math.ceil(side / 2) for side in sizes[-1]))
        return sizes

    def batch_norms(self) -> tuple[str, ...]:
        """The generator's batch normalisations, in order."""
        return tuple(f"{GENERATOR}g_bn{i}" for i in range(3 if self.conditional else 4))


def batch_norm_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    """The four variables of a batch normalisation."""
    return {f"{name}/{part}": (channels,) for part in ("beta", "gamma", *STATISTICS)}


def dense_shapes(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """The two variables of a dense layer."""
    return {f"{name}/Matrix": (inputs, outputs), f"{name}/bias": (outputs,)}


def convolution_shapes(name: str, before: int, after: int, biases: int) -> dict[str, tuple[int, ...]]:
    """The two variables of a convolution (before: in, after: out) or a transposed one (before: out, after: in)."""
    return {f"{name}/w": (KERNEL, KERNEL, before, after), f"{name}/biases": (biases,)}


def generator_shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    """{name: shape} of the generator's variables, in order."""
    return {GENERATOR + name: shape for name, shape in (conditional_g(a) if a.conditional else generic_g(a)).items()}


def discriminator_shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    """{name: shape} of the discriminator's variables, in order."""
    return {
        DISCRIMINATOR + name: shape for name, shape in (conditional_d(a) if a.conditional else generic_d(a)).items()
    }


def variable_shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    """Both networks' variables, as in a checkpoint of the original: 48, or 36 of the conditional networks."""
    return {**discriminator_shapes(a), **generator_shapes(a)}


def generic_g(a: Architecture) -> dict[str, tuple[int, ...]]:
    """A dense layer to the smallest map, then four transposed convolutions that double it."""
    height, width = a.sizes()[-1]
    widths = [8 * a.gf_dim, 4 * a.gf_dim, 2 * a.gf_dim, a.gf_dim, a.channels]
    shapes = {**dense_shapes("g_h0_lin", a.z_dim, height * width * widths[0]), **batch_norm_shapes("g_bn0", widths[0])}
    for i in range(1, 5):
        shapes |= convolution_shapes(f"g_h{i}", widths[i], widths[i - 1], widths[i])
        shapes |= batch_norm_shapes(f"g_bn{i}", widths[i]) if i < 4 else {}
    return shapes


def generic_d(a: Architecture) -> dict[str, tuple[int, ...]]:
    """Four convolutions that halve the picture, then a dense layer to one number."""
    height, width = a.sizes()[-1]
    widths = [a.channels, a.df_dim, 2 * a.df_dim, 4 * a.df_dim, 8 * a.df_dim]
    shapes = {}
    for i in range(4):
        shapes |= convolution_shapes(f"d_h{i}_conv", widths[i], widths[i + 1], widths[i + 1])
        shapes |= batch_norm_shapes(f"d_bn{i}", widths[i + 1]) if i else {}
    return shapes | dense_shapes("d_h4_lin", height * width * widths[4], 1)


def conditional_g(a: Architecture) -> dict[str, tuple[int, ...]]:
    """Two dense layers and two transposed convolutions, each of which sees the label beside its input."""
    height, width = a.sizes()[-1]
    maps = 2 * a.gf_dim
    return {
        **dense_shapes("g_h0_lin", a.z_dim + a.y_dim, a.gfc_dim),
        **batch_norm_shapes("g_bn0", a.gfc_dim),
        **dense_shapes("g_h1_lin", a.gfc_dim + a.y_dim, height * width * maps),
        **batch_norm_shapes("g_bn1", height * width * maps),
        **convolution_shapes("g_h2", maps, maps + a.y_dim, maps),
        **batch_norm_shapes("g_bn2", maps),
        **convolution_shapes("g_h3", a.channels, maps + a.y_dim, a.channels),
    }


def conditional_d(a: Architecture) -> dict[str, tuple[int, ...]]:
    """Two convolutions and two dense layers, each of which sees the label beside its input."""
    height, width = a.sizes()[-1]
    first, second = a.channels + a.y_dim, a.df_dim + a.y_dim
    return {
        **convolution_shapes("d_h0_conv", a.channels + a.y_dim, first, first),
        **convolution_shapes("d_h1_conv", first + a.y_dim, second, second),
        **batch_norm_shapes("d_bn1", second),
        **dense_shapes("d_h2_lin", height * width * second + a.y_dim, a.dfc_dim),
        **batch_norm_shapes("d_bn2", a.dfc_dim),
        **dense_shapes("d_h3_lin", a.dfc_dim + a.y_dim, 1),
    }


def is_trained(name: str) -> bool:
    """Whether the optimiser changes a variable; moving statistics are only kept."""
    return not name.endswith(STATISTICS)


def parameters(shapes: dict[str, tuple[int, ...]]) -> int:
    """How many numbers the optimiser changes."""
    return sum(math.prod(shape) for name, shape in shapes.items() if is_trained(name))


def initial_weights(a: Architecture, seed: int | None = None) -> dict[str, np.ndarray]:
    """Fresh variables, {name: float32 array}.

    Matrices and transposed kernels are normal with deviation 0.02, the discriminator's kernels cut at two deviations;
    gamma and the variances are 1, all else 0.
    """
    random = np.random.default_rng(seed)
    return {name: initial_value(name, shape, random) for name, shape in variable_shapes(a).items()}


def initial_value(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """One fresh variable."""
    if len(shape) == 1:
        return np.full(shape, float(name.endswith(("gamma", "moving_variance"))), np.float32)
    drawn = random.standard_normal(shape)
    while name.endswith("_conv/w") and (outside := np.abs(drawn) > 2).any():
        drawn[outside] = random.standard_normal(np.count_nonzero(outside))
    return (DEVIATION * drawn).astype(np.float32)


# --- reading it off a checkpoint ----------------------------------------------------------------------------------


def architecture_of(shapes: dict[str, tuple[int, ...]], sizes: list[tuple[int, int]], what: str) -> Architecture:
    """The architecture that a checkpoint's generator has, by its variables' shapes.

    They say everything but the picture's height and width: of `sizes`, [(height, width)], the first that fits is
    meant; with none that fits, a square. `what` names the checkpoint in the UserError for shapes of no such network.
    """
    try:
        found = conditional_sizes(shapes) if GENERATOR + "g_h4/w" not in shapes else generic_sizes(shapes)
    except (KeyError, IndexError, ZeroDivisionError) as problem:
        raise UserError(f"{what} holds no DCGAN: {problem} is missing or has another form") from problem
    cells = found.pop("cells")
    fits = [Architecture(height, width, **found) for height, width in sizes]
    fits = [a for a in fits if math.prod(a.sizes()[-1]) == cells]
    a = fits[0] if fits else square(cells, found, what)
    check_shapes(shapes, a, what)
    return a


def generic_sizes(shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    """Everything but height and width; `cells` is the number of places in the smallest map."""
    _, _, channels, gf_dim = shapes[GENERATOR + "g_h4/w"]
    z_dim, units = shapes[GENERATOR + "g_h0_lin/Matrix"]
    first = shapes.get(DISCRIMINATOR + "d_h0_conv/w", (0, 0, 0, gf_dim))
    return {"channels": channels, "z_dim": z_dim, "gf_dim": gf_dim, "df_dim": first[3], "cells": units // (8 * gf_dim)}


def conditional_sizes(shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    """The same for the conditional networks."""
    maps = shapes[GENERATOR + "g_h2/w"][2]
    _, _, channels, inputs = shapes[GENERATOR + "g_h3/w"]
    y_dim = inputs - maps
    both, gfc_dim = shapes[GENERATOR + "g_h0_lin/Matrix"]
    second = shapes.get(DISCRIMINATOR + "d_h1_conv/w", (0, 0, 0, maps // 2 + y_dim))[3]
    return {
        "channels": channels, "z_dim": both - y_dim, "y_dim": y_dim, "gf_dim": maps // 2, "df_dim": second - y_dim,
        "gfc_dim": gfc_dim, "dfc_dim": shapes.get(DISCRIMINATOR + "d_h2_lin/Matrix", (0, gfc_dim))[1],
        "cells": shapes[GENERATOR + "g_h1_lin/Matrix"][1] // maps,
    }  # fmt: skip


def square(cells: int, found: dict[str, int], what: str) -> Architecture:
    """The square picture of a network whose smallest map has so many places."""
    side = math.isqrt(cells)
    if side * side != cells:
        raise UserError(f"{what} makes pictures that are not square; give its --output_height and --output_width")
    side *= 4 if found.get("y_dim") else 16
    return Architecture(side, side, **found)


def check_shapes(shapes: dict[str, tuple[int, ...]], a: Architecture, what: str) -> None:
    """UserError where a variable of the generator, or of the discriminator if there is one, has another shape."""
    expected = {
        name: shape
        for name, shape in variable_shapes(a).items()
        if is_trained(name) and (name.startswith(GENERATOR) or name in shapes)
    }
    for name, shape in expected.items():
        if shapes.get(name) != shape:
            raise UserError(f"{what} holds no DCGAN: {name} is {shapes.get(name, 'missing')}, expected {shape}")
