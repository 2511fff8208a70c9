"""How much memory a run needs at the least, asked before it begins: Linux kills what is too large without a word."""

from __future__ import annotations

import torch

from networks import Discriminator, Generator, count_parameters
from shared_scripts.memory import check_memory

# Bytes for each pixel and channel of the generator's first width, and with bfloat16 in mind. To translate: a layer and
# its normalised form. To train: four layers of that size, each with its normalised form, in both passes.
TRANSLATING, TRAINING = 4, 32
WEIGHT = 16  # bytes: float32, with a gradient and Adam's two moments


def check_translating(device: torch.device, conv_dim: int, size: int, batch: int) -> None:
    """UserError where `batch` pictures of `size` pixels cannot be translated at once. On a GPU torch itself tells."""
    if device.type == "cpu":
        check_memory(TRANSLATING * batch * conv_dim * size**2, f"{batch} pictures of {size} pixels at once")


def check_training(device: torch.device, generator: dict, discriminator: dict, batch: int) -> None:
    """UserError where the two networks, made with these arguments, cannot be trained on `batch` pictures at once."""
    with torch.device("meta"):  # shapes without numbers: no memory, and nothing is drawn at random
        weights = count_parameters(Generator(**generator)) + count_parameters(Discriminator(**discriminator))
    size, conv_dim = discriminator["image_size"], generator["conv_dim"]
    pictures = TRAINING * batch * conv_dim * size**2
    if device.type == "cpu":
        what = f"networks of {weights:,} weights and {batch} pictures of {size} pixels a step"
        check_memory(WEIGHT * weights + pictures, what)
