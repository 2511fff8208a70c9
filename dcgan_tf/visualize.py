"""The --visualize options 0 to 4: pictures along single dimensions of the latent space."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from labels import check_label, one_hot
from pictures import gif_frames, manifold_size, merge, numbered, save_gif, save_grid, save_picture, to_pixels
from shared_scripts.cli import UserError
from shared_scripts.progress import Progress

STAMP = "%Y-%m-%d-%H-%M-%S"  # in option 0's file name; later versions wrote SHORT_STAMP
SHORT_STAMP = "%Y%m%d%H%M%S"
GIF_SECONDS, MERGED_SECONDS = 2, 8
MERGED_FRAMES = 64  # of every dimension, there and back


@dataclass(frozen=True)
class Latents:
    """The latents of one file: its name without ending, z (B, z_dim) float32, and labels (B,) or None."""

    stem: str
    z: np.ndarray
    labels: np.ndarray | None = None


def latents_of(
    option: int,
    batch_size: int,
    z_dim: int,
    y_dim: int,
    rng: np.random.RandomState,
    python_rng: random.Random,
    label: int | None = None,
) -> Iterator[Latents]:
    """The latents of each file of an option, in the order in which the reference draws them.

    0: uniform in -0.5..0.5, one file, its stem without the time. 1: for each dimension d fresh uniform in -1..1, column
    d running from 0 to 1. 2: dimensions chosen at random, column d of one vector in -0.2..0.2 running. 3 and 4: column
    d of zeros running. `y_dim` 0 gives no labels; else 0 to 2 have random ones, as the reference, and 3 and 4, which it
    could not do, keep one label a file: only column d is to change. `label`: all have this one; the random latents stay
    what they were. UserError for another option, and for a label that is not below `y_dim`.
    """
    check_option(option)
    check_label(label, y_dim)
    values = (np.arange(batch_size) / batch_size).astype(np.float32)
    dimensions = range(1 if option == 0 else z_dim)
    if option == 2:
        dimensions = [python_rng.randint(0, z_dim - 1) for _ in range(z_dim)]
    for d in dimensions:
        if option == 0:
            z = rng.uniform(-0.5, 0.5, (batch_size, z_dim))
        elif option == 1:
            z = rng.uniform(-1, 1, (batch_size, z_dim))
        elif option == 2:
            z = np.tile(rng.uniform(-0.2, 0.2, z_dim), (batch_size, 1))
        else:
            z = np.zeros((batch_size, z_dim))
        z = z.astype(np.float32)
        if option:
            z[:, d] = values
        labels = None
        if y_dim:
            labels = rng.choice(y_dim, batch_size) if option < 3 else np.full(batch_size, d % y_dim)
        if label is not None:
            labels = np.full(batch_size, label)
        yield Latents({0: "test", 1: f"test_arange_{d}"}.get(option, f"test_gif_{d}"), z, labels)


def check_option(option: int) -> None:
    """UserError where there is no such option."""
    if option not in range(5):
        raise UserError(f"--option goes from 0 to 4, not {option}")


def visualize(
    sampler: Callable,
    option: int,
    sample_dir: str | Path,
    batch_size: int,
    rng: np.random.RandomState | None = None,
    python_rng: random.Random | None = None,
    stretch: bool = False,
    samples: str = "grid",
    stamp: str = STAMP,
    label: int | None = None,
) -> list[Path]:
    """Write an option's files into `sample_dir`; their paths.

    Options 0 and 1 give PNG grids, the others GIFs. With samples="single" every picture of a grid or film gets a PNG
    of its own, STEM_000.png, in place of the grid or beside the film. `stretch` is the reference's contrast stretch of
    PNGs. `stamp`: how option 0 writes the time (UTC) in its name. `label`: what all pictures show, of a network with
    labels; else see `latents_of`. UserError for an unknown option or label.
    """
    check_option(option)
    check_label(label, sampler.y_dim)
    rng, python_rng = rng or np.random.RandomState(), python_rng or random.Random()
    folder, written, films = Path(sample_dir), [], []
    names = datetime.now(timezone.utc).strftime(f"test_{stamp}")
    with Progress(1 if option == 0 else sampler.z_dim) as progress:
        for latents in latents_of(option, batch_size, sampler.z_dim, sampler.y_dim, rng, python_rng, label):
            y = None if latents.labels is None else one_hot(latents.labels, sampler.y_dim)
            images = sampler(latents.z, y)
            stem = names if option == 0 else latents.stem
            if samples == "single":
                written += save_single(folder, stem, images, sampler.sigmoid, stretch)
            elif option < 2:
                written.append(folder / f"{stem}.png")
                side = math.isqrt(batch_size - 1) + 1  # always a square: the reference's rows below may stay blank
                save_grid(written[-1], images, sampler.sigmoid, stretch, (side, side))
            if option >= 2:
                frames = gif_frames(images, sampler.sigmoid)
                written.append(folder / f"{stem}.gif")
                save_gif(written[-1], frames, GIF_SECONDS)
                films += [frames[:MERGED_FRAMES]] if option == 4 else []
            progress.update()
    if films:
        written.append(folder / "test_gif_merged.gif")
        save_gif(written[-1], merged_film(np.stack(films)), MERGED_SECONDS)
    return list(dict.fromkeys(written))  # option 2 may have chosen a dimension twice


def merged_film(films: np.ndarray) -> np.ndarray:
    """Films (D, F, H, W, C) as one of grids, forwards and then backwards: (2F, rows * H, columns * W, C)."""
    grids = np.stack([merge(frame, manifold_size(len(films))) for frame in films.swapaxes(0, 1)])
    return np.concatenate([grids, grids[::-1]])


def save_single(folder: Path, stem: str, images: np.ndarray, sigmoid: bool, stretch: bool) -> list[Path]:
    """Write each picture of raw output (N, H, W, C) as a numbered PNG; their paths."""
    paths = [folder / numbered(stem, i, len(images)) for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        save_picture(path, to_pixels(image, sigmoid, stretch))
    return paths
