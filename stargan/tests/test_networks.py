"""The networks against the original's outputs, and against what can be worked out by hand."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch
from conftest import load_golden, weights_of

import printing
from networks import Discriminator, Generator, count_parameters, with_label_planes
from shared_scripts.cli import UserError

OLD_GENERATOR = """\
Generator (
  (main): Sequential (
    (0): Conv2d(8, 64, kernel_size=(7, 7), stride=(1, 1), padding=(3, 3), bias=False)
    (1): InstanceNorm2d(64, eps=1e-05, momentum=0.1, affine=True)
    (2): ReLU (inplace)
    (3): Conv2d(64, 128, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)
    (4): InstanceNorm2d(128, eps=1e-05, momentum=0.1, affine=True)
    (5): ReLU (inplace)
    (6): Conv2d(128, 256, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)
    (7): InstanceNorm2d(256, eps=1e-05, momentum=0.1, affine=True)
    (8): ReLU (inplace)
    (9): ResidualBlock (
      (main): Sequential (
        (0): Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
        (1): InstanceNorm2d(256, eps=1e-05, momentum=0.1, affine=True)
        (2): ReLU (inplace)
        (3): Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
        (4): InstanceNorm2d(256, eps=1e-05, momentum=0.1, affine=True)
      )
    )"""
OLD_END = """\
    (15): ConvTranspose2d(256, 128, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)
    (16): InstanceNorm2d(128, eps=1e-05, momentum=0.1, affine=True)
    (17): ReLU (inplace)
    (18): ConvTranspose2d(128, 64, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)
    (19): InstanceNorm2d(64, eps=1e-05, momentum=0.1, affine=True)
    (20): ReLU (inplace)
    (21): Conv2d(64, 3, kernel_size=(7, 7), stride=(1, 1), padding=(3, 3), bias=False)
    (22): Tanh ()
  )
)"""
OLD_DISCRIMINATOR = """\
Discriminator (
  (main): Sequential (
    (0): Conv2d(3, 64, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
    (1): LeakyReLU (0.01, inplace)
    (2): Conv2d(64, 128, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
    (3): LeakyReLU (0.01, inplace)"""


def recipe(network: torch.nn.Module, seed: int) -> None:
    """The weights that golden/README.md describes: drawn from each name's checksum."""
    state = network.state_dict()
    for key, value in state.items():
        r, shape = np.random.RandomState((zlib.crc32(key.encode()) + seed) & 0xFFFFFFFF), tuple(value.shape)
        if key.endswith("num_batches_tracked"):
            drawn = np.zeros(shape)
        elif key.endswith("running_mean"):
            drawn = 0.1 * r.standard_normal(shape)
        elif key.endswith("running_var"):
            drawn = 1 + 0.5 * r.random_sample(shape)
        elif len(shape) == 1:
            drawn = 0.1 * r.standard_normal(shape) + (1 if key.endswith("weight") else 0)
        else:
            drawn = r.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        state[key] = torch.from_numpy(np.array(drawn)).to(value.dtype)
    network.load_state_dict(state)


def small(name: str) -> tuple[Generator, dict]:
    """A golden file's generator, and its arrays as tensors."""
    found = load_golden(name)
    generator = Generator(int(found["conv_dim"]), int(found["c_dim"]), int(found["repeat_num"]))
    generator.load_state_dict(weights_of(found, "w/"))
    return generator, {key: torch.from_numpy(value) for key, value in found.items() if value.dtype.kind in "fi"}


# --- the generator ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("name", ["g_c5_w4_r2_32", "g_both15_w4_r1_32", "g_c8_w8_r1_32"])
def test_pictures_are_the_originals(name, mode):
    """Also after eval(), and of other shapes, and with labels between 0 and 1."""
    generator, golden = small(name)
    generator.train(mode)
    with torch.no_grad():
        for suffix in ("", "_rect", "_float"):
            x = golden["x_rect"] if suffix == "_rect" else golden["x"]
            y = generator(x, golden[f"c{suffix}"])
            assert (y - golden[f"y{suffix}"]).abs().max() < 1e-5
    assert (generator(golden["x"], golden["c"]) - golden["y_if_eval_running_stats_were_used_WRONG"]).abs().max() > 0.1


def test_every_layer_is_the_originals(golden):
    generator, numbers = small("g_c5_w4_r2_32")
    seen = {}
    for place, layer in generator.main.named_children():
        layer.register_forward_hook(lambda _, __, y, place=place: seen.__setitem__(f"act/main.{place}", y.clone()))
    with torch.no_grad():
        generator(numbers["x"], numbers["c"])
    recorded = [key for key in numbers if key.startswith("act/")]
    assert {"act/main.0", "act/main.10", "act/main.16"} <= {*recorded}  # before, in and behind the blocks
    for key in recorded:
        # a ReLU works in place: what its norm gave is recorded before or after it
        error = min((seen[key] - numbers[key]).abs().max(), (seen[key].relu() - numbers[key]).abs().max())
        assert error < 1e-5, key


def test_running_statistics_are_followed_in_training_alone():
    generator, golden = small("g_c5_w4_r2_32")
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    generator.eval()(golden["x"], golden["c"])
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())
    generator.train()(golden["x"], golden["c"])
    recorded = [key for key in golden if key.startswith("running_after")]
    assert len(recorded) == 27
    for key in recorded:
        assert torch.allclose(generator.state_dict()[key.split("/")[1]].double(), golden[key].double(), atol=1e-6), key


@pytest.mark.parametrize("size", [128, 256])
def test_full_size_networks(size):
    golden = load_golden(f"full_width_recipe_{size}")
    seed, c = int(golden["seed"]), torch.from_numpy(golden["c"])
    generator, discriminator = Generator(), Discriminator(size)
    recipe(generator, seed), recipe(discriminator, seed)
    assert list(generator.state_dict()) == golden["g_keys"].tolist()
    assert list(discriminator.state_dict()) == golden["d_keys"].tolist()
    x = torch.from_numpy(np.random.RandomState(seed).uniform(-1, 1, (1, 3, size, size)).astype("f4"))
    assert np.allclose(x.flatten()[:8], golden["x_first8"])
    with torch.inference_mode():
        y = generator(x, c)
        found = {"d_src_x": discriminator(x)[0], "d_cls_x": discriminator(x)[1]}
        found |= {"d_src_y": discriminator(y)[0], "d_cls_y": discriminator(y)[1]}
    step = 4 if golden["y_is_subsampled_by_4"] else 1
    assert np.abs(y[..., ::step, ::step].numpy() - golden["y"]).max() < 2e-4
    for name, value in found.items():
        assert np.abs(value.numpy() - golden[name]).max() < 2e-4, name
    assert count_parameters(generator) == golden["g_params"] and count_parameters(discriminator) == golden["d_params"]


@pytest.mark.parametrize(
    ("labels", "image_size", "expected"),
    [(5, 128, (8_430_528, 44_762_048)), (8, 128, (8_439_936, 44_786_624)), (5, 256, (8_430_528, 44_884_928))],
)
def test_parameter_counts(labels, image_size, expected):
    with torch.device("meta"):
        found = count_parameters(Generator(c_dim=labels)), count_parameters(Discriminator(image_size, c_dim=labels))
    assert found == expected


def test_parameter_counts_of_both():
    with torch.device("meta"):
        assert count_parameters(Generator(c_dim=15)) == 8_461_888
        assert count_parameters(Discriminator(256, c_dim=13)) == 45_147_072
        assert Discriminator(364).conv2.kernel_size == (5, 5)


def test_the_2017_version_prints_its_layers():
    with torch.device("meta"):
        lines = printing.network_text("G", Generator(), old=True)
        other = printing.network_text("D", Discriminator(), old=True)
    assert lines.startswith("G\n" + OLD_GENERATOR) and lines.endswith(OLD_END + "\nThe number of parameters: 8430528")
    assert other.startswith("D\n" + OLD_DISCRIMINATOR) and other.endswith("The number of parameters: 44762048")
    assert "(conv1): Conv2d(2048, 1, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)" in other


def test_todays_version_prints_the_name_last():
    with torch.device("meta"):
        lines = printing.network_text("G", Generator(), old=False).splitlines()
    assert lines[0] == "Generator(" and lines[-2:] == ["G", "The number of parameters: 8430528"]


def test_label_planes_are_behind_the_colours():
    x, c = torch.rand(2, 3, 4, 8), torch.tensor([[0.0, 1.0], [0.5, -1.0]])
    planes = with_label_planes(x, c)
    assert planes.shape == (2, 5, 4, 8) and torch.equal(planes[:, :3], x)
    assert torch.equal(planes[1, 3], torch.full((4, 8), 0.5)) and torch.equal(planes[1, 4], torch.full((4, 8), -1.0))


def test_zero_padding_is_what_lets_labels_through():
    """With mirrored borders a label plane gives a constant, which instance normalisation takes away."""
    torch.manual_seed(0)
    generator = Generator(4, 2, 1).eval()
    x = torch.rand(1, 3, 16, 16)
    a, b = torch.zeros(1, 2), torch.ones(1, 2)
    with torch.no_grad():
        assert (generator(x, a) - generator(x, b)).abs().max() > 1e-3
        generator.main[0].padding_mode = "reflect"
        generator.main[0]._reversed_padding_repeated_twice = [3, 3, 3, 3]
        assert (generator(x, a) - generator(x, b)).abs().max() < 1e-5


def test_the_middle_of_a_label_planes_kernel_does_nothing():
    """That tap sees the plane everywhere, also at the border: it adds a constant, which the norm takes away. Its
    gradient is rounding noise, which Adam blows up to whole steps: recordings of trainings cannot be compared there."""
    generator, golden = small("g_c5_w4_r2_32")
    with torch.no_grad():
        expected = generator(golden["x"], golden["c"])
        generator.main[0].weight[:, 3:, 3, 3] += 0.3
        assert (generator(golden["x"], golden["c"]) - expected).abs().max() < 1e-5
        generator.main[0].weight[:, 3:, 3, 2] += 0.3
        assert (generator(golden["x"], golden["c"]) - expected).abs().max() > 1e-3


def test_sides_that_four_does_not_divide_are_refused():
    with pytest.raises(UserError, match="multiples of 4, not 18x16"):
        Generator(4, 2, 1)(torch.zeros(1, 3, 16, 18), torch.zeros(1, 2))
    with pytest.raises(UserError, match="at least 8x8 whose sides are multiples of 4, not 4x4"):
        Generator(4, 2, 1)(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2))


# --- the discriminator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d_32_w4_c5_r3", "d_32_w4_c8_r5"])
def test_verdicts_are_the_originals(name):
    golden = load_golden(name)
    sizes = [int(golden[key]) for key in ("image_size", "conv_dim", "c_dim", "repeat_num")]
    discriminator = Discriminator(*sizes)
    discriminator.load_state_dict(weights_of(golden, "w/"))
    x = torch.from_numpy(golden["x"]).requires_grad_()
    out_src, out_cls = discriminator(x)
    assert out_src.shape == golden["out_src"].shape and out_cls.shape == golden["out_cls"].shape
    assert np.abs(out_src.detach().numpy() - golden["out_src"]).max() < 1e-5
    assert np.abs(out_cls.detach().numpy() - golden["out_cls"]).max() < 1e-5
    assert torch.equal(discriminator.realness(x), out_src)
    (gradient,) = torch.autograd.grad(out_src.sum(), x)
    assert np.abs(gradient.numpy() - golden["grad_of_sum_out_src_wrt_x"]).max() < 1e-5


def test_shapes_of_the_users_notes():
    """A batch of 16 at 128 pixels: a map of 2 x 2 and five logits, by (128 - 4 + 2) / 2 + 1 = 64, and so on."""
    with torch.device("meta"):
        x, c = torch.zeros(16, 3, 128, 128), torch.zeros(16, 5)
        y = Generator()(x, c)
        out_src, out_cls = Discriminator()(y)
    assert y.shape == x.shape and out_src.shape == (16, 1, 2, 2) and out_cls.shape == (16, 5)


def test_pictures_too_small_for_the_halvings():
    with pytest.raises(UserError, match="at least 64 pixels, not 32: take a larger --image_size, or --d_repeat_num 5"):
        Discriminator(32)
