"""What the tools in this folder share: two pictures side by side, many at a time, with word about every failure."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from shared_scripts.cli import UserError, one_line
from shared_scripts.files import atomic_write
from shared_scripts.images import check_format, read_image

WRITTEN, UNCHANGED, REPLACED = "written", "unchanged", "replaced (they were there, with other content)"


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(H, W, 3) and (H, W, 3) uint8 as (H, 2W, 3). UserError where their sizes differ."""
    if left.shape != right.shape:
        sizes = " and ".join(f"{picture.shape[1]}x{picture.shape[0]}" for picture in (left, right))
        raise UserError(f"pictures side by side must have one size, not {sizes}")
    return np.concatenate([left, right], axis=1)


def save_picture(path: Path, pixels: np.ndarray, **options) -> str:
    """Write (H, W, 3) uint8 in the format of the name's ending; `options` are Pillow's.

    Returns WRITTEN, UNCHANGED where just this file was there, or REPLACED where another one was.
    """
    check_format(path)
    stream = io.BytesIO()
    kind = Image.registered_extensions()[path.suffix.lower()]
    Image.fromarray(pixels).save(stream, kind, **({"quality": 95} | options))
    state = WRITTEN
    if path.exists():
        state = UNCHANGED if path.read_bytes() == stream.getvalue() else REPLACED
    if state != UNCHANGED:
        with atomic_write(path) as temporary:
            temporary.write_bytes(stream.getvalue())
    return state


def join_files(left: Path, right: Path, path: Path) -> list[str]:
    """Write two pictures side by side; how it was saved. UserError where one cannot be read, or their sizes differ."""
    pixels = read_image(left), read_image(right)
    try:
        return [save_picture(path, side_by_side(*pixels))]
    except UserError as problem:
        raise UserError(f"{left} and {right}: {problem}") from problem


# ---- many at a time -------------------------------------------------------------------------------------------------


def attempt(call: tuple[Callable[..., list[str]], tuple]) -> list[str] | str:
    """Call `function(*arguments)`: the states of what it saved, or in one line why it failed."""
    function, arguments = call
    try:
        return function(*arguments)
    except (UserError, OSError) as problem:
        return one_line(problem)


def ignore_interrupts() -> None:
    """In a worker: Ctrl-C is the main process's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def for_all(function: Callable[..., list[str]], tasks: Sequence[tuple], processes: int | None = None) -> int:
    """Call `function(*task)` for every task, in several processes (default: one a core), and tell how it went.

    One that fails is named on stderr, and the others are done. Returns the exit status: 1 where some failed.
    """
    calls = [(function, task) for task in tasks]
    processes = min(processes or core_count(), len(tasks) // 8 + 1)  # no new process for a handful
    if processes == 1:
        return report(map(attempt, calls), len(tasks))
    with get_context("spawn").Pool(processes, ignore_interrupts) as pool:
        return report(pool.imap(attempt, calls, chunksize=4), len(tasks))


def core_count() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(outcomes: Iterable[list[str] | str], total: int) -> int:
    """Tell what `attempt` returned, as it comes; the exit status."""
    states = Counter({WRITTEN: 0})
    failed = 0
    for outcome in tqdm(outcomes, total=total, disable=None, file=sys.stderr):
        if isinstance(outcome, str):
            failed += 1
            tqdm.write(f"error: {outcome}", file=sys.stderr)
        else:
            states.update(outcome)
    words = [f"{count} {state}" for state, count in states.items()]
    print(", ".join(words + [f"{failed} of {total} failed"] * bool(failed)))
    return 1 if failed else 0


def name_some(names: Sequence[object]) -> str:
    """The first three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(str, names[:3])) + more
