"""The losses: the reference's numbers, formulas worked out in NumPy, gradients by differences."""

import numpy as np
import pytest
import tensorflow as tf

import losses
from shared_scripts.networks.compact_tf import CompactVGG


def test_training_pictures_are_the_references(recorded, contents):
    for i, content in enumerate(contents):
        np.testing.assert_allclose(content.mean((0, 1)), recorded[f"content_resized_mean/{i}"], atol=1e-9)


@pytest.mark.parametrize("case", [0, 1])
@pytest.mark.parametrize("row", [0, 1])
def test_losses_are_the_references(recorded, contents, narrow, case, row):
    small = recorded[f"loss{case}/preds_small_x2"] / 2
    painted = np.repeat(np.repeat(small, 13, 1), 13, 2)[:, :256, :256] + 0.5 * (np.arange(256) % 7)[:, None]
    content, style, tv = recorded[f"loss{case}/weights_content_style_tv"]
    batch = int(recorded[f"loss{case}/batch_size"])
    found = losses.perceptual_losses(
        narrow,
        losses.subtract_mean(painted),
        losses.subtract_mean(contents[row * batch : (row + 1) * batch]),
        losses.style_targets(narrow, recorded["style"][None]),
        losses.LossWeights(content, style, tv),
        batch,
    )
    values = [float(value) for value in (found.style, found.content, found.tv, found.total)]
    np.testing.assert_allclose(values, recorded[f"loss{case}/style_content_tv_total"][row], rtol=1e-4)


def test_style_grams_are_the_references(golden, narrow):
    features = golden("vgg_features.npz")
    found = losses.style_targets(narrow, features["x_uint8"][:1])
    for layer in losses.STYLE_LAYERS:
        np.testing.assert_allclose(found[layer][0].numpy(), features[f"gram/{layer}"], rtol=1e-4, atol=1e-3)


def features(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_gram_matrix_by_its_formula():
    x = features(0, 2, 3, 5, 4)
    expected = np.einsum("nhwi,nhwj->nij", x, x) / (3 * 5 * 4)
    np.testing.assert_allclose(losses.gram_matrix(tf.constant(x)).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_gram_gradient_by_differences():
    """The gradient is written by hand: compare it with small changes of single features."""
    x, weight = features(1, 1, 2, 3, 4).astype(np.float64), features(2, 1, 4, 4).astype(np.float64)

    def value(x):
        flat = x.reshape(1, 6, 4)
        return float((np.einsum("npi,npj->nij", flat, flat) / 24 * weight).sum())

    variable = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        total = tf.reduce_sum(losses.gram_matrix(variable) * tf.constant(weight, tf.float32))
    found = tape.gradient(total, variable).numpy()
    for where in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[where] = 1e-5
        assert abs((value(x + step) - value(x - step)) / 2e-5 - found[where]) < 1e-4


def test_content_loss_by_its_formula():
    a, b = features(3, 3, 4, 5, 6), features(4, 3, 4, 5, 6)
    expected = ((a - b) ** 2).sum() / (4 * 5 * 6 * 3)
    np.testing.assert_allclose(float(losses.content_loss(tf.constant(a), tf.constant(b), 3)), expected, rtol=1e-5)


def test_style_loss_by_its_formula():
    a, b, target = features(5, 2, 4, 4, 3), features(6, 2, 2, 2, 7), features(7, 1, 3, 3)
    grams = {"relu1_1": tf.constant(target), "relu2_1": tf.zeros([1, 7, 7])}
    gram_a = np.einsum("nhwi,nhwj->nij", a, a) / (4 * 4 * 3)
    gram_b = np.einsum("nhwi,nhwj->nij", b, b) / (2 * 2 * 7)
    expected = (((gram_a - target) ** 2).sum() / 9 + (gram_b**2).sum() / 49) / 2
    found = losses.style_loss({"relu1_1": tf.constant(a), "relu2_1": tf.constant(b)}, grams, 2)
    np.testing.assert_allclose(float(found), expected, rtol=1e-5)


def test_total_variation_by_its_formula():
    x = 100 * features(8, 2, 5, 7, 3)
    dy, dx = ((x[:, 1:] - x[:, :-1]) ** 2).sum(), ((x[:, :, 1:] - x[:, :, :-1]) ** 2).sum()
    expected = (dx / (5 * 6 * 3) + dy / (4 * 7 * 3)) / 2
    np.testing.assert_allclose(float(losses.total_variation(tf.constant(x), 2)), expected, rtol=1e-5)


def test_parts_of_a_batch_add_up(contents, recorded):
    """Two devices with two pictures each must give what one gives with four."""
    network = CompactVGG()
    grams = losses.style_targets(network, recorded["style"][None])
    painted = losses.subtract_mean(contents[[1, 2, 3, 0]][:, :64, :64])
    content = losses.subtract_mean(contents[:4, :64, :64])

    def some(part):
        args = (network, painted[part], content[part], grams, losses.LossWeights(), 4)
        return np.array([float(value) for value in losses.perceptual_losses(*args)])

    whole = some(slice(0, 4))
    np.testing.assert_allclose(some(slice(0, 2)) + some(slice(2, 4)), whole, rtol=1e-5)
    assert (whole > 0).all()


def test_weights_scale_their_terms(contents, recorded):
    network = CompactVGG()
    grams = losses.style_targets(network, recorded["style"][None])
    args = (network, losses.subtract_mean(contents[1:2]), losses.subtract_mean(contents[:1]), grams)
    plain = losses.perceptual_losses(*args, losses.LossWeights(1, 1, 1), 1)
    scaled = losses.perceptual_losses(*args, losses.LossWeights(2, 3, 5), 1)
    np.testing.assert_allclose(
        [float(scaled.content / plain.content), float(scaled.style / plain.style), float(scaled.tv / plain.tv)],
        [2, 3, 5],
        rtol=1e-5,
    )
    assert losses.LossWeights() == losses.LossWeights(7.5, 100.0, 200.0)
