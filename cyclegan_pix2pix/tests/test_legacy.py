"""Old .pth files: they load, they say which network they are, and what is wrong with a wrong one is one line."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import golden_file
from safetensors.torch import save_file
from torch import nn

import architecture
import legacy
import networks
from options import parse
from shared_scripts.cli import UserError

OLD = ("ckpt_cyclegan_2017_latest_net_G", "ckpt_cyclegan_dropout_nbt", "ckpt_pix2pix_old_bn")


def network_of(path: Path) -> nn.Module:
    """The network that a file is of, with the file's weights."""
    g = legacy.describe_generator(legacy.read_weights(path), str(path))
    network = networks.define_G(g.input_nc, g.output_nc, g.ngf, g.netG, g.norm, bool(g.dropout))
    legacy.load_into(network, path)
    return network


def as_input(pixels: np.ndarray) -> torch.Tensor:
    """uint8 NCHW as the networks take it."""
    return (torch.from_numpy(pixels).float() / 255 - 0.5) / 0.5


def states_equal(one: dict, two: dict) -> bool:
    """Whether two state_dicts hold the same numbers under the same names."""
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def problem_of(call, *values) -> str:
    """The one line of a UserError."""
    with pytest.raises(UserError) as caught:
        call(*values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def generator() -> nn.Module:
    """A small CycleGAN generator."""
    torch.manual_seed(1)
    return networks.define_G(3, 3, 2, "resnet_6blocks", "instance")


# --- the original's files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OLD)
def test_old_files_give_the_originals_pictures(name, golden):
    numbers, path = golden(name), golden_file(f"{name}.pth")
    meta = numbers["meta"]
    found = legacy.describe_generator(legacy.read_weights(path), name)
    assert (found.netG, found.norm, found.ngf) == (meta["netG"], meta["norm"], meta["ngf"])
    assert (found.input_nc, found.output_nc) == (3, 3)
    assert found.dropout == (None if "unet" in meta["netG"] else not meta["no_dropout"])
    network = network_of(path)
    if meta["forward_mode"] == "eval":
        network.eval()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.eval()  # "trainstats" is the training mode without its chance
    with torch.no_grad():
        made = network(as_input(numbers["x_u8"])).numpy()
    np.testing.assert_allclose(made, numbers["y"], rtol=0, atol=2e-5)


def test_instance_statistics_are_in_the_old_file_and_not_used(golden):
    path = golden_file("ckpt_cyclegan_2017_latest_net_G.pth")
    raw = torch.load(path, weights_only=True)
    assert any(name.endswith("running_mean") for name in raw)
    assert not any(name.endswith(legacy.STATISTICS) for name in legacy.read_weights(path))


def test_batch_statistics_are_kept():
    path = golden_file("ckpt_pix2pix_old_bn.pth")
    raw = torch.load(path, weights_only=True)
    assert all(name.startswith("module.") for name in raw)
    network = network_of(path)
    own = network.state_dict()
    for name in ("running_mean", "running_var"):
        name = f"model.model.1.model.2.{name}"
        assert torch.equal(own[name], raw[f"module.{name}"])
    assert own["model.model.1.model.2.num_batches_tracked"] == 0


# --- the layouts a state_dict was ever saved in -------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module.", "_orig_mod." * 2]
)
def test_prefixes_come_off(generator, prefix, tmp_path):
    state = generator.state_dict()
    torch.save(OrderedDict((prefix + name, value) for name, value in state.items()), tmp_path / "x.pth")
    assert states_equal(network_of(tmp_path / "x.pth").state_dict(), state)


def test_wrapped_state_dicts(generator, tmp_path):
    state = generator.state_dict()
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "x")
    assert states_equal(network_of(tmp_path / "x").state_dict(), state)


def test_the_oldest_file_format(generator, tmp_path):
    torch.save(generator.state_dict(), tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(tmp_path / "x.pth")
    assert states_equal(network_of(tmp_path / "x.pth").state_dict(), generator.state_dict())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_formats(generator, kind, tmp_path):
    torch.save({name: value.to(kind) for name, value in generator.state_dict().items()}, tmp_path / "x.pth")
    for name, value in network_of(tmp_path / "x.pth").state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, generator.state_dict()[name].to(kind).float())


# --- telling the architecture -------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["instance", "batch", "none", "syncbatch"])
@pytest.mark.parametrize("netG", networks.GENERATORS)
def test_every_generator_is_told_from_its_weights(netG, norm):
    for dropout in (False, True):
        for ngf, input_nc, output_nc in ((1, 3, 3), (2, 1, 2), (3, 4, 1)):
            weights = networks.define_G(input_nc, output_nc, ngf, netG, norm, dropout).state_dict()
            told = None if netG in networks.UNET_DEPTH else dropout
            kind = "batch" if norm == "syncbatch" else norm
            expected = legacy.Generator(netG, kind, ngf, input_nc, output_nc, told)
            assert legacy.describe_generator(weights, "x") == expected


@pytest.mark.parametrize("norm", ["instance", "batch", "none", "syncbatch"])
@pytest.mark.parametrize("netD,layers", [("basic", 3), ("pixel", 3), *(("n_layers", n) for n in (1, 2, 3, 4, 5))])
def test_every_discriminator_is_told_from_its_weights(netD, layers, norm):
    for ndf, input_nc in ((1, 3), (2, 6), (3, 1)):
        weights = networks.define_D(input_nc, ndf, netD, layers, norm).state_dict()
        told = "basic" if layers == 3 and netD == "n_layers" else netD
        kind = "batch" if norm == "syncbatch" else norm
        found = legacy.describe_discriminator(weights, "x")
        assert found == legacy.Discriminator(told, layers, kind, ndf, input_nc)


@pytest.mark.parametrize("netD", networks.DISCRIMINATORS)
def test_a_discriminator_is_no_generator(netD):
    weights = networks.define_D(3, 2, netD, 2, "instance").state_dict()
    assert "it is a discriminator" in problem_of(legacy.describe_generator, weights, "latest_net_D.pth")


@pytest.mark.parametrize("netG", networks.GENERATORS)
def test_a_generator_is_no_discriminator(netG):
    weights = networks.define_G(3, 3, 2, netG, "instance").state_dict()
    assert "no discriminator" in problem_of(legacy.describe_discriminator, weights, "latest_net_G.pth")


def pix2pixhd_generator() -> dict:
    """The names of a pix2pixHD global generator: four halvings, nine blocks, four doublings."""
    weights = {"model.1.weight": torch.zeros(2, 36, 7, 7), "model.1.bias": torch.zeros(2)}
    for place in (4, 7, 10, 13, 25, 28, 31, 34, 38):
        weights[f"model.{place}.weight"] = torch.zeros(2, 2, 3, 3)
    for place in range(16, 25):
        weights[f"model.{place}.conv_block.1.weight"] = weights[f"model.{place}.conv_block.5.weight"] = torch.ones(1)
    return weights


@pytest.mark.parametrize(
    "weights",
    [
        pix2pixhd_generator(),
        {"model1_1.1.weight": torch.zeros(1), **pix2pixhd_generator()},
        {"scale0_layer0.0.weight": torch.zeros(1)},
        {"layer0.0.weight": torch.zeros(1)},
    ],
    ids=["global", "local", "features", "plain"],
)
def test_pix2pixhd_is_recognised(weights):
    line = problem_of(legacy.describe_generator, weights, "file.pth")
    assert "file.pth" in line and "pix2pixHD" in line


@pytest.mark.parametrize(
    "weights",
    [
        {"conv1.weight": torch.zeros(64, 3, 7, 7), "layer1.0.conv1.weight": torch.zeros(1), "fc.bias": torch.zeros(9)},
        {"features.0.weight": torch.zeros(64, 3, 3, 3)},
        {"model.model.0.weight": torch.zeros(2, 3, 4, 4), "model.model.3.weight": torch.zeros(4, 3, 4, 4)},
        {"model.model.0.weight": torch.zeros(1)},
    ],
    ids=["classifier", "vgg", "shallow unet", "nonsense"],
)
def test_other_networks_are_none_of_ours(weights):
    line = problem_of(legacy.describe_generator, weights, "file.pth")
    assert line == "file.pth holds no generator of pix2pix or CycleGAN"
    assert "file.pth" in problem_of(legacy.describe_discriminator, weights, "file.pth")


# --- files that are no weights ------------------------------------------------------------------------------------


class Trap:
    """Makes a folder when it is unpickled without care."""

    def __init__(self, place: Path):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def damaged(kind: str, path: Path, generator: nn.Module) -> None:
    """Write a file that is no network's weights."""
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("<!DOCTYPE html><html>404</html>")
    elif kind == "code":
        path.write_bytes(pickle.dumps({"model.1.weight": Trap(path.parent / "executed")}))
    elif kind == "code by torch":
        torch.save({"model.1.weight": Trap(path.parent / "executed")}, path)
    elif kind == "whole network":
        torch.save(generator, path)
    elif kind == "truncated":
        torch.save(generator.state_dict(), path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif kind == "truncated, old format":
        torch.save(generator.state_dict(), path, _use_new_zipfile_serialization=False)
        path.write_bytes(path.read_bytes()[:-2000])
    elif kind == "safetensors":
        save_file(generator.state_dict(), path)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.txt", "x")
    else:
        values = {"numbers": {"a": 1.0}, "list": [torch.zeros(2)], "nothing": {}, "tensor": torch.zeros(2)}
        torch.save(values[kind], path)


KINDS = ["empty", "text", "code", "code by torch", "whole network", "truncated", "truncated, old format"]
KINDS += ["safetensors", "zip", "numbers", "list", "nothing", "tensor"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_no_weights(kind, generator, tmp_path):
    path = tmp_path / "latest_net_G.pth"
    damaged(kind, path, generator)
    assert "latest_net_G.pth" in problem_of(legacy.read_weights, path)
    assert not (tmp_path / "executed").exists()


def test_the_trap_would_have_worked(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


def test_a_missing_file(tmp_path):
    assert "there is no file" in problem_of(legacy.read_weights, tmp_path / "x.pth")


# --- weights that do not fit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong,parts",
    [
        ((3, 3, 3, "resnet_6blocks", "instance", False), ["model.1.weight", "(2, 3, 7, 7)", "(3, 3, 7, 7)"]),
        ((3, 3, 2, "resnet_9blocks", "instance", False), ["model.19.weight", "(4, 2, 3, 3)", "(8, 4, 3, 3)"]),
        ((3, 3, 2, "resnet_6blocks", "batch", False), ["missing", "model.2.weight", "unknown", "model.1.bias"]),
        ((3, 3, 2, "resnet_6blocks", "instance", True), ["conv_block"]),
    ],
)
def test_a_wrong_network_is_told_in_one_line(generator, wrong, parts):
    network = networks.define_G(*wrong)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    line = problem_of(legacy.put_into, network, generator.state_dict(), "file.pth")
    assert line.startswith("file.pth does not fit")
    for part in parts:
        assert part in line
    assert states_equal(network.state_dict(), before)


# --- what the command line says against it ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """checkpoints with generators of several architectures, each an experiment."""
    root = tmp_path_factory.mktemp("checkpoints")
    kinds = {
        "plain": (3, 3, 2, "resnet_6blocks", "instance", False),
        "dropout": (3, 3, 2, "resnet_9blocks", "instance", True),
        "unet": (1, 2, 2, "unet_128", "batch", True),
    }
    for name, kind in kinds.items():
        (root / name).mkdir()
        torch.save(networks.define_G(*kind).state_dict(), root / name / "latest_net_G.pth")
    (root / "cyclegan").mkdir()
    for name, (i, o) in {"G_A": (1, 3), "G_B": (3, 1)}.items():
        weights = networks.define_G(i, o, 2, "resnet_6blocks", "instance").state_dict()
        for epoch in ("latest", "5", "10", "iter_400"):
            torch.save(weights, root / "cyclegan" / f"{epoch}_net_{name}.pth")
    return root


def adopted(saved: Path, name: str, *words: str):
    """The options of a run after the files were looked at."""
    opt = parse(["--dataroot", "x", "--checkpoints_dir", str(saved), "--name", name, *words], is_train=False)
    names = {"cycle_gan": ("G_A", "G_B"), "test": (f"G{getattr(opt, 'model_suffix', '')}",)}.get(opt.model, ("G",))
    architecture.adopt(opt, architecture.find_networks(opt, names))
    return opt


@pytest.mark.parametrize(
    "name,words,expected",
    [
        ("plain", [], ("resnet_6blocks", "instance", 2, 3, 3, True)),
        ("plain", ["--netG", "resnet_6blocks", "--norm", "instance", "--ngf", "2", "--no_dropout"], None),
        ("dropout", [], ("resnet_9blocks", "instance", 2, 3, 3, False)),
        ("dropout", ["--use_dropout"], ("resnet_9blocks", "instance", 2, 3, 3, False)),
        ("unet", [], ("unet_128", "batch", 2, 1, 2, False)),
        ("unet", ["--no_dropout"], ("unet_128", "batch", 2, 1, 2, True)),
        ("unet", ["--model", "pix2pix"], ("unet_128", "batch", 2, 1, 2, False)),
        ("unet", ["--norm", "syncbatch"], ("unet_128", "syncbatch", 2, 1, 2, False)),
        ("cyclegan", ["--model", "cycle_gan"], ("resnet_6blocks", "instance", 2, 1, 3, True)),
        ("cyclegan", ["--model_suffix", "_B"], ("resnet_6blocks", "instance", 2, 3, 1, True)),
    ],
)
def test_the_architecture_is_the_files(saved, name, words, expected):
    opt = adopted(saved, name, *words)
    found = (opt.netG, opt.norm, opt.ngf, opt.input_nc, opt.output_nc, opt.no_dropout)
    assert found == (expected or ("resnet_6blocks", "instance", 2, 3, 3, True))


@pytest.mark.parametrize(
    "name,words,flag,truth",
    [
        ("plain", "--netG unet_256", "--netG unet_256", "resnet_6blocks"),
        ("plain", "--which_model_netG resnet_9blocks", "--netG resnet_9blocks", "resnet_6blocks"),
        ("plain", "--norm batch", "--norm batch", "instance"),
        ("plain", "--ngf 64", "--ngf 64", "2"),
        ("plain", "--use_dropout", "--use_dropout", "no dropout"),
        ("dropout", "--no_dropout", "--no_dropout", "it has dropout"),
        ("plain", "--input_nc 1", "--input_nc 1", "3"),
        ("plain", "--output_nc 1", "--output_nc 1", "3"),
        ("unet", "--netG unet_256", "--netG unet_256", "unet_128"),
        ("cyclegan", "--model cycle_gan --input_nc 3", "--input_nc 3", "1"),
    ],
)
def test_a_flag_that_contradicts_the_file(saved, name, words, flag, truth):
    line = problem_of(adopted, saved, name, *words.split())
    file = "latest_net_G_A.pth" if name == "cyclegan" else "latest_net_G.pth"
    assert str(saved / name / file) in line and flag in line and f"leave {flag.split()[0]} out" in line
    assert truth in line.partition(flag)[2]


@pytest.mark.parametrize(
    "name,words,parts",
    [
        ("nowhere", "", ["'nowhere'", "cyclegan, dropout, plain, unet", "--name"]),
        ("plain", "--epoch 5", ["5_net_G.pth", "the epochs latest", "--epoch"]),
        ("cyclegan", "", ["--model_suffix _A", "--model_suffix _B", "--model cycle_gan"]),
        ("cyclegan", "--model pix2pix", ["--model cycle_gan"]),
        ("cyclegan", "--model_suffix _C", ["latest_net_G_C.pth"]),
        ("cyclegan", "--model cycle_gan --epoch 7", ["latest, 5, 10 (--epoch)", "400 (--load_iter)"]),
        ("cyclegan", "--model cycle_gan --load_iter 300", ["iter_300_net_G_A.pth", "400 (--load_iter)"]),
        ("plain", "--model cycle_gan", ["latest_net_G_A.pth", "latest_net_G.pth", "--model test"]),
        ("plain", "--model_suffix _A", ["latest_net_G_A.pth", "without --model_suffix"]),
    ],
)
def test_a_missing_file_says_what_there_is(saved, name, words, parts):
    line = problem_of(adopted, saved, name, *words.split())
    for part in parts:
        assert part in line


def test_an_empty_place(tmp_path):
    assert "train one" in problem_of(adopted, tmp_path / "none", "x")
    (tmp_path / "x").mkdir()
    assert "no networks yet" in problem_of(adopted, tmp_path, "x")


def test_a_discriminator_under_a_generators_name(saved, tmp_path):
    (tmp_path / "x").mkdir()
    weights = networks.define_D(3, 2, "basic").state_dict()
    torch.save(weights, tmp_path / "x" / "latest_net_G.pth")
    assert "it is a discriminator" in problem_of(adopted, tmp_path, "x")


# --- discriminators, where a training goes on ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "made,words,expected",
    [
        (("basic", 3, 4), "", ("basic", 3, 4)),
        (("n_layers", 2, 4), "", ("n_layers", 2, 4)),
        (("n_layers", 3, 4), "--netD n_layers --n_layers_D 3", ("n_layers", 3, 4)),
        (("pixel", 3, 4), "--ndf 4", ("pixel", 3, 4)),
        (("pixel", 3, 4), "--netD basic", "--netD basic"),
        (("basic", 3, 4), "--ndf 64", "--ndf 64"),
        (("n_layers", 2, 4), "--netD n_layers --n_layers_D 4", "--n_layers_D 4"),
    ],
)
def test_a_discriminators_architecture(made, words, expected, tmp_path):
    netD, layers, ndf = made
    path = tmp_path / "latest_net_D_A.pth"
    torch.save(networks.define_D(3, ndf, netD, layers, "instance").state_dict(), path)
    opt = parse(["--dataroot", "x", *words.split()], is_train=True)
    if isinstance(expected, str):
        line = problem_of(architecture.adopt_discriminator, opt, path)
        assert expected in line and str(path) in line
    else:
        architecture.adopt_discriminator(opt, path)
        assert (opt.netD, opt.n_layers_D, opt.ndf) == expected
        weights = networks.define_D(3, opt.ndf, opt.netD, opt.n_layers_D, "instance").state_dict()
        assert {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in legacy.read_weights(path).items()}
