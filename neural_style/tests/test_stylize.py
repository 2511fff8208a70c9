"""The optimisation against recorded runs of the reference, and what it promises beyond them."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch

import data
from legacy import read_weights
from networks import VGG19
from stylize import Losses, LossWeights, NotFinite, Objective, Optimization

GOLDEN = Path(__file__).with_name("golden")
TRACES = ["default", "pure_noise", "three_styles_noise", "two_styles_avg"]
POINTS = [(trace, k) for trace, steps in zip(TRACES, (4, 3, 4, 5), strict=True) for k in range(steps + 1)]
NAMES = ["content", "style", "tv", "total"]


def tensor(pixels):
    """(H, W, 3) -> (1, 3, H, W)"""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def array(picture):
    """(1, 3, H, W) -> (H, W, 3)"""
    return picture[0].permute(1, 2, 0).numpy()


class Trace:
    """A recorded run and the same problem set up here."""

    def __init__(self, name):
        with np.load(GOLDEN / f"stylize_{name}.npz") as file:
            self.file = {key: file[key] for key in file.files}
        self.options = options = json.loads(str(self.file["options_json"]))
        weights = read_weights(GOLDEN / options["network"])
        network = VGG19(weights.convolutions, weights.mean, options["pooling"])
        styles = [self.file[f"style{i}"] for i in range(len(options["style_blend_weights"]))]
        self.mean = network.mean
        self.objective = Objective(
            network,
            data.preprocess(self.file["content"], self.mean),
            [data.preprocess(style, self.mean) for style in styles],
            LossWeights(
                content=options["content_weight"],
                content_blend=options["content_weight_blend"],
                style=options["style_weight"],
                style_layer_exp=options["style_layer_weight_exp"],
                style_blend=options["style_blend_weights"],
                tv=options["tv_weight"],
            ),
        )

    def optimization(self):
        options = self.options
        adam = [options[name] for name in ("learning_rate", "beta1", "beta2", "epsilon")]
        return Optimization(self.objective, tensor(self.file["image_pre_trace"][0]), options["iterations"], *adam)

    def run(self):
        """[(step, the picture at it)] of a whole free run."""
        optimization = self.optimization()
        steps = optimization.run(self.options["checkpoint_iterations"])
        return [(step, array(optimization.picture).copy()) for step in steps]


@lru_cache
def load(name):
    return Trace(name)


@lru_cache
def free_run(name):
    return load(name).run()


@pytest.mark.parametrize("trace,k", POINTS)
def test_losses_at_the_recorded_pictures(trace, k):
    file = load(trace).file
    losses = load(trace).objective.losses(tensor(file["image_pre_trace"][k]))
    for name in NAMES:
        assert getattr(losses, name) == pytest.approx(file[f"loss_{name}"][k], rel=1e-5, abs=1e-9), name


@pytest.mark.parametrize("trace,k", POINTS)
def test_gradients_at_the_recorded_pictures(trace, k):
    file = load(trace).file
    losses, gradient = load(trace).objective.gradient(tensor(file["image_pre_trace"][k]))
    wanted = file["grad_trace"][k]
    np.testing.assert_allclose(array(gradient), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert losses.total == pytest.approx(file["loss_total"][k], rel=1e-5)


@pytest.mark.parametrize("trace,k", POINTS)
def test_pictures_of_a_free_run(trace, k):
    _, picture = free_run(trace)[k]
    np.testing.assert_allclose(picture, load(trace).file["image_pre_trace"][k], rtol=0, atol=2e-3)


@pytest.mark.parametrize("trace,k", POINTS)
def test_losses_of_a_free_run(trace, k):
    step, _ = free_run(trace)[k]
    for name, value in step.losses.items():
        assert value == pytest.approx(load(trace).file[f"loss_{name}"][k], rel=1e-4, abs=1e-9), name


@pytest.mark.parametrize("trace", TRACES)
def test_which_steps_carry_a_picture(trace):
    file = load(trace).file
    steps = [step for step, _ in free_run(trace)]
    assert steps[0].iteration == -1 and steps[0].best is None
    assert [step.iteration for step in steps[1:]] == file["yield_iteration"].tolist()
    assert [step.best is not None for step in steps[1:]] == file["yield_has_image"].tolist()


@pytest.mark.parametrize("trace", TRACES)
def test_the_pictures_that_are_given_out(trace):
    found = [data.unprocess(step.best, load(trace).mean) for step, _ in free_run(trace) if step.best is not None]
    wanted = load(trace).file["yield_images"]
    assert len(found) == len(wanted)
    for mine, reference in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=0, atol=2e-3)


def test_the_best_picture_is_given_out_not_the_last():
    """A picture with a higher loss than an earlier checkpoint's does not replace it."""
    trace = load("default")
    optimization = trace.optimization()
    optimization.optimizer.lr = 120.0  # overshoots
    given = [(step.losses.total, step.best.clone()) for step in optimization.run(1) if step.best is not None]
    losses = [loss for loss, _ in given]
    assert losses != sorted(losses, reverse=True), "the run must get worse at some step for this test to mean anything"
    for k, (_, best) in enumerate(given):
        assert trace.objective.losses(best).total == pytest.approx(min(losses[: k + 1]), rel=1e-6)


def test_without_checkpoints_the_last_picture_is_given_out():
    trace = load("default")
    optimization = trace.optimization()
    optimization.optimizer.lr = 120.0
    *_, last = optimization.run(None)
    assert torch.equal(last.best, optimization.picture)


# --- what is computed ---------------------------------------------------------------------------------------------


@pytest.fixture
def problem():
    """`problem(break_layer=…, **weights)`: a small objective; computing the broken layer fails."""
    found = read_weights(GOLDEN / "tiny_vgg19_new.mat")
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.randn(1, 3, 20, 22, generator=generator) * 50 for _ in range(2))

    def build(break_layer=None, **weights):
        convolutions = dict(found.convolutions)
        if break_layer:
            kernel, bias = convolutions[break_layer]
            convolutions[break_layer] = torch.cat([kernel, kernel[:, :1]], 1), bias
        return Objective(VGG19(convolutions, found.mean), content, [style, style.flip(3)], LossWeights(**weights))

    return build


START = torch.randn(1, 3, 20, 22, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "broken,weights",
    [
        ("conv5_2", {}),
        ("conv4_3", {"style": 0}),
        ("conv5_2", {"content": 0}),
        ("conv1_2", {"content": 0, "style_layer_exp": 0}),
        ("conv1_1", {"content": 0, "style": 0}),
    ],
)
def test_layers_without_a_weight_are_not_computed(problem, broken, weights):
    _, gradient = problem(broken, **weights).gradient(START)
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 0


def test_relu5_2_is_computed_when_it_has_a_share_of_the_content(problem):
    with pytest.raises(RuntimeError):
        problem("conv5_2", content_blend=0.5)


def test_no_weights_at_all_leave_the_picture_where_it_is(problem):
    losses, gradient = problem(content=0, style=0, tv=0).gradient(START)
    assert losses == Losses(0, 0, 0)
    assert not gradient.any()


@pytest.mark.parametrize("name", ["content", "style", "tv"])
def test_a_loss_is_proportional_to_its_weight(problem, name):
    one, three = (getattr(problem(**{name: weight}).losses(START), name) for weight in (1.0, 3.0))
    assert one > 0 and three == pytest.approx(3 * one, rel=1e-6)


def test_style_weights_are_normalised_and_equal_by_default(problem):
    equal, doubled = problem().losses(START), problem(style_blend=[2, 2]).losses(START)
    assert equal == doubled
    assert problem(style_blend=[3, 1]).losses(START).style != equal.style


def test_the_content_itself_has_no_content_loss(problem):
    objective = problem()
    content = torch.randn(1, 3, 20, 22, generator=torch.Generator().manual_seed(0)) * 50
    assert objective.losses(content).content == 0


def test_losses_and_gradient_agree_and_leave_the_picture_alone(problem):
    objective, picture = problem(), START.clone()
    losses, _ = objective.gradient(picture)
    assert objective.losses(picture) == losses
    assert torch.equal(picture, START) and not picture.requires_grad


# --- stopping and going on ----------------------------------------------------------------------------------------


def new_run(objective, lr=10.0):
    return Optimization(objective, START, 6, lr, 0.9, 0.999, 1e-8)


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_saved_state_goes_on_to_the_bit(problem, stop):
    objective = problem()
    whole = new_run(objective)
    expected = [(step.iteration, step.losses, step.best) for step in whole.run(2)]
    first, second = new_run(objective), new_run(objective)
    steps = first.run(2)
    for _ in range(stop + 1):
        next(steps)
    second.load_state(first.state())
    found = [(step.iteration, step.losses, step.best) for step in second.run(2)]
    assert torch.equal(second.picture, whole.picture)
    for (iteration, losses, best), (i, wanted, picture) in zip(found, expected[stop + 1 :], strict=True):
        assert (iteration, losses) == (i, wanted)
        assert best is None and picture is None or torch.equal(best, picture)


def test_the_lowest_picture_is_kept_at_every_step(problem):
    objective = problem()
    run, seen = new_run(objective, lr=120.0), []
    for step in run.run():
        seen.append(step.losses.total)
        assert run.lowest_loss == min(seen)
        assert objective.losses(run.lowest).total == pytest.approx(min(seen), rel=1e-6)
    assert seen[-1] != min(seen), "the run must get worse for this test to mean anything"


@pytest.mark.parametrize("lr", [1e30, float("inf"), float("nan")])
def test_a_loss_that_is_not_finite_ends_the_run_with_the_last_good_picture(problem, lr):
    run = new_run(problem(), lr=lr)
    with pytest.raises(NotFinite, match="learning-rate"):
        list(run.run(1))
    assert torch.isfinite(run.lowest).all()
    assert run.best is None or torch.isfinite(run.best).all()


def test_the_start_is_copied(problem):
    start = START.clone()
    run = Optimization(problem(), start, 1, 10.0, 0.9, 0.999, 1e-8)
    list(run.run())
    assert torch.equal(start, START) and not torch.equal(run.picture, start)


def test_half_precision_is_close_to_float32(problem):
    objective = problem()
    exact = objective.losses(START * 40)
    low = Objective(
        objective.network.to(torch.bfloat16),
        torch.randn(1, 3, 20, 22, generator=(g := torch.Generator().manual_seed(0))) * 50,
        [s := torch.randn(1, 3, 20, 22, generator=g) * 50, s.flip(3)],
        LossWeights(),
    ).losses(START * 40)
    assert low.tv == exact.tv
    assert low.content == pytest.approx(exact.content, rel=0.1)
    assert low.style == pytest.approx(exact.style, rel=0.1)
