"""The losses against their formulas, worked out in numpy and in double precision."""

import numpy as np
import pytest
import torch

from losses import StyleTarget, content_loss, gram_matrix, layer_weights, tv_loss

SHAPES = [(1, 5, 7, 9), (1, 16, 1, 1), (1, 1, 4, 3), (1, 32, 12, 2)]


def features(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).relu() * 30


def exact_gram(value):
    """F F^T / (H W C) in double precision, differentiable."""
    flat = value.double().flatten(2)[0]
    return flat @ flat.T / flat.numel()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gram_matrix_is_the_mean_product_of_channels(shape, layout):
    value = features(shape)
    pixels = value[0].double().numpy()
    expected = np.einsum("ihw,jhw->ij", pixels, pixels) / pixels.size
    np.testing.assert_allclose(gram_matrix(value.to(memory_format=layout)), expected, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_of_the_gram_matrix(shape):
    upstream = torch.randn(shape[1], shape[1], generator=torch.Generator().manual_seed(1))  # not symmetric
    value, exact = features(shape).requires_grad_(), features(shape).double().requires_grad_()
    gram_matrix(value).backward(upstream)
    exact_gram(exact).backward(upstream.double())
    tolerance = 1e-5 * exact.grad.abs().max().item()
    np.testing.assert_allclose(value.grad, exact.grad, rtol=0, atol=tolerance)


def test_gradient_of_the_gram_matrix_equals_finite_differences():
    value, weight, step = features((1, 3, 4, 5)).requires_grad_(), torch.arange(9.0).view(3, 3), 1e-4
    (gram_matrix(value) * weight).sum().backward()
    base = value.detach().double()
    for index in [(0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 3, 4)]:
        up, down = base.clone(), base.clone()
        up[index] += step
        down[index] -= step
        slope = ((exact_gram(up) - exact_gram(down)) * weight).sum() / (2 * step)
        assert value.grad[index].item() == pytest.approx(slope.item(), rel=1e-4)


def test_gram_matrix_of_bfloat16_features_is_float32():
    value = features((1, 8, 16, 16))
    gram = gram_matrix(value.bfloat16())
    assert gram.dtype == torch.float32
    np.testing.assert_allclose(gram, exact_gram(value), rtol=0.02)  # bfloat16 keeps 8 bits


def test_content_loss_is_the_mean_squared_difference():
    a, b = features((1, 5, 7, 9), 1), features((1, 5, 7, 9), 2)
    expected = np.mean((a.double().numpy() - b.double().numpy()) ** 2)
    assert content_loss(a, b).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("height,width", [(6, 9), (2, 2)])
def test_tv_loss_is_the_mean_squared_difference_of_neighbours(height, width):
    x = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(3)) * 50
    pixels = x.double().numpy()
    expected = np.mean(np.diff(pixels, axis=2) ** 2) + np.mean(np.diff(pixels, axis=3) ** 2)
    assert tv_loss(x).item() == pytest.approx(expected, rel=1e-6)


def test_tv_loss_of_a_single_row_counts_the_horizontal_differences():
    x = torch.tensor([1.0, 4.0, 2.0]).view(1, 1, 1, 3)
    assert tv_loss(x).item() == (9 + 4) / 2
    assert tv_loss(x.transpose(2, 3)).item() == (9 + 4) / 2


def test_tv_loss_of_one_pixel_is_zero():
    assert tv_loss(torch.ones(1, 3, 1, 1)).item() == 0


@pytest.mark.parametrize("exponent", ["1", "0.2", "2.0", "0.5", "1.4", "0.0"])
def test_layer_weights_equal_the_reference(golden, exponent):
    expected = golden("tables.json")["style_layer_weights"][exponent]
    np.testing.assert_allclose(layer_weights(float(exponent)), expected, rtol=1e-12, atol=1e-12)


BLENDS = [[1.0], [0.5, 0.5], [0.7, 0.2, 0.1], [1.0, 0.0]]


@pytest.mark.parametrize("weights", BLENDS)
@pytest.mark.parametrize("alike", [1.0, 1e-3])
def test_blended_style_target_equals_the_sum_over_the_styles(weights, alike):
    base = features((1, 6, 10, 8), 50)
    styles = [base * (1 - alike) + alike * features((1, 6, 10, 8), 10 + i) for i in range(len(weights))]
    target = StyleTarget.blend([gram_matrix(style) for style in styles], weights)
    value, exact = features((1, 6, 9, 9), 5).requires_grad_(), features((1, 6, 9, 9), 5).double().requires_grad_()
    loss = target.loss(value)
    gram = exact_gram(exact)
    grams = [exact_gram(style) for style in styles]
    expected = sum(w * (gram - a).square().mean() for w, a in zip(weights, grams, strict=True))
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(value.grad, exact.grad, rtol=0, atol=1e-5 * exact.grad.abs().max().item())


def test_style_loss_of_the_style_itself_is_zero():
    style = features((1, 6, 10, 8))
    assert StyleTarget.blend([gram_matrix(style)], [1.0]).loss(style).item() == 0


def test_style_loss_between_two_opposite_styles_is_their_spread():
    one, two = features((1, 4, 5, 5), 1), features((1, 4, 5, 5), 2)
    a, b = exact_gram(one), exact_gram(two)
    target = StyleTarget.blend([gram_matrix(one), gram_matrix(two)], [0.5, 0.5])
    assert target.spread == pytest.approx(((a - b) / 2).square().mean().item(), rel=1e-4)


def test_the_style_pictures_may_have_other_sizes():
    style = features((1, 4, 6, 6))
    tiled = torch.cat([style, style], 3)
    assert StyleTarget.blend([gram_matrix(style)], [1.0]).loss(tiled).item() == pytest.approx(0, abs=1e-6)
