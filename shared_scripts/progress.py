"""How a long run shows itself: a bar with the losses and the time left, a CSV, and TensorBoard."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm


class Progress:
    """A progress bar on stderr (only where that is a terminal), and the losses in files beside the results.

    With a `folder`, `losses.csv` there gets one row a report, and with `tensorboard=True` so does an event file. A run
    that is resumed appends to both. Use as a context manager; `update` once a step.
    """

    def __init__(self, total: int, start: int = 0, folder: str | Path | None = None, tensorboard: bool = False):
        self.bar = tqdm(total=total, initial=start, file=sys.stderr, disable=None, dynamic_ncols=True, smoothing=0.1)
        self.csv_path = Path(folder) / "losses.csv" if folder else None
        self.board = None
        if folder and tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(str(folder))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception) -> None:
        self.bar.close()
        if self.board:
            self.board.close()

    def update(self, **losses: float) -> None:
        """One step is done; show these losses behind the bar."""
        if losses:
            self.bar.set_postfix({name: f"{value:.4g}" for name, value in losses.items()}, refresh=False)
        self.bar.update(1)

    def report(self, step: int, losses: dict[str, float]) -> None:
        """Write the losses of a step down."""
        if self.board:
            for name, value in losses.items():
                self.board.add_scalar(name, value, step)
        if self.csv_path:
            append_row(self.csv_path, {"step": step, **losses})

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Show an (H, W, 3) uint8 picture in TensorBoard."""
        if self.board:
            self.board.add_image(name, pixels, step, dataformats="HWC")

    def write(self, line: str) -> None:
        """Print a line on stdout without tearing the bar."""
        if self.bar.disable:
            print(line, flush=True)
        else:
            tqdm.write(line, file=sys.stdout)


def append_row(path: Path, row: dict[str, float]) -> None:
    """Add a row to a CSV file, the header first where the file is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists() or path.stat().st_size == 0
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
