"""When what is trained: resolution, fading, batch size and learning rates as functions of the pictures shown so far.

Growth goes in phases of two parts: `lod_training_kimg` thousands of pictures to train what there is, then
`lod_transition_kimg` in which the next resolution is faded in. The numbers are exact: tests compare them with the
reference's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

TICK_KIMG = {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10}


@dataclass(frozen=True)
class Schedule:
    """The settings of `sched` in config.py, by their names there."""

    lod_initial_resolution: int = 4
    lod_training_kimg: float = 600
    lod_transition_kimg: float = 600
    minibatch_base: int = 16
    minibatch_dict: Mapping[int, int] = field(default_factory=dict)
    max_minibatch_per_gpu: Mapping[int, int] = field(default_factory=dict)
    G_lrate_base: float = 0.001
    G_lrate_dict: Mapping[int, float] = field(default_factory=dict)
    D_lrate_base: float = 0.001
    D_lrate_dict: Mapping[int, float] = field(default_factory=dict)
    tick_kimg_base: float = 160
    tick_kimg_dict: Mapping[int, float] = field(default_factory=lambda: dict(TICK_KIMG))

    def at(self, nimg: int, resolution: int, num_gpus: int = 1) -> Stage:
        """How to go on after `nimg` pictures, with data of a resolution."""
        lod = self.lod(nimg / 1000, int(math.log2(resolution)))
        now = 2 ** (int(math.log2(resolution)) - math.floor(lod))
        return Stage(
            lod=lod,
            resolution=now,
            minibatch=self.minibatch(now, num_gpus),
            G_lrate=self.G_lrate_dict.get(now, self.G_lrate_base),
            D_lrate=self.D_lrate_dict.get(now, self.D_lrate_base),
            tick_kimg=self.tick_kimg_dict.get(now, self.tick_kimg_base),
        )

    def lod(self, kimg: float, levels: int) -> float:
        """The level of detail: falls from levels - log2(lod_initial_resolution) to 0."""
        phase = self.lod_training_kimg + self.lod_transition_kimg
        number = math.floor(kimg / phase) if phase > 0 else 0
        lod = levels - math.floor(math.log2(self.lod_initial_resolution)) - number
        if self.lod_transition_kimg > 0:
            inside = kimg - number * phase
            lod -= max(inside - self.lod_training_kimg, 0.0) / self.lod_transition_kimg
        return max(lod, 0.0)

    def minibatch(self, resolution: int, num_gpus: int) -> int:
        """Pictures a step: a multiple of the number of GPUs, and no more for each than it has room for."""
        size = self.minibatch_dict.get(resolution, self.minibatch_base)
        size -= size % num_gpus
        most = self.max_minibatch_per_gpu.get(resolution)
        return size if most is None else min(size, most * num_gpus)


@dataclass(frozen=True)
class Stage:
    """The schedule at one moment. `resolution` is that of the lod: while layers are faded in, already theirs."""

    lod: float
    resolution: int
    minibatch: int
    G_lrate: float
    D_lrate: float
    tick_kimg: float
