"""The films of --generation_mode 1..16: older than film scripts, one flag each, named one by one in the samples folder.

Two random number generators take part, as in the reference (the MI_REAS fork): NumPy's for random vectors and a walk's
first velocity, Python's for its steps. They are explicit here; `plan_walk` turns a mode and its settings into a `Walk`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.random import RandomState

import latent
from cuts import Pair

INTERPOLATED = 2700  # frames of modes 2-5: a minute and a half at 30 a second
SEGMENT = 32  # frames from one random vector to the next, in modes 2 and 4 of the first segment
LENGTHS = (8, 16, 32, 8, 25, 36, 85, 7, 16, 10, 40, 10, 30, 20, 30, 34, 50, 25, 50, 100, 120, 250, 300, 512)
SINE = 300  # frames of mode 13's cycle: ten seconds at 30 a second
TOUR = 180  # frames mode 15 gives to one dimension: six seconds
WALKING_DIMENSIONS = 50  # those that mode 11 moves
FIRST_VELOCITY, STEP = 0.003, 0.0003
JUMP_BOUND = 27.3 * 0.8  # mode 16's velocity stays below this many of its largest steps


@dataclass(frozen=True)
class Cycle:
    """One dimension swung by mode 14: `period` in frames, `shift` in cycles."""

    dimension: int
    period: float
    shift: float


@dataclass(frozen=True)
class Settings:
    """What a walk is made with. `numbers` and `dice` are NumPy's and Python's generators; the rest as on the command
    line: --input_seed_path, --batch_size (random numbers only), --max_jump_step, --min_jump_step, the JSON files of
    modes 10 and 14, how many frames (None: as many as the mode has), and what random vectors are drawn from."""

    z_dim: int
    numbers: RandomState
    dice: random.Random
    start: np.ndarray | None = None
    batch_size: int = 64
    walk_num: int = INTERPOLATED
    num_images: int | None = None
    max_jump_step: float = 0.03
    min_jump_step: float | None = None
    pairs: tuple[Pair, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    overall_length: int = 0
    reference_exact: bool = False
    z_dist: str = latent.USUAL

    def draw(self, *size: int) -> np.ndarray:
        """Random vectors (*size, z_dim) float64."""
        return latent.DISTRIBUTIONS[self.z_dist](self.numbers, (*size, self.z_dim))


@dataclass(frozen=True)
class Walk:
    """A film to be made: `total` frames, the i-th called `name(i)` (i >= total: those of a loop behind it), with the
    vectors that `vectors` gives one by one, (z_dim,) float64. It can be gone through once."""

    total: int
    name: Callable[[int], str]
    vectors: Iterator[np.ndarray]

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """(file name, vector) of each frame."""
        return ((self.name(i), z) for i, z in zip(range(self.total), self.vectors, strict=False))


# --- random pictures, and moves between them ----------------------------------------------------------------------


def random_pictures(settings: Settings) -> Iterator[np.ndarray]:
    """1: unrelated random pictures, each with its side file, to choose the seeds of films from."""
    while True:
        yield settings.draw()


def between_random(settings: Settings, lengths: Iterator[int], continuous: bool) -> Iterator[np.ndarray]:
    """Arcs between random vectors: A-B, B-C if continuous, else A-B, C-D with a cut between them."""
    start, end = settings.draw(2)
    for length in lengths:
        for i in range(length):
            yield latent.slerp(i / (length - 1), start, end)
        drawn = settings.draw(max(settings.batch_size, 2))
        start, end = (end if continuous else drawn[1]), drawn[0]


def random_lengths(settings: Settings) -> Iterator[int]:
    """Half a second, or seventeen: the rhythm of modes 2 and 4."""
    return chain([SEGMENT], (LENGTHS[settings.dice.randint(0, len(LENGTHS) - 1)] for _ in repeat(None)))


def melting_cuts_in_rhythm(settings: Settings) -> Iterator[np.ndarray]:
    """2: one picture melts into another, then a cut to two others; some melt in a blink, some for seconds."""
    return between_random(settings, random_lengths(settings), continuous=False)


def melting_cuts(settings: Settings) -> Iterator[np.ndarray]:
    """3: as 2, a second each."""
    return between_random(settings, repeat(SEGMENT), continuous=False)


def melting_in_rhythm(settings: Settings) -> Iterator[np.ndarray]:
    """4: one picture after another without a cut, now fast, now slow."""
    return between_random(settings, random_lengths(settings), continuous=True)


def melting(settings: Settings) -> Iterator[np.ndarray]:
    """5: one picture after another without a cut, a second each."""
    return between_random(settings, repeat(SEGMENT), continuous=True)


def between_seeds(settings: Settings) -> Iterator[np.ndarray]:
    """10: one chosen picture melts into another, as --interp_json has them."""
    for pair in settings.pairs:
        for i in range(pair.frames):
            yield latent.slerp(i / max(pair.frames - 1, 1), pair.start.values, pair.end.values)


# --- walks from --input_seed_path ---------------------------------------------------------------------------------


def steps(settings: Settings, size: float) -> np.ndarray:
    """A random step in every dimension, (z_dim,)."""
    return np.array([settings.dice.uniform(-size, size) for _ in range(settings.z_dim)])


def first_velocity(settings: Settings) -> np.ndarray:
    """(z_dim,)."""
    return settings.numbers.uniform(-FIRST_VELOCITY, FIRST_VELOCITY, settings.z_dim)


def gliding(settings: Settings, at_edge: Callable, dimensions: int | None = None) -> Iterator[np.ndarray]:
    """A walker with momentum: random steps change the velocity, not the place; only the first `dimensions` change."""
    z, velocity = settings.start, first_velocity(settings)
    while True:
        yield z
        step = steps(settings, STEP)
        if dimensions is not None:
            step[dimensions:] = velocity[dimensions:] = 0
        velocity = velocity + step
        z = at_edge(z + velocity)


def gliding_clamped(settings: Settings) -> Iterator[np.ndarray]:
    """6: the picture glides off smoothly; features stay where they reach their limit."""
    return gliding(settings, lambda z: np.clip(z, -1, 1))


def gliding_wrapped(settings: Settings) -> Iterator[np.ndarray]:
    """7: the picture glides off smoothly; features that reach their limit turn into their opposite."""
    return gliding(settings, latent.wrap_fraction)


def stumbling(settings: Settings) -> Iterator[np.ndarray]:
    """8: the picture changes in small nervous steps without momentum."""
    z = settings.start
    while True:
        yield z
        z = np.clip(z + steps(settings, 0.035), -1, 1)


def gliding_reversed(settings: Settings) -> Iterator[np.ndarray]:
    """9: the picture glides off smoothly; features that reach their limit turn round."""
    z, velocity = settings.start, first_velocity(settings)
    while True:
        yield z
        velocity = velocity + steps(settings, STEP)
        z = z + velocity
        velocity = np.where(abs(z) > 1, -velocity, velocity)


def gliding_in_half(settings: Settings) -> Iterator[np.ndarray]:
    """11: as 7, but only the first 50 numbers change: some features of the picture stay."""
    return gliding(settings, latent.wrap_fraction, WALKING_DIMENSIONS)


def jumping(settings: Settings) -> Iterator[np.ndarray]:
    """16: as 7 with a hundred times stronger steps, so that the picture rushes and jerks; --min_jump_step leaves the
    small ones out."""
    largest, smallest = settings.max_jump_step, settings.min_jump_step
    bound = JUMP_BOUND * largest
    z, velocity = settings.start, first_velocity(settings)
    while True:
        yield z
        step = steps(settings, largest - (smallest or 0))
        step += np.sign(step) * (smallest or 0)
        faster = velocity + step
        velocity = np.where(
            faster > bound, velocity - abs(step), np.where(faster < -bound, velocity + abs(step), faster)
        )
        z = latent.wrap_fraction(z + velocity)


# --- single dimensions --------------------------------------------------------------------------------------------


def digit_changes(settings: Settings) -> Iterator[np.ndarray]:
    """12: how much is visible? The first two numbers grow in ten steps of 0.00001, then of 0.0001 and so on to 0.1."""
    for k in range(5):
        z = settings.start.copy()
        for _ in range(10):
            yield z.copy()
            z[:2] += 10.0 ** (k - 5)


def sine_of_first(settings: Settings) -> Iterator[np.ndarray]:
    """13: the first number alone swings, two cycles of ten seconds, beginning at 0."""
    return swinging(settings, (Cycle(0, SINE, 0.0),))


def sines(settings: Settings) -> Iterator[np.ndarray]:
    """14: chosen numbers swing, each with its own period and phase, as --sin_cycle_json has them."""
    return swinging(settings, settings.cycles)


def swinging(settings: Settings, cycles: tuple[Cycle, ...]) -> Iterator[np.ndarray]:
    """The start, then sines in some dimensions."""
    yield settings.start
    n = 0
    while True:
        z = settings.start.copy()
        for cycle in cycles:
            z[cycle.dimension] = np.sin(2 * np.pi * (n / cycle.period + cycle.shift))
        yield z
        n += 1


def sine_tour(settings: Settings) -> Iterator[np.ndarray]:
    """15: one number after another swings once, for six seconds: what does each of them do?"""
    yield settings.start
    for dimension in range(settings.z_dim):
        for n in range(TOUR):
            z = settings.start.copy()
            z[dimension] = np.sin(2 * np.pi * n / TOUR)
            yield z


# --- the table ----------------------------------------------------------------------------------------------------


def of_images(settings: Settings) -> int:
    """--num_images; the reference's document promises 300, its code makes 500."""
    return settings.num_images or (500 if settings.reference_exact else 300)


def of_interpolation(settings: Settings) -> int:
    """--num_images, or a minute and a half."""
    return settings.num_images or INTERPOLATED


def of_walk(settings: Settings) -> int:
    """--walk_num."""
    return settings.walk_num


@dataclass(frozen=True)
class WalkMode:
    """A mode: the function that gives its vectors, how many frames there are, and what they are called: `name` is a
    format with the fields stamp, seed, max, min, json, z_dim, i. `needs`: the flag without which there is nothing to
    show; `loop_name`: what the frames of a --loop behind it are called where they cannot go on counting; `is_walk`:
    whether --walk_rand_seed is its seed and in its names."""

    vectors: Callable[[Settings], Iterator[np.ndarray]]
    total: Callable[[Settings], int]
    name: str
    needs: tuple[str, ...] = ()
    loop_name: str = ""

    @property
    def is_walk(self) -> bool:
        return "{seed}" in self.name


WALK, MELT = "Walk_randSeed{seed}_{stamp}_{i:05d}.png", "ContinuousInterp_{stamp}_{i:05d}.png"
JUMP = "Jump_randSeed{seed}_{stamp}_max{max}_min{min}_{i:05d}.png"
START = ("input_seed_path",)

WALKS: dict[int, WalkMode] = {
    1: WalkMode(random_pictures, of_images, "RandGen_{stamp}_{i:05d}.png"),
    2: WalkMode(melting_cuts_in_rhythm, of_interpolation, MELT),
    3: WalkMode(melting_cuts, of_interpolation, MELT),
    4: WalkMode(melting_in_rhythm, of_interpolation, MELT),
    5: WalkMode(melting, of_interpolation, MELT),
    6: WalkMode(gliding_clamped, of_walk, WALK, START),
    7: WalkMode(gliding_wrapped, of_walk, WALK, START),
    8: WalkMode(stumbling, of_walk, WALK, START),
    9: WalkMode(gliding_reversed, of_walk, WALK, START),
    10: WalkMode(
        between_seeds,
        lambda settings: sum(pair.frames for pair in settings.pairs),
        "{json}_{stamp}_{i:05d}.png",
        ("interp_json",),
    ),
    11: WalkMode(gliding_in_half, of_walk, WALK, START),
    # The reference's name says mode11; the first number is of the decimal place that changes
    12: WalkMode(
        digit_changes,
        lambda settings: 50,
        "mode11_{stamp}_altIdx2_{place}_{digit:02d}.png",
        START,
        "mode11_{stamp}_loop_{behind:05d}.png",
    ),
    13: WalkMode(sine_of_first, lambda settings: 2 * SINE, "Sin_cycle_{stamp}_{i:05d}.png", START),
    14: WalkMode(
        sines,
        lambda settings: settings.overall_length,
        "Sin_cycle_withJson_{stamp}_{i:05d}.png",
        (*START, "sin_cycle_json"),
    ),
    15: WalkMode(sine_tour, lambda settings: TOUR * settings.z_dim, "Sin_cycle_all_{z_dim}_{stamp}_{i:05d}.png", START),
    16: WalkMode(jumping, of_walk, JUMP, START),
}


def plan_walk(mode: int, settings: Settings, stamp: str, seed: int | None = None, json_name: str = "") -> Walk:
    """The film of a --generation_mode. `stamp`: the time in the names; `seed`: the walk's, in them too; `json_name`:
    --interp_json's, without its ending."""
    entry = WALKS[mode]
    total = entry.total(settings)

    def name(i: int) -> str:
        parts = {"stamp": stamp, "seed": seed, "json": json_name, "z_dim": settings.z_dim}
        jump = {"max": settings.max_jump_step, "min": settings.min_jump_step}
        pattern = entry.loop_name if i >= total and entry.loop_name else entry.name
        return pattern.format(i=i, place=5 - i // 10, digit=i % 10, behind=i - total, **parts, **jump)

    return Walk(total, name, entry.vectors(settings))
