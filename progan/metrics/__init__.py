"""Measures of a generator's images: SWD, FID, IS and MS-SSIM, each a class that is fed with minibatches.

A set is measured by `begin(mode)`, `feed(mode, images)` for each minibatch, (N, 3, R, R) uint8, and `end(mode)`, which
returns as many numbers as `names()` has names. The modes are 'warmup', 'reals' (remembered, for the comparing ones) and
'fakes'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from shared_scripts.cli import UserError

if TYPE_CHECKING:
    import numpy as np  # not in earnest: see metrics/fast_sort.py

# Short names, and the reference's classes, which it prints
CLASSES = {
    "swd": "metrics.sliced_wasserstein.API",
    "fid": "metrics.frechet_inception_distance.API",
    "is": "metrics.inception_score.API",
    "msssim": "metrics.ms_ssim.API",
}


class Metric(Protocol):
    """What all metrics have."""

    def names(self) -> list[str]: ...

    def formats(self) -> list[str]: ...

    def begin(self, mode: str) -> None: ...

    def feed(self, mode: str, images: np.ndarray) -> None: ...

    def end(self, mode: str) -> list[float]: ...


def short_name(name: str) -> str:
    """`swd` of `swd` or `metrics.sliced_wasserstein.API`. UserError where there is no such metric."""
    found = [short for short, long in CLASSES.items() if name.strip().lower() in (short, long.lower())]
    if not found:
        raise UserError(f"there is no metric {name!r}; choose among {', '.join(CLASSES)}")
    return found[0]


def create(
    names: Sequence[str], resolution: int, rng: np.random.RandomState, device, inception: Callable[[], Callable]
) -> list[Metric]:
    """The metrics of these names, for images of a resolution. `inception` makes the network for FID and IS; it is
    called once, and only if one of them is wanted."""
    from metrics.frechet_inception_distance import FID
    from metrics.inception_score import InceptionScore
    from metrics.ms_ssim import MSSSIM
    from metrics.sliced_wasserstein import SlicedWasserstein

    names = [short_name(name) for name in names]
    network = inception() if {"fid", "is"} & set(names) else None
    makers = {
        "swd": lambda: SlicedWasserstein(resolution, rng, device),
        "fid": lambda: FID(network),
        "is": lambda: InceptionScore(network),
        "msssim": lambda: MSSSIM(resolution),
    }
    return [makers[name]() for name in names]
