"""The losses of a run in losses.csv, and in memory for the curve on the training page."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from shared_scripts.files import atomic_write
from shared_scripts.progress import append_row

FILE = "losses.csv"


class LossHistory:
    """What was reported so far, one row a report.

    `points` are (epochs done, {name: loss}). A resumed run goes on where it stands: rows behind that point, which a
    run that was killed had written, are dropped when the first report comes. The file of an earlier run that is not
    resumed, or that had other losses, is kept as losses-1.csv.
    """

    def __init__(self, folder: str | Path, resumed: bool = False):
        self.path = Path(folder) / FILE
        self.resumed = resumed
        self.earlier = read_rows(self.path) if resumed else []
        self.points = as_points(self.earlier)
        self.begun = self.ready = False

    def add(self, epoch: int, fraction: float, iters: int, losses: dict[str, float]) -> None:
        """One report, `fraction` (0..1) into an epoch counted from 1. OSError or UserError where it cannot be kept."""
        if not self.begun:
            self.earlier = [row for row in self.earlier if (row["epoch"], row["iters"]) < (epoch, iters)]
            self.points = self.points[: len(self.earlier)]
            self.begun = True
        self.points.append((epoch - 1 + fraction, dict(losses)))
        if not self.ready:
            self.prepare_file(["epoch", "iters", *losses])
            self.ready = True
        append_row(self.path, {"epoch": epoch, "iters": iters, **losses})

    def prepare_file(self, columns: list[str]) -> None:
        """Leave nothing in the file but the rows before this run's first."""
        if not self.path.exists():
            return
        if not self.resumed or read_columns(self.path) != columns:
            self.path.rename(free_name(self.path))
            return
        with atomic_write(self.path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.earlier)


def read_columns(path: Path) -> list[str]:
    """The header of a CSV file, empty where there is none."""
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return next(csv.reader(file), [])


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows that can be understood up to the first that cannot: a killed run may have left half a line."""
    rows: list[dict[str, float]] = []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                values = {name: float(value) for name, value in row.items()}
                rows.append({**values, "epoch": int(values["epoch"]), "iters": int(values["iters"])})
    except (OSError, ValueError, TypeError, KeyError, OverflowError, csv.Error):
        pass
    return rows


def as_points(rows: list[dict[str, float]]) -> list[tuple[float, dict[str, float]]]:
    """The rows with their place in epochs, which the file does not hold: those of an epoch lie evenly in it."""
    counts = Counter(row["epoch"] for row in rows)
    most = max(counts.values(), default=1)  # of a whole epoch; the last one may not be
    seen: Counter = Counter()
    points = []
    for row in rows:
        seen[row["epoch"]] += 1
        losses = {name: value for name, value in row.items() if name not in ("epoch", "iters")}
        points.append((row["epoch"] - 1 + seen[row["epoch"]] / most, losses))
    return points


def free_name(path: Path) -> Path:
    """losses-1.csv, or the first number that is free."""
    number = 1
    while (free := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return free
