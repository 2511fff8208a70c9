"""What a training leaves in its folder on the way: grids of pictures, and the networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from datasets import Dataset
from inference import FastGenerator, at_once, batches
from networks import Generator
from pictures import save_grid, snapshot_grid_size
from shared_scripts.cli import UserError
from shared_scripts.memory import check_memory


class SnapshotGrid:
    """The same latents and labels at every snapshot, so that one sees them grow; beside real pictures.

    `size` is "1080p", "4k" or columns and rows, "8x6"; `layout` "random", or "row_per_class": a row a label.
    """

    def __init__(self, dataset: Dataset, latent_size: int, seed: int, size: str = "1080p", layout: str = "random"):
        self.size = snapshot_grid_size(size, dataset.resolution)
        columns, rows = self.size
        bytes_each = 4 * latent_size + 6 * dataset.num_channels * dataset.resolution**2  # float32, and uint8 twice
        check_memory(columns * rows * bytes_each, f"sheets of {columns}x{rows} pictures (--grid.size)")
        self.dataset, rng = dataset, np.random.RandomState(seed % 2**32)
        self.numbers = self.choose(rng, layout)
        self.labels = dataset.labels[self.numbers]
        self.latents = rng.randn(len(self.numbers), latent_size).astype(np.float32)

    def choose(self, rng: np.random.RandomState, layout: str) -> np.ndarray:
        """The numbers of the real pictures, row by row. UserError where the layout is unknown or has no labels."""
        columns, rows = self.size
        if layout == "random":
            return rng.randint(len(self.dataset), size=columns * rows)
        if layout != "row_per_class":
            raise UserError(f"grid.layout is 'random' or 'row_per_class', not {layout!r}")
        if not self.dataset.label_size:
            raise UserError("grid.layout 'row_per_class' needs labels: add --preset cond, or take 'random'")
        classes = self.dataset.labels.argmax(1)
        there = [np.flatnonzero(classes == label) for label in np.unique(classes)]
        return np.concatenate([rng.choice(there[row % len(there)], columns) for row in range(rows)])

    def save_reals(self, folder: Path) -> None:
        """reals.png."""
        images = self.dataset.images(self.numbers, self.dataset.levels)
        save_grid(folder / "reals.png", images, (0, 255), self.size)

    def save_fakes(self, folder: Path, kimg: int, Gs: Generator, lod: float, drange: tuple[float, float]) -> None:
        """fakesNNNNNN.png: what the averaged generator makes, at the full size whatever the lod."""
        fast = FastGenerator(Gs, next(Gs.parameters()).device, lod=lod, native=True)
        some = batches(len(self.latents), at_once(2**fast.level))
        parts = [fast(self.latents[s], self.labels[s]).cpu() for s in some]
        images = torch.cat(parts).numpy()
        factor = self.dataset.resolution // images.shape[-1]
        images = images.repeat(factor, axis=2).repeat(factor, axis=3)
        save_grid(folder / f"fakes{kimg:06d}.png", images, drange, self.size)
