"""Both networks against recordings of the original, and their sizes against the published counts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from architecture import (
    Architecture,
    architecture_of,
    discriminator_shapes,
    generator_shapes,
    initial_weights,
    parameters,
    variable_shapes,
)
from losses import discriminator_losses, generator_loss
from networks import DECAY, discriminator, generator
from shared_scripts.cli import UserError

RECORDINGS = ["net_gray_44x36.npz", "net_rgb64.npz", "net_mnist_cond.npz"]
MNIST = Architecture(28, 28, 1, y_dim=10)


def recorded_architecture(recording: dict) -> Architecture:
    meta = json.loads(str(recording["meta"]))
    names = {"height": "output_height", "width": "output_width", "channels": "c_dim"}
    sizes = {name: meta[names.get(name, name)] for name in Architecture.__dataclass_fields__}
    defaults = Architecture()
    return Architecture(**{n: (getattr(defaults, n) if v is None else v) for n, v in sizes.items()})


def recorded_values(recording: dict, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in recording.items() if name.startswith(prefix)}


@pytest.fixture(params=RECORDINGS)
def recording(request, golden):
    return golden(request.param)


def test_the_sampler_equals_the_original(recording, variables):
    a, weights = recorded_architecture(recording), variables(recording)
    images, _ = generator(weights, a, recording["z"], recording.get("y"))
    np.testing.assert_allclose(images, recording["sampler"], atol=1e-5, rtol=0)


def test_the_training_networks_equal_the_original(recording, variables):
    a, weights, y = recorded_architecture(recording), variables(recording), recording.get("y")
    images, moments = generator(weights, a, recording["z"], y, training=True)
    np.testing.assert_allclose(images, recording["G_train"], atol=1e-5, rtol=0)
    real, real_moments = discriminator(weights, a, recording["images"], y)
    fake, _ = discriminator(weights, a, images, y)
    np.testing.assert_allclose(real, recording["D_real_logits"], atol=2e-5, rtol=0)
    np.testing.assert_allclose(fake, recording["D_fake_logits"], atol=2e-5, rtol=0)
    losses = (*discriminator_losses(real, fake), generator_loss(fake))
    recorded = [recording[name] for name in ("d_loss_real", "d_loss_fake", "g_loss")]
    np.testing.assert_allclose(losses, recorded, atol=1e-5, rtol=0)
    for after, new in (("after_G/", moments), ("after_Dreal/", real_moments)):
        recorded = {name: value for name, value in recorded_values(recording, after).items() if name in new}
        assert recorded.keys() == new.keys()
        for name, value in recorded.items():
            moved = DECAY * weights[name] + (1 - DECAY) * new[name]
            np.testing.assert_allclose(moved, value, atol=1e-5, rtol=1e-5, err_msg=name)


def test_every_variable_is_the_original_s(recording, variables):
    a, weights = recorded_architecture(recording), variables(recording)
    shapes = {name: value.shape for name, value in weights.items()}
    assert variable_shapes(a) == shapes
    assert architecture_of(shapes, [(a.height, a.width)], "it") == a


def test_published_numbers_of_parameters():
    assert parameters(generator_shapes(Architecture())) == 5_135_363
    assert parameters(discriminator_shapes(Architecture())) == 4_316_545
    assert parameters(generator_shapes(MNIST)) == 7_065_211
    assert parameters(discriminator_shapes(MNIST)) == 3_769_479
    assert len(variable_shapes(Architecture())) == 48
    assert len(variable_shapes(MNIST)) == 36


def test_first_weights_are_drawn_as_the_paper_says():
    weights = initial_weights(Architecture(gf_dim=32, df_dim=32), seed=3)
    deconvolution, convolution = weights["generator/g_h1/w"], weights["discriminator/d_h1_conv/w"]
    assert abs(deconvolution.std() - 0.02) < 2e-4 and np.abs(deconvolution).max() > 0.06
    assert np.abs(convolution).max() <= 0.04  # cut at two deviations, which leaves 0.88 of the deviation
    assert abs(convolution.std() - 0.02 * 0.8796) < 2e-4
    assert {float(v) for n, w in weights.items() if n.endswith(("gamma", "variance")) for v in w} == {1.0}
    assert {float(v) for n, w in weights.items() if n.endswith(("beta", "mean", "bias", "biases")) for v in w} == {0.0}
    again, other = initial_weights(Architecture(gf_dim=32, df_dim=32), 3), initial_weights(Architecture(), 4)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
    assert not np.array_equal(other["generator/g_h4/w"][..., :32], weights["generator/g_h4/w"])


@pytest.mark.parametrize("a", [Architecture(33, 47, 4, z_dim=7, gf_dim=3, df_dim=5), MNIST], ids=["odd", "mnist"])
def test_sizes_are_read_off_the_shapes(a):
    shapes = generator_shapes(a)  # a generator alone is enough
    found = architecture_of(shapes, [(64, 64), (a.height, a.width)], "it")
    assert (found.height, found.width, found.z_dim, found.gf_dim) == (a.height, a.width, a.z_dim, a.gf_dim)
    images, _ = generator(initial_weights(a, 1), a, tf.zeros([2, a.z_dim]), tf.zeros([2, a.y_dim]))
    assert images.shape == (2, a.height, a.width, a.channels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"generator/g_h2/w": (5, 5, 7, 7)}, "g_h2/w is (5, 5, 7, 7), expected (5, 5, 128, 256)"),
        ({"generator/g_bn1/beta": None}, "g_bn1/beta is missing"),
        ({"generator/g_h0_lin/Matrix": None}, "g_h0_lin/Matrix"),
        ({"generator/g_h0_lin/Matrix": (100, 512 * 6)}, "not square"),
    ],
)
def test_another_network_is_named(change, words):
    shapes = {**generator_shapes(Architecture()), **change}
    with pytest.raises(UserError) as problem:
        architecture_of({name: shape for name, shape in shapes.items() if shape}, [], "model-1")
    assert words in str(problem.value)


@pytest.mark.parametrize("name", RECORDINGS)
def test_half_precision_hardly_shows(golden, variables, name):
    recording = golden(name)
    a, weights = recorded_architecture(recording), variables(recording)
    images, _ = generator(weights, a, recording["z"], recording.get("y"), dtype=tf.bfloat16)
    assert images.dtype == tf.float32
    assert np.sqrt(np.mean((images - recording["sampler"]) ** 2)) < 0.01


def test_the_older_batch_normalisation_moves_to_the_biased_variance(golden, variables):
    recording = golden("net_rgb64_nonfusedbn.npz")
    a, weights = recorded_architecture(recording), variables(recording)
    _, moments = generator(weights, a, recording["z"], training=True, biased_variance=True)
    recorded = recorded_values(recording, "after_G/")
    assert recorded.keys() == moments.keys()
    for name, value in recorded.items():
        moved = DECAY * weights[name] + (1 - DECAY) * moments[name]
        np.testing.assert_allclose(moved, value, atol=1e-5, rtol=1e-5, err_msg=name)
