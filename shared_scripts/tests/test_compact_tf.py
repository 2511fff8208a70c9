"""The compact network in TensorFlow: the same numbers as in PyTorch, from the same file."""

import numpy as np
import pytest
import torch

from shared_scripts.cli import UserError
from shared_scripts.networks.compact import load_compact
from shared_scripts.networks.layout import HEADS
from shared_scripts.quiet import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from shared_scripts.networks.compact_tf import CompactVGG  # noqa: E402


def picture(height, width, seed=0):
    """(2, height, width, 3) float32, RGB minus the mean."""
    return np.random.default_rng(seed).uniform(-120, 150, (2, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 48), (33, 47), (17, 1), (1, 20), (1, 1)])
def test_features_equal_pytorchs(size):
    x = picture(*size)
    with torch.inference_mode():
        wanted = load_compact()(torch.from_numpy(x.transpose(0, 3, 1, 2)), list(HEADS))
    found = CompactVGG().features(tf.constant(x), tuple(HEADS))
    assert set(found) == set(wanted)
    for layer, value in wanted.items():
        value = value.numpy().transpose(0, 2, 3, 1)
        assert found[layer].shape == value.shape
        scale = np.abs(value).max()
        np.testing.assert_allclose(found[layer].numpy(), value, atol=1e-4 * scale, err_msg=layer)


def test_only_what_is_asked_for_is_computed():
    network = CompactVGG()
    network.kernels = {name: kernel for name, kernel in network.kernels.items() if name[4] in "12"}
    assert set(network.features(tf.constant(picture(16, 16)), ("relu2_1",))) == {"relu2_1"}


def test_bfloat16_is_close():
    x = tf.constant(picture(64, 64))
    network = CompactVGG()
    exact, rough = (network.features(x, ("relu4_1",), dtype)["relu4_1"] for dtype in (tf.float32, tf.bfloat16))
    assert rough.dtype == tf.bfloat16
    error = np.linalg.norm(tf.cast(rough, tf.float32) - exact) / np.linalg.norm(exact)
    assert 0 < error < 0.03


def test_the_weights_are_frozen_but_the_picture_has_a_gradient():
    x = tf.constant(picture(32, 32))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(CompactVGG().features(x, ("relu5_1",))["relu5_1"])
    assert np.abs(tape.gradient(total, x).numpy()).max() > 0


def test_another_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="does not hold the compact network's weights: no 'conv1_1.weight'"):
        CompactVGG(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="there is no file"):
        CompactVGG(tmp_path / "missing.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"12345678{}")
    with pytest.raises(UserError, match="damaged or no safetensors file"):
        CompactVGG(tmp_path / "broken.safetensors")
