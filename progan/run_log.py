"""What a run says: the reference's lines and tables, what `log.txt` keeps of them, and reading that again."""

from __future__ import annotations

import re
import sys
import threading
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from shared_scripts.cli import UserError, one_line

# --- lines --------------------------------------------------------------------------------------------------------


def format_time(seconds: float) -> str:
    """As the reference writes times: `59s`, `1m 00s`, `23h 59m 59s`, `1d 03h 46m`."""
    s = int(np.rint(seconds))
    if s < 60:
        return f"{s}s"
    if s < 60 * 60:
        return f"{s // 60}m {s % 60:02d}s"
    if s < 24 * 60 * 60:
        return f"{s // 3600}h {s // 60 % 60:02d}m {s % 60:02d}s"
    return f"{s // 86400}d {s // 3600 % 24:02d}h {s // 60 % 60:02d}m"


def parse_time(text: str) -> int:
    """Seconds, from what `format_time` wrote."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def tick_line(
    tick: int,
    kimg: float,
    lod: float,
    minibatch: int,
    seconds: float,
    sec_per_tick: float,
    sec_per_kimg: float,
    maintenance: float,
) -> str:
    """The line of a tick; `seconds` is the whole training's time so far."""
    return (
        f"tick {tick:<5d} kimg {kimg:<8.1f} lod {lod:<5.2f} minibatch {minibatch:<4d} time {format_time(seconds):<12s} "
        f"sec/tick {sec_per_tick:<7.1f} sec/kimg {sec_per_kimg:<7.2f} maintenance {maintenance:.1f}"
    )


def parse_ticks(text: str) -> list[dict]:
    """The tick lines of a log as dictionaries: tick, kimg, lod, minibatch, seconds; and of what else a line has, the
    numbers, by the names that stand before them.

    The Theano version's lines are understood as well; lines without a kimg, a lod and a time are left out.
    """
    found = []
    for line in text.splitlines():
        if not line.startswith("tick "):
            continue
        time = re.search(r"\btime\s+((?:\d+[dhms]\s*)+)", line)
        values = {name: float(number) for name, number in re.findall(r"([\w/]+)\s+(-?\d+(?:\.\d+)?)(?=\s|$)", line)}
        if time and {"kimg", "lod"} <= values.keys():
            for name in {"tick", "minibatch"} & values.keys():
                values[name] = int(values[name])
            found.append(values | {"seconds": parse_time(time[1])})
    return found


Row = tuple[str, int, Sequence[int | None], Sequence[int] | None]  # name, parameters, output shape, weight shape


def parameter_table(title: str, rows: Iterable[Row]) -> str:
    """The table of a network's layers that a training prints at its start, as lines; an empty one before and behind.

    A row is (name, number of parameters, shape of the output, shape of the weight or None); in a shape None stands for
    the minibatch.
    """
    cells = [[title, "Params", "OutputShape", "WeightShape"], ["---"] * 4]
    total = 0
    for name, params, output, weight in rows:
        total += params
        cells.append([name, str(params or "-"), shape_text(output), shape_text(weight) if weight else "-"])
    cells += [["---"] * 4, ["Total", str(total), "", ""]]
    return "\n".join(["", *("".join(f"{a:<28}{b:<12}{c:<24}{d:<24}" for a, b, c, d in [row]) for row in cells), ""])


def shape_text(shape: Sequence[int | None]) -> str:
    """`(?, 3, 4, 4)`, `(13,)`, `()`."""
    words = ["?" if size is None else str(size) for size in shape]
    return f"({words[0]},)" if len(words) == 1 else f"({', '.join(words)})"


# --- the log ------------------------------------------------------------------------------------------------------


class Log:
    """While this context is open, what goes to stdout and stderr is also kept for a file, from the first line on.

    `open(path)` names the file when its folder is there; what was said before comes first in it. The streams get
    everything at once, whatever becomes of the file: where the disk is full a warning says so, once, and what could
    not be written is tried again with the next line. Of progress bars, which are painted over, nothing is kept. An
    exception that ends the context is noted in the file, too.
    """

    def __init__(self, path: str | Path | None = None):
        self.path: Path | None = None
        self.file = None
        self.waiting = b""
        self.warned = False
        self.lock = threading.RLock()  # data may be loaded, and complained about, in threads
        if path is not None:
            self.open(path)

    def open(self, path: str | Path, append: bool = False) -> None:
        """Write to this file from now on; what it held is replaced, or with `append` kept. UserError where it cannot
        be created."""
        try:
            self.file = open(path, "ab" if append else "wb", buffering=0)
        except OSError as problem:
            raise UserError(f"cannot write {path}: {problem.strerror or problem}") from problem
        self.path = Path(path)
        self.add("")

    def keep_others_out(self) -> bool:
        """Have the file for this process alone, until it ends; False where another one has it. Windows knows no such
        lock, nor do some network disks: there it is always True."""
        try:
            import fcntl

            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except (ImportError, OSError):
            pass
        return True

    def add(self, text: str) -> None:
        """Keep a text, and write what there is as far as the disk lets it."""
        with self.lock:
            self.waiting += text.encode(errors="backslashreplace")
            if self.file is None or not self.waiting:
                return
            try:
                while self.waiting:
                    self.waiting = self.waiting[self.file.write(self.waiting) :]
            except OSError as problem:
                if not self.warned:
                    self.warned = True
                    self.warn(f"Warning: {self.path} cannot be written: {problem.strerror or problem}")

    def warn(self, line: str) -> None:
        """A line on stderr that is not for the file."""
        stream = sys.stderr.stream if isinstance(sys.stderr, Tee) else sys.stderr
        print(line, file=stream, flush=True)

    def __enter__(self) -> Log:
        self.before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = Tee(sys.stdout, self), Tee(sys.stderr, self)
        return self

    def __exit__(self, kind, problem, trace) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, Tee) and stream.log is self:
                stream.finish()
        sys.stdout, sys.stderr = self.before
        if isinstance(problem, UserError):
            self.add(f"error: {one_line(problem)}\n")
        elif problem is not None and not isinstance(problem, SystemExit | KeyboardInterrupt):
            self.add("".join(traceback.format_exception(kind, problem, trace)))
        if self.file:
            self.file.close()


class Tee:
    """A stream that also gives its whole lines to a Log; in all else it is the stream that it stands for."""

    def __init__(self, stream: TextIO, log: Log):
        self.stream, self.log, self.line = stream, log, ""

    def write(self, text: str) -> int:
        """To the log when a line is complete, to the stream at once."""
        *lines, line = (self.line + text).split("\n")
        self.line = last_layer(line) + "\r" * line.endswith("\r")  # a bar is painted over for hours, without an end
        if lines:
            self.log.add("".join(f"{last_layer(line)}\n" for line in lines))
        number = self.stream.write(text)
        if lines:
            self.stream.flush()  # who watches a redirected run sees its lines as they come
        return number

    def finish(self) -> None:
        """The last line may have had no end."""
        self.stream.flush()
        if last_layer(self.line).strip():
            self.log.add(f"{last_layer(self.line)}\n")
        self.line = ""

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


def last_layer(line: str) -> str:
    """What stays of a line that was painted over by carriage returns, as progress bars do."""
    return line.rstrip("\r").rpartition("\r")[2]
