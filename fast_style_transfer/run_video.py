"""Painting a film, frame after frame, from the flags to the file."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

import data
from legacy import load_checkpoint
from shared_scripts.cli import RunError, StopBetweenSteps, UserError
from shared_scripts.devices_tf import describe
from shared_scripts.files import check_writable
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, tell
from shared_scripts.videos import (
    EXTENSIONS,
    DamagedVideo,
    VideoInfo,
    VideoWriter,
    check_bitrate,
    check_format,
    probe,
    read_frames,
)
from stylizer import Stylizer


def transform(flags: argparse.Namespace) -> None:
    """Do what `options.parse_video` returned. Raises UserError for what the user can put right, RunError where only
    the beginning of a damaged film could be painted."""
    info = probe(flags.in_path)
    target = choose_target(flags.in_path, flags.out_path)
    check_bitrate(flags.video_bitrate)
    height, width = painted_size(info, flags.max_size)
    keep_memory()
    stylizer = Stylizer(load_checkpoint(flags.checkpoint).weights, flags.device, flags.precision, flags.mirror_border)
    tell(f"Computing on the {describe(stylizer.device, stylizer.dtype(height * width))}; {width}x{height} pixels.")
    Painting(flags, info, stylizer, target).go()


def choose_target(source: Path, out: Path) -> Path:
    """The file to write. In a folder it is called as the film is; .mp4 where that format is read but not written.

    UserError where it cannot be written, or is the film itself.
    """
    if out.is_dir():
        out = out / (source.name if source.suffix.lower() in EXTENSIONS else f"{source.stem}.mp4")
    check_format(out)
    if out.exists() and out.samefile(source):
        raise UserError(f"{out} would be painted over; choose another --out-path")
    check_writable(out)
    return out


def painted_size(info: VideoInfo, longest: int | None) -> tuple[int, int]:
    """(height, width) of the painted frames: the film's own unless --max-size shrinks it, and then even numbers,
    which every player shows."""
    height, width = data.limited_size(info.height, info.width, longest)
    if (height, width) == (info.height, info.width):
        return height, width
    return height - height % 2 or height, width - width % 2 or width


def groups(frames: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """The frames, `size` at a time; the last group may be smaller. Those before a damage are not lost."""
    group: list[np.ndarray] = []
    try:
        for frame in frames:
            group.append(frame)
            if len(group) == size:
                yield group
                group = []
    except DamagedVideo:
        if group:
            yield group
        raise
    if group:
        yield group


class Painting:
    """A film being painted, with everything it says on the way."""

    def __init__(self, flags: argparse.Namespace, info: VideoInfo, stylizer: Stylizer, target: Path):
        self.flags, self.info, self.stylizer, self.target = flags, info, stylizer, target
        self.size = painted_size(info, flags.max_size)
        self.at_once = stylizer.pictures_at_once(flags.batch_size)
        height, width = self.size
        self.film = VideoWriter(
            target,
            width,
            height,
            info.fps,
            sound_from=flags.in_path if info.has_sound else None,
            bitrate=flags.video_bitrate,
            pixel_aspect=info.pixel_aspect,
        )

    def go(self) -> None:
        """Paint to the end. Ctrl-C and damaged films leave a film of the frames before; both raise in the end."""
        started, damage = time.perf_counter(), None
        with Progress(self.info.frames) as progress, StopBetweenSteps() as stop:
            try:
                with self.film, closing(read_frames(self.flags.in_path, self.info)) as frames:
                    damage = self.paint_all(frames, progress, stop)
            except KeyboardInterrupt:
                tell(f"Stopped: {self.result()}.")
                raise
        if damage is not None:
            raise RunError(f"{damage}; {self.result()}") from damage
        self.tell_about_sound()
        tell(f"Painted {self.film.frames} frames in {time.perf_counter() - started:.1f} s: {self.target}")

    def paint_all(
        self, frames: Iterable[np.ndarray], progress: Progress, stop: StopBetweenSteps
    ) -> DamagedVideo | None:
        """Paint and write all frames there are; returns what is wrong with the film where it ends too early."""
        try:
            for group in groups(frames, self.at_once):
                for painted in self.paint([self.shrink(frame) for frame in group]):
                    self.film.write(painted)
                    progress.update()
                stop.check()
        except DamagedVideo as damage:
            if not self.film.frames:
                raise
            self.film.end_early()
            return damage
        return None

    def shrink(self, frame: np.ndarray) -> np.ndarray:
        """A frame at the size it is painted in, cut to even sides where --max-size shrinks it."""
        height, width = self.size
        return data.limit_size(frame, self.flags.max_size)[:height, :width]

    def paint(self, group: list[np.ndarray]) -> list[np.ndarray]:
        """Painted frames. A small last group is filled up with its last frame: the network is compiled for one number
        of pictures at a time."""
        filled = group + group[-1:] * (self.at_once - len(group))
        painted = self.stylizer(np.stack(filled))[: len(group)]
        if self.flags.preserve_colors:
            return [data.preserve_colors(*pair) for pair in zip(group, painted, strict=True)]
        return list(painted)

    def result(self) -> str:
        """What there is after an early end."""
        if not self.film.frames:
            return f"no frame was painted, and {self.target} not written"
        total = f" of about {self.info.frames}" if self.info.frames else ""
        return f"{self.target} has the first {self.film.frames}{total} frames"

    def tell_about_sound(self) -> None:
        """A line where the sound is not what it was."""
        if self.film.sound == "lost":
            tell(f"Warning: the sound of {self.flags.in_path} cannot be used; {self.target} is silent.")
        if self.film.sound == "aac":
            tell(f"The sound ({', '.join(self.info.sound)}) was converted to AAC, which players of the format expect.")
