"""Networks of the first release, which was written in Theano: their weights as the TensorFlow release has them.

A network is a flat list of arrays: for every layer the weights, their scale where the learning rate is equalised, and
the biases. There the scale was measured from the first weights; here it is He's constant, so what differs goes into
the weights. Theano turns the kernels of convolutions round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from shared_scripts.cli import UserError
from stored import DEFAULTS, StoredNetwork, in_order, store

SQRT2 = math.sqrt(2)
FUNCTIONS = {"G_paper": "G", "G_progressive_8": "G", "D_paper": "D", "D_progressive_8": "D"}
# What the arguments must be, where they are given, for the network to have a counterpart
ONLY = {
    "label_size": (0,),
    "use_batchnorm": (False,),
    "use_layernorm": (False,),
    "tanh_at_end": (None, False),
    "mbdisc_kernels": (None,),
    "mbstat_func": ("Tstdeps",),
    "mbstat_avg": ("all",),
}
PLAIN = (int, float, str, type(None))


def convert(state: Mapping, what: str) -> StoredNetwork:
    """The network that a pickled one of Theano's time describes. UserError where it has no counterpart."""
    kind, kwargs, arrays, lod = unpack(state, what)
    for name, allowed in ONLY.items():
        value = kwargs.get(name, allowed[0])
        if not any(value is one or (value == one and value is not None) for one in allowed):
            raise UserError(f"{what} is a network of the Theano release with {name}={value!r}, which is not supported")
    levels = depth(kind, arrays, what)
    names = generator_names(levels) if kind == "G" else discriminator_names(levels)
    has_scale = len(arrays) == 3 * len(names)
    if len(arrays) not in (2 * len(names), 3 * len(names)):
        raise UserError(f"{what} is damaged: {len(arrays)} arrays do not make {len(names)} layers")
    variables: dict[str, np.ndarray] = {"lod": np.float32(lod)}
    parts = iter(arrays)
    for name in names:
        variables |= layer(name, parts, has_scale, what)
    given = {name: kwargs[name] for name in DEFAULTS[kind] if name in kwargs}
    given |= {"fused_scale": False, "use_wscale": has_scale}
    if kind == "D":
        given["mbstd_group_size"] = 16  # larger than its minibatches: one group
    return in_order(store(kind, given, variables, what, state["build_func_spec"]["func"]))


def unpack(state: Mapping, what: str) -> tuple[str, dict, list[np.ndarray], float]:
    """The kind, the arguments, the arrays and the lod of a pickled network."""
    spec, arrays = state.get("build_func_spec"), state.get("param_values")
    function = spec.get("func") if isinstance(spec, dict) else None
    if not isinstance(function, str) or function not in FUNCTIONS:
        raise UserError(f"{what} is a network of the Theano release of an unknown kind")
    top = state.get("toplevel_params")
    lod = top.get("cur_lod", 0) if isinstance(top, dict) else 0
    kwargs = spec.get("kwargs", spec)  # the arguments stand beside the function's name, or in a dict of their own
    fine = isinstance(arrays, list) and all(isinstance(array, (np.ndarray, np.generic)) for array in arrays)
    fine = fine and isinstance(kwargs, dict) and all(isinstance(value, PLAIN) for value in kwargs.values())
    if not fine or np.size(lod) != 1 or np.asarray(lod).dtype.kind not in "fiu":
        raise UserError(f"{what} is damaged: its arrays are missing")
    return FUNCTIONS[function], dict(kwargs), [np.asarray(a) for a in arrays], float(np.asarray(lod).reshape(()))


def depth(kind: str, arrays: list[np.ndarray], what: str) -> int:
    """log2 of the resolution: how many layers from or to colours there are says it."""
    count = sum(array.ndim == 2 for array in arrays) - (0 if kind == "G" else 1)  # the last matrix is Dense1
    if not 1 <= count <= 12:
        raise UserError(f"{what} is damaged: it has {count} layers of colours")
    return count + 1


def generator_names(levels: int) -> list[str]:
    """The layers in Theano's order."""
    names = ["4x4/Dense", "4x4/Conv"]
    for level in range(3, levels + 1):
        names += [f"{2**level}x{2**level}/Conv0", f"{2**level}x{2**level}/Conv1"]
    return names + [f"ToRGB_lod{lod}" for lod in range(levels - 1)]


def discriminator_names(levels: int) -> list[str]:
    """The layers in Theano's order, which is TensorFlow's, too."""
    names = ["FromRGB_lod0"]
    for level in range(levels, 2, -1):
        size = f"{2**level}x{2**level}"
        names += [f"{size}/Conv0", f"{size}/Conv1", f"FromRGB_lod{levels - level + 1}"]
    return [*names, "4x4/Conv", "4x4/Dense0", "4x4/Dense1"]


def layer(name: str, parts: Iterator[np.ndarray], has_scale: bool, what: str) -> dict[str, np.ndarray]:
    """The weights and biases of the next layer."""
    weight = turned(name, next(parts), what)
    if has_scale:
        scale = next(parts)
        if scale.size != 1:
            raise UserError(f"{what} is damaged: the scale of {name} is no number")
        gain = 1.0 if name.startswith("ToRGB") or name == "4x4/Dense1" else SQRT2
        gain = SQRT2 / 4 if name == "4x4/Dense" else gain
        he = gain / math.sqrt(math.prod(weight.shape[:-1]))
        weight = weight * np.float32(float(scale.reshape(())) / he)
    return {f"{name}/weight": weight.astype(np.float32), f"{name}/bias": next(parts).astype(np.float32)}


def turned(name: str, weight: np.ndarray, what: str) -> np.ndarray:
    """Weights in TensorFlow's layout."""
    wanted = 2 if "RGB" in name or name == "4x4/Dense1" else 4
    if weight.ndim != wanted or weight.size == 0:
        raise UserError(f"{what} is damaged: {name} has the shape {weight.shape}")
    if name == "4x4/Dense":  # a convolution over one pixel with zeros around it
        return weight.transpose(1, 0, 2, 3).reshape(weight.shape[1], -1)
    if name == "4x4/Dense0":  # a convolution over all of 4x4
        return weight[:, :, ::-1, ::-1].reshape(weight.shape[0], -1).T
    if wanted == 4:
        return weight.transpose(2, 3, 1, 0)[::-1, ::-1]
    return weight if name == "4x4/Dense1" else weight[None, None]
