"""From the settings of `G` and `D` to the networks' arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from datasets import Dataset
from networks import Discriminator, Generator


def data_options(dataset: Dataset) -> dict:
    """The arguments that the data decide."""
    names = ("num_channels", "resolution", "label_size")
    return {name: getattr(dataset, name) for name in names}


def generator_options(given: Mapping, dataset: Dataset) -> dict:
    """All arguments of `Generator`; what it does not know is left out, as the reference does."""
    return known(Generator, given) | data_options(dataset)


def discriminator_options(given: Mapping, dataset: Dataset) -> dict:
    """All arguments of `Discriminator`."""
    return known(Discriminator, given) | data_options(dataset)


def known(network: type, given: Mapping) -> dict:
    """Those that are arguments of a network."""
    names = inspect.signature(network).parameters
    return {name: value for name, value in given.items() if name in names}


def static_kwargs(given: Mapping, dataset: Dataset) -> dict:
    """What the reference's files say of a network: the data's arguments, and what was given for it."""
    return data_options(dataset) | {name: value for name, value in given.items() if name != "func"}
