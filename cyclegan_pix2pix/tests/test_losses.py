"""The losses and the image pool, against the reference's numbers and against formulas."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import networks
from image_pool import ImagePool
from losses import gan_loss, gradient_penalty, l1
from shared_scripts.cli import UserError


@pytest.mark.parametrize("mode", ["lsgan", "vanilla", "wgangp"])
@pytest.mark.parametrize("side", ["real", "fake"])
def test_gan_losses_and_their_gradients(golden, mode, side):
    data = golden("gan_losses")
    prediction = torch.from_numpy(data["pred"]).requires_grad_()
    loss = gan_loss(prediction, side == "real", mode)
    loss.backward()
    np.testing.assert_allclose(loss.detach(), data[f"{mode}:{side}:loss"], rtol=1e-5)
    np.testing.assert_allclose(prediction.grad, data[f"{mode}:{side}:grad"], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("side", ["real", "fake"])
def test_soft_labels(golden, side):
    data = golden("gan_losses")
    loss = gan_loss(torch.from_numpy(data["pred"]), side == "real", "lsgan", real_label=0.9, fake_label=0.1)
    np.testing.assert_allclose(loss, data[f"lsgan_soft:{side}:loss"], rtol=1e-5)


@pytest.mark.parametrize("kind", ["real", "fake", "mixed"])
@pytest.mark.parametrize(("constant", "weight"), [(1.0, 10.0), (0.5, 3.0)])
def test_gradient_penalty(golden, kind, constant, weight):
    data = golden("gan_losses")
    network = networks.define_D(3, 4, "n_layers", 2, "instance")
    network.load_state_dict({k.removeprefix("D:"): torch.from_numpy(v) for k, v in data.items() if k[:2] == "D:"})
    real, fake = (torch.from_numpy((data[k] / np.float32(255) - 0.5) / 0.5).float() for k in ("real_u8", "fake_u8"))
    torch.manual_seed(data["meta"]["gp_seed"])
    penalty = gradient_penalty(network, real, fake, kind, constant, weight)
    np.testing.assert_allclose(penalty.detach(), data[f"gp:{kind}:const{constant}:lambda{weight}"], rtol=1e-4)
    penalty.backward()
    assert network.model[0].weight.grad.abs().sum() > 0


def test_no_gradient_penalty_costs_nothing():
    assert gradient_penalty(None, torch.zeros(1), torch.zeros(1), weight=0) == 0


def test_an_unknown_mode_is_refused():
    with pytest.raises(UserError, match="lsgan, vanilla, wgangp"):
        gan_loss(torch.zeros(1), True, "hinge")


def test_losses_of_bfloat16_are_summed_in_float32():
    values = torch.linspace(0, 1, 1000)
    assert l1(values.bfloat16(), torch.zeros(1000)).item() == pytest.approx(
        values.bfloat16().float().mean().item(), rel=1e-6
    )


def test_the_pool_returns_what_the_references_does(golden):
    for case in golden("image_pool")["meta"]["cases"]:
        random.seed(case["python_random_seed"])
        pool, batch = ImagePool(case["pool_size"]), case["batch"]
        for query, wanted in enumerate(case["returned_ids"]):
            ids = torch.arange(query * batch, (query + 1) * batch, dtype=torch.float32)
            assert pool.query(ids.view(-1, 1, 1, 1)).flatten().tolist() == wanted, case


def test_a_pool_that_was_saved_goes_on_alike():
    random.seed(5)
    pool, resumed = ImagePool(3), ImagePool(3)
    for number in range(10):
        pool.query(torch.full((1, 1, 1, 1), float(number)))
    resumed.load_state_dict(pool.state_dict(), torch.device("cpu"))
    state = random.getstate()
    first = [pool.query(torch.full((1, 1, 1, 1), 100.0 + i)).item() for i in range(10)]
    random.setstate(state)
    assert [resumed.query(torch.full((1, 1, 1, 1), 100.0 + i)).item() for i in range(10)] == first
    assert any(value < 100 for value in first)


def test_what_the_pool_gives_back_carries_no_gradient():
    picture = torch.zeros(1, 1, 2, 2, requires_grad=True) * 2
    assert not ImagePool(0).query(picture).requires_grad and not ImagePool(2).query(picture).requires_grad
