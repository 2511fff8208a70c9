"""The transform net against the reference's own numbers, and its loss networks."""

import numpy as np
import pytest
import tensorflow as tf

import networks
from perceptual import VGG19, load_network
from shared_scripts.networks.matconvnet import layer_order, read_matconvnet

SEEN = 5e-3  # what the golden numbers' README allows; 9e-4 was seen


@pytest.fixture(scope="module")
def net(golden):
    return golden("net_outputs.npz")


def tensors(weights):
    return {name: tf.constant(value) for name, value in weights.items()}


@pytest.mark.parametrize("i", range(5))
@pytest.mark.parametrize("use, divisor", [("eval", 1.0), ("train", 255.0)])
def test_output_is_the_references(net, weights, i, use, divisor):
    x, expected = net[f"x{i}"], net[f"y{i}_{use}"]
    found = networks.transform_net(tensors(weights), tf.constant(x), divisor=divisor).numpy()
    assert found.shape == expected.shape == (len(x), 4 * -(-x.shape[1] // 4), 4 * -(-x.shape[2] // 4), 3)
    np.testing.assert_allclose(found, expected, atol=SEEN)
    assert np.abs(found - expected).mean() < 5e-4


def test_the_two_input_scales_differ(net, weights):
    """The reference paints from 0..255 and trains on 0..1: mixing them up must not pass."""
    found = networks.transform_net(tensors(weights), tf.constant(net["x0"])).numpy()
    assert np.abs(found - net["y0_train"]).mean() > 0.2


def test_every_layer_is_the_references(net, weights):
    found = dict(networks.run_layers(tensors(weights), tf.constant(net["x3"], tf.float32)))
    expected = {name.removeprefix("act3/"): value for name, value in net.items() if name.startswith("act3/")}
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].numpy(), value, rtol=1e-3, atol=2e-3, err_msg=name)


def test_counts_and_names():
    shapes = networks.variable_shapes()
    assert len(shapes) == 48 and list(shapes)[:3] == ["Variable", "Variable_1", "Variable_2"]
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 1_677_638
    assert shapes["Variable_39"] == (3, 3, 64, 128) and shapes["Variable_40"] == (64,)  # (h, w, out, in), shift
    assert shapes["Variable_45"] == (9, 9, 32, 3) and shapes["Variable_47"] == (3,)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 5), (8, 8)])
def test_any_size_gives_a_multiple_of_four(weights, size):
    found = networks.transform_net(tensors(weights), tf.zeros([1, *size, 3]))
    assert found.shape == (1, 4 * -(-size[0] // 4), 4 * -(-size[1] // 4), 3)


def test_pictures_of_a_batch_do_not_see_each_other(net, weights):
    together = networks.transform_net(tensors(weights), tf.constant(net["x2"])).numpy()
    for i in range(2):
        alone = networks.transform_net(tensors(weights), tf.constant(net["x2"][i : i + 1])).numpy()
        np.testing.assert_allclose(together[i], alone[0], atol=SEEN)


# --- its parts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(3))
def test_instance_norm_is_the_references(golden, i):
    ops = golden("ops.npz")
    x, shift, scale, y = (ops[f"inorm{i}/{name}"] for name in ("x", "shift", "scale", "y"))
    found = networks.instance_norm(tf.constant(x), tf.constant(shift), tf.constant(scale)).numpy()
    np.testing.assert_allclose(found, y, rtol=1e-4, atol=1e-4)


def test_a_constant_channel_becomes_its_shift():
    x = tf.fill([2, 5, 4, 3], 77.0)
    found = networks.instance_norm(x, tf.constant([1.0, -2.0, 0.5]), tf.constant([3.0, 3.0, 3.0])).numpy()
    np.testing.assert_allclose(found, np.broadcast_to([1.0, -2.0, 0.5], found.shape), atol=1e-5)


def test_instance_norm_by_its_formula():
    rng = np.random.default_rng(0)
    x, shift, scale = rng.normal(3, 5, (3, 9, 7, 4)), rng.normal(size=4), rng.normal(size=4)
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    found = networks.instance_norm(*(tf.constant(a, tf.float32) for a in (x, shift, scale))).numpy()
    np.testing.assert_allclose(found, scale * (x - mean) / np.sqrt(variance + 1e-3) + shift, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("i", range(5))
def test_convolution_is_the_references(golden, i):
    ops = golden("ops.npz")
    x, kernel, stride = (ops[f"conv{i}/{name}"] for name in ("x", "kernel", "stride"))
    layer = networks.Layer("conv", kernel.shape, int(stride))
    raw = networks.convolve(tf.constant(x), tf.constant(kernel), layer)
    np.testing.assert_allclose(raw.numpy(), ops[f"conv{i}/raw"], rtol=1e-5, atol=1e-5)
    y = networks.instance_norm(raw, *(tf.constant(ops[f"conv{i}/{name}"]) for name in ("shift", "scale")))
    np.testing.assert_allclose(y.numpy(), ops[f"conv{i}/y_in_relu0"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("i", range(3))
def test_transposed_convolution_is_the_references(golden, i):
    ops = golden("ops.npz")
    kernel = ops[f"convt{i}/kernel_hwoi"]
    layer = networks.Layer("up", (*kernel.shape[:2], kernel.shape[2], kernel.shape[3]), 2, transposed=True)
    raw = networks.convolve(tf.constant(ops[f"convt{i}/x"]), tf.constant(kernel), layer)
    np.testing.assert_allclose(raw.numpy(), ops[f"convt{i}/raw"], rtol=1e-5, atol=1e-5)


def test_the_last_convolution_in_blocks_is_the_plain_one():
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(2, 12, 20, 32)), tf.float32)
    kernel = tf.constant(rng.normal(size=(9, 9, 32, 3)), tf.float32)
    plain = tf.nn.conv2d(x, kernel, 1, "SAME").numpy()
    np.testing.assert_allclose(networks.convolve_to_rgb(x, kernel).numpy(), plain, rtol=1e-4, atol=1e-3)


def test_initial_weights_are_the_references(golden):
    ops, found = golden("ops.npz"), networks.initial_weights()
    stream = ops["init/stream_first_8000"]
    np.testing.assert_array_equal(found["Variable"].ravel(), stream[:7776])
    np.testing.assert_array_equal(found["Variable_9"].ravel()[:8000], stream)
    summary, kernel = ops["init/stream_mean_std_last8"], found["Variable_36"].ravel()
    np.testing.assert_array_equal(kernel[-8:], summary[2:].astype(np.float32))
    np.testing.assert_allclose([kernel.mean(), kernel.std()], summary[:2], rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(found["Variable_1"], ops["init/shift_Variable_1"])
    np.testing.assert_array_equal(found["Variable_2"], ops["init/scale_Variable_2"])
    np.testing.assert_array_equal(networks.initial_weights()["Variable"], found["Variable"])  # the second time as well


def test_a_seed_draws_each_layer_on_its_own():
    one, again, other = (networks.initial_weights(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["Variable_9"], again["Variable_9"])
    assert not np.array_equal(one["Variable_9"], one["Variable_12"])
    assert not np.array_equal(one["Variable_9"], other["Variable_9"])
    assert abs(one["Variable_9"].std() - 0.088) < 1e-3  # 0.1, cut at two deviations


# --- bfloat16 -----------------------------------------------------------------------------------------------------


def test_bfloat16_looks_the_same(weights):
    """At least 35 dB against float32, on a picture with something in it."""
    from sklearn.datasets import load_sample_image

    x = tf.constant(load_sample_image("china.jpg")[None, 100:300, 200:500])
    exact, rough = (
        np.clip(networks.transform_net(tensors(weights), x, dtype).numpy(), 0, 255)
        for dtype in (tf.float32, tf.bfloat16)
    )
    assert 10 * np.log10(255**2 / np.mean((exact - rough) ** 2)) > 35
    assert not np.array_equal(exact, rough)


# --- the loss networks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["beta16", "new"])
def test_vgg_features_are_the_references(golden, golden_path, layout):
    features = golden("vgg_features.npz")
    network = load_network(golden_path(f"vgg19_narrow_{layout}.mat"))
    wanted = {name.removeprefix("feat/"): value for name, value in features.items() if name.startswith("feat/")}
    x = tf.constant(features["x_uint8"], tf.float32) - [123.68, 116.779, 103.939]
    found = network.features(x, tuple(wanted))
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name].numpy(), value, rtol=1e-4, atol=1e-2, err_msg=name)


def test_matconvnet_kernels_are_turned(golden, golden_path):
    features = golden("vgg_features.npz")
    convolutions = read_matconvnet(golden_path("vgg19_narrow_beta16.mat")).convolutions
    for name, (kernel, bias) in convolutions.items():
        np.testing.assert_array_equal(kernel, features[f"mat_kernel/{name}"].transpose(1, 0, 2, 3))
        np.testing.assert_array_equal(bias, features[f"bias/{name}"])


def test_vgg_knows_all_its_layers(golden_path):
    network = VGG19(read_matconvnet(golden_path("vgg19_narrow_new.mat")).convolutions)
    found = network.features(tf.zeros([1, 33, 47, 3]), tuple(layer_order()))
    assert list(found) == layer_order() and len(found) == 36
    assert found["pool4"].shape[1:3] == (3, 3)  # 33x47, halved four times, rounded up


def test_pooling_is_the_references(golden):
    ops = golden("ops.npz")
    found = tf.nn.max_pool2d(tf.constant(ops["pool/x"]), 2, 2, "SAME").numpy()
    np.testing.assert_array_equal(found, ops["pool/y"])
