"""How a long run shows itself: a bar with the losses and the time left, a CSV, and TensorBoard."""

from __future__ import annotations

import csv
import io
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from tqdm import tqdm

from shared_scripts.cli import RunError, UserError
from shared_scripts.files import atomic_write


class Progress:
    """A progress bar on stderr (only where that is a terminal), and the losses in files beside the results.

    With a `folder`, `losses.csv` there gets one row a report, and with `tensorboard=True` so does an event file. A run
    that is resumed appends to both. Use as a context manager; `update` once a step.
    """

    def __init__(self, total: int, start: int = 0, folder: str | Path | None = None, tensorboard: bool = False):
        self.bar = tqdm(total=total, initial=start, file=sys.stderr, disable=None, dynamic_ncols=True, smoothing=0.1)
        self.csv_path = Path(folder) / "losses.csv" if folder else None
        self.warned = False
        self.board = Board(Path(folder)) if folder and tensorboard else None

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
        self.advance(1)

    def advance(self, count: int) -> None:
        """As many steps are done."""
        self.bar.update(count)

    def report(self, step: int, losses: dict[str, float], columns: Sequence[str] = (), **words: str) -> None:
        """Write the losses of a step down.

        Where not every step has all losses, `columns` names all that the CSV is to have. `words` go to the CSV alone.
        """
        try:
            if self.board:
                self.board.scalars(step, losses)
            if self.csv_path:
                values = {name: losses.get(name, "") for name in columns or losses}
                append_row(self.csv_path, {"step": step, **words, **values})
        except OSError as problem:  # open in a spreadsheet, say: no reason to end a run of hours
            if not self.warned:
                tell(f"Warning: the losses cannot be written down: {problem}")
            self.warned = True

    def image(self, step: int, name: str, pixels: np.ndarray) -> None:
        """Show an (H, W, 3) uint8 picture in TensorBoard."""
        if self.board:
            self.board.image(step, name, pixels)

    def write(self, line: str) -> None:
        """Print a line on stdout without tearing the bar."""
        if self.bar.disable:
            print(line, flush=True)
        else:
            tqdm.write(line, file=sys.stdout)


class Board:
    """A TensorBoard event file, written with TensorBoard's own classes: with PyTorch and with TensorFlow alike.

    Not with its EventFileWriter, which imports TensorFlow wherever that is installed (seconds, and a page of chatter in
    a PyTorch project), and which reports a full disk as a traceback from its thread.
    """

    FLUSH_SECONDS = 5  # how long an event may wait in memory

    def __init__(self, folder: Path):
        try:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as problem:
            raise UserError("TensorBoard is not installed; get it with: pip install tensorboard") from problem
        self.file = create_event_file(folder)
        self.writer = RecordWriter(self.file)
        self.flushed = 0.0
        self.write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, step: int, values: list) -> None:
        """One event with some values (dictionaries of Summary.Value's fields)."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(**value) for value in values])
        self.write(Event(wall_time=time.time(), step=step, summary=summary))

    def write(self, event) -> None:
        """Append an event. OSError where the disk refuses."""
        self.writer.write(event.SerializeToString())
        if time.monotonic() - self.flushed > self.FLUSH_SECONDS:
            self.writer.flush()
            self.flushed = time.monotonic()

    def scalars(self, step: int, losses: dict[str, float]) -> None:
        """One number a name."""
        self.add(step, [{"tag": name, "simple_value": float(value)} for name, value in losses.items()])

    def image(self, step: int, name: str, pixels: np.ndarray, quality: int | None = None) -> None:
        """An (H, W, 3 or 4) uint8 picture; with a `quality` as a JPEG of a fifth of the size, unless it has alpha."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        file = io.BytesIO()
        height, width, channels = pixels.shape
        if quality and channels == 3:
            Image.fromarray(pixels).save(file, "jpeg", quality=quality)
        else:
            Image.fromarray(pixels).save(file, "png")
        image = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue())
        self.add(step, [{"tag": name, "image": image}])

    def histogram(self, step: int, name: str, values: np.ndarray, bins: int = 30) -> None:
        """How some numbers are spread."""
        from tensorboard.compat.proto.summary_pb2 import HistogramProto

        values = np.asarray(values, np.float64).ravel()
        counts, edges = np.histogram(values, bins)
        histogram = HistogramProto(
            min=values.min(), max=values.max(), num=values.size, sum=values.sum(), sum_squares=np.square(values).sum()
        )
        histogram.bucket_limit.extend(edges[1:].tolist())
        histogram.bucket.extend(counts.tolist())
        self.add(step, [{"tag": name, "histo": histogram}])

    def close(self) -> None:
        """Write what is still waiting."""
        self.writer.close()


def create_event_file(folder: Path) -> BinaryIO:
    """A new file of the name TensorBoard looks for; two of the same second and process get different ones."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
    return open(folder / f"{start}.{len(list(folder.glob(start + '.*')))}", "xb")


def tell(line: str) -> None:
    """A line for people. It goes to stderr, where it leaves a progress bar whole: stdout has the reference's lines."""
    tqdm.write(line, file=sys.stderr)
    sys.stderr.flush()


def check_finite(losses: dict[str, float], advice: str) -> None:
    """RunError where a loss is no number any more: what comes after cannot be good, and must not be saved."""
    wrong = [name for name, value in losses.items() if not abs(value) < float("inf")]
    if wrong:
        raise RunError(f"the loss {wrong[0]} is no number any more; {advice}")


def append_row(path: Path, row: dict[str, float | str]) -> None:
    """Add a row to a CSV file, the header first where the file is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists() or path.stat().st_size == 0
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def forget_rows_after(path: Path, step: int) -> None:
    """Drop a losses.csv's rows behind a step: a run that was killed had written them, and will write them again.

    A last row that was cut short goes too; the next one would be written behind it.
    """
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n") and line.count(",") == lines[0].count(",")]
    rows = [line for line in whole[1:] if line.split(",")[0].isdigit() and int(line.split(",")[0]) <= step]
    with atomic_write(path) as temporary:
        temporary.write_text("".join([*whole[:1], *rows]), encoding="utf-8")
