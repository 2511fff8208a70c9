"""Whether the memory is enough, before it is used: Linux grants whatever is asked for, and kills who then takes it.

What is computed here is the least that is needed, so that nothing is refused which could have been done.
"""

from __future__ import annotations

import torch

from networks import Discriminator, Generator
from shared_scripts.memory import check_memory

COPIES = {"G": 5, "D": 4}  # weights, gradients, Adam's two moments; and the averaged generator
KEPT = 16  # arrays as large as the first layer's output; 27 to 45 were measured


def check_networks(G_options: dict, D_options: dict) -> None:
    """UserError where networks with these arguments are too large to be trained; ValueError where they are none."""
    with torch.device("meta"):  # shapes without numbers
        networks = {"G": Generator(**G_options), "D": Discriminator(**D_options)}
    weights = {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}
    check_memory(sum(4 * COPIES[name] * count for name, count in weights.items()), "networks of these settings")


def check_minibatch(D: Discriminator, size: int, level: int, dtype: torch.dtype) -> None:
    """UserError where a minibatch is too large for the discriminator's step."""
    side = 2**level
    needed = KEPT * size * D.nf(level - 1) * side**2 * dtype.itemsize
    check_memory(needed, f"a minibatch of {size} at {side}x{side}, see --minibatch_base and --minibatch_dict")
