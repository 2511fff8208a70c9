"""The modes of a film script: what a cut shows, as a stream of latent vectors.

All randomness of a film comes from one RandomState, drawn in the order of the reference (the MI_REAS fork), whatever it
throws away of that included: the same script with the same rand_seed and batch size is the same film. The reference
makes frames in batches and fills the last one of a cut with frames nobody sees; they draw numbers as well, so
`batch_size` takes part in what later cuts look like, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, repeat

import numpy as np
from numpy.random import RandomState

import latent
from json_input import Field, list_of, number, shown, switch, text, whole
from labels import mix
from seeds import Seed


@dataclass(frozen=True)
class Pair:
    """A move from one seed to another in so many frames."""

    start: Seed
    end: Seed
    frames: int


@dataclass(frozen=True)
class Cut:
    """One cut of a film: its number from 1, its mode, and the fields of that mode.

    `label`: the digit for a conditional network, or (from, to) for a change of digits, or None.
    """

    number: int
    mode: int | str
    values: dict[str, object] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    start: Seed | None = None
    label: int | tuple[int, int] | None = None


@dataclass(frozen=True)
class Take:
    """A cut being made: what its mode's function gets."""

    cut: Cut
    z_dim: int
    random: RandomState
    batch_size: int
    exact: bool  # the reference's bugs as well
    z_dist: str = latent.USUAL  # what random pictures are drawn from

    def value(self, name: str):
        """A field of the cut."""
        return self.cut.values[name]

    @property
    def start(self) -> np.ndarray:
        """start_image's vector, float32."""
        return self.cut.start.values.astype(np.float32)


@dataclass(frozen=True)
class Frame:
    """One frame: its vector (z_dim,) float32; for a conditional network the weights of the labels (y_dim,) float32,
    which add up to 1; the number of its cut from 1 (0: it belongs to none); and, of a picture that is to have a side
    file, the vector as it was drawn, float64."""

    z: np.ndarray
    labels: np.ndarray | None
    cut: int
    seed: np.ndarray | None = None


# --- moves between seeds ------------------------------------------------------------------------------------------


def between(take: Take, path: Callable, both_ends: bool = True, flickers: bool = False) -> Iterator[np.ndarray]:
    """The pairs one after another along `path(t, a, b)`; where they are at an end, the last one again and again.

    With `both_ends` t runs 0..1; without, it stops one frame short of 1, and the next pair may begin there.
    """
    take.random.random_sample((2, take.z_dim))  # the reference's first random pair, never used
    for i, pair in enumerate(chain(take.cut.pairs, repeat(take.cut.pairs[-1]))):
        if 0 < i < len(take.cut.pairs):
            take.random.random_sample((take.batch_size, take.z_dim))  # and its next ones
        start, end = pair.start.values.astype(np.float32), pair.end.values.astype(np.float32)
        steps = max(pair.frames - 1, 1) if both_ends else pair.frames
        for k in range(pair.frames):
            z = path(k / steps, start, end)
            yield latent.flicker(z, take.value("max_step"), take.random) if flickers else z


def eased(take: Take) -> Callable:
    """The straight line, slow at one end, by `power`."""
    ease = latent.ease_in if take.value("is_ease_in") else latent.ease_out
    return lambda t, a, b: latent.lerp(ease(t, take.value("power")), a, b)


def eased_in_out(take: Take) -> Callable:
    """The straight line, slow at both ends, by `power`."""
    return lambda t, a, b: latent.lerp(latent.ease_in_out(t, take.value("power")), a, b)


def slerp_inclusive(take: Take) -> Iterator[np.ndarray]:
    """1: one picture melts into another at an even pace, and both are seen whole."""
    return between(take, latent.slerp)


def slerp_continuous(take: Take) -> Iterator[np.ndarray]:
    """2: as 1, but each pair stops just before its end: pairs A-B, B-C run through B without standing still."""
    return between(take, latent.slerp, both_ends=False)


def lerp_continuous(take: Take) -> Iterator[np.ndarray]:
    """6: as 2 on the straight line: halfway the picture is duller, closer to the average one."""
    return between(take, latent.lerp, both_ends=False)


def wrapped(take: Take) -> Iterator[np.ndarray]:
    """7: the shortest way round the edges: features that lie far apart jump across instead of crossing the middle."""
    return between(take, partial(latent.wrap_lerp, usual_cutoff=take.value("usual_cutoff")))


def eased_one_side(take: Take) -> Iterator[np.ndarray]:
    """9: the change creeps out of the first picture and hits the second at full speed (is_ease_in), or shoots off and
    comes softly to rest. A higher power makes it more abrupt."""
    return between(take, eased(take))


def sine_eased(take: Take) -> Iterator[np.ndarray]:
    """10: as 9 along a quarter of a sine: the mildest ease."""
    ease = latent.sine_ease_in if take.value("is_ease_in") else latent.sine_ease_out
    return between(take, lambda t, a, b: latent.lerp(ease(t), a, b))


def flickering_lerp(take: Take) -> Iterator[np.ndarray]:
    """11: an even change that trembles: every frame is off the line by up to max_step."""
    return between(take, latent.lerp, flickers=True)


def eased_both_sides(take: Take) -> Iterator[np.ndarray]:
    """12: it rests, moves, and rests, as a camera on rails does."""
    return between(take, eased_in_out(take))


def flickering_ease(take: Take) -> Iterator[np.ndarray]:
    """13: as 12, trembling as 11."""
    return between(take, eased_in_out(take), flickers=True)


def flickering_slerp(take: Take) -> Iterator[np.ndarray]:
    """14: as 1, trembling as 11."""
    return between(take, latent.slerp, flickers=True)


# --- around one seed ----------------------------------------------------------------------------------------------


def oscillation(take: Take) -> Iterator[np.ndarray]:
    """3: the picture breathes: all features swing around their place, together at first, then each for itself. The
    first frame is the start image (the reference's is the picture of the zero vector)."""
    take.random.random_sample(take.z_dim)  # drawn and thrown away by the reference
    targets = (take.random.random_sample(take.z_dim) - 0.5) * 2 * np.pi
    yield np.zeros(take.z_dim, np.float32) if take.exact else take.start
    swinging = latent.Oscillation(take.start, *map(take.value, ("amplitude", "speed", "easing")), targets)
    n = 0
    while True:
        yield swinging.at(n)
        n += 1


def walk(take: Take, at_edge: Callable[[np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
    """The start, then one random step after another."""
    z = take.start
    while True:
        here, z = z, at_edge(latent.step(z, take.value("max_speed"), take.random))
        yield here


def wrapping_walk(take: Take) -> Iterator[np.ndarray]:
    """4: the picture drifts off and never comes back; a feature that reaches its limit turns into its opposite (in the
    reference at the upper limit only)."""
    return walk(take, latent.wrap_above if take.exact else latent.wrap)


def clamped_walk(take: Take) -> Iterator[np.ndarray]:
    """5: the picture fidgets but stays itself: no feature goes farther from its place than clamp_boundary."""
    return walk(take, partial(latent.clamp_around, start=take.start, boundary=take.value("clamp_boundary")))


def flickering(take: Take) -> Iterator[np.ndarray]:
    """8: the picture stays and trembles: each frame is a random one close to the start image."""
    while True:
        yield latent.flicker(take.start, take.value("max_step"), take.random)


def tour_of_dimensions(take: Take) -> Iterator[np.ndarray]:
    """15: one number after another goes through all its values and back to its place, in frames_per_period frames,
    while the others stand still: it shows what each of them does. At the upper limit it jumps to the lower one
    (is_wrap) or turns round."""
    start, period = take.cut.start.values, take.value("frames_per_period")
    length, at_edge = (2, latent.wrap) if take.value("is_wrap") else (4, latent.mirror)
    while True:
        for dimension in range(take.z_dim):
            for k in range(period):
                t = k / period
                z = start.copy()
                z[dimension] += length * (
                    latent.ease_in_out(t, take.value("power")) if take.value("is_exp_ease") else t
                )
                z[dimension] = at_edge(z[dimension])
                yield z


def random_pictures(take: Take) -> Iterator[np.ndarray]:
    """randGen: unrelated random pictures, each saved with its side file: the seeds of the next film."""
    while True:
        yield latent.DISTRIBUTIONS[take.z_dist](take.random, take.z_dim)


# --- the table ----------------------------------------------------------------------------------------------------


def read_pairs(value: object) -> tuple[tuple[str, str, int], ...]:
    """The value of interp_data: [[start, end, frames], ...]."""
    pairs = list_of("pairs [start, end, frames]")(value)
    return tuple(read_pair(pair, i + 1) for i, pair in enumerate(pairs))


def read_pair(value: object, place: int) -> tuple[str, str, int]:
    """One of them."""
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError(f"has {shown(value)} as pair {place}; a pair is [start, end, frames]")
    try:
        return text(value[0]), text(value[1]), whole(1)(value[2])
    except ValueError as problem:
        raise ValueError(f"has {shown(value)} as pair {place}; {what_of_pair(value)} {problem}") from None


def what_of_pair(value: list) -> str:
    """Which part of a pair is wrong."""
    texts = [isinstance(name, str) and name.strip() for name in value[:2]]
    return "its number of frames" if all(texts) else "the name of a seed file"


PAIRS = Field("interp_data", read_pairs, other_names=("mode_data",))
START = Field("start_image", text)
TOTAL = Field("total_frame_num", whole(1))
POWER = Field("power", number(0, above=True))
EASE_IN = Field("is_ease_in", switch)
MAX_STEP = Field("max_step", number(0))
MAX_SPEED = Field("max_speed", number(0))


def of_pairs(cut: Cut, z_dim: int) -> int:
    """The frames of all pairs."""
    return sum(pair.frames for pair in cut.pairs)


def of_total(cut: Cut, z_dim: int) -> int:
    """The frames the cut asks for."""
    return cut.values["total_frame_num"]


def of_dimensions(cut: Cut, z_dim: int) -> int:
    """A period of frames for each dimension."""
    return cut.values["frames_per_period"] * z_dim


@dataclass(frozen=True)
class Mode:
    """A mode: the function that gives its vectors without end, its fields in a script, and how many frames it has."""

    vectors: Callable[[Take], Iterator[np.ndarray]]
    fields: tuple[Field, ...]
    count: Callable[[Cut, int], int] = of_pairs


MODES: dict[int | str, Mode] = {
    1: Mode(slerp_inclusive, (PAIRS,)),
    2: Mode(slerp_continuous, (PAIRS,)),
    3: Mode(
        oscillation,
        (
            START,
            TOTAL,
            Field("amplitude", number(), other_names=("max_amplitude",)),
            Field("speed", number(), other_names=("max_speed",)),
            Field("easing", number(0, 1), 0.05),
        ),
        of_total,
    ),
    4: Mode(wrapping_walk, (START, TOTAL, MAX_SPEED), of_total),
    5: Mode(clamped_walk, (START, TOTAL, MAX_SPEED, Field("clamp_boundary", number(0))), of_total),
    6: Mode(lerp_continuous, (PAIRS,)),
    # The reference's documentation has overflow_buffer, its code pays no attention to it
    7: Mode(wrapped, (PAIRS, Field("usual_cutoff", number(0), 1.0), Field("overflow_buffer", number(), 0.0))),
    8: Mode(flickering, (START, TOTAL, MAX_STEP), of_total),
    9: Mode(eased_one_side, (PAIRS, EASE_IN, POWER)),
    10: Mode(sine_eased, (PAIRS, EASE_IN)),
    11: Mode(flickering_lerp, (PAIRS, MAX_STEP)),
    12: Mode(eased_both_sides, (PAIRS, POWER)),
    13: Mode(flickering_ease, (PAIRS, POWER, MAX_STEP)),
    14: Mode(flickering_slerp, (PAIRS, MAX_STEP)),
    15: Mode(
        tour_of_dimensions,
        (
            START,
            Field("frames_per_period", whole(1)),
            Field("is_wrap", switch),
            Field("is_exp_ease", switch, False),
            Field("power", number(0, above=True), 2.0),
        ),
        of_dimensions,
    ),
    "randGen": Mode(random_pictures, (TOTAL,), of_total),
}


# --- films --------------------------------------------------------------------------------------------------------


def count(cut: Cut, z_dim: int) -> int:
    """How many frames a cut has."""
    return MODES[cut.mode].count(cut, z_dim)


def made_frames(cut: Cut, z_dim: int, batch_size: int) -> int:
    """How many frames the reference makes for a cut: whole batches. randGen makes one more than the last full one."""
    batches = -(-count(cut, z_dim) // batch_size)
    if cut.mode == "randGen":
        batches = count(cut, z_dim) // batch_size + 1
    return batches * batch_size


def cut_vectors(take: Take) -> Iterator[np.ndarray]:
    """The vectors of a cut, (z_dim,) of any precision. After the last one the rest of its batch draws its numbers."""
    wanted = count(take.cut, take.z_dim)
    made = islice(MODES[take.cut.mode].vectors(take), made_frames(take.cut, take.z_dim, take.batch_size))
    for i, z in enumerate(made):
        if i < wanted:
            yield z


def film_vectors(
    film,
    z_dim: int,
    batch_size: int = 64,
    reference_exact: bool = False,
    y_dim: int = 0,
    z_dist: str = latent.USUAL,
) -> Iterator[Frame]:
    """All frames of a `film_script.Film`.

    `batch_size` is the reference's, a parameter of the random numbers only. `reference_exact` repeats its bugs: the
    first frame of mode 3, the walk of mode 4 below -1. For a conditional network (`y_dim` above 0) the frames have
    label weights; the pictures of randGen go through all labels where the cut has none. `z_dist`, a name of
    latent.DISTRIBUTIONS, is what those are drawn from.
    """
    random = RandomState(film.rand_seed)
    for cut in film.cuts:
        last = max(count(cut, z_dim) - 1, 1)
        for i, z in enumerate(cut_vectors(Take(cut, z_dim, random, batch_size, reference_exact, z_dist))):
            label = i % max(y_dim, 1) if cut.label is None and cut.mode == "randGen" else cut.label
            labels = mix(label, i / last, y_dim) if y_dim and label is not None else None
            seed = z if cut.mode == "randGen" else None
            yield Frame(z.astype(np.float32), labels, cut.number, seed)
