"""Instance normalisation, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from shared_scripts.instance_norm import AffineInstanceNorm, InstanceNorm

SHAPES = [(2, 5, 7, 9), (1, 3, 40, 40), (3, 4, 3, 2)]


def pair(channels: int) -> tuple[AffineInstanceNorm, nn.InstanceNorm2d]:
    """Ours and torch's with the same weights."""
    torch.manual_seed(channels)
    ours = AffineInstanceNorm(channels)
    nn.init.normal_(ours.weight), nn.init.normal_(ours.bias), nn.init.uniform_(ours.running_var)
    torchs = nn.InstanceNorm2d(channels, affine=True, track_running_stats=True)
    torchs.load_state_dict(ours.state_dict())
    return ours, torchs


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_pictures_gradients_and_statistics_are_torchs_in_training(shape, order):
    ours, torchs = pair(shape[1])
    x = torch.randn(shape).contiguous(memory_format=order)
    found = []
    for norm in (ours, torchs):
        own = x.clone().requires_grad_()
        y = norm(own)
        (y * torch.linspace(0, 1, y.numel()).view(y.shape)).sum().backward()
        found.append([y, own.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var])
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, atol=2e-5), (a - b).abs().max()
    assert list(ours.state_dict()) == list(torchs.state_dict())


def test_evaluation_uses_the_pictures_own_statistics_too_and_moves_none():
    ours, torchs = pair(4)
    x, before = torch.randn(2, 4, 6, 6), {key: value.clone() for key, value in ours.state_dict().items()}
    expected = torchs(x)  # in training
    assert torch.allclose(ours.eval()(x), expected, atol=1e-5)
    assert not torch.allclose(torchs.eval()(x), expected, atol=1e-2)  # the trap
    assert all(torch.equal(value, before[key]) for key, value in ours.state_dict().items())


def test_bfloat16_pictures_keep_their_format():
    ours, _ = pair(4)
    x = torch.randn(2, 4, 16, 16)
    y = ours(x.bfloat16())
    assert y.dtype == torch.bfloat16 and (y.float() - ours(x)).abs().max() < 0.05


@pytest.mark.parametrize("norm", [InstanceNorm(3), AffineInstanceNorm(3)])
def test_a_single_pixel_is_refused(norm):
    with pytest.raises(ValueError, match="single pixel"):
        norm(torch.zeros(2, 3, 1, 1))


def test_without_weights_it_is_the_same_in_every_order():
    x = torch.randn(2, 5, 12, 12)
    expected = nn.functional.instance_norm(x)
    for order in (torch.contiguous_format, torch.channels_last):
        assert torch.allclose(InstanceNorm(5)(x.contiguous(memory_format=order)), expected, atol=1e-5)
