"""An iteration against recordings of the original's loop."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from architecture import Architecture, initial_weights, variable_shapes
from training import Trainer

RECORDINGS = ["train_generic.npz", "train_generic_nonfused.npz", "train_mnist_cond.npz"]
# Biases in front of a batch normalisation have no gradient: rounding noise moves them, by a learning rate a step
NOISE = ("g_h0_lin/bias", "d_h1_conv/biases", "d_h2_conv/biases", "d_h3_conv/biases", "g_h1_lin/bias", "d_h2_lin/bias")


class Recording:
    """A recorded training: its networks, batches, losses and outcome."""

    def __init__(self, name: str, golden):
        self.values = {**golden("train_generic.npz"), **golden(name)} if "generic" in name else golden(name)
        meta = json.loads(str(self.values["meta"]))
        names = {"height": "output_height", "width": "output_width", "channels": "c_dim"}
        found = {n: meta[names.get(n, n)] for n in Architecture.__dataclass_fields__}
        self.architecture = Architecture(**{n: v for n, v in found.items() if v is not None})
        self.biased = "nonfused" in name

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(prefix): v for n, v in self.values.items() if n.startswith(prefix)}

    def trainer(self, **settings) -> Trainer:
        return Trainer(self.architecture, self.part("init/"), biased_variance=self.biased, **settings)

    def batch(self, i: int) -> tuple:
        return self.values[f"images{i}"], self.values[f"z{i}"], self.values.get(f"y{i}")


@pytest.fixture(params=RECORDINGS)
def recording(request, golden):
    return Recording(request.param, golden)


def is_noise(name: str, a: Architecture) -> bool:
    last = ("g_h3/biases",) if a.conditional else ("g_h4/biases",)
    return name.endswith(NOISE) or ("/g_h" in name and name.endswith("biases") and not name.endswith(last))


def test_three_iterations_equal_the_original_s(recording):
    trainer = recording.trainer(exact_losses=True)
    losses = [trainer.step(*recording.batch(i)) for i in range(3)]
    np.testing.assert_allclose(losses, recording.values["losses_fake_real_g"], atol=1e-5, rtol=1e-5)
    state = trainer.state()
    compared = 0
    for name, value in recording.part("final/").items():
        if is_noise(name, recording.architecture) or ("d_bn" in name and "moving" in name):
            continue
        tolerance = 3e-4 if "moving" in name else 1e-4
        np.testing.assert_allclose(state[name], value, atol=tolerance, rtol=0, err_msg=name)
        compared += 1
    assert compared >= 18


def test_without_the_original_s_extra_passes_the_networks_learn_the_same(recording):
    """Only the moving statistics may differ, and hardly."""
    exact, quick = recording.trainer(exact_losses=True), recording.trainer()
    for i in range(3):
        after, _ = exact.step(*recording.batch(i)), quick.step(*recording.batch(i))
    exact, quick = exact.state(), quick.state()
    for name in recording.part("init/"):
        if is_noise(name, recording.architecture):
            continue
        if "moving" not in name:
            np.testing.assert_allclose(quick[name], exact[name], atol=1e-5, rtol=0, err_msg=name)
        elif "g_bn" in name:
            np.testing.assert_allclose(quick[name], exact[name], atol=2e-3, rtol=0.01, err_msg=name)
    assert np.isfinite(after).all()


def test_the_quick_losses_are_those_of_the_steps(golden):
    """The discriminator's before its step, the generator's before its second: recomputed with the networks of then."""
    recording = Recording("train_generic.npz", golden)
    trainer = recording.trainer()
    images, z, _ = recording.batch(0)
    before = trainer.score(images, z)
    assert trainer.score(images, z) == before  # scoring changes nothing
    losses = trainer.step(images, z)
    assert losses.fake == pytest.approx(before.fake, abs=1e-6)
    assert losses.real == pytest.approx(before.real, abs=1e-6)
    assert losses.generator != pytest.approx(before.generator, abs=1e-6)
    assert losses.discriminator == losses.fake + losses.real


def test_a_state_goes_on_as_if_nothing_had_happened(recording):
    whole, first, second = recording.trainer(), recording.trainer(), recording.trainer()
    for i in range(3):
        whole.step(*recording.batch(i))
    first.step(*recording.batch(0))
    second.load_state(first.state())
    for i in (1, 2):
        second.step(*recording.batch(i))
    expected, found = whole.state(), second.state()
    assert set(expected) == set(variable_shapes(recording.architecture)) | {
        n for n in expected if "Adam" in n or "power" in n
    }
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert found["beta1_power"] == pytest.approx(0.5**4) and found["beta1_power_1"] == pytest.approx(0.5**7)


def test_training_in_half_precision_stays_close():
    a = Architecture(16, 16, 1, z_dim=8, gf_dim=8, df_dim=8)
    random = np.random.default_rng(1)
    images, z = random.uniform(-1, 1, (8, 16, 16, 1)).astype("f"), random.uniform(-1, 1, (8, 8)).astype("f")
    losses = {}
    for dtype in (tf.float32, tf.bfloat16):
        trainer = Trainer(a, initial_weights(a, 5), dtype=dtype)
        losses[dtype] = np.array([trainer.step(images, z) for _ in range(10)])
        assert all(v.dtype == np.float32 for v in trainer.state().values())
    np.testing.assert_allclose(losses[tf.bfloat16], losses[tf.float32], atol=0.15)
