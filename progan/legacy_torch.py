"""Networks that other projects converted to PyTorch: genforce's, which hold the same weights under other names.

Its generator has `layer0`, `layer1`, … from 4x4 upwards and `output0`, …; its discriminator `layer0`, … from the full
resolution downwards and `input0`, …. Its first layer is a convolution of 4x4 over one pixel, so its kernels are turned
round; the rest is PyTorch's layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from shared_scripts.checkpoints import load_state
from shared_scripts.cli import UserError
from stored import StoredNetwork, store, turn_back

GENFORCE = {"G": "generator", "D": "discriminator", "Gs": "generator_smooth"}


def read(path: Path) -> dict[str, StoredNetwork]:
    """The networks of a .pth file by our names, "G", "D" and "Gs". UserError where it is not one of genforce's."""
    state = load_state(path)
    if isinstance(state, dict) and "netG" in state:
        raise UserError(
            f"{path} is a file of pytorch_GAN_zoo, whose networks differ from this one's; it is not supported"
        )
    found = {ours: state[name] for ours, name in GENFORCE.items() if isinstance(state, dict) and name in state}
    if not found:
        raise UserError(f"{path} holds no progressive GAN: it has none of {', '.join(GENFORCE.values())}")
    return {name: convert(weights, f"{name} in {path}") for name, weights in found.items()}


def convert(weights: object, what: str) -> StoredNetwork:
    """One network out of genforce's state_dict. UserError where it is none, or was made for labels."""
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise UserError(f"{what} is no state_dict")
    arrays = {name: value.detach().to("cpu", torch.float32).numpy() for name, value in weights.items()}
    kind = "G" if "output0.weight" in arrays else "D"
    numbers = [int(match[1]) for name in arrays if (match := re.fullmatch(r"(?:output|input)(\d{1,2})\.weight", name))]
    levels = len(numbers) + 1
    if sorted(numbers) != list(range(len(numbers))) or levels < 2:
        raise UserError(f"{what} is no progressive GAN of genforce")
    fused = kind == "G" and is_fused(arrays, levels)
    layers = generator_names(levels, fused) if kind == "G" else discriminator_names(levels)
    variables = {"lod": arrays.pop("lod", np.zeros((), np.float32))}
    for theirs, ours in layers.items():
        for part in ("weight", "bias"):
            if f"{theirs}.{part}" not in arrays:
                raise UserError(f"{what} is no whole network: {theirs}.{part} is missing")
            value = arrays.pop(f"{theirs}.{part}")
            variables[f"{ours}/{part}"] = dense(value) if (ours, part) == ("4x4/Dense", "weight") else turn_back(value)
    if arrays:
        raise UserError(f"{what} is no progressive GAN of genforce: {sorted(arrays)[0]} is unknown")
    stored = store(kind, {} if kind == "G" else {"mbstd_group_size": 16}, variables, what)
    if stored.options["label_size"]:
        raise UserError(f"{what} was made for labels, which genforce feeds in another way; it is not supported")
    return stored


def is_fused(arrays: Mapping[str, np.ndarray], levels: int) -> bool:
    """Whether the generator's upscaling layers are (inputs, outputs, 3, 3): seen where the two numbers differ.

    Where they never do, they are taken for plain convolutions, as genforce's own networks have them.
    """
    for number in range(2, 2 * (levels - 1), 2):
        weight, bias = arrays.get(f"layer{number}.weight"), arrays.get(f"layer{number}.bias")
        if weight is not None and bias is not None and weight.ndim == 4 and weight.shape[0] != weight.shape[1]:
            return weight.shape[1] == len(bias)
    return False


def dense(weight: np.ndarray) -> np.ndarray:
    """The first layer's (outputs, inputs, 4, 4) as (inputs, outputs * 16)."""
    if weight.ndim != 4:
        return weight
    return np.array(weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(weight.shape[1], -1))


def generator_names(levels: int, fused: bool) -> dict[str, str]:
    """{genforce's name of a layer: ours}, in our order."""
    names = {}
    for block in range(levels - 1):
        size = f"{4 << block}x{4 << block}"
        first, second = ("Conv0_up" if fused else "Conv0", "Conv1") if block else ("Dense", "Conv")
        names[f"layer{2 * block}"] = f"{size}/{first}"
        names[f"layer{2 * block + 1}"] = f"{size}/{second}"
        names[f"output{block}"] = f"ToRGB_lod{levels - 2 - block}"
    return names


def discriminator_names(levels: int) -> dict[str, str]:
    """The same of the discriminator, which genforce numbers from the full resolution on."""
    names = {}
    for block in range(levels - 1):
        size = f"{2 ** (levels - block)}x{2 ** (levels - block)}"
        first, second = ("Conv0", "Conv1") if block < levels - 2 else ("Conv", "Dense0")
        names[f"input{block}"] = f"FromRGB_lod{block}"
        names[f"layer{2 * block}"] = f"{size}/{first}"
        names[f"layer{2 * block + 1}"] = f"{size}/{second}"
    names[f"layer{2 * levels - 2}"] = "4x4/Dense1"
    return names
