"""Painting files and folders, in one style or many, from the flags to the files."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import data
from legacy import USUAL_NAME, find_checkpoint, load_checkpoint
from shared_scripts.cli import StopBetweenSteps, UserError
from shared_scripts.files import check_writable, natural_key
from shared_scripts.images import check_format, has_picture_name, read_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import tell
from shared_scripts.tf1 import strip
from stylizer import Stylizer

ORIENTATION, SIDEWAYS = 0x0112, range(5, 9)  # EXIF's tag, and its values that exchange height and width


@dataclass(frozen=True)
class Style:
    """A loaded checkpoint and the name it goes by in file names."""

    name: str
    paint: Stylizer


@dataclass(frozen=True)
class Job:
    """One picture to read, and where its painted versions go: {style name: file}."""

    source: Path
    targets: dict[str, Path]


def evaluate(flags: argparse.Namespace) -> int:
    """Do what `options.parse_evaluate` returned: the exit status, 1 where some pictures could not be painted.

    UserError for what the user can put right before anything is painted.
    """
    for path in flags.checkpoint:
        find_checkpoint(path)  # before folders are made
    names = style_names(flags.checkpoint)
    jobs = plan(flags, names)
    groups = group_by_size(jobs, flags)
    if any(path.is_dir() for path in flags.in_path) and len(groups) > 1 and not flags.allow_different_dimensions:
        raise UserError("Images have different dimensions. Resize images or use --allow-different-dimensions.")
    keep_memory()
    styles = [
        Style(name, Stylizer(load_checkpoint(path).weights, flags.device, flags.precision, flags.mirror_border))
        for name, path in zip(names, flags.checkpoint, strict=True)
    ]
    return Painting(flags, styles).go(groups)


def style_names(checkpoints: list[Path]) -> list[str]:
    """What each style is called: its file's or folder's name, of a `fns.ckpt` the folder's; repeated ones numbered."""
    names: list[str] = []
    for path in checkpoints:
        path = strip(path)
        base = path.parent if path.name == USUAL_NAME and path.parent.name else path
        name = base.name.removesuffix(".ckpt") or "style"
        candidates = (name, *(f"{name}_{number}" for number in range(2, len(checkpoints) + 2)))
        names.append(next(candidate for candidate in candidates if candidate not in names))
    return names


# --- what is to be done -------------------------------------------------------------------------------------------


def plan(flags: argparse.Namespace, names: list[str]) -> list[Job]:
    """Every picture with its results' names, checked: formats that can be written, nothing painted over its source."""
    sources, several = [], len(flags.in_path) > 1
    for path in flags.in_path:
        sources += pictures_in(path) if path.is_dir() else [path]
        several |= path.is_dir()
    into_folder = several or len(names) > 1 or flags.out_path.is_dir()
    if into_folder and flags.out_path.is_file():
        raise UserError(f"--out-path {flags.out_path} is a file; several results need a folder")
    jobs = [Job(source, targets(source, flags.out_path, names, into_folder)) for source in sources]
    check_targets(jobs)
    check_writable(next(iter(jobs[0].targets.values())))
    return jobs


def targets(source: Path, out: Path, names: list[str], into_folder: bool) -> dict[str, Path]:
    """Where a picture's results go. One style keeps the picture's name, as the reference does."""
    if not into_folder:
        return {names[0]: out}
    if len(names) == 1:
        return {names[0]: out / source.name}
    return {name: out / f"{source.stem}_{name}{source.suffix}" for name in names}


def check_targets(jobs: list[Job]) -> None:
    """UserError where a result would have no format, replace a picture that is read, or another result."""
    sources, seen = {job.source.resolve() for job in jobs}, {}
    for job in jobs:
        for target in job.targets.values():
            check_format(target)
            place = target.resolve()
            if place in sources:
                raise UserError(f"{target} would be painted over; choose another --out-path")
            if place in seen:
                raise UserError(f"{seen[place]} and {job.source} would both become {target}")
            seen[place] = job.source


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder that look like pictures, in natural order; others are named and left out."""
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: natural_key(path.name))
    found = [path for path in files if has_picture_name(path)]
    if not found:
        raise UserError(f"there are no pictures in {folder}")
    for path in files:
        if not has_picture_name(path) and not path.name.startswith("."):
            tell(f"Warning: {path} is no picture; left out.")
    return found


def group_by_size(jobs: list[Job], flags: argparse.Namespace) -> dict[tuple[int, int] | None, list[Job]]:
    """{(height, width): jobs} in order of appearance.

    A file whose header cannot be read joins the last group, not to count as a size of its own: reading it will fail
    with the reason. Where there are only such files their group is None.
    """
    groups: dict[tuple[int, int] | None, list[Job]] = {}
    for job in jobs:
        groups.setdefault(painted_size(job.source, flags), []).append(job)
    if None in groups and len(groups) > 1:
        unreadable = groups.pop(None)
        groups[next(reversed(groups))] += unreadable
    return groups


def painted_size(path: Path, flags: argparse.Namespace) -> tuple[int, int] | None:
    """(height, width) a file will be painted at, from its header alone; None where that cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                sideways = not flags.no_auto_rotate and image.getexif().get(ORIENTATION) in SIDEWAYS
    except Exception:  # Pillow raises a dozen kinds for damaged files; reading it whole will say what is wrong
        return None
    if sideways:
        width, height = height, width
    return data.limited_size(height, width, flags.max_size)


# --- doing it -----------------------------------------------------------------------------------------------------


class Painting:
    """Paints groups of pictures of one size with all styles; counts what went wrong."""

    def __init__(self, flags: argparse.Namespace, styles: list[Style]):
        self.flags, self.styles = flags, styles
        self.failed: list[Path] = []
        self.done, self.started = 0, time.perf_counter()

    def go(self, groups: dict[tuple[int, int] | None, list[Job]]) -> int:
        """Paint everything; 1 where a picture could not be painted, which is named; 2 where there was only that one."""
        total = sum(len(jobs) for jobs in groups.values())
        bar = tqdm(total=total, file=sys.stderr, disable=None if total * len(self.styles) > 1 else True, unit="picture")
        with bar, StopBetweenSteps() as stop:
            for size, jobs in groups.items():
                if self.flags.allow_different_dimensions and size:
                    bar.write(f"Processing images of shape {size[0]}x{size[1]}x3", file=sys.stdout)
                for batch in self.batches(jobs):
                    self.paint(batch)
                    bar.update(len(batch))
                    stop.check()
        if self.failed and not self.done:
            return 2 if total == 1 else 1
        seconds = time.perf_counter() - self.started
        where = "GPU" if self.styles[0].paint.on_gpu else "CPU"
        tell(f"Painted {self.done} {'picture' if self.done == 1 else 'pictures'} in {seconds:.1f} s on the {where}.")
        return 1 if self.failed else 0

    def batches(self, jobs: list[Job]) -> Iterator[list[Job]]:
        """Full batches, then the rest one by one, as the reference does; on a processor all one by one."""
        size = self.styles[0].paint.pictures_at_once(self.flags.batch_size)
        full = len(jobs) // size * size
        yield from (jobs[i : i + size] for i in range(0, full, size))
        yield from ([job] for job in jobs[full:])

    def paint(self, batch: list[Job]) -> None:
        """Read a batch, paint it in each style, write the results."""
        readable = [(job, pixels) for job in batch if (pixels := self.read(job.source)) is not None]
        by_size: dict[tuple[int, ...], list] = {}
        for job, pixels in readable:  # one size, but for the odd file whose header lied
            by_size.setdefault(pixels.shape, []).append((job, pixels))
        for pairs in by_size.values():
            try:
                self.paint_styles(pairs)
            except UserError as problem:  # too large, or the disk is full: the other pictures may do better
                self.failed += [job.source for job, _ in pairs]
                tell(f"error: {pairs[0][0].source}: {problem}")

    def paint_styles(self, pairs: list[tuple[Job, np.ndarray]]) -> None:
        """Paint pictures of one size in each style, and write them."""
        images = np.stack([pixels for _, pixels in pairs])
        for style in self.styles:
            painted = style.paint(images, self.flags.reference_size)
            for (job, pixels), result in zip(pairs, painted, strict=True):
                self.write(job.targets[style.name], pixels, result)

    def read(self, path: Path) -> np.ndarray | None:
        """(H, W, 3) uint8, or None for a file that cannot be read, which is named on stderr."""
        try:
            return data.limit_size(read_image(path, auto_rotate=not self.flags.no_auto_rotate), self.flags.max_size)
        except UserError as problem:
            self.failed.append(path)
            tell(f"error: {problem}")
            return None

    def write(self, target: Path, content: np.ndarray, painted: np.ndarray) -> None:
        """Save one result."""
        if self.flags.preserve_colors:
            painted = data.preserve_colors(content, painted)
        data.save_image(target, painted, self.flags.jpeg_quality)
        self.done += 1
