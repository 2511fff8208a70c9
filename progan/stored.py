"""A network as files hold it: its arguments and its weights, under the names and in the layout of the reference.

TensorFlow has convolutions' weights as (height, width, inputs, outputs) and matrices as (inputs, outputs); PyTorch has
both the other way round. The upscaling convolution is (height, width, outputs, inputs) there and (inputs, outputs, …)
here, so one rule does for all. Weights are never scaled in a file: `networks.Scaled` does that whenever it uses them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from shared_scripts.cli import UserError

SHARED = {"num_channels": 1, "resolution": 32, "label_size": 0, "fmap_base": 8192, "fmap_decay": 1.0, "fmap_max": 512}
DEFAULTS = {
    "G": {
        **SHARED, "latent_size": None, "normalize_latents": True, "use_wscale": True, "use_pixelnorm": True,
        "pixelnorm_epsilon": 1e-8, "use_leakyrelu": True, "fused_scale": True,
    },
    "D": {**SHARED, "use_wscale": True, "fused_scale": True, "mbstd_group_size": 4},
}  # fmt: skip
NAMES = {"G": "generator", "D": "discriminator"}
WIDTHS = ("fmap_base", "fmap_decay", "fmap_max")
LARGEST = 13  # log2 of the highest resolution that is believed


@dataclass
class StoredNetwork:
    """A generator ("G") or discriminator ("D").

    `options` are all arguments of its class in networks.py; `variables` float32 arrays by the reference's names, such
    as `8x8/Conv0_up/weight`, in its layout; `lod` is one of them, a scalar. `static_kwargs` and `build_module_src` are
    what a file of the reference had, kept for writing it again; the latter is Python, and is never run.
    """

    name: str
    kind: str
    options: dict[str, object]
    variables: dict[str, np.ndarray]
    static_kwargs: dict[str, object] = field(default_factory=dict)
    build_module_src: str = ""

    @property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return sum(value.size for name, value in self.variables.items() if name != "lod")

    @property
    def lod(self) -> float:
        """The level of detail that was trained last."""
        return float(self.variables["lod"])


# ---- what the arguments say about the weights -----------------------------------------------------------------------


def width(options: Mapping, stage: int) -> int:
    """The number of feature maps at a stage: `networks.Growing.nf`."""
    return min(int(options["fmap_base"] / 2.0 ** (stage * options["fmap_decay"])), options["fmap_max"])


def shapes(kind: str, options: Mapping) -> dict[str, tuple[int, ...]]:
    """The names and shapes (TensorFlow's layout) of all variables, in the reference's order."""
    layers = generator_layers(options) if kind == "G" else discriminator_layers(options)
    found: dict[str, tuple[int, ...]] = {"lod": ()}
    for name, shape, biases in layers:
        found[f"{name}/weight"] = shape
        found[f"{name}/bias"] = (biases,)
    return found


def generator_layers(options: Mapping) -> list[tuple[str, tuple[int, ...], int]]:
    """(name, shape of the weights, number of biases) of every layer."""
    levels = int(math.log2(options["resolution"]))
    nf = [width(options, stage) for stage in range(levels)]
    latents = nf[0] if options["latent_size"] is None else options["latent_size"]
    layers = [("4x4/Dense", (latents + options["label_size"], nf[1] * 16), nf[1])]
    layers.append(("4x4/Conv", (3, 3, nf[1], nf[1]), nf[1]))
    for level in range(2, levels + 1):
        below, here, size = nf[level - 2], nf[level - 1], 2**level
        if level > 2:
            fused = options["fused_scale"]
            shape = (3, 3, here, below) if fused else (3, 3, below, here)
            layers.append((f"{size}x{size}/Conv0{'_up' if fused else ''}", shape, here))
            layers.append((f"{size}x{size}/Conv1", (3, 3, here, here), here))
        channels = options["num_channels"]
        layers.append((f"ToRGB_lod{levels - level}", (1, 1, here, channels), channels))
    return layers


def discriminator_layers(options: Mapping) -> list[tuple[str, tuple[int, ...], int]]:
    """The same of the discriminator."""
    levels = int(math.log2(options["resolution"]))
    nf = [width(options, stage) for stage in range(levels)]
    layers = []
    for level in range(levels, 1, -1):
        below, here, size = nf[level - 2], nf[level - 1], 2**level
        layers.append((f"FromRGB_lod{levels - level}", (1, 1, options["num_channels"], here), here))
        if level > 2:
            down = "Conv1_down" if options["fused_scale"] else "Conv1"
            layers.append((f"{size}x{size}/Conv0", (3, 3, here, here), here))
            layers.append((f"{size}x{size}/{down}", (3, 3, here, below), below))
    layers.append(("4x4/Conv", (3, 3, nf[1] + (options["mbstd_group_size"] > 1), nf[1]), nf[1]))
    layers.append(("4x4/Dense0", (nf[1] * 16, nf[0]), nf[0]))
    outputs = 1 + options["label_size"]
    layers.append(("4x4/Dense1", (nf[0], outputs), outputs))
    return layers


# ---- what the weights say about the arguments -----------------------------------------------------------------------


def kind_of(variables: Mapping[str, object], what: str) -> str:
    """ "G" or "D", by the names. UserError where it is neither."""
    for kind, name in (("G", "ToRGB_lod0/weight"), ("D", "FromRGB_lod0/weight")):
        if name in variables:
            return kind
    raise UserError(f"{what} holds no network of this kind: it has neither ToRGB_lod0 nor FromRGB_lod0")


def complete_options(kind: str, given: Mapping, variables: Mapping[str, np.ndarray], what: str) -> dict[str, object]:
    """All arguments: from the weights where they show them, else as `given`, else the reference's defaults.

    Arguments that networks.py does not have are left out. UserError where the weights make no such network.
    """
    options = {name: plain_value(name, given.get(name, default), default) for name, default in DEFAULTS[kind].items()}
    if any(value is INVALID for value in options.values()):
        bad = next(name for name, value in options.items() if value is INVALID)
        raise UserError(f"{what} is damaged: its {bad} makes no sense")
    try:
        options["resolution"] = resolution_of(variables)
        if not any(name in given for name in WIDTHS) and widths(kind, variables) != widths_by(options):
            options |= fitting_widths(widths(kind, variables))
        options |= shown(kind, options, variables)
    except (KeyError, IndexError, ValueError) as problem:
        raise UserError(f"{what} is no whole {NAMES[kind]}: {missing(problem)}") from None
    return options


def missing(problem: Exception) -> str:
    """What an incomplete network lacks."""
    return f"{problem.args[0]} is missing" if isinstance(problem, KeyError) else "its shapes make no sense"


INVALID = object()


def plain_value(name: str, value: object, default: object) -> object:
    """An argument as the type of its default; INVALID where it cannot be that."""
    if isinstance(default, bool):
        return bool(value) if isinstance(value, (bool, int)) else INVALID
    if value is None and name == "latent_size":
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 2**31:  # also no nan
        return INVALID
    if isinstance(default, float):
        return float(value) if value <= 64 else INVALID
    return int(value) if value == int(value) else INVALID


def resolution_of(variables: Mapping[str, object]) -> int:
    """The highest resolution that a layer is named after; ValueError where it makes no sense."""
    resolution = max(int(match[1]) for name in variables if (match := re.match(r"(\d{1,5})x\1/", name)))
    if resolution not in [2**level for level in range(2, LARGEST + 1)]:
        raise ValueError
    return resolution


def shown(kind: str, options: Mapping, variables: Mapping[str, np.ndarray]) -> dict[str, object]:
    """The other arguments that names and shapes tell. KeyError, IndexError or ValueError where something is missing."""
    found: dict[str, object] = {}
    if options["resolution"] > 4:
        size, layer = options["resolution"], {"G": "Conv0_up", "D": "Conv1_down"}[kind]
        found["fused_scale"] = f"{size}x{size}/{layer}/weight" in variables
    if kind == "G":
        latents = variables["4x4/Dense/weight"].shape[0] - options["label_size"]
        if latents < 1:
            raise ValueError
        usual = options["latent_size"] is None and latents == width(options, 0)
        return {**found, "latent_size": None if usual else latents, "num_channels": len(variables["ToRGB_lod0/bias"])}
    if variables["4x4/Conv/weight"].shape[2] == len(variables["4x4/Conv/bias"]):
        found["mbstd_group_size"] = 0  # it would have appended a channel
    outputs, channels = len(variables["4x4/Dense1/bias"]), variables["FromRGB_lod0/weight"].shape[2]
    return {**found, "label_size": outputs - 1, "num_channels": channels}


def widths(kind: str, variables: Mapping[str, np.ndarray]) -> list[int]:
    """The number of feature maps at the stages from 1 (4x4) on."""
    found = [len(variables["4x4/Conv/bias"])]
    layer = "Conv1" if kind == "G" else "Conv0"
    while (name := f"{2 ** (len(found) + 2)}x{2 ** (len(found) + 2)}/{layer}/bias") in variables:
        found.append(len(variables[name]))
    return found


def widths_by(options: Mapping) -> list[int]:
    """The same, as the arguments have it."""
    return [width(options, stage) for stage in range(1, int(math.log2(options["resolution"])))]


def fitting_widths(found: list[int]) -> dict[str, object]:
    """Arguments that give these numbers of feature maps; ValueError where there are none."""
    options = {"fmap_base": found[-1] << len(found), "fmap_decay": 1.0, "fmap_max": max(found)}
    if [width(options, stage) for stage in range(1, len(found) + 1)] != found:
        raise ValueError
    return options


def store(
    kind: str, given: Mapping, variables: Mapping[str, np.ndarray], what: str, name: str = "", source: str = ""
) -> StoredNetwork:
    """A network out of a file, checked: every variable is there, and has the shape it should have.

    UserError, naming `what`, where that is not so.
    """
    arrays = {"lod": np.zeros((), np.float32), **{key: np.asarray(value) for key, value in variables.items()}}
    options = complete_options(kind, given, arrays, what)
    wanted = shapes(kind, options)
    lacking, unknown = wanted.keys() - arrays.keys(), arrays.keys() - wanted.keys()
    if lacking or unknown:
        name_one = sorted(lacking or unknown)[0]
        raise UserError(f"{what} is no whole {NAMES[kind]}: {name_one} is {'missing' if lacking else 'unknown'}")
    for key, shape in wanted.items():
        if arrays[key].shape != shape or arrays[key].dtype.kind not in "fiu":
            raise UserError(f"{what} is damaged: {key} has the shape {arrays[key].shape}, and should have {shape}")
    arrays = {key: value.astype(np.float32, copy=False) for key, value in arrays.items()}
    return StoredNetwork(name or kind, kind, options, arrays, {}, source)


def in_order(stored: StoredNetwork) -> StoredNetwork:
    """With its variables in the reference's order."""
    stored.variables = {name: stored.variables[name] for name in shapes(stored.kind, stored.options)}
    return stored


# ---- PyTorch's layout -----------------------------------------------------------------------------------------------


def to_state_dict(stored: StoredNetwork) -> dict[str, Tensor]:
    """The weights as networks.py has them: `8x8.Conv0_up.weight`, PyTorch's layout, `lod` a scalar."""
    return {name.replace("/", "."): torch.from_numpy(turn(value)) for name, value in stored.variables.items()}


def turn(value: np.ndarray) -> np.ndarray:
    """One array in PyTorch's layout, a copy."""
    return np.array(value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T, order="C")


def from_state_dict(
    tensors: Mapping[str, Tensor],
    kind: str,
    options: Mapping | None = None,
    name: str = "",
    static_kwargs: Mapping | None = None,
    build_module_src: str = "",
    what: str = "the network",
) -> StoredNetwork:
    """What `to_state_dict` gave, or the state_dict of a network in networks.py, as the reference stores it.

    `options` are its arguments, of which those that differ from the defaults and do not show in the weights must be
    there. UserError, naming `what`, where tensors are missing or misshapen.
    """
    arrays = {
        key.replace(".", "/"): turn_back(value.detach().to("cpu", torch.float32).numpy())
        for key, value in tensors.items()
    }
    stored = store(kind, options or {}, arrays, what, name, build_module_src)
    stored.static_kwargs = dict(static_kwargs or {})
    return in_order(stored)


def turn_back(value: np.ndarray) -> np.ndarray:
    """One array in TensorFlow's layout, a copy."""
    return np.array(value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T, order="C")


def build(stored: StoredNetwork) -> nn.Module:
    """The network itself, with its weights, on the CPU. The state of torch's random numbers stays as it was."""
    from networks import Discriminator, Generator

    with torch.random.fork_rng(devices=[]):
        network = {"G": Generator, "D": Discriminator}[stored.kind](**stored.options)
    network.load_state_dict(to_state_dict(stored))
    return network
