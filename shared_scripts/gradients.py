"""Which weights get gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """While this is open, the network's weights get no gradients: none is computed that nobody uses."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
