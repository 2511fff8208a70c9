"""What a run prints and writes besides the picture, to the letter as the reference: lines, checkpoint names, losses."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shared_scripts.files import atomic_write, ensure_folder

if TYPE_CHECKING:  # flags are checked with this module; torch must not be loaded for that
    from stylize import Losses


def is_checkpoint_format(text: str) -> bool:
    """Whether a checkpoint name has a place for the iteration."""
    return re.match(r"^.*(\{.*\}|%.*).*$", text) is not None


def checkpoint_name(text: str, iteration: int) -> str:
    """`foo_%s.jpg`, `foo_%05d.jpg` or `foo_{:05}.jpg` with the iteration filled in.

    Braces win over percent signs. ValueError for a format that is neither, or a wrong one.
    """
    if re.match(r"^.*\{.*\}.*$", text):
        return text.format(iteration)
    if re.match(r"^.*%.*$", text):
        return text % iteration
    raise ValueError(f"illegal format string '{text}'")


def hms(seconds: float) -> str:
    """A duration in words: `59 sec`, `1 min 1 sec`, `1 hr 0 min`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} hr {minutes} min"
    return f"{minutes} min {rest} sec" if minutes else f"{rest} sec"


class LinePrinter:
    """Prints the run's lines through `write` and records the printed losses."""

    def __init__(self, iterations: int, print_iterations: int | None, write: Callable[[str], None] = print):
        self.iterations, self.print_iterations, self.write = iterations, print_iterations, write
        self.rows: list[tuple[float, ...]] = []  # iteration, content, style, tv, total
        self.started = self.before = time.perf_counter()
        self.recent: deque[float] = deque(maxlen=10)  # seconds of the last steps

    def start(self, losses: Losses) -> None:
        """Before the first step."""
        self.write("Optimization started...")
        if self.print_iterations:
            self._losses(losses)

    def step(self, number: int, iteration: int, losses: Losses) -> None:
        """After the step `number` (from 1), which checkpoints call `iteration`."""
        now = time.perf_counter()
        line = f"Iteration {number:4d}/{self.iterations:4d}"
        if self.recent:
            remaining = sum(self.recent) / len(self.recent) * (self.iterations - number + 1)
            line += f" ({hms(self.before - self.started)} elapsed, {hms(remaining)} remaining)"
        self.write(line)
        self.recent.append(now - self.before)
        self.before = now
        if number == self.iterations or (self.print_iterations and iteration % self.print_iterations == 0):
            self._losses(losses)
            self.rows.append((iteration, *(value for _, value in losses.items())))

    def _losses(self, losses: Losses) -> None:
        for name, value in losses.items():
            self.write(f"{name + ' loss:':>13s} {value:g}")


def write_progress_text(folder: Path, rows: list[tuple[float, ...]]) -> None:
    """`progress.txt`: one row a recorded loss, readable with numpy.loadtxt."""
    import numpy as np

    ensure_folder(folder)
    with atomic_write(folder / "progress.txt") as temporary:
        np.savetxt(temporary, np.array(rows), header="itr content style tv total")


def write_progress_plot(folder: Path, rows: list[tuple[float, ...]]) -> None:
    """`progress.png`: the recorded losses on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, not a window
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    iterations, *curves = zip(*rows, strict=True)
    for name, curve in zip(("content", "style", "tv", "total"), curves, strict=True):
        axes.semilogy(iterations, curve, label=name)
    axes.legend()
    axes.set(xlabel="iterations", ylabel="loss")
    ensure_folder(folder)
    with atomic_write(folder / "progress.png") as temporary:
        figure.savefig(temporary)
    plt.close(figure)
