"""The GAN and the DCGAN that are set side by side: against recordings of the PyTorch originals, and their runs."""

from __future__ import annotations

import json
import re
import signal
from argparse import Namespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import comparison
from comparison import Trainer, checkpoint_prefix, train_comparison
from comparison_networks import discriminator, generator, initial_weights, trained, variable_shapes
from shared_scripts.cli import RunError, StoppedBetweenSteps, UserError

PIXELS = (-1, 28, 28, 1)


@pytest.fixture(scope="module")
def recorded(golden):
    """What the PyTorch networks computed."""
    return golden("cs231n_gan.npz")


# --- the recordings' weights, drawn by their recipe and brought into our layouts ---


def draw(entries: list, transposed: tuple[str, ...]) -> dict[str, np.ndarray]:
    """{PyTorch's name: array}; the sum of each is checked."""
    drawn = {}
    for name, shape, seed, total in entries:
        array = np.random.RandomState(seed).randn(*shape)
        layer, part = name.split(".")
        if part == "running_mean":
            array = 0.1 * array
        elif part == "running_var":
            array = np.exp(0.2 * array)
        elif len(shape) == 1:
            array = 1 + 0.1 * array if part == "weight" else 0.05 * array
        else:
            array = array / np.sqrt(shape[0] * 4 if layer in transposed else np.prod(shape[1:]))
        assert np.abs(array).sum() == pytest.approx(total, rel=1e-5), name
        drawn[name] = array.astype(np.float32)
    return drawn


def height_width_channels(channels: int, size: int) -> np.ndarray:
    """Where in PyTorch's flattened (C, H, W) our flattened (H, W, C) finds its numbers."""
    return np.arange(channels * size * size).reshape(channels, size, size).transpose(1, 2, 0).ravel()


def from_torch(model: str, recorded: dict) -> dict[str, np.ndarray]:
    """The recordings' weights by our names."""
    meta = json.loads(str(recorded["meta"]))[model]
    d, g = draw(meta["D"], ()), draw(meta["G"], ("7", "10") if model == "dcgan" else ())
    weights = {}

    def put(ours: str, source: dict, layer: str, axes: tuple, rows=slice(None), columns=slice(None)) -> None:
        kernel = source[f"{layer}.weight"].transpose(axes)
        weights[f"{ours}/kernel"] = kernel[rows][:, columns] if kernel.ndim == 2 else kernel
        weights[f"{ours}/bias"] = source[f"{layer}.bias"][columns]

    if model == "gan":
        for i in range(4):
            put(f"discriminator/dense{i}", d, str(2 * i), (1, 0))
            put(f"generator/dense{i}", g, str(2 * i), (1, 0))
        return weights
    maps = height_width_channels(128, 7)
    put("discriminator/conv0", d, "1", (2, 3, 1, 0))
    put("discriminator/conv1", d, "4", (2, 3, 1, 0))
    put("discriminator/dense0", d, "8", (1, 0), rows=height_width_channels(64, 4))
    put("discriminator/dense1", d, "10", (1, 0))
    put("generator/dense0", g, "0", (1, 0))
    put("generator/dense1", g, "3", (1, 0), columns=maps)
    put("generator/deconv0", g, "7", (2, 3, 1, 0))
    put("generator/deconv1", g, "10", (2, 3, 1, 0))
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    for i, (layer, order) in enumerate((("2", slice(None)), ("5", maps), ("9", slice(None)))):
        weights |= {f"generator/bn{i}/{ours}": g[f"{layer}.{theirs}"][order] for ours, theirs in names.items()}
    return weights


def variables(weights: dict) -> dict[str, tf.Variable]:
    """As the networks take them."""
    return {name: tf.Variable(value) for name, value in weights.items()}


# --- networks ---


@pytest.mark.parametrize(
    ("model", "network", "count"),
    [
        ("gan", "discriminator", 414_401),
        ("gan", "generator", 579_216),
        ("dcgan", "discriminator", 1_102_721),
        ("dcgan", "generator", 6_675_009),
    ],
)
def test_parameter_counts(model, network, count):
    assert sum(int(np.prod(shape)) for shape in trained(variable_shapes(model), network).values()) == count


@pytest.mark.parametrize("model", ["gan", "dcgan"])
def test_networks_compute_what_was_recorded(model, recorded):
    weights = variables(from_torch(model, recorded))
    assert {name: tuple(value.shape) for name, value in weights.items()} == variable_shapes(model)
    z, flat = recorded["z"], (5, 784)
    made = tf.reshape(generator(model, weights, z, False), flat)
    np.testing.assert_allclose(made, recorded[f"{model}/G_eval"], atol=1e-4, rtol=0)
    logits = discriminator(model, weights, recorded["x"].reshape(PIXELS))
    np.testing.assert_allclose(logits, recorded[f"{model}/D"], atol=1e-4, rtol=0)
    made = tf.reshape(generator(model, weights, z, True), flat)
    np.testing.assert_allclose(made, recorded[f"{model}/G_train"], atol=1e-4, rtol=0)
    if model == "dcgan":
        for ours, theirs in (("moving_mean", "running_mean"), ("moving_variance", "running_var")):
            expected = recorded[f"dcgan/G_bn64_{theirs}_after"]
            np.testing.assert_allclose(weights[f"generator/bn2/{ours}"], expected, atol=1e-5, rtol=0)


def test_first_weights_are_uniform_as_pytorch_draws_them():
    weights = initial_weights("dcgan", np.random.default_rng(0))
    assert {name: value.shape for name, value in weights.items()} == variable_shapes("dcgan")
    fans = {"discriminator/conv1": 32 * 25, "generator/dense0": 96, "generator/deconv0": 64 * 16}  # outputs, there
    for name, fan_in in {**fans, "generator/deconv1": 16}.items():
        bound = fan_in**-0.5
        kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
        assert 0.98 * bound < np.abs(kernel).max() <= bound
        assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert 0 < np.abs(bias).max() <= bound
    assert (weights["generator/bn1/gamma"] == 1).all() and not weights["generator/bn1/beta"].any()
    assert (weights["generator/bn1/moving_variance"] == 1).all() and not weights["generator/bn1/moving_mean"].any()


# --- losses and steps ---


def test_losses(recorded):
    real, fake = (tf.constant(recorded[f"logits_{name}"]) for name in ("real", "fake"))
    (d_bce, g_bce), (d_lsgan, g_lsgan) = comparison.LOSSES["bce"], comparison.LOSSES["lsgan"]
    assert float(d_bce(real, fake)) == pytest.approx(float(recorded["d_loss"]), rel=1e-6)
    assert float(g_bce(fake)) == pytest.approx(float(recorded["g_loss"]), rel=1e-6)
    r, f = recorded["logits_real"].astype(float), recorded["logits_fake"].astype(float)
    assert float(d_lsgan(real, fake)) == pytest.approx(((r - 1) ** 2 + f**2).mean() / 2, rel=1e-6)
    assert float(g_lsgan(fake)) == pytest.approx(((f - 1) ** 2).mean() / 2, rel=1e-6)


def test_two_recorded_iterations(recorded):
    """Discriminator on z, generator on z2. Some gradients are near 1e-8: with TensorFlow's epsilon it is 0.08 off."""
    trainer = Trainer("gan", from_torch("gan", recorded))
    real = recorded["x"].reshape(PIXELS)
    losses = [trainer.step(real, recorded["z"], recorded["z2"]) for _ in range(2)]
    np.testing.assert_allclose(losses, recorded["fc_train_losses"], atol=1e-5, rtol=0)
    made = trainer.sample(recorded["z"]).reshape(5, 784)
    # 8e-5 here; in float64, which rounds none of those gradients, PyTorch itself is 1.4e-4 away from its float32
    np.testing.assert_allclose(made, recorded["fc_train_G_after"], atol=1e-4, rtol=0)
    logits = discriminator("gan", trainer.weights, real)
    np.testing.assert_allclose(logits, recorded["fc_train_D_after"], atol=1e-4, rtol=0)


def test_a_dcgan_step_moves_the_averages_twice_and_all_weights():
    weights = initial_weights("dcgan", np.random.default_rng(1))
    real = np.random.default_rng(2).uniform(-1, 1, (6, 28, 28, 1))
    z, z2 = (comparison.noise(6, 3, comparison.D_NOISE, i) for i in range(2))
    still, moving = Trainer("dcgan", weights), Trainer("dcgan", weights, loss="lsgan")
    still.step(real, z, z2, learning_rate=0.0)
    moving.step(real, z, z2)
    plain = variables(weights)
    for noise in (z, z2):
        generator("dcgan", plain, noise, True)
    for name, value in plain.items():
        np.testing.assert_allclose(still.weights[name], value, atol=1e-5, err_msg=name)
        if "moving_" not in name:
            changed = np.abs(moving.weights[name].numpy() - value.numpy())
            assert 0 < changed.max() < 2e-3, name  # a step of Adam is as long as the learning rate


# --- runs ---


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A folder with an "MNIST" of 70 pictures of noise."""
    folder = tmp_path_factory.mktemp("data")
    pixels = np.random.RandomState(0).randint(0, 256, (70, 28, 28)).astype(np.uint8)
    (folder / "mnist").mkdir()
    for name, header, values in (
        ("t10k-images-idx3-ubyte", (2051, 70, 28, 28), pixels),
        ("t10k-labels-idx1-ubyte", (2049, 70), np.arange(70, dtype=np.uint8) % 10),
    ):
        (folder / "mnist" / name).write_bytes(np.array(header, ">u4").tobytes() + values.tobytes())
    return folder


@pytest.fixture
def flags(tmp_path, data_dir):
    """`flags(epoch=2)`: those of a small run; 4 iterations an epoch."""
    usual = {
        "model": "gan",
        "dataset": "mnist",
        "data_dir": data_dir,
        "train": True,
        "train_size": float("inf"),
        "epoch": 3,
        "batch_size": 16,
        "learning_rate": None,
        "beta1": 0.5,
        "loss": "bce",
        "seed": 1,
        "device": "cpu",
        "sample_dir": tmp_path / "samples",
        "checkpoint_dir": tmp_path / "checkpoint",
    }
    return lambda **others: Namespace(**(usual | others))


def state(checkpoint_dir) -> dict[str, np.ndarray]:
    """All a run saved."""
    reader = tf.train.load_checkpoint(str(checkpoint_prefix(checkpoint_dir, "gan")))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_a_run_prints_shows_and_saves(flags, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(comparison, "SHOW_EVERY", 5)
    train_comparison(flags())
    lines = capsys.readouterr().out.splitlines()
    found = [re.fullmatch(r"Iter: (\d+), D: (\d\.\d+), G:(\d\.\d+)", line) for line in lines]
    assert [int(match[1]) for match in found] == [0, 5, 10, 11]
    assert float(found[0][2]) == pytest.approx(2 * np.log(2), abs=0.2)  # untrained, all is called one half
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        f"gan_{iteration:05d}.png" for iteration in (0, 5, 10, 11)
    ]
    with Image.open(tmp_path / "samples" / "gan_00011.png") as sheet:
        assert (sheet.size, sheet.mode) == ((112, 112), "L")
    saved = state(tmp_path / "checkpoint")
    assert (saved["training/step"], saved["training/seed"]) == (12, 1)
    trainer = Trainer("gan", {name: saved[name] for name in variable_shapes("gan")})
    first = trainer.sample(comparison.sheet_noise(1))[0, ..., 0]
    with Image.open(tmp_path / "samples" / "gan_00011.png") as sheet:
        np.testing.assert_allclose(np.asarray(sheet)[:28, :28], (first + 1) * 127.5, atol=0.51)


def test_a_stopped_run_goes_on_as_if_it_had_not_been(flags, tmp_path, monkeypatch, capsys):
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    train_comparison(flags(checkpoint_dir=straight))
    step, calls = Trainer.step, []

    def step_with_a_key_pressed(self, *batch):
        calls.append(1)
        if len(calls) == 6:  # in the middle of the second epoch
            signal.raise_signal(signal.SIGINT)
        return step(self, *batch)

    with monkeypatch.context() as patch, pytest.raises(StoppedBetweenSteps):
        patch.setattr(Trainer, "step", step_with_a_key_pressed)
        train_comparison(flags(checkpoint_dir=stopped))
    assert state(stopped)["training/step"] == 6
    train_comparison(flags(checkpoint_dir=stopped, seed=None))
    assert "Going on after 6 of 12" in capsys.readouterr().err
    expected, found = state(straight), state(stopped)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_longer_run_goes_on_and_a_finished_one_is_left_alone(flags, tmp_path, capsys):
    train_comparison(flags(epoch=1))
    train_comparison(flags(epoch=2))
    assert "Going on after 4 of 8" in capsys.readouterr().err
    before = state(tmp_path / "checkpoint")
    train_comparison(flags(epoch=2))
    assert "has all its 8 iterations" in capsys.readouterr().err
    after = state(tmp_path / "checkpoint")
    assert all(np.array_equal(before[name], after[name]) for name in before) and before.keys() == after.keys()


def test_other_seeds_make_other_runs(flags, tmp_path):
    for seed in (1, 2, -2):
        train_comparison(flags(epoch=1, seed=seed, checkpoint_dir=tmp_path / str(seed)))
    kernels = [state(tmp_path / str(seed))["generator/dense0/kernel"] for seed in (1, 2, -2)]
    assert not np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[1], kernels[2])


def test_samples_of_a_saved_run(flags, tmp_path):
    train_comparison(flags(epoch=1))
    sheets = []
    for seed in (5, 5, 6):
        train_comparison(flags(train=False, seed=seed))
        sheets.append((tmp_path / "samples" / "gan_samples.png").read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]


def test_train_size_caps_the_pictures(flags, tmp_path):
    train_comparison(flags(epoch=1, train_size=40))
    assert state(tmp_path / "checkpoint")["training/step"] == 2  # 40 // 16


def test_a_run_whose_losses_blow_up_keeps_the_last_good_state(flags, tmp_path):
    train_comparison(flags(epoch=1))
    with pytest.raises(RunError, match="not finite.*learning_rate"):
        train_comparison(flags(epoch=5, learning_rate=1e25))
    saved = state(tmp_path / "checkpoint")
    assert saved["training/step"] == 4 and all(np.isfinite(value).all() for value in saved.values())


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"dataset": "celebA"}, "--dataset mnist"),
        ({"batch_size": 71}, "70 pictures are fewer than --batch_size 71"),
        ({"train": False}, "--model gan --train"),
        ({"data_dir": "nowhere"}, "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_said(flags, others, words):
    with pytest.raises(UserError, match=words):
        train_comparison(flags(**others))


def test_another_training_is_not_gone_on_with(flags, tmp_path):
    train_comparison(flags(epoch=1))
    for others, words in (
        ({"batch_size": 8}, "batch_size 16, not 8"),
        ({"loss": "lsgan"}, "loss bce, not lsgan"),
        ({"seed": 2}, "seed 1, not 2"),
        ({"train_size": 64}, "pictures 70, not 64"),
    ):
        with pytest.raises(UserError, match=words):
            train_comparison(flags(**others))
    data = checkpoint_prefix(tmp_path / "checkpoint", "gan").with_name("gan.model.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged or cut short"):
        train_comparison(flags())
