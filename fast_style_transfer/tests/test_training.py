"""Training: the reference's recorded run, resuming to the bit, several devices, the guard against NaN, --slow."""

import math

import numpy as np
import pytest
import tensorflow as tf

import slow
from losses import Losses, LossWeights
from networks import initial_weights, variable_shapes
from optimizer import MUON_RMS, Muon, orthogonalize, steps_done
from shared_scripts.adam_tf import Adam
from shared_scripts.cli import UserError
from shared_scripts.networks.compact_tf import CompactVGG
from training import Guard, Trainer, learning_rate_at


def values(losses):
    return np.array([losses.style, losses.content, losses.tv, losses.total])


@pytest.fixture(scope="module")
def run(recorded, narrow, contents):
    """The reference's run, repeated: a row of losses after each step, and the state at the end."""
    content, style, tv, rate = recorded["train/weights_content_style_tv_lr"]
    batch = int(recorded["train/batch_size_epochs"][0])
    trainer = Trainer(narrow, recorded["style"], batch, LossWeights(content, style, tv))
    rows = []
    for _, iteration in recorded["train/epoch_iteration"]:
        images = tf.constant(contents[(iteration - 1) * batch : iteration * batch])
        trainer.step(images, rate)
        rows.append(values(trainer.evaluate(images)))
    return np.array(rows), trainer.state()


def test_a_run_is_the_references(recorded, run):
    np.testing.assert_allclose(run[0], recorded["train/style_content_tv_total"], rtol=1e-2)
    np.testing.assert_allclose(run[0][0], recorded["train/style_content_tv_total"][0], rtol=5e-4)  # before it drifts


def test_its_state_is_the_references(recorded, run):
    state = run[1]
    assert sorted(state) == sorted(recorded["train/checkpoint_names"])
    for name in variable_shapes():
        norm = recorded[f"train/final_l2/{name}"]
        np.testing.assert_allclose(np.linalg.norm(state[name].astype(np.float64)), norm, rtol=2e-2, err_msg=name)
    for power in ("beta1_power", "beta2_power"):
        np.testing.assert_allclose(state[power], recorded[f"train/{power}"], rtol=1e-7)


def test_slow_mode_is_the_references(recorded, narrow, contents):
    noise = np.random.RandomState(int(recorded["slow/noise_seed"])).standard_normal((1, 256, 256, 3))
    np.testing.assert_allclose(noise.ravel()[:8], recorded["slow/noise_head"], rtol=1e-6)
    content, style, tv, _ = recorded["train/weights_content_style_tv_lr"]
    optimization = slow.PixelOptimization(
        narrow,
        contents[int(recorded["slow/content_index"])],
        recorded["style"],
        0.256 * noise.astype(np.float32),
        LossWeights(content, style, tv),
    )
    for epoch in optimization.run(4, 10.0):
        found = values(optimization.current_losses())
        np.testing.assert_allclose(found, recorded["slow/style_content_tv_total"][epoch], rtol=2e-3)
    picture = optimization.picture()
    crop = recorded["slow/final_unprocessed_crop_100_132"]
    assert np.abs(picture[100:132, 100:132] - crop).mean() < 0.3
    np.testing.assert_allclose([picture.mean(), picture.std()], recorded["slow/final_mean_std"], atol=0.1)


# --- the optimiser ------------------------------------------------------------------------------------------------


def test_adam_by_its_formula():
    rng = np.random.default_rng(0)
    variable = tf.Variable(rng.normal(size=5).astype(np.float32))
    expected, m, v = variable.numpy().astype(np.float64), 0.0, 0.0
    adam = Adam({"w": variable})
    for step in range(1, 7):
        gradient = rng.normal(size=5)
        adam.apply({"w": tf.constant(gradient, tf.float32)}, tf.constant(0.1))
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        rate = 0.1 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        expected -= rate * m / (np.sqrt(v) + 1e-8)
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4, atol=1e-5)
    state = adam.variables()
    np.testing.assert_allclose(state["w/Adam"].numpy(), m, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(state["w/Adam_1"].numpy(), v, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(state["beta1_power"].numpy(), 0.9**7, rtol=1e-5)


def test_orthogonalize_brings_all_singular_values_near_one():
    kernel = np.random.default_rng(1).normal(size=(3, 3, 32, 16)).astype(np.float32)
    kernel[..., 0] *= 1e-2  # a direction that hardly has a gradient
    found = orthogonalize(tf.constant(kernel)).numpy().reshape(-1, 16)
    values = np.linalg.svd(found, compute_uv=False) / math.sqrt(9 * 32)
    assert 0.3 < values.min() and values.max() < 1.3  # the iteration is known for this rough range
    left, _, right = np.linalg.svd(kernel.reshape(-1, 16), full_matrices=False)
    nearest = left @ right * math.sqrt(9 * 32)
    assert np.sum(found * nearest) / np.linalg.norm(found) / np.linalg.norm(nearest) > 0.95
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1, abs=0.2)


def test_muon_moves_kernels_by_its_rms_and_leaves_the_rest_to_adam():
    rng = np.random.default_rng(2)
    start = {"k": rng.normal(size=(3, 3, 32, 64)), "w": rng.normal(size=(9, 9, 3, 4))}
    gradients = {name: tf.constant(rng.normal(size=value.shape), tf.float32) for name, value in start.items()}
    moved = {}
    for kind in (Adam, Muon):
        variables = {name: tf.Variable(value, dtype=tf.float32) for name, value in start.items()}
        optimizer = kind(variables)
        optimizer.apply(gradients, tf.constant(1e-3))
        moved[kind] = {name: variable.numpy() - start[name] for name, variable in variables.items()}
    np.testing.assert_allclose(moved[Muon]["w"], moved[Adam]["w"], atol=1e-7)
    assert np.sqrt(np.mean(moved[Muon]["k"] ** 2)) == pytest.approx(MUON_RMS * 1e-3, rel=0.2)
    assert np.sum(moved[Muon]["k"] * gradients["k"].numpy()) < 0  # downhill


def test_muon_gets_further(compact, contents):
    adam, muon = small_trainer(compact, contents), small_trainer(compact, contents, optimizer="muon")
    for step in range(15):
        adam.step(small_batch(contents, step)), muon.step(small_batch(contents, step))
    images = small_batch(contents, 0)
    assert muon.evaluate(images).total < 0.9 * adam.evaluate(images).total


def test_the_step_is_read_off_the_power_of_beta2():
    power = np.float32(0.999)
    for step in range(30_000):
        if step % 997 == 0 or step < 5:
            assert steps_done(float(power)) == step
        power *= np.float32(0.999)
    assert steps_done(0.0) == 0


def test_the_learning_rate():
    assert learning_rate_at(7, 10, 1e-3, "constant") == 1e-3
    assert learning_rate_at(0, 10, 1e-3, "cosine") == 1e-3
    assert learning_rate_at(5, 10, 1e-3, "cosine") == pytest.approx(0.5e-3)
    assert 0 < learning_rate_at(9, 10, 1e-3, "cosine") < 3e-5


# --- small trainings ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compact():
    return CompactVGG()


def small_trainer(compact, contents, batch=2, **options):
    return Trainer(compact, contents[0][:48, :64], batch, initial=initial_weights(1), **options)


def small_batch(contents, step, batch=2):
    return tf.constant(np.stack([contents[(step * batch + i) % 5][:48, :48] for i in range(batch)]))


def test_training_lowers_the_loss(compact, contents):
    trainer = small_trainer(compact, contents)
    images = small_batch(contents, 0)
    before = trainer.evaluate(images).total
    for _ in range(12):
        last = trainer.step(images, 3e-3)
    assert last.total < 0.8 * before


def test_a_step_returns_the_losses_before_it(compact, contents):
    trainer = small_trainer(compact, contents)
    images = small_batch(contents, 0)
    before = trainer.evaluate(images)
    np.testing.assert_allclose(values(trainer.step(images)), values(before), rtol=1e-5)
    assert trainer.evaluate(images).total < before.total


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_a_resumed_training_is_the_uninterrupted_one_to_the_bit(compact, contents, optimizer):
    whole, first, second = (small_trainer(compact, contents, optimizer=optimizer) for _ in range(3))
    for step in range(4):
        whole.step(small_batch(contents, step))
    for step in range(2):
        first.step(small_batch(contents, step))
    second.load_state(first.state())
    for step in range(2, 4):
        second.step(small_batch(contents, step))
    for name, value in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], value, err_msg=name)


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_two_devices_are_one(compact, contents, optimizer):
    """Two halves of the processor, each with half of the batch, against the whole."""
    one = small_trainer(compact, contents, 4, optimizer=optimizer)
    two = small_trainer(compact, contents, 4, optimizer=optimizer, devices=["/CPU:0", "/CPU:1"])
    assert two.strategy.num_replicas_in_sync == 2 and two.share == 2
    dataset = tf.data.Dataset.from_tensor_slices(np.stack([small_batch(contents, step, 4) for step in range(2)]))
    for alone, dealt in zip(one.batches(dataset), two.batches(dataset), strict=True):
        np.testing.assert_allclose(values(two.step(dealt)), values(one.step(alone)), rtol=1e-3)
    for name in ("Variable", "Variable_30", "Variable_47", "Variable/Adam"):
        found, wanted = two.state()[name], one.state()[name]
        assert np.linalg.norm(found - wanted) < 0.02 * np.linalg.norm(wanted), name


def test_a_batch_that_cannot_be_dealt_out_is_an_error(compact, contents):
    with pytest.raises(UserError, match="--batch-size 3 cannot be dealt out evenly to 2 devices"):
        small_trainer(compact, contents, 3, devices=["/CPU:0", "/CPU:1"])


def test_bfloat16_trains_as_well(compact, contents):
    exact, rough = small_trainer(compact, contents), small_trainer(compact, contents, dtype=tf.bfloat16)
    images = small_batch(contents, 0)
    for _ in range(8):
        exact.step(images, 2e-3), rough.step(images, 2e-3)
    np.testing.assert_allclose(rough.evaluate(images).total, exact.evaluate(images).total, rtol=0.1)
    assert rough.weights["Variable"].dtype == tf.float32


# --- the guard ----------------------------------------------------------------------------------------------------


def test_the_guard_brings_the_last_good_weights_back(compact, contents):
    trainer = small_trainer(compact, contents)
    guard = Guard(trainer)
    guard.EVERY = 1
    good = Losses(1.0, 1.0, 1.0)
    trainer.step(small_batch(contents, 0))
    assert guard.check(good)  # remembers the weights after step 1, not yet known to be good
    after_one = trainer.state()
    trainer.step(small_batch(contents, 1))
    assert guard.check(good)  # the loss of step 2 was made with them: they are good
    trainer.weights["Variable_9"].assign_add(tf.fill([3, 3, 128, 128], float("nan")))
    assert not guard.check(Losses(float("nan"), 1.0, 1.0))
    for name, value in after_one.items():
        np.testing.assert_array_equal(trainer.state()[name], value, err_msg=name)
    assert guard.failures == 1
    assert np.isfinite(trainer.step(small_batch(contents, 2)).total)


def test_the_guard_does_not_keep_what_a_checkpoint_found_bad(compact, contents):
    """Remembered after a step, found not finite at its checkpoint: the next finite loss must not vouch for it."""
    trainer = small_trainer(compact, contents)
    start = trainer.state()
    guard = Guard(trainer)
    guard.EVERY = 1
    trainer.weights["Variable"].assign(tf.fill([9, 9, 3, 32], float("nan")))
    assert guard.check(Losses(1.0, 1.0, 1.0))  # remembers them, not yet known to be bad
    guard.back()
    assert guard.failures == 1
    guard.check(Losses(1.0, 1.0, 1.0))
    guard.back()
    np.testing.assert_array_equal(trainer.state()["Variable"], start["Variable"])


def test_the_guard_does_not_trust_weights_before_their_loss_is_known(compact, contents):
    trainer = small_trainer(compact, contents)
    start = trainer.state()
    guard = Guard(trainer)
    guard.EVERY = 1
    trainer.weights["Variable"].assign(tf.fill([9, 9, 3, 32], float("inf")))
    assert guard.check(Losses(1.0, 1.0, 1.0))  # the loss before that change was fine
    assert not guard.check(Losses(float("inf"), 1.0, 1.0))
    np.testing.assert_array_equal(trainer.state()["Variable"], start["Variable"])
