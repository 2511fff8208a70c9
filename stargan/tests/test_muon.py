"""Muon, and what else is not the original's: learning to copy."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from labels import Domain
from muon import Muon, orthogonalized
from networks import Discriminator, Generator
from training import VECTORS, Batch, Trainer

DOMAIN = Domain("CelebA", ("Black_Hair", "Young"))


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (12, 12)])
def test_all_directions_get_about_the_same_length(shape):
    """Against the singular value decomposition: the same directions, with lengths near 1."""
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalized(matrix)
    lengths = torch.diag(u.T @ found @ v.T)
    assert found.shape == shape and lengths.min() > 0.5 and lengths.max() < 1.4
    assert (found - u @ torch.diag(lengths) @ v).abs().max() < 0.05
    assert torch.allclose(orthogonalized(1000 * matrix), found, atol=0.02)  # the gradient's length does not matter


def test_a_step_has_the_learning_rates_length():
    kernel = nn.Parameter(torch.zeros(16, 4, 3, 3))
    optimizer = Muon([kernel], lr=0.01)
    kernel.grad = 1e-6 * torch.randn(kernel.shape, generator=torch.Generator().manual_seed(1))
    optimizer.step()
    lengths = torch.linalg.svdvals(kernel.detach().flatten(1)) / 0.01
    assert 0.5 < lengths.min() and lengths.max() < 1.4
    tall = nn.Parameter(torch.zeros(36, 4))
    tall.grad = torch.randn(36, 4)
    Muon([tall], lr=0.01).step()
    assert 0.5 < torch.linalg.svdvals(tall.detach()).min() / 0.03 < 1.4  # sqrt(36 / 4) times as long


def test_the_momentum_is_kept_in_its_state():
    a, b = (nn.Parameter(torch.ones(3, 5)) for _ in range(2))
    one, other = Muon([a], 0.1), Muon([b], 0.1)
    a.grad = torch.randn(3, 5)
    one.step()
    b.data.copy_(a.data)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for p in (a, b):
        p.grad = torch.full((3, 5), 0.5)
    one.step(), other.step()
    assert torch.equal(a, b)
    a.grad = None
    before = a.clone()
    one.step()
    assert torch.equal(a, before)


def make(**settings) -> tuple[Trainer, Batch]:
    torch.manual_seed(3)
    trainer = Trainer(Generator(8, 2, 1), Discriminator(16, 4, 2, 3), **settings)
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    return trainer, Batch(DOMAIN, 2 * torch.rand(4, 3, 16, 16) - 1, labels, labels.flip(0), torch.rand(4, 1, 1, 1))


def test_vectors_go_by_adam_with_a_share_of_the_rate():
    trainer, batch = make(muon=True, g_lr=0.02)
    kernels = {p for group in trainer.optimizers["G"].param_groups for p in group["params"]}
    vectors = {p for group in trainer.optimizers["G_vectors"].param_groups for p in group["params"]}
    assert kernels | vectors == {*trainer.G.parameters()} and not kernels & vectors
    assert {p.dim() for p in kernels} == {4} and {p.dim() for p in vectors} == {1}
    trainer.set_rates(0.01, 0.001)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in trainer.optimizers.items()}
    assert rates == {"G": 0.01, "G_vectors": 0.01 * VECTORS, "D": 0.001}
    before = trainer.G.main[1].weight.clone()
    trainer.step([batch], update_G=True)
    assert not torch.equal(trainer.G.main[1].weight, before)


@pytest.mark.parametrize("muon", [False, True])
def test_the_generator_learns_to_copy_and_the_discriminator_waits(muon):
    trainer, batch = make(muon=muon, g_lr=0.02 if muon else 0.003)
    before = {name: value.clone() for name, value in trainer.D.state_dict().items()}
    errors = [float(trainer.copy_step(batch)["G/loss_rec"]) for _ in range(40)]
    assert errors[-1] < 0.5 * errors[0]
    assert all(torch.equal(value, before[name]) for name, value in trainer.D.state_dict().items())


def test_the_weight_of_copying_adds_its_gradient():
    """lambda_id |G(x, c_org) - x|, beside the step's own gradient: seen as the difference of two steps."""
    gradients = []
    for weight in (0.0, 3.0):
        trainer, batch = make(lambda_id=weight, g_lr=0, d_lr=0)
        trainer.step([batch], update_G=True)
        gradients.append(trainer.G.main[3].weight.grad.clone())
    trainer, batch = make(g_lr=0, d_lr=0)
    (3 * (trainer.G(batch.x, batch.labels) - batch.x).abs().mean()).backward()
    expected = trainer.G.main[3].weight.grad
    assert expected.abs().max() > 1e-3
    assert torch.allclose(gradients[1] - gradients[0], expected, atol=1e-5)
