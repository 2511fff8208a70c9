"""The networks, number for number against the reference's, and their sizes against the papers'."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import networks
from shared_scripts.cli import UserError
from shared_scripts.instance_norm import InstanceNorm

GENERATORS = [
    *("gen_resnet9_instance", "gen_resnet6_batch_dropout", "gen_resnet6_instance_dropout_1to2", "gen_resnet6_none"),
    *("gen_unet128_batch_dropout", "gen_unet128_instance_1to2", "gen_unet256_batch_dropout"),
]


def picture(pixels: np.ndarray) -> torch.Tensor:
    """uint8 to [-1, 1], as networks see it."""
    return torch.from_numpy((pixels.astype(np.float32) / 255 - 0.5) / 0.5)


def weights(arrays: dict, prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with `prefix`."""
    found = {key.removeprefix(prefix): torch.from_numpy(v) for key, v in arrays.items() if key.startswith(prefix)}
    assert found
    return found


def without_dropout(network: nn.Module) -> nn.Module:
    """Train mode, but for the dropout."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    return network


@pytest.mark.parametrize("name", GENERATORS)
def test_generators(golden, name):
    data = golden(name)
    meta, stride = data["meta"], data["meta"]["out_stride"]
    network = networks.define_G(
        meta["input_nc"], meta["output_nc"], meta["ngf"], meta["netG"], meta["norm"], meta["use_dropout"]
    )
    assert networks.count_parameters(network) == meta["n_params"]
    network.load_state_dict(weights(data, "w:"), strict=True)
    x = picture(data["x_u8"])
    with torch.inference_mode():
        y = network.eval()(x)[..., ::stride, ::stride]
        np.testing.assert_allclose(y, data["y_eval"], atol=2e-5)
        if "x2_u8" in data:  # sizes that 4 does not divide come out larger
            y = network(picture(data["x2_u8"]))[..., ::stride, ::stride]
            np.testing.assert_allclose(y, data["y2_eval"], atol=2e-5)
        y = without_dropout(network)(x)[..., ::stride, ::stride]
        np.testing.assert_allclose(y, data["y_trainstats_nodrop"], atol=2e-5)
    after = {key.removeprefix("after:"): value for key, value in data.items() if key.startswith("after:")}
    for key, value in after.items():
        np.testing.assert_allclose(network.state_dict()[key], value, atol=2e-5)
    assert bool(after) == (meta["norm"] == "batch")


@pytest.mark.parametrize("case", range(9))
def test_discriminators(golden, case):
    data = golden("discriminators")
    meta = data["meta"]["cases"][case]
    network = networks.define_D(meta["input_nc"], meta["ndf"], meta["netD"], meta["n_layers_D"], meta["norm"])
    assert networks.count_parameters(network) == meta["n_params"]
    network.load_state_dict(weights(data, f"c{case}:w:"), strict=True)
    x = picture(data[f"c{case}:x_u8"])
    with torch.inference_mode():
        np.testing.assert_allclose(network.eval()(x), data[f"c{case}:y_eval"], atol=2e-5)
        np.testing.assert_allclose(network.train()(x), data[f"c{case}:y_train"], atol=2e-5)


FULL_SIZES = [
    (("G", 3, 3, 64, "resnet_9blocks", "instance"), 11_378_179),
    (("G", 3, 3, 64, "resnet_9blocks", "batch"), 11_383_427),
    (("G", 3, 3, 64, "resnet_9blocks", "none"), 11_372_931),
    (("G", 3, 3, 64, "resnet_6blocks", "instance"), 7_837_699),
    (("G", 3, 3, 64, "unet_128", "batch"), 41_828_995),
    (("G", 3, 3, 64, "unet_256", "batch"), 54_413_955),
    (("G", 3, 3, 64, "unet_256", "instance"), 54_409_603),
    (("G", 1, 2, 64, "unet_256", "batch"), 54_409_858),
    (("D", 3, 64, "basic", 3, "instance"), 2_764_737),
    (("D", 6, 64, "basic", 3, "batch"), 2_768_705),
    (("D", 6, 64, "basic", 3, "instance"), 2_767_809),
    (("D", 6, 64, "pixel", 3, "batch"), 9_024),
    (("D", 3, 64, "pixel", 3, "instance"), 8_705),
    (("D", 6, 64, "n_layers", 1, "batch"), 139_585),
    (("D", 6, 64, "n_layers", 2, "batch"), 666_433),
    (("D", 6, 64, "n_layers", 4, "batch"), 6_964_033),
    (("D", 6, 64, "n_layers", 5, "batch"), 11_159_361),
]


@pytest.mark.parametrize(("flags", "count"), FULL_SIZES)
def test_full_sizes(flags, count):
    with torch.device("meta"):
        make = networks.define_G if flags[0] == "G" else networks.define_D
        assert networks.count_parameters(make(*flags[1:])) == count


@pytest.mark.parametrize("n_layers", range(1, 6))
def test_a_patch_is_what_one_output_sees(n_layers):
    """Changing a pixel changes exactly the outputs whose patch it is in: the field is measured, not computed."""
    network = networks.define_D(1, 2, "n_layers", n_layers, "none", init_gain=0.5).double()
    side = 2 * networks.receptive_field(n_layers)
    x = torch.randn(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    y = network(x)
    middle = y.shape[2] // 2
    (gradient,) = torch.autograd.grad(y[0, 0, middle, middle], x)
    seen = gradient[0, 0].abs().sum(0).nonzero()
    assert seen.max() - seen.min() + 1 == networks.receptive_field(n_layers)


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("n_layers", range(1, 5))
def test_the_smallest_picture_a_discriminator_takes(n_layers, norm):
    network = networks.define_D(3, 2, "n_layers", n_layers, norm).train()
    side = networks.smallest_side(n_layers, norm)
    assert network(torch.randn(1, 3, side, side)).numel() >= 1
    with pytest.raises((ValueError, RuntimeError)):
        network(torch.randn(1, 3, side - 2, side - 2))


def test_the_basic_discriminator_needs_24_pixels():
    assert networks.smallest_side(3, "instance") == 24


@pytest.mark.parametrize("init", networks.INITS)
def test_fresh_weights(init):
    torch.manual_seed(0)
    network = networks.define_D(6, 32, "basic", 3, "batch", init_type=init, init_gain=0.02)
    convolution, norm = network.model[5], network.model[6]
    fan_in, fan_out = 64 * 16, 128 * 16
    wanted = {
        "normal": 0.02,
        "xavier": 0.02 * (2 / (fan_in + fan_out)) ** 0.5,
        "kaiming": (2 / fan_in) ** 0.5,
        "orthogonal": 0.02 / fan_in**0.5,
    }[init]
    assert convolution.weight.std().item() == pytest.approx(wanted, rel=0.02)
    assert network.model[0].bias.abs().max() == 0
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01) and 0.01 < norm.weight.std() < 0.03


def test_sync_batch_norm_starts_like_batch_norm():
    network = networks.define_D(3, 64, "basic", 3, "syncbatch", init_gain=0.02)
    assert 0.01 < network.model[6].weight.std() < 0.03


@pytest.mark.parametrize("side", [6, 40])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_instance_norm_and_its_gradients_are_torchs(layout, side):
    """Also the gradient of the gradient, which a gradient penalty takes; torch's own layer is the measure."""
    torch.manual_seed(0)
    x = (3 * torch.randn(2, 4, side, side - 1, dtype=torch.float64) + 1).to(memory_format=layout).requires_grad_()
    weight = torch.randn_like(x)
    found = []
    for norm in (InstanceNorm(4), nn.InstanceNorm2d(4)):
        y = norm(x)
        (slope,) = torch.autograd.grad((y * weight).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad((slope**2).sum(), x)
        (plain,) = torch.autograd.grad((norm(x) * weight).sum(), x)
        found.append((y.detach(), slope.detach(), second, plain))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


def test_instance_norm_of_one_pixel_is_refused():
    with pytest.raises(ValueError, match="single pixel"):
        InstanceNorm(2)(torch.zeros(1, 2, 1, 1))


def test_a_unet_says_which_sizes_it_takes():
    with pytest.raises(UserError, match="multiples of 128, not 130x128"):
        networks.define_G(3, 3, 2, "unet_128")(torch.zeros(1, 3, 128, 130))


@pytest.mark.parametrize(
    "call",
    [
        lambda: networks.define_G(3, 3, 2, "unet_512"),
        lambda: networks.define_D(3, 2, "patch"),
        lambda: networks.define_G(3, 3, 2, "unet_128", norm="layer"),
        lambda: networks.define_G(3, 3, 2, "unet_128", init_type="zeros"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(call):
    with pytest.raises(UserError, match="choose from"):
        call()
