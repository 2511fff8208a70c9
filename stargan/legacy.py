"""Reading checkpoints of every age, and telling from one which network it belongs to.

The reference saves plain state_dicts. Those of 2017 have running statistics but no counters (86 tensors), later ones
have both (103), forks have neither (52); some were saved from inside DataParallel (`module.`), some by Python 2.
PyTorch-GAN's StarGAN has other names, and a bias more. Nothing in a file is executed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from networks import Discriminator, Generator
from shared_scripts.checkpoints import load_state
from shared_scripts.cli import UserError
from shared_scripts.weights import STATISTICS, Weights, plain_names, put_into


@dataclass(frozen=True)
class GeneratorShape:
    """The architecture of a generator."""

    conv_dim: int
    c_dim: int
    repeat_num: int
    last_bias: bool = False

    def build(self) -> Generator:
        """Such a generator with fresh weights."""
        return Generator(self.conv_dim, self.c_dim, self.repeat_num, self.last_bias)


@dataclass(frozen=True)
class DiscriminatorShape:
    """The architecture of a discriminator; `image_size` is the smallest that fits (one up to 2^repeat_num - 1 larger
    fits too)."""

    image_size: int
    conv_dim: int
    c_dim: int
    repeat_num: int

    def build(self) -> Discriminator:
        """Such a discriminator with fresh weights."""
        return Discriminator(self.image_size, self.conv_dim, self.c_dim, self.repeat_num)


# --- reading ------------------------------------------------------------------------------------------------------


def read_weights(path: Path) -> Weights:
    """A checkpoint as {name: tensor} with the reference's present names.

    UserError where it is missing, damaged, holds code, or is something else.
    """
    return OrderedDict(
        (reference_name(name), value) for name, value in plain_names(load_state(path), str(path)).items()
    )


def reference_name(name: str) -> str:
    """PyTorch-GAN's names as the reference's; those of the reference stay."""
    name = re.sub(r"^model\.", "main.", name).replace(".conv_block.", ".main.")
    return re.sub(r"^out([12])\.", r"conv\1.", name)


def load_generator(path: Path) -> tuple[Generator, GeneratorShape]:
    """The generator of a file, and its architecture. UserError where it holds none."""
    weights = read_weights(path)
    shape = describe_generator(weights, str(path))
    generator = shape.build()
    lay_into(generator, weights, str(path))
    return generator, shape


def load_discriminator(path: Path) -> tuple[Discriminator, DiscriminatorShape]:
    """The discriminator of a file, and its architecture. UserError where it holds none."""
    weights = read_weights(path)
    shape = describe_discriminator(weights, str(path))
    discriminator = shape.build()
    lay_into(discriminator, weights, str(path))
    return discriminator, shape


def lay_into(network: nn.Module, weights: Weights, what: str) -> None:
    """Give a network its weights; running statistics that are not there, and are never used, stay as they are."""
    put_into(network, weights, what, lambda name: name.rpartition(".")[2] in STATISTICS)


# --- telling the architecture -------------------------------------------------------------------------------------


def describe_generator(weights: Weights, what: str) -> GeneratorShape:
    """Which generator these weights belong to. UserError where it is none of StarGAN's."""
    first = weights.get("main.0.weight")
    blocks = {int(name.split(".")[1]) for name in weights if re.fullmatch(r"main\.\d+\.main\.0\.weight", name)}
    last = f"main.{15 + len(blocks)}"
    fits = first is not None and first.dim() == 4 and first.shape[1] > 3 and first.shape[2] == 7
    if not fits or blocks != {*range(9, 9 + len(blocks))} or f"{last}.weight" not in weights:
        hint = "; it is a discriminator: take the file with G in its name" if "conv2.weight" in weights else ""
        raise UserError(f"{what} holds no generator of StarGAN{hint}")
    return GeneratorShape(first.shape[0], first.shape[1] - 3, len(blocks), f"{last}.bias" in weights)


def describe_discriminator(weights: Weights, what: str) -> DiscriminatorShape:
    """Which discriminator these weights belong to. UserError where it is none of StarGAN's."""
    classifier, first = weights.get("conv2.weight"), weights.get("main.0.weight")
    if classifier is None or first is None or "conv1.weight" not in weights or classifier.dim() != 4:
        hint = "; it is a generator: take the file with D in its name" if "main.9.main.0.weight" in weights else ""
        raise UserError(f"{what} holds no discriminator of StarGAN{hint}")
    halvings = len([name for name in weights if re.fullmatch(r"main\.\d+\.weight", name)])
    return DiscriminatorShape(classifier.shape[2] * 2**halvings, first.shape[0], classifier.shape[0], halvings)


def check_flags(found: dict[str, int], asked: dict[str, int], path: Path) -> None:
    """UserError, in one line, where the command line says other than the file has: {flag: value} both."""
    for flag, value in asked.items():
        if found.get(flag, value) != value:
            raise UserError(
                f"{path} has --{flag} {found[flag]}, not {value}; leave the flag out: it is read from the file"
            )
