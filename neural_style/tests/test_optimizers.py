"""Adam against TensorFlow 1's."""

import json

import numpy as np
import pytest
import torch

from optimizers import TensorFlowAdam

TRACES = ["default", "pure_noise", "three_styles_noise", "two_styles_avg"]


@pytest.mark.parametrize("case", ["c0", "c1", "c2"])
def test_steps_equal_tensorflows(golden, case):
    file = golden("adam_tf1.npz")
    expected = file[f"{case}/x"]
    x = torch.from_numpy(expected[0].copy())
    adam = TensorFlowAdam(x, *file[f"{case}/hyper_lr_b1_b2_eps"].tolist())
    for gradient, wanted in zip(file[f"{case}/grads"], expected[1:], strict=True):
        adam.step(torch.from_numpy(gradient))
        np.testing.assert_allclose(x, wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("trace", TRACES)
def test_recorded_gradients_give_the_recorded_pictures(golden, trace):
    file = golden(f"stylize_{trace}.npz")
    options = json.loads(str(file["options_json"]))
    x = torch.from_numpy(file["image_pre_trace"][0].copy())
    adam = TensorFlowAdam(x, *(options[name] for name in ("learning_rate", "beta1", "beta2", "epsilon")))
    for gradient, wanted in zip(file["grad_trace"][:-1], file["image_pre_trace"][1:], strict=True):
        adam.step(torch.from_numpy(gradient))
        np.testing.assert_allclose(x, wanted, rtol=0, atol=1e-3)


def test_epsilon_is_not_bias_corrected():
    """One step by the formula: lr sqrt(1 - b2) / (1 - b1) * (1 - b1) g / (sqrt((1 - b2) g^2) + eps)."""
    x = torch.zeros(1, dtype=torch.float64)
    TensorFlowAdam(x, lr=2.0, beta1=0.5, beta2=0.75, eps=1.0).step(torch.tensor([3.0], dtype=torch.float64))
    assert x.item() == pytest.approx(-2.0 * 0.5 * 3.0 / (0.5 * 3.0 + 1.0))


def gradients(count):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4, 5, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_saved_state_goes_on_to_the_bit(done):
    whole, first, second = (torch.ones(4, 5) for _ in range(3))
    uninterrupted, before, after = TensorFlowAdam(whole), TensorFlowAdam(first), TensorFlowAdam(second)
    for gradient in gradients(5):
        uninterrupted.step(gradient)
    for gradient in gradients(5)[:done]:
        before.step(gradient)
    second.copy_(first)
    after.load_state(before.state())
    for gradient in gradients(5)[done:]:
        after.step(gradient)
    assert torch.equal(second, whole)
