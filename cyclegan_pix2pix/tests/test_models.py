"""Whole training steps, against those the reference made: losses, pictures and weights."""

from __future__ import annotations

import argparse
import random

import numpy as np
import pytest
import torch
from test_networks import picture, weights

from models import find_model, model_names
from shared_scripts.cli import UserError

RUNS = {
    "train_cyclegan": "cycle_gan",
    "train_cyclegan_noidt_vanilla_BtoA": "cycle_gan",
    "train_pix2pix": "pix2pix",
    "train_pix2pix_lsgan_resnet": "pix2pix",
    "train_pix2pix_wgangp_as_reference": "pix2pix",
}


def make_model(name: str, **options):
    """A model on the CPU, in float32."""
    opt = argparse.Namespace(
        checkpoints_dir=".", name="x", torch_device=torch.device("cpu"), dtype=torch.float32, lambda_gp=0.0,
        memory_format=torch.channels_last, first_epoch=1, lr_era="end_of_epoch", lambda_GAN=1.0, pixel_loss="l1",
        **options,
    )  # fmt: skip
    return find_model(name)(opt)


def recorded(golden, run: str):
    """A golden run and a model with its first weights."""
    data = golden(run)
    model = make_model(RUNS[run], **data["meta"]["opt"])
    for name in model.model_names:
        model.net(name).load_state_dict(weights(data, f"init:{name}:"))
    random.seed(data["meta"]["python_random_seed"])
    return data, model


def step(model, data, number: int) -> None:
    """One training step on the pictures of a golden run."""
    batch = {side: picture(data[f"{side}_u8"][number]) for side in ("A", "B")}
    model.set_input({**batch, "A_paths": [""], "B_paths": [""]})
    model.optimize_parameters()


def feeds_instance_norm(model, name: str, key: str) -> bool:
    """Whether a bias goes into an instance norm: its true gradient is 0, and Adam makes steps of rounding noise."""
    modules = dict(model.net(name).named_modules())
    parent, _, place = key.removesuffix(".bias").rpartition(".")
    behind = modules.get(f"{parent}.{int(place) + 1}") if place.isdecimal() else None
    return key.endswith(".bias") and type(behind).__name__ == "InstanceNorm"


@pytest.mark.parametrize("run", RUNS)
def test_training_steps_equal_the_references(golden, run):
    data, model = recorded(golden, run)
    assert model.loss_names == data["meta"]["loss_names"]
    for number in range(data["meta"]["steps"]):
        step(model, data, number)
        np.testing.assert_allclose(
            list(model.get_current_losses().values()), data["losses"][number], rtol=1e-3, atol=1e-6
        )
    visuals = model.get_current_visuals()
    pictures = [key.removeprefix("visual:") for key in data if key.startswith("visual:")]
    assert pictures and set(pictures) <= set(visuals)
    for name in pictures:
        np.testing.assert_allclose(visuals[name].detach(), data[f"visual:{name}"], atol=2e-2)
    compared = 0
    for key, value in data.items():
        if not key.startswith("final_flat5:"):
            continue
        _, name, tensor = key.split(":")
        if not feeds_instance_norm(model, name, tensor):
            ours = model.weights(name)[tensor].flatten()[::5]
            np.testing.assert_allclose(ours, value, atol=5e-4, err_msg=key)
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("run", ["train_cyclegan", "train_pix2pix"])
def test_no_gradient_is_computed_that_no_optimiser_uses(golden, run):
    """After the generators' part of a step the discriminators hold no gradient, and the other way round."""
    data, model = recorded(golden, run)
    seen = {}

    def watch(name, discriminators):
        def before_step(*args):
            frozen = [n for n in model.model_names if n.startswith("D") != discriminators]
            seen[name] = [n for n in frozen for p in model.net(n).parameters() if p.grad is not None]

        return before_step

    model.optimizers["G"].register_step_pre_hook(watch("G", discriminators=False))
    model.optimizers["D"].register_step_pre_hook(watch("D", discriminators=True))
    first = "G" if run == "train_cyclegan" else "D"
    step(model, data, 0)
    assert seen[first] == []
    assert not model.real_A.requires_grad


def test_a_gradient_penalty_changes_the_wgan_step(golden):
    data, model = recorded(golden, "train_pix2pix_wgangp_as_reference")
    model.opt.lambda_gp = 10.0
    torch.manual_seed(0)
    step(model, data, 0)
    step(model, data, 1)
    assert model.get_current_losses()["D_fake"] != pytest.approx(data["losses"][1][3], rel=1e-3)


def test_without_a_gan_the_discriminator_is_left_alone(golden):
    """--lambda_GAN 0: the loss is the pixels', and Adam's first step has the length of the learning rate."""
    data, model = recorded(golden, "train_pix2pix_lsgan_resnet")
    model.opt.lambda_GAN = 0.0
    before = {name: model.weights(name) for name in ("G", "D")}
    before = {name: {key: value.clone() for key, value in weights.items()} for name, weights in before.items()}
    step(model, data, 0)
    assert all(torch.equal(value, before["D"][key]) for key, value in model.weights("D").items())
    moved = (model.weights("G")["model.23.weight"] - before["G"]["model.23.weight"]).abs()
    assert moved.median().item() == pytest.approx(2e-4, rel=0.01)
    losses = model.get_current_losses()
    wanted = (model.fake_B - model.real_B).abs().mean().item() * data["meta"]["opt"]["lambda_L1"]
    assert losses["G_L1"] == pytest.approx(wanted, rel=1e-5) and losses["G_GAN"] == losses["D_fake"] == 0


def test_bfloat16_steps_stay_close(golden):
    data, model = recorded(golden, "train_pix2pix")
    model.opt.dtype = torch.bfloat16
    for number in range(2):
        step(model, data, number)
    np.testing.assert_allclose(list(model.get_current_losses().values()), data["losses"][1], rtol=0.05)
    assert all(p.dtype == torch.float32 for p in model.netG.parameters())


def test_identity_loss_needs_equal_channels(golden):
    options = golden("train_cyclegan")["meta"]["opt"]
    with pytest.raises(UserError, match="--lambda_identity 0"):
        make_model("cycle_gan", **{**options, "output_nc": 1})


def test_the_models_are_found_by_their_files():
    assert model_names() == ["colorization", "cycle_gan", "pix2pix", "template", "test"]
    with pytest.raises(UserError, match="colorization, cycle_gan, pix2pix"):
        find_model("cut")
