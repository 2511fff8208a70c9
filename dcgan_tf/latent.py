"""Paths through the latent space: formulas for where between two vectors, or around one, the next frame lies.

A generator turns each vector z into a picture, and neighbouring vectors into similar pictures: whoever moves z slowly
gets a film. Everything here is plain NumPy on vectors of any length; `t`, the part of the way that is done, is a number
0..1 or an array of them, which adds its axes in front of the vectors'.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

PARALLEL = 1e-6  # below this sine the plane of two directions is rounding noise

# --- ways from a to b ---------------------------------------------------------------------------------------------


def lerp(t, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The straight line from a to b."""
    return a + (b - a) * column(t)


def slerp(t, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The arc from a to b (spherical interpolation, White 2016, arXiv 1609.04468).

    Random vectors of many dimensions all have nearly the same length; a straight line between two of them passes
    through short ones, for which the generator, which never saw any, paints mud. The arc keeps the length. Single
    components may leave [-1, 1] on the way. Vectors on one line through the origin, opposite ones included, have no arc
    of their own and get the straight line.
    """
    t, a, b = column(t), np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    omega = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
    sine = np.sin(omega)
    if abs(sine) < PARALLEL:
        return (1 - t) * a + t * b
    return np.sin((1 - t) * omega) / sine * a + np.sin(t * omega) / sine * b


def wrap_lerp(t, a: np.ndarray, b: np.ndarray, usual_cutoff: float = 1.0) -> np.ndarray:
    """The shorter straight way in a world that is round in every dimension.

    Each dimension reaches from -c to c (c is `usual_cutoff`, or more where a or b lies farther out), and behind c comes
    -c again: where that way is the shorter one, it is taken.
    """
    cutoff = np.maximum(usual_cutoff, np.maximum(abs(a), abs(b)))
    inside = abs(b - a)
    outside = 2 * cutoff - inside
    around = a - np.sign(b - a) * column(t) * outside
    around = np.where(around > cutoff, around - 2 * cutoff, np.where(around < -cutoff, around + 2 * cutoff, around))
    return np.where(outside < inside, around, lerp(t, a, b))


def column(t) -> np.ndarray:
    """`t` with one axis more, along which the vectors lie."""
    return np.asarray(t, np.float64)[..., None]


# --- eases: how much of the way is done when the part t of the time has passed ------------------------------------


def ease_in(t, power: float) -> np.ndarray:
    """Slow at the start, fast at the end."""
    return np.asarray(t, np.float64) ** power


def ease_out(t, power: float) -> np.ndarray:
    """Fast at the start, slow at the end."""
    return 1 - (1 - np.asarray(t, np.float64)) ** power


def ease_in_out(t, power: float) -> np.ndarray:
    """Slow at both ends, as a lift goes."""
    t = np.asarray(t, np.float64)
    return np.where(t < 0.5, (2 * t) ** power / 2, 1 - (2 * (1 - t)) ** power / 2)


def sine_ease_in(t) -> np.ndarray:
    """Slow at the start, along a quarter of a cosine."""
    return 1 - np.cos(np.pi / 2 * np.asarray(t, np.float64))


def sine_ease_out(t) -> np.ndarray:
    """Slow at the end, along a quarter of a sine."""
    return np.sin(np.pi / 2 * np.asarray(t, np.float64))


# --- random steps -------------------------------------------------------------------------------------------------


def flicker(z: np.ndarray, max_step: float, random: RandomState) -> np.ndarray:
    """z, every component moved by up to `max_step` either way."""
    return z + max_step * (2 * random.random_sample(z.shape[-1]) - 1)


def step(z: np.ndarray, max_speed: float, random: RandomState) -> np.ndarray:
    """z one step of a random walk farther; float32, as the walker's memory is."""
    return (z + (random.random_sample(z.shape[-1]) - 0.5) * 2 * max_speed).astype(np.float32)


# --- what happens at the edge, component by component -------------------------------------------------------------


def wrap(z: np.ndarray) -> np.ndarray:
    """What leaves [-1, 1] comes in again at the other end."""
    return np.where(z > 1, z - 2, np.where(z < -1, z + 2, z))


def wrap_above(z: np.ndarray) -> np.ndarray:
    """`wrap` as the reference has it: what falls below -1 is left there."""
    return np.where(z > 1, z - 2, z)


def wrap_fraction(z: np.ndarray) -> np.ndarray:
    """The legacy modes' wrap: what is over 1 by x comes in at -1 + x; for steps below 1 the same as `wrap`."""
    fraction = np.modf(z)[0]
    return np.where(z > 1, fraction - 1, np.where(z < -1, fraction + 1, z))


def mirror(z: np.ndarray) -> np.ndarray:
    """What leaves [-1, 1] is reflected, at the top first and then at the bottom (enough for values up to 5)."""
    z = np.where(z > 1, 2 - z, z)
    return np.where(z < -1, -2 - z, z)


def clamp_around(z: np.ndarray, start: np.ndarray, boundary: float) -> np.ndarray:
    """z, kept within `boundary` of `start` and within [-1, 1]."""
    return np.clip(z, np.maximum(-1, start - boundary), np.minimum(1, start + boundary))


# --- oscillation --------------------------------------------------------------------------------------------------


class Oscillation:
    """Every component of a vector swings around its place, each with a phase of its own.

    The phases set out together from 0 and move apart by the part `easing` of what is left at every frame: the film
    begins calmly and ends in a shimmer. `phase_targets` are where they arrive, in radians.
    """

    def __init__(self, start: np.ndarray, amplitude: float, speed: float, easing: float, phase_targets: np.ndarray):
        self.start, self.amplitude, self.speed, self.easing = start, amplitude, speed, easing
        self.phase_targets = phase_targets
        self.phases = np.zeros(len(start), np.float32)

    def at(self, n: int) -> np.ndarray:
        """The vector at frame n; ask for the frames in order, for each moves the phases."""
        self.phases = (self.phases + (self.phase_targets - self.phases) * self.easing).astype(np.float32)
        return self.start + self.amplitude * np.sin(self.speed * n + self.phases)


# --- where a journey begins ---------------------------------------------------------------------------------------

USUAL = "uniform_signed"
DISTRIBUTIONS = {
    "uniform_signed": lambda random, size: random.uniform(-1, 1, size),
    "uniform_unsigned": lambda random, size: random.uniform(0, 1, size),
    "normal01": lambda random, size: random.normal(0, 1, size),
}


def draw(distribution: str, random: RandomState, count: int, z_dim: int) -> np.ndarray:
    """Random latent vectors (count, z_dim) float32, by a name of DISTRIBUTIONS."""
    return DISTRIBUTIONS[distribution](random, (count, z_dim)).astype(np.float32)
