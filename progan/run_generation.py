"""Pictures and films from a generator: what generate.py and the reference's util_scripts do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from inference import FastGenerator, batches
from legacy import build_best
from pictures import image_grid, interpolation_latents, random_latents, save_grid, to_uint8, zoom
from shared_scripts.cli import UserError
from shared_scripts.devices import explain_out_of_memory, pick_device, pick_precision
from shared_scripts.files import check_writable
from shared_scripts.memory import check_memory, keep_memory
from shared_scripts.progress import Progress, tell
from shared_scripts.videos import VideoWriter

SHIPPED = Path(__file__).resolve().parent / "pretrained" / "landscapes.safetensors"
# The ten latents of the published example: rows of RandomState(1000).randn(1000, 512)
EXAMPLE = (477, 56, 83, 887, 583, 391, 86, 340, 341, 415)
ADVICE = "take a smaller --minibatch_size or --grid_size"
# More pixels than this at a time gain nothing on a CPU: 16 pictures of 128 x 128 are as fast as 1, and one of 1024
# x 1024 takes 2.0 s where eight take 25
PIXELS_AT_A_TIME = 2**18
FEATURES_AT_A_TIME = 7  # so many times the features of the largest layer are in memory at once (measured)
MOST_CELLS, MOST_PNGS = 10**9, 10**6
MOST_SMOOTHING = 10**5  # frames
FASTEST = 1000  # frames a second


# --- the generator ------------------------------------------------------------------------------------------------


def load_generator(
    path: Path, device: str = "auto", gpu_ids: str | None = None, precision: str = "float32"
) -> FastGenerator:
    """The averaged generator of a network file, or the only one it has; made fast.

    UserError where there is none, or where its training went wrong so badly that its weights are no numbers.
    """
    keep_memory()
    network, where = build_best(path), pick_device(device, gpu_ids)
    if not all(torch.isfinite(weights).all() for weights in network.parameters()):
        raise UserError(f"{path}: the generator's weights are no numbers any more; take an earlier snapshot")
    widest = network.nf(max(1, network.levels - 3))
    return FastGenerator(network, where, pick_precision(precision, where, widest, min(256, network.resolution)))


def at_a_time(fast: FastGenerator, minibatch: int) -> int:
    """How many pictures to compute together: `minibatch`, or fewer on a CPU, where many large ones gain nothing."""
    if fast.device.type != "cpu":
        return minibatch
    return max(1, min(minibatch, PIXELS_AT_A_TIME // fast.resolution**2))


def check_room(fast: FastGenerator, count: int) -> None:
    """UserError where the features of `count` pictures together would not fit into the memory."""
    if fast.device.type == "cpu":
        layers = [weight.shape[0] * 4 ** (level + 2) for level, (weight, _) in enumerate(fast.convs)]
        needed = FEATURES_AT_A_TIME * 4 * max(layers)
        check_memory(at_a_time(fast, count) * needed, f"pictures of {fast.resolution} x {fast.resolution}")


def check_sheet(fast: FastGenerator, grid_size: tuple[int, int], side: int) -> int:
    """The number of a sheet's cells, each of `side` x `side` pixels. UserError where the sheet is beyond all memory."""
    columns, rows = grid_size
    cells, what = columns * rows, f"a grid of {columns}x{rows} pictures"
    if not 0 < cells <= MOST_CELLS:
        raise UserError(f"{what} is too large" if cells > 0 else f"{what} has none")
    # A latent is made in float64 and turned into float32; a pixel is copied for the sheet and for the file
    check_memory(cells * (16 * fast.latent_size + 8 * fast.num_channels * side**2), what)
    return cells


# --- labels and pictures ------------------------------------------------------------------------------------------


def seeded(seed: int) -> np.random.RandomState:
    """Random numbers by a seed. UserError where numpy takes no such seed."""
    if not 0 <= seed < 2**32:
        raise UserError(f"the random seed is a number from 0 to {2**32 - 1}, not {seed}")
    return np.random.RandomState(seed)


def choose_labels(fast: FastGenerator, wanted: str | None, count: int, rng: np.random.RandomState) -> np.ndarray | None:
    """Labels (count, label_size): of the class `wanted`, a number or all components with commas; or at random.

    None where the generator takes no labels. UserError where it has no such class.
    """
    size = fast.label_size
    if not size:
        if wanted is not None:
            raise UserError("this generator was trained without labels; leave --label out")
        return None
    if wanted is None:
        return np.eye(size, dtype=np.float32)[rng.randint(size, size=count)]
    values = read_label(wanted, size)
    if len(values) == 1 and size > 1:
        if values[0] not in range(size):
            raise UserError(f"--label is 0 to {size - 1} here, not {wanted}")
        return np.eye(size, dtype=np.float32)[[int(values[0])] * count]
    if len(values) != size:
        raise UserError(f"--label has {len(values)} components; this generator takes {size}")
    return np.array([values] * count, np.float32)


def read_label(text: str, size: int) -> list[float]:
    """The numbers of a label; UserError where there is something else."""
    try:
        values = [float(word) for word in str(text).split(",")]
    except ValueError:
        values = [math.nan]
    if not all(abs(value) < 1e6 for value in values):  # nan is not either
        raise UserError(f"--label is a number, or {size} of them with commas, not {text!r}")
    return values


def make_images(
    fast: FastGenerator, latents: np.ndarray, labels: np.ndarray | None, minibatch: int = 8, shrink: int = 1
) -> np.ndarray:
    """uint8 pictures (N, C, R, R) of latents (N, latent_size), made smaller by `shrink`; `minibatch` at a time, or
    fewer (see `at_a_time`)."""
    parts = []
    for part in batches(len(latents), at_a_time(fast, minibatch)):
        with explain_out_of_memory(ADVICE):
            images = fast(latents[part], None if labels is None else labels[part])
        parts.append(to_uint8(images, shrink=shrink))
    return np.concatenate(parts)


def check_shrink(fast: FastGenerator, shrink: int, zoom_by: int = 1) -> int:
    """The side of a picture made smaller and larger by that. UserError where it cannot be."""
    if shrink < 1 or fast.resolution % shrink:
        raise UserError(f"--image_shrink must divide {fast.resolution}, the generator's resolution; {shrink} does not")
    if zoom_by < 1:
        raise UserError(f"--image_zoom must be at least 1, not {zoom_by}")
    return fast.resolution // shrink * zoom_by


def example_latents(size: int = 512) -> np.ndarray:
    """The latents of the published example script."""
    return np.random.RandomState(1000).randn(1000, size)[list(EXAMPLE)].astype(np.float32)


# --- pictures -----------------------------------------------------------------------------------------------------


def write_each(paths: list[Path], make: Callable[[int], np.ndarray], grid_size: tuple[int, int] = (1, 1)) -> list[Path]:
    """Write what `make(number)` gives, pictures (N, C, H, W) for a sheet, to each of the paths; returns these.

    Whether that is possible is looked at before the first is made. Existing files are replaced.
    """
    check_writable(paths[0])
    for path in paths:
        if path.is_dir():
            raise UserError(f"{path} is a folder; a picture was to get that name")
    with Progress(len(paths)) as progress, explain_out_of_memory(ADVICE):
        for number, path in enumerate(paths):
            save_grid(path, make(number), (0, 255), grid_size)
            progress.update()
    return paths


def write_grids(
    fast: FastGenerator,
    folder: Path,
    prefix: str,
    num_pngs: int = 1,
    grid_size: tuple[int, int] = (1, 1),
    shrink: int = 1,
    seed: int = 1000,
    minibatch: int = 8,
    label: str | None = None,
) -> list[Path]:
    """`<prefix>000000.png` and so on, each a grid of (columns, rows) random pictures; returns their paths."""
    cells = check_sheet(fast, grid_size, check_shrink(fast, shrink))
    if num_pngs > MOST_PNGS:
        raise UserError(f"--num_pngs is at most {MOST_PNGS}; a run makes six digits of them")
    check_room(fast, min(minibatch, cells))
    rng = seeded(seed)

    def make(number: int) -> np.ndarray:
        latents = random_latents(cells, fast.latent_size, rng)
        return make_images(fast, latents, choose_labels(fast, label, cells, rng), minibatch, shrink)

    choose_labels(fast, label, 0, seeded(0))  # a wrong label is told before anything is computed
    return write_each([folder / f"{prefix}{number:06d}.png" for number in range(num_pngs)], make, grid_size)


def write_seeds(
    fast: FastGenerator, folder: Path, seeds: list[int], shrink: int = 1, label: str | None = None, prefix: str = ""
) -> list[Path]:
    """`<prefix>seed0000.png` for each seed: the picture of RandomState(seed)'s first latent."""
    check_shrink(fast, shrink)
    check_room(fast, 1)

    def make(number: int) -> np.ndarray:
        rng = seeded(seeds[number])
        latents = random_latents(1, fast.latent_size, rng)
        return make_images(fast, latents, choose_labels(fast, label, 1, rng), 1, shrink)

    choose_labels(fast, label, 0, seeded(0))
    return write_each([folder / f"{prefix}seed{seed:04d}.png" for seed in seeds], make)


def write_example(
    fast: FastGenerator, folder: Path, shrink: int = 1, label: str | None = None, prefix: str = ""
) -> list[Path]:
    """img0.png to img9.png: the pictures of the published example script, if the network is its."""
    check_shrink(fast, shrink)
    check_room(fast, 1)
    latents = example_latents(fast.latent_size)
    labels = choose_labels(fast, label, len(latents), seeded(1000))

    def make(number: int) -> np.ndarray:
        one = slice(number, number + 1)
        return make_images(fast, latents[one], None if labels is None else labels[one], 1, shrink)

    return write_each([folder / f"{prefix}img{number}.png" for number in range(len(latents))], make)


# --- films --------------------------------------------------------------------------------------------------------


def film_frames(
    fast: FastGenerator,
    latents: np.ndarray,
    labels: np.ndarray | None,
    grid_size: tuple[int, int],
    shrink: int = 1,
    zoom_by: int = 1,
    minibatch: int = 8,
) -> Iterator[np.ndarray]:
    """The frames (H, W, 3) uint8 of latents (frames, cells, latent_size); a few frames are computed together."""
    cells = latents.shape[1]
    for part in batches(len(latents), max(1, at_a_time(fast, minibatch) // cells)):
        some = latents[part]
        repeated = None if labels is None else np.tile(labels, (len(some), 1))
        images = make_images(fast, some.reshape(-1, some.shape[2]), repeated, minibatch, shrink)
        for frame in images.reshape(len(some), cells, *images.shape[1:]):
            picture = zoom(image_grid(frame, grid_size).transpose(1, 2, 0), zoom_by)  # (H, W, C)
            yield np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:2], 3)))


def walk(fast: FastGenerator, duration: float, fps: int, cells: int, smoothing: float, seed: int) -> np.ndarray:
    """The latents (frames, cells, latent_size) of a film. UserError where it would have none, or too many."""
    frames = round(duration * fps)
    if frames < 1:
        raise UserError("the film would have no frame; take a larger --duration_sec")
    if frames * cells > MOST_CELLS:
        raise UserError("the film is too long; take a smaller --duration_sec")
    if fps > FASTEST:
        raise UserError(f"--mp4_fps is at most {FASTEST}, not {fps}")
    if smoothing * fps > MOST_SMOOTHING:
        raise UserError(f"so slow a film stands still; take a smaller --smoothing_sec than {smoothing:g}")
    check_memory(frames * cells * fast.latent_size * 16, f"the latents of {frames:,} frames, try a shorter film")
    seeded(seed)  # tells whether it is one
    return interpolation_latents(frames, cells, fast.latent_size, smoothing, fps, seed)


def write_film(
    fast: FastGenerator,
    path: Path,
    grid_size: tuple[int, int] = (1, 1),
    shrink: int = 1,
    zoom_by: int = 1,
    duration: float = 60.0,
    smoothing: float = 1.0,
    fps: int = 30,
    bitrate: str = "16M",
    seed: int = 1000,
    minibatch: int = 8,
    label: str | None = None,
) -> Path:
    """A film of a walk between latents that ends where it began: smoothed noise, see `interpolation_latents`.

    After Ctrl-C the film has the frames so far.
    """
    side = check_shrink(fast, shrink, zoom_by)
    cells = check_sheet(fast, grid_size, side)
    check_room(fast, min(minibatch, cells))
    writer = VideoWriter(path, side * grid_size[0], side * grid_size[1], Fraction(fps), bitrate=bitrate)
    labels = choose_labels(fast, label, cells, seeded(seed))
    with explain_out_of_memory(ADVICE):
        latents = walk(fast, duration, fps, cells, smoothing, seed)
        try:
            with Progress(len(latents)) as progress, writer as film:
                for frame in film_frames(fast, latents, labels, grid_size, shrink, zoom_by, minibatch):
                    film.write(frame)
                    progress.update()
        except KeyboardInterrupt:
            if writer.frames:
                tell(f"{path} has the first {writer.frames} of {len(latents)} frames")
            raise
    return path
