"""The losses against the original's numbers, and against the formulas worked out another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import load_golden, weights_of

from labels import Domain
from losses import attribute_loss, between, class_loss, critic_loss, gradient_penalty, reconstruction_loss
from networks import Discriminator, Generator
from training import Batch, Trainer

DOMAIN = Domain("CelebA", ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"))


@pytest.fixture
def recorded():
    """The golden batch: arrays as tensors, and a Trainer of its networks that does not move them."""
    golden = load_golden("losses")
    generator, discriminator = Generator(4, 5, 2), Discriminator(32, 4, 5, 3)
    generator.load_state_dict(weights_of(golden, "G/"))
    discriminator.load_state_dict(weights_of(golden, "D/"))
    trainer = Trainer(generator, discriminator, g_lr=0, d_lr=0)
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in golden.items()}
    t = tensors
    batch = Batch(DOMAIN, t["x_real"], t["label_org"], t["label_trg"], t["alpha"])
    return tensors, trainer, batch


def gradients_agree(network, golden: dict, prefix: str) -> None:
    """Every gradient within 1e-4 of the largest of its tensor; None counts as 0."""
    count = 0
    for name, parameter in network.named_parameters():
        expected = golden[f"{prefix}/{name}"]
        found = torch.zeros_like(expected) if parameter.grad is None else parameter.grad
        scale = max(float(expected.abs().max()), 1e-6)
        difference = (found - expected).abs()
        if name == "main.0.weight" and expected.shape[1] > 3:
            difference[:, 3:, 3, 3] = 0  # rounding noise: see test_networks
        assert difference.max() <= 1e-4 * scale, name
        count += 1
    assert count >= 8


def test_all_terms_are_the_originals(recorded):
    golden, trainer, batch = recorded
    (found,) = trainer.step([batch], update_G=True)
    names = {"D/loss_real": "d_loss_real", "D/loss_fake": "d_loss_fake", "D/loss_cls": "d_loss_cls"}
    names |= {"D/loss_gp": "d_loss_gp", "G/loss_fake": "g_loss_fake", "G/loss_cls": "g_loss_cls"}
    for ours, theirs in {**names, "G/loss_rec": "g_loss_rec"}.items():
        assert float(found[ours]) == pytest.approx(float(golden[theirs]), rel=1e-5), ours
    gradients_agree(trainer.D, golden, "grad_d_loss")
    gradients_agree(trainer.G, golden, "grad_g_loss")


def test_pictures_in_between_are_the_originals(recorded):
    golden, trainer, batch = recorded
    with torch.no_grad():
        fake = trainer.G(batch.x, batch.c_trg())
        back = trainer.G(fake, batch.c_org())
    assert (fake - golden["x_fake"]).abs().max() < 1e-5 and (back - golden["x_reconst"]).abs().max() < 1e-5
    assert (between(batch.x, fake, batch.alpha) - golden["x_hat"]).abs().max() < 1e-5
    assert torch.equal(between(batch.x, fake, torch.ones(3, 1, 1, 1)), batch.x)  # alpha is the real picture's share


def test_the_penaltys_own_gradient_is_the_originals(recorded):
    golden, trainer, _ = recorded
    (10 * gradient_penalty(trainer.D.realness, golden["x_hat"])).backward()
    gradients_agree(trainer.D, golden, "grad_gp_only_times10")


def test_classification_losses_are_the_originals():
    golden = {key: torch.from_numpy(np.array(value)) for key, value in load_golden("losses").items()}
    found = class_loss(golden["rafd_logit"], golden["rafd_label"])
    assert float(found) == pytest.approx(float(golden["rafd_cls_loss"]), rel=1e-6)
    found = attribute_loss(golden["celeba_logit"], golden["celeba_label"])
    assert float(found) == pytest.approx(float(golden["celeba_cls_loss"]), rel=1e-6)


def test_attributes_are_summed_and_pictures_averaged():
    """-log(sigmoid) of logits 0 and log 3: log 2, and log(4/3) where the label is 1, log 4 where it is 0."""
    logit = torch.tensor([[0.0, np.log(3)], [0.0, np.log(3)]])
    target = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    expected = (2 * np.log(2) + np.log(4 / 3) + np.log(4)) / 2
    assert float(attribute_loss(logit, target)) == pytest.approx(expected, rel=1e-6)


def test_a_linear_critic_has_a_known_penalty():
    """Of w * x summed over all patches the gradient is w for every pixel: its length is |w| sqrt(pixels)."""
    x = torch.rand(3, 3, 4, 4)
    found = gradient_penalty(lambda x: 0.5 * x, x)
    assert float(found) == pytest.approx((0.5 * np.sqrt(48) - 1) ** 2, rel=1e-5)
    # one picture with another slope than the others: each has a length of its own
    slopes = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1, 1)
    expected = np.mean([(slope * np.sqrt(48) - 1) ** 2 for slope in (0.1, 0.2, 0.3)])
    assert float(gradient_penalty(lambda x: slopes * x, x)) == pytest.approx(expected, rel=1e-5)


def test_critic_and_reconstruction():
    out = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    assert float(critic_loss(out, real=True)) == -0.5 and float(critic_loss(out, real=False)) == 0.5
    assert float(reconstruction_loss(torch.tensor([1.0, -1.0]), torch.tensor([0.0, 1.0]))) == 1.5


def test_losses_are_float32_whatever_comes_in():
    x = torch.full((1, 40_000), 1.0039, dtype=torch.bfloat16)  # summed in bfloat16 it would stop growing at 256
    assert critic_loss(x, real=False).dtype == torch.float32
    assert float(critic_loss(x, real=False)) == pytest.approx(float(x[0, 0].float()))
    assert reconstruction_loss(x, 0 * x).dtype == torch.float32
