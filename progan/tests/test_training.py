"""Training steps: the reference's recordings replayed, and what a step must and must not touch."""

from __future__ import annotations

import copy

import pytest
import torch
from networks_of import make_networks, meta_of, weights_of

from reals import process_reals
from training import Batch, LossSettings, Trainer

RECORDINGS = ("train_steps_nolabels_16", "train_steps_labels_8", "train_steps_noreset_8")


class Recording:
    """A golden recording of some iterations, and a trainer that begins where it began."""

    def __init__(self, arrays: dict):
        self.arrays, self.meta = arrays, meta_of(arrays)
        meta = self.meta
        common = {name: meta[name] for name in ("num_channels", "resolution", "label_size")}
        networks = (*make_networks(common, meta["G"], meta["D"]), make_networks(common, meta["G"], meta["D"])[0])
        for name, network in zip(("G", "D", "Gs"), networks, strict=True):
            left = network.load_state_dict(weights_of(arrays, f"init/{name}/"), strict=False)
            assert set(left.missing_keys) <= {"lod"} and not left.unexpected_keys
        options = {"keep_moments": not meta["reset_opt_for_new_lod"], "G_smoothing": meta["G_smoothing"]}
        self.trainer = Trainer(*networks, **options)

    def get(self, key: str) -> torch.Tensor | None:
        return torch.from_numpy(self.arrays[key]) if key in self.arrays else None

    def batch(self, place: str, lod: float) -> Batch:
        mirror = self.get(place + "mirror_u") if self.meta["mirror"] else None
        reals = process_reals(self.get(place + "reals"), lod, mirror)
        return Batch(reals, self.get(place + "labels"), self.get(place + "zD"), self.get(place + "mix"))

    def begin(self, k: int) -> float:
        """Iteration k begins; returns its lod."""
        if bool(self.arrays[f"it{k}/opt_reset"]):
            self.trainer.reset_optimizers()
        self.trainer.set_rates(self.meta["lrates"][k], self.meta["lrates"][k])
        return self.meta["lods"][k]

    def check_gradients(self, place: str, network: torch.nn.Module) -> None:
        """The gradients of the last step, where they were recorded."""
        wanted = weights_of(self.arrays, place + "grad/")
        assert wanted
        for name, parameter in network.named_parameters():
            got = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.testing.assert_close(got, wanted[name], atol=2e-6, rtol=0, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_iterations(golden, name):
    recording = Recording(golden(name))
    trainer, compared = recording.trainer, 0
    for k in range(len(recording.meta["lods"])):
        lod = recording.begin(k)
        for repeat in range(recording.meta["D_repeats"]):
            place = f"it{k}/D{repeat}/"
            terms = trainer.step_D(recording.batch(place, lod), lod)
            trainer.average()
            if k == repeat == 0:
                recording.check_gradients(place, trainer.D)
            for key in [key for key in recording.arrays if key.startswith(place + "Loss/")]:
                value = terms[key.removeprefix(place + "Loss/")]
                torch.testing.assert_close(value, recording.get(key).flatten(), atol=5e-6, rtol=0)
            torch.testing.assert_close(terms["D"], recording.get(place + "D_loss_mean"), atol=5e-6, rtol=0)
        place = f"it{k}/G/"
        loss = trainer.step_G(recording.get(place + "zG"), recording.get(place + "glabels"), lod)
        torch.testing.assert_close(loss.mean(), recording.get(place + "G_loss_mean"), atol=5e-6, rtol=0)
        if k == 0:
            recording.check_gradients(place, trainer.G)
        for which, network in trainer.networks().items():
            for key, value in weights_of(recording.arrays, f"it{k}/after/{which}/").items():
                torch.testing.assert_close(network.state_dict()[key], value, atol=1e-4, rtol=0)
                compared += 1
    assert compared >= 76


# --- what a step touches ------------------------------------------------------------------------------------------


def small_trainer(label_size: int = 0, **options) -> Trainer:
    torch.manual_seed(0)
    sizes = {"fmap_base": 64, "fmap_max": 8}
    common = {"num_channels": 3, "resolution": 16, "label_size": label_size}
    return Trainer(*make_networks(common, sizes, sizes), **options)


def small_batch(size: int = 4, resolution: int = 16) -> Batch:
    return Batch(
        torch.rand(size, 3, resolution, resolution) * 2 - 1, None, torch.randn(size, 8), torch.rand(size, 1, 1, 1)
    )


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(before: dict, network: torch.nn.Module) -> set[str]:
    """Which layers are not what they were."""
    now = network.state_dict()
    return {name.rpartition(".")[0] for name in before if not torch.equal(before[name], now[name])}


def test_a_discriminator_s_step_leaves_the_generator_alone():
    trainer = small_trainer()
    before = weights(trainer.G)
    trainer.step_D(small_batch(), 0.0)
    assert not changed(before, trainer.G) and all(p.grad is None for p in trainer.G.parameters())


def test_a_generator_s_step_leaves_the_discriminator_alone():
    trainer = small_trainer()
    before = weights(trainer.D)
    trainer.step_G(torch.randn(4, 8), None, 0.0)
    assert not changed(before, trainer.D) and all(p.requires_grad for p in trainer.D.parameters())


def test_only_the_layers_of_the_lod_are_trained():
    trainer = small_trainer()
    before = weights(trainer.G), weights(trainer.D)
    trainer.step_D(small_batch(resolution=8), 1.0)
    trainer.step_G(torch.randn(4, 8), None, 1.0)
    assert changed(before[0], trainer.G) == {"4x4.Dense", "4x4.Conv", "8x8.Conv0_up", "8x8.Conv1", "ToRGB_lod1"}
    last = {"4x4.Conv", "4x4.Dense0", "4x4.Dense1"}
    assert changed(before[1], trainer.D) == last | {"8x8.Conv0", "8x8.Conv1_down", "FromRGB_lod1"}


def test_while_fading_the_older_colours_are_trained_as_well():
    trainer = small_trainer()
    before = weights(trainer.G)
    trainer.step_G(torch.randn(4, 8), None, 0.5)
    assert {"ToRGB_lod0", "ToRGB_lod1"} <= changed(before, trainer.G)
    assert "ToRGB_lod2" not in changed(before, trainer.G)


def test_the_average_moves_by_the_smoothing_s_complement():
    trainer = small_trainer(G_smoothing=0.9)
    old = weights(trainer.Gs)
    trainer.step_G(torch.randn(4, 8), None, 0.0)
    assert not changed(old, trainer.Gs)
    trainer.average()
    new, now = weights(trainer.G), weights(trainer.Gs)
    for name in ("4x4.Dense.weight", "16x16.Conv1.weight"):
        torch.testing.assert_close(now[name], new[name] + (old[name] - new[name]) * 0.9)


def test_gradients_that_are_no_numbers_change_nothing():
    trainer = small_trainer()
    before = weights(trainer.D)
    batch = small_batch()
    batch.reals[0, 0, 0, 0] = float("nan")
    trainer.step_D(batch, 0.0)
    assert not changed(before, trainer.D) and trainer.skipped == {"G": 0, "D": 1}
    trainer.step_D(small_batch(), 0.0)
    assert changed(before, trainer.D) and trainer.skipped["D"] == 1


def test_the_loss_s_weights_are_heeded():
    batch, losses = small_batch(), {}
    for name, settings in (
        ("as it is", {}),
        ("none", {"wgan_lambda": 0.0, "wgan_epsilon": 0.0}),
        ("target", {"wgan_target": 5.0}),
    ):
        terms = small_trainer(losses=LossSettings(**settings)).step_D(copy.deepcopy(batch), 0.0)
        critic = (terms["fake_scores"] - terms["real_scores"]).mean()
        target = settings.get("wgan_target", 1.0)
        penalty = settings.get("wgan_lambda", 10.0) / target**2 * (terms["mixed_norms"] - target).square().mean()
        drift = settings.get("wgan_epsilon", 0.001) * terms["real_scores"].square().mean()
        torch.testing.assert_close(terms["D"], critic + penalty + drift)
        losses[name] = float(terms["D"])
    assert len(set(losses.values())) == 3


def test_training_in_bfloat16_is_near():
    exact, near = small_trainer(), small_trainer(dtype=torch.bfloat16)
    batch = small_batch(8)
    a, b = exact.step_D(copy.deepcopy(batch), 0.5), near.step_D(copy.deepcopy(batch), 0.5)
    for name in ("real_scores", "fake_scores", "mixed_norms"):
        assert 0 < (a[name] - b[name]).abs().max() < 0.05 * a[name].abs().max() + 0.02
