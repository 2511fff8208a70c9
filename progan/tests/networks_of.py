"""Networks out of golden files, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import torch

from networks import Discriminator, Generator
from stored import turn

IGNORED = ("structure", "dtype", "func")


def meta_of(arrays: Mapping[str, np.ndarray]) -> dict:
    """What a golden file says of itself."""
    return json.loads(str(arrays["meta"]))


def weights_of(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    """The arrays whose names begin with a prefix, as a state_dict."""
    found = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    return {name.replace("/", "."): torch.from_numpy(turn(value)) for name, value in found.items()}


def make_networks(common: Mapping, G: Mapping, D: Mapping) -> tuple[Generator, Discriminator]:
    """Networks by the arguments in a golden file's meta."""
    known = [{key: value for key, value in given.items() if key not in IGNORED} for given in (G, D)]
    return Generator(**common, **known[0]), Discriminator(**common, **known[1])


def golden_networks(arrays: Mapping[str, np.ndarray]) -> tuple[Generator, Discriminator]:
    """The networks of a nets_* file, with their weights."""
    meta = meta_of(arrays)
    G, D = make_networks(meta["common"], meta["G"], meta["D"])
    G.load_state_dict(weights_of(arrays, "G/"))
    D.load_state_dict(weights_of(arrays, "D/"))
    return G, D
