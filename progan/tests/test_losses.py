"""The losses against formulas worked out by hand, and what goes into the discriminator against the reference."""

from __future__ import annotations

import pytest
import torch

from losses import drift_penalty, generator_loss, label_penalty, mix, slope_norms, slope_penalty
from networks import upscale
from reals import process_reals


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("kind", ["mirror", "nomirror"])
def test_real_pictures_are_made_ready_as_the_reference_does(golden, number, kind):
    arrays = golden("process_reals")
    images, lod = torch.from_numpy(arrays[f"in{number}"]), float(arrays[f"lod{number}"])
    mirror = torch.from_numpy(arrays[f"mask_u{number}"]) if kind == "mirror" else None
    expected = torch.from_numpy(arrays[f"{kind}{number}"])
    native = process_reals(images, lod, mirror)
    torch.testing.assert_close(upscale(native, expected.shape[-1] // native.shape[-1]), expected, atol=1e-6, rtol=0)


def test_real_pictures_can_have_another_range():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    assert process_reals(images, 0.0, drange_net=(0, 1)).unique().tolist() == [0, 1]


def test_a_linear_critic_has_its_weights_length_as_slope():
    weight = torch.randn(3, 4, 4)
    scores, norms = slope_norms(lambda x: (x * weight).flatten(1).sum(1, keepdim=True), torch.randn(5, 3, 4, 4))
    assert scores.shape == (5, 1)
    torch.testing.assert_close(norms, weight.norm().expand(5))
    _, halved = slope_norms(lambda x: (x * weight).flatten(1).sum(1, keepdim=True), torch.randn(5, 3, 4, 4), lod=1)
    torch.testing.assert_close(halved, norms / 2)


def test_the_penalty_is_nought_at_its_target_and_grows_with_the_square():
    norms = torch.tensor([1.0, 2.0, 0.0])
    torch.testing.assert_close(slope_penalty(norms), torch.tensor([0.0, 10.0, 10.0]))
    torch.testing.assert_close(slope_penalty(norms * 750, wgan_target=750.0), torch.tensor([0.0, 10.0, 10.0]))


def test_the_drift_penalty_is_a_square():
    torch.testing.assert_close(drift_penalty(torch.tensor([[3.0], [-2.0]])), torch.tensor([0.009, 0.004]))


def test_points_between_pictures():
    reals, fakes, u = torch.zeros(2, 1, 1, 1), torch.ones(2, 1, 1, 1), torch.tensor([0.0, 0.3]).view(2, 1, 1, 1)
    torch.testing.assert_close(mix(reals, fakes, u).flatten(), torch.tensor([0.0, 0.3]))


def test_the_label_penalty_is_the_cross_entropy_with_any_weights():
    logits, labels = torch.randn(4, 3), torch.rand(4, 3)
    expected = -(labels * torch.log(logits.exp() / logits.exp().sum(1, keepdim=True))).sum(1)
    torch.testing.assert_close(label_penalty(logits, labels), expected)


def test_the_generator_s_loss_without_labels_is_the_score_turned():
    scores = torch.tensor([[2.0], [-1.0]])
    torch.testing.assert_close(generator_loss(scores, torch.empty(2, 0), None), torch.tensor([-2.0, 1.0]))
    labels, logits = torch.eye(2), torch.randn(2, 2)
    with_labels = generator_loss(scores, logits, labels, cond_weight=0.5)
    torch.testing.assert_close(with_labels, -scores.flatten() + 0.5 * label_penalty(logits, labels))
