"""What a training shows: the reference's lines, losses as a table and on a board, sheets of samples."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import time
from pathlib import Path

from torch import Tensor, nn

import printing
import sheets
from schedules import Moment
from shared_scripts.distributed import Processes
from shared_scripts.images import write_image
from shared_scripts.progress import Progress, check_finite, tell
from sources import Source, sheet_targets
from training import LOSSES, Batch

ADVICE = "take a smaller --g_lr and --d_lr, or --precision float32"


class Reporter:
    """Of several processes, the first one's shows; the others stay silent."""

    def __init__(self, opt: argparse.Namespace, processes: Processes):
        self.opt, self.processes, self.old = opt, processes, opt.variant == "old"
        self.progress: Progress | None = None
        self.began = time.time()

    def say(self, line: str) -> None:
        """A line of the reference's, on stdout."""
        if self.processes.first:
            self.progress.write(line) if self.progress else print(line, flush=True)

    def tell(self, line: str) -> None:
        """A line of ours, on stderr."""
        if self.processes.first:
            tell(line)

    def open(self, total: int, step: int) -> Progress:
        """The bar, the table and the board, of a training that has `step` of `total` steps behind it."""
        self.began = time.time()
        folder = Path(self.opt.log_dir) if self.processes.first else None
        self.progress = Progress(total, step, folder, self.has_board())
        return self.progress

    def has_board(self) -> bool:
        """Whether TensorBoard's files are to be written; without the package training goes on."""
        if self.opt.use_tensorboard and importlib.util.find_spec("tensorboard") is None:
            self.tell("TensorBoard is not installed (pip install tensorboard): training goes on without it.")
            return False
        return self.opt.use_tensorboard

    def log(self, moment: Moment, found: list[dict[str, Tensor]], batches: list[Batch], out_cls: Tensor | None) -> None:
        """The losses of each of the batches: a line for each data set; in the 2017 version one for both."""
        several = len(found) > 1
        for losses, batch in zip(found, batches, strict=False):
            names = [name for name in LOSSES if name in losses]
            means = self.processes.mean(float(losses[name]) for name in names)
            values = dict(zip(names, means, strict=True))
            check_finite(values, ADVICE)
            if not self.processes.first:
                continue
            if self.old and len(batches) == 1 and "D/loss_cls" in losses:
                self.say(printing.accuracy_line(batch.domain, out_cls, batch.labels))
            dataset = {"dataset": batch.domain.name} if several else {}
            parts = [f"Elapsed [{self.elapsed()}]", moment.where, *(f"Dataset [{name}]" for name in dataset.values())]
            self.say(", ".join([*parts, *(f"{name}: {value:.4f}" for name, value in values.items())]))
            self.progress.report(moment.step, values, LOSSES, **dataset)

    def elapsed(self) -> str:
        """The time since training began, as the reference prints it; the current version leaves fractions out."""
        passed = datetime.timedelta(seconds=time.time() - self.began)
        if self.old:
            return str(passed)
        if self.opt.reference_exact:
            return str(passed)[:-7]
        return str(datetime.timedelta(seconds=int(passed.total_seconds())))

    def show_samples(
        self, moment: Moment, generator: nn.Module, samples: dict[str, Tensor], sources: list[Source]
    ) -> None:
        """The reference's sheet, and one with titles on the board and as the newest of its kind."""
        if not self.processes.first:
            return
        folder = Path(self.opt.sample_dir)
        targets = sheet_targets(sources, samples["label"], self.old)
        columns = sheets.translate_all(generator, samples["x"], targets)
        path = folder / (f"{moment.name}_fake.png" if self.old else f"{moment.name}-images.jpg")
        sheets.write_plain(path, columns)
        rows = sheets.describe_labels(sources[0].domain, samples["label"])
        sheet = sheets.titled_sheet(columns, ["input", *(title for title, _ in targets)], rows)
        write_image(folder / "latest-sheet.jpg", sheet)
        self.progress.image(moment.step, "samples", sheet)
        old, now = (
            f"Translated images and saved into {self.opt.sample_dir}..!",
            f"Saved real and fake images into {path}...",
        )
        self.say(old if self.old else now)

    def rates(self, g_lr: float, d_lr: float) -> None:
        """The learning rates, where they have changed."""
        how = "Decay learning rate to" if self.old else "Decayed learning rates,"
        self.say(f"{how} g_lr: {g_lr}, d_lr: {d_lr}.")
