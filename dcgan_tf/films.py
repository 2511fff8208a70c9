"""Films: from latent vectors to PNG frames, or straight to a video, a batch at a time."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timezone
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

import latent
from cuts import Frame, film_vectors
from film_script import Film, place, read_film
from labels import mix
from pictures import save_picture, to_image, to_pixels, to_rgb
from seeds import write_seed
from shared_scripts.cli import StopBetweenSteps, UserError
from shared_scripts.files import atomic_write, check_writable, resolve_path
from shared_scripts.progress import Progress, tell
from shared_scripts.videos import VideoWriter, check_format
from walk_files import WalkFiles, choose_seed, make_settings, read_walk_files
from walks import plan_walk

BATCH = 64  # frames computed at once; unlike --batch_size it has no say in what they show
LOOP_EASE = 2.0  # how softly a closed loop leaves its last frame and arrives at its first


# --- writers: each is a context manager with write(i, frame, pixels) ----------------------------------------------


class PngFrames:
    """Every frame as a PNG of its own in `folder`; `name_of(i, frame)` is what it is called."""

    def __init__(self, folder: Path, name_of: Callable[[int, Frame], str], zoom: int = 1):
        self.folder, self.name_of, self.zoom = folder, name_of, zoom

    def __enter__(self) -> PngFrames:
        return self

    def __exit__(self, *exception) -> None:
        pass

    def write(self, i: int, frame: Frame, pixels: np.ndarray) -> None:
        """Write the PNG; pixels (H, W, C) uint8."""
        save_picture(self.folder / self.name_of(i, frame), enlarge(pixels, self.zoom))


class SideFiles(PngFrames):
    """The side files of the frames that are to have one, beside where their pictures are."""

    def write(self, i: int, frame: Frame, pixels: np.ndarray) -> None:
        """Write the JSON of the vector."""
        if frame.seed is not None:
            write_seed((self.folder / self.name_of(i, frame)).with_suffix(".json"), frame.seed)


class Video:
    """All frames as one film, (height, width) as the network gives them. After Ctrl-C it has the frames so far."""

    def __init__(self, path: Path, height: int, width: int, zoom: int = 1, fps: str = "24", **quality):
        self.zoom = zoom
        self.film = VideoWriter(path, width * zoom, height * zoom, Fraction(str(fps)), **quality)

    def __enter__(self) -> Video:
        self.film.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        self.film.__exit__(*exception)

    def write(self, i: int, frame: Frame, pixels: np.ndarray) -> None:
        """Append the frame; pixels (H, W, C) uint8, of which grey becomes RGB and alpha is dropped."""
        self.film.write(to_rgb(enlarge(pixels, self.zoom)))


class Together:
    """Several writers as one."""

    def __init__(self, writers: Iterable):
        self.writers, self.stack = list(writers), ExitStack()

    def __enter__(self) -> Together:
        for writer in self.writers:
            self.stack.enter_context(writer)
        return self

    def __exit__(self, *exception) -> None:
        self.stack.__exit__(*exception)

    def write(self, i: int, frame: Frame, pixels: np.ndarray) -> None:
        """Write the frame with each."""
        for writer in self.writers:
            writer.write(i, frame, pixels)


def enlarge(pixels: np.ndarray, zoom: int) -> np.ndarray:
    """(H, W, C) uint8 enlarged `zoom` times, smoothly (Lanczos)."""
    if zoom == 1:
        return pixels
    height, width, channels = pixels.shape
    image = to_image(pixels).resize((width * zoom, height * zoom), Image.Resampling.LANCZOS)
    return np.array(image).reshape(height * zoom, width * zoom, channels)


# --- rendering ----------------------------------------------------------------------------------------------------


def batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """The frames, `size` at a time; the last batch may be smaller."""
    frames = iter(frames)
    while batch := list(islice(frames, size)):
        yield batch


def develop(images: np.ndarray, sigmoid: bool, stretch: bool) -> Iterator[np.ndarray]:
    """Raw network output (N, H, W, C) as N pictures (H, W, C) uint8; stretch: each from its own black to white."""
    return (to_pixels(image, sigmoid, stretch) for image in images)


def render(frames: Iterable[Frame], total: int, sampler, writer: AbstractContextManager, stretch: bool = False) -> int:
    """Draw all frames and give them to the writer, never holding more than a batch; returns how many there are.

    Ctrl-C is answered between two batches: what is written stays, a video plays to where it is, and the
    KeyboardInterrupt goes on.
    """
    done = 0
    try:
        with Progress(total) as progress, StopBetweenSteps() as stop, writer:
            for batch in batches(frames, BATCH):
                labels = np.stack([frame.labels for frame in batch]) if sampler.y_dim else None
                images = sampler(np.stack([frame.z for frame in batch]), labels)
                for frame, pixels in zip(batch, develop(images, sampler.sigmoid, stretch), strict=True):
                    writer.write(done, frame, pixels)
                    done += 1
                    progress.update()
                stop.check()
    except KeyboardInterrupt:
        tell(f"Stopped after {done} of {total} frames; they are kept.")
        raise
    return done


def close_loop(frames: Iterable[Frame], count: int) -> Iterator[Frame]:
    """The frames, and `count` more that lead from the last back to the first: played round and round, the film has no
    seam. The very last frame is the first again."""
    first = last = None
    for last in frames:
        first = first or last
        yield last
    for i in range(1, count + 1 if first else 1):
        t = float(latent.ease_in_out(i / count, LOOP_EASE))
        z = latent.slerp(t, last.z, first.z).astype(np.float32)  # at t = 1 exactly first.z
        labels = None if first.labels is None else latent.lerp(t, last.labels, first.labels).astype(np.float32)
        yield Frame(z, labels, 0)


def shoot(
    flags: argparse.Namespace,
    sampler,
    frames: Iterator[Frame],
    total: int,
    folder: Path,
    name_of: Callable[[int, Frame], str],
    stretch: bool,
) -> None:
    """Render to what the flags ask for: a video, PNG files called `name_of(i, frame)` in the folder, or both."""
    if flags.loop:
        frames, total = close_loop(frames, flags.loop), total + flags.loop
    writers: list = [SideFiles(folder, name_of)]
    if flags.video:
        check_video(flags.video)
        writers.append(open_video(flags, sampler))
    if flags.keep_frames or not flags.video:
        writers.append(PngFrames(folder, name_of, flags.zoom))
    done = render(frames, total, sampler, Together(writers), stretch)
    if flags.video:
        tell(f"Wrote {flags.video}: {done} frames, {float(done / Fraction(str(flags.fps))):.1f} s")
    if flags.keep_frames or not flags.video:
        tell(f"Wrote {done} frames into {folder}")


def open_video(flags: argparse.Namespace, sampler) -> Video:
    """The video the flags ask for."""
    size = (sampler.height, sampler.width)
    if any(side * flags.zoom % 2 for side in size) and flags.video.suffix.lower() != ".gif":
        tell(f"Warning: browsers do not play films of odd sizes ({size[1]}x{size[0]}); --zoom 2 makes them even.")
    return Video(flags.video, *size, flags.zoom, flags.fps, crf=flags.crf, lossless=flags.lossless)


def check_video(path: Path) -> None:
    """UserError where a video cannot be written there."""
    check_format(path)
    check_writable(path)


def time_stamp() -> str:
    """Now, in UTC, as it is put in names."""
    return datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")


# --- film scripts -------------------------------------------------------------------------------------------------


def find_film(flags: argparse.Namespace) -> Film:
    """Read and check --gen_json, with all it names, and that --video can be written. Needs no network yet."""
    if flags.video:
        check_video(flags.video)
    return read_film(resolve_path(flags.gen_json), flags.seed)


def make_film(flags: argparse.Namespace, sampler, film: Film) -> None:
    """Render a film script.

    The folder `{script}-{dataset}-{time}` in --sample_dir gets the script, with the rand_seed that was used, the side
    files of random pictures, and unless there is a --video the frames.
    """
    film.check_lengths(sampler.z_dim)
    film = label_film(film, flags.label, sampler.y_dim)
    exact = bool(flags.reference_exact or film.reference_exact)
    stamp = time_stamp()
    folder = Path(flags.sample_dir) / f"{film.stem}-{flags.dataset}-{stamp}"

    def name_of(i: int, frame: Frame) -> str:
        unnamed = exact and frame.cut and film.cuts[frame.cut - 1].mode == 15  # there the reference leaves it out
        parts = [film.stem, *([] if unnamed else [flags.dataset]), stamp, f"{i:05d}"]
        return f"{'_'.join(parts)}.png"

    with atomic_write(folder / film.path.name) as temporary:
        temporary.write_bytes(film.kept())
    frames = film_vectors(film, sampler.z_dim, flags.batch_size, exact, sampler.y_dim, flags.z_dist)
    shoot(flags, sampler, frames, film.frames(sampler.z_dim), folder, name_of, flags.stretch or exact)


def label_film(film: Film, label: int | None, y_dim: int) -> Film:
    """The film with a label in every cut where the network wants one (randGen goes through all without)."""
    film = film.with_label(label)
    if not y_dim:
        if any(cut.label is not None for cut in film.cuts):
            tell("Warning: this network has no labels; the film's are ignored.")
        return film
    for cut in film.cuts:
        if cut.mode != "randGen" or cut.label is not None:
            need_label(cut.label, y_dim, f"{place(film.path, cut.number, cut.mode)}: ", ' (or "label" to the JSON)')
    return film


def need_label(label: int | tuple[int, int] | None, y_dim: int, where: str = "", otherwise: str = "") -> None:
    """UserError for a label that is missing or that the network does not have."""
    numbers = (label,) if isinstance(label, int) else label or (-1,)
    if not all(0 <= number < y_dim for number in numbers):
        raise UserError(f"{where}this is a network for {y_dim} labels: add --label 0..{y_dim - 1}{otherwise}")


# --- walks --------------------------------------------------------------------------------------------------------


def check_walk(flags: argparse.Namespace) -> WalkFiles:
    """Read and check the files of --generation_mode and its flags, and that --video can be written. Needs no network
    yet."""
    if flags.video:
        check_video(flags.video)
    return read_walk_files(flags)


def make_walk(flags: argparse.Namespace, sampler, files: WalkFiles) -> None:
    """Render the film of --generation_mode with the files that `check_walk` found, its frames straight into
    --sample_dir."""
    files.check_lengths(sampler.z_dim)
    mode = flags.generation_mode
    if sampler.y_dim and (mode != 1 or flags.label is not None):
        need_label(flags.label, sampler.y_dim)
    if flags.label is not None and not sampler.y_dim:
        tell("Warning: this network has no labels; --label is ignored.")
    seed = choose_seed(flags)
    json_name = resolve_path(flags.interp_json).name.removesuffix(".json") if flags.interp_json else ""
    settings = make_settings(flags, files, sampler.z_dim, seed)
    walk = plan_walk(mode, settings, time_stamp(), seed, json_name)

    def frames() -> Iterator[Frame]:
        for i, (_, z) in enumerate(walk):
            label = i % max(sampler.y_dim, 1) if flags.label is None else flags.label
            labels = mix(label, count=sampler.y_dim) if sampler.y_dim else None
            yield Frame(z.astype(np.float32), labels, 0, seed=z if mode == 1 else None)

    def name_of(i: int, frame: Frame) -> str:
        return walk.name(i)

    stretch = flags.stretch or flags.reference_exact
    shoot(flags, sampler, frames(), walk.total, Path(flags.sample_dir), name_of, stretch)
