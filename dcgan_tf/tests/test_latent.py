"""The formulas of paths through the latent space, against the reference's numbers."""

import numpy as np
import pytest
from numpy.random import RandomState

import latent
from latent import lerp

EASES = {"exp_ease_in": latent.ease_in, "exp_ease_out": latent.ease_out, "exp_ease_inout": latent.ease_in_out}


@pytest.fixture(scope="module")
def recorded(golden):
    return golden("latent_functions.npz")


@pytest.fixture(scope="module")
def inputs(recorded):
    return recorded["t"], recorded["a"], recorded["b"]


def walk(start, step, frames=12):
    places = []
    for _ in range(frames):
        start = step(start)
        places.append(start)
    return np.array(places)


def agree(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_straight_lines_and_arcs_are_the_references(recorded, inputs):
    t, a, b = inputs
    agree(latent.slerp(t, a, b), recorded["slerp"])
    agree(latent.slerp(t, a.astype(float), b.astype(float)), recorded["slerp64"])
    agree(latent.slerp(t, np.ones(8), 2 * np.ones(8)), recorded["slerp_same"])
    agree(lerp(t, a, b), recorded["lerp"])
    agree(latent.wrap_lerp(t, a * np.float32(1.2), b, 1.0), recorded["wrap_lerp"])


def test_one_time_gives_one_vector(inputs):
    t, a, b = inputs
    for path in (lerp, latent.slerp, latent.wrap_lerp):
        assert path(0.3, a, b).shape == a.shape
        agree([path(time, a, b) for time in t], path(t, a, b))


@pytest.mark.parametrize("name", EASES)
def test_eases_are_the_references(name, recorded, inputs):
    t, a, b = inputs
    for power, expected in zip(recorded["powers"], recorded[name], strict=True):
        agree(lerp(EASES[name](t, power), a, b), expected)


def test_sine_eases_are_the_references(recorded, inputs):
    t, a, b = inputs
    agree(lerp(latent.sine_ease_in(t), a, b), recorded["sin_ease_in"])
    agree(lerp(latent.sine_ease_out(t), a, b), recorded["sin_ease_out"])


def test_random_steps_are_the_references(recorded, inputs):
    t, a, b = inputs
    random = RandomState(16)
    agree([latent.flicker(lerp(time, a, b), 0.07, random) for time in t], recorded["flicker_lerp"])
    random = RandomState(17)
    agree([latent.flicker(a, 0.07, random) for _ in t], recorded["step_flicker"])


@pytest.mark.parametrize(
    ("name", "seed", "at_edge"),
    [
        ("wrap_walk_reference", 18, lambda z, start: latent.wrap_above(z)),
        ("wrap_walk_documented", 18, lambda z, start: latent.wrap(z)),
        ("clamp_walk", 19, lambda z, start: latent.clamp_around(z, start, 0.15)),
    ],
)
def test_walks_are_the_references(name, seed, at_edge, recorded):
    start, random = recorded["edge"], RandomState(seed)
    agree(walk(start, lambda z: at_edge(latent.step(z, 0.2, random), start)), recorded[name])


def test_oscillation_is_the_references(recorded):
    swinging = latent.Oscillation(np.zeros(100), 0.1, 0.3, 0.08, recorded["sin_phase_targets"])
    agree([swinging.at(n) for n in range(12)], recorded["sinusoidal_walk"])
    agree(swinging.phases, recorded["sin_phases_end"])


def test_arcs_of_opposite_or_zero_vectors_are_straight():
    a, zero = np.array([3.0, -4.0, 0.5]), np.zeros(3)
    for end in (-a, -2 * a, zero):
        agree(latent.slerp([0, 0.25, 1], a, end), lerp([0, 0.25, 1], a, end))
    agree(latent.slerp(0.5, zero, zero), zero)


def test_the_arc_keeps_the_length_that_the_line_loses():
    a, b = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    agree(latent.slerp(0.5, a, b), [np.sqrt(0.5), np.sqrt(0.5), 0])
    agree(np.linalg.norm(lerp(0.5, a, b)), np.sqrt(0.5))


def test_edges_by_hand():
    z = np.array([0.5, 1.25, -1.25, 3.0, 5.0])
    agree(latent.wrap(z[:3]), [0.5, -0.75, 0.75])
    agree(latent.wrap_fraction(z[:3]), [0.5, -0.75, 0.75])
    agree(latent.wrap_above(z[:3]), [0.5, -0.75, -1.25])
    agree(latent.mirror(z), [0.5, 0.75, -0.75, -1, 1])
    agree(latent.wrap_lerp(0.5, np.array([0.9, 0.9]), np.array([-0.9, 0.7])), [1, 0.8])
