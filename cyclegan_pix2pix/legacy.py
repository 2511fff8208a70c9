"""Reading .pth files of every age, and telling from one which network it belongs to.

The reference saves plain state_dicts. Over the years they differ: 2017's hold running statistics of instance norms,
which were never used; some have no `num_batches_tracked`; some were saved from inside DataParallel (`module.`) or a
compiled network (`_orig_mod.`). Nothing in a file is executed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from shared_scripts.checkpoints import load_state
from shared_scripts.cli import UserError
from shared_scripts.weights import STATISTICS, Weights, plain_names
from shared_scripts.weights import put_into as lay_into


@dataclass(frozen=True)
class Generator:
    """The architecture of a generator; `dropout` is None where the file cannot tell (U-Nets)."""

    netG: str
    norm: str
    ngf: int
    input_nc: int
    output_nc: int
    dropout: bool | None


@dataclass(frozen=True)
class Discriminator:
    """The architecture of a discriminator."""

    netD: str
    n_layers_D: int
    norm: str
    ndf: int
    input_nc: int


# --- reading ------------------------------------------------------------------------------------------------------


def read_weights(path: Path) -> Weights:
    """A .pth file as {name: tensor} with the reference's present names.

    UserError where it is missing, damaged, holds code, or is something else.
    """
    return present_names(load_state(path), str(path))


def present_names(state: object, what: str) -> Weights:
    """Any layout a state_dict was ever saved in, with prefixes off and the instance norms' statistics left out."""
    return drop_instance_statistics(plain_names(state, what))


def drop_instance_statistics(weights: Weights) -> Weights:
    """Running statistics without a weight beside them belong to instance norms, which never use them."""
    kept = OrderedDict()
    for name, value in weights.items():
        layer, _, last = name.rpartition(".")
        if last not in STATISTICS or f"{layer}.weight" in weights:
            kept[name] = value
    return kept


# --- telling the architecture -------------------------------------------------------------------------------------


def describe_generator(weights: Weights, what: str) -> Generator:
    """Which generator these weights belong to. UserError where it is none of ours."""
    try:
        if "model.model.0.weight" in weights:
            return describe_unet(weights)
        return describe_resnet(weights)
    except (KeyError, StopIteration, IndexError, ValueError) as problem:
        raise UserError(f"{what} holds no generator of pix2pix or CycleGAN{hint(weights)}") from problem


def hint(weights: Weights) -> str:
    """What else these weights may be."""
    if "model.0.weight" in weights or "net.0.weight" in weights:
        return "; it is a discriminator: take the file with _net_G"
    global_generator = "model.1.weight" in weights and any(".conv_block." in name for name in weights)
    if global_generator or any(name.startswith(("scale0_", "layer0.", "model1_1.")) for name in weights):
        return "; it looks like pix2pixHD's"
    return ""


def told_norm(weights: Weights, convolution: str, norm: str) -> str:
    """The --norm, told by a convolution and the layer of its norm: batch norms have weights, and before instance norms
    alone convolutions have biases."""
    return "batch" if f"{norm}.weight" in weights else "instance" if f"{convolution}.bias" in weights else "none"


def describe_resnet(weights: Weights) -> Generator:
    """model.1 is the first convolution, model.10 … the blocks, the last number the last convolution."""
    first = weights["model.1.weight"]
    blocks = {int(name.split(".")[1]) for name in weights if ".conv_block." in name}
    if blocks not in (set(range(10, 16)), set(range(10, 19))) or first.shape[2] != 7:
        raise ValueError(f"blocks {blocks}")
    last = weights[f"model.{17 + len(blocks)}.weight"]
    norm = told_norm(weights, "model.1", "model.2")
    # With dropout between them, the block's second convolution is number 6; without, 6 is its norm.
    second = weights.get("model.10.conv_block.6.weight")
    dropout = second is not None and second.dim() == 4
    return Generator(f"resnet_{len(blocks)}blocks", norm, first.shape[0], first.shape[1], last.shape[0], dropout)


def describe_unet(weights: Weights) -> Generator:
    """Levels are nested as model.3 in model.3; the outermost is model.0 and model.3."""
    first, last = weights["model.model.0.weight"], weights["model.model.3.weight"]
    name = {7: "unet_128", 8: "unet_256"}[unet_depth(weights)]
    norm = told_norm(weights, "model.model.0", "model.model.1.model.2")
    return Generator(name, norm, first.shape[0], first.shape[1], last.shape[1], None)


def unet_depth(weights: Weights) -> int:
    """How many times the U-Net halves: one for the outermost level, one for each nested one."""
    depth, place = 1, "model.model.1.model"
    while f"{place}.1.weight" in weights:
        depth, place = depth + 1, f"{place}.3.model"
    return depth


def describe_discriminator(weights: Weights, what: str) -> Discriminator:
    """Which discriminator these weights belong to. UserError where it is none of ours."""
    if "net.0.weight" in weights:
        first = weights["net.0.weight"]
        norm = told_norm(weights, "net.2", "net.3")
        return Discriminator("pixel", 3, norm, first.shape[0], first.shape[1])
    names = [name for name, value in weights.items() if re.fullmatch(r"model\.\d+\.weight", name) and value.dim() == 4]
    places = sorted(int(name.split(".")[1]) for name in names)
    if len(places) < 3 or places[0] != 0:
        raise UserError(f"{what} holds no discriminator of pix2pix or CycleGAN")
    first, layers = weights["model.0.weight"], len(places) - 2
    norm = told_norm(weights, "model.2", "model.3")
    return Discriminator("basic" if layers == 3 else "n_layers", layers, norm, first.shape[0], first.shape[1])


# --- putting weights into a network -------------------------------------------------------------------------------


def load_into(network: nn.Module, path: Path) -> None:
    """Read a file into a network. UserError in one line where it does not fit."""
    put_into(network, read_weights(path), str(path))


def put_into(network: nn.Module, weights: Weights, what: str) -> None:
    """Give a network its weights; counters that old files lack stay 0. UserError where names or shapes differ."""
    lay_into(network, present_names(weights, what), what, lambda name: name.endswith("num_batches_tracked"))
