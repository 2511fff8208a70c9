"""Checkpoints of every age."""

from __future__ import annotations

import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from conftest import golden_file, load_golden

from legacy import (
    check_flags,
    describe_discriminator,
    describe_generator,
    load_discriminator,
    load_generator,
    read_weights,
)
from networks import Discriminator, Generator
from shared_scripts.cli import UserError

GENERATORS = [
    "legacy_torch03_cuda-G.ckpt",
    "legacy_torch040_cuda-G.ckpt",
    "legacy_py2_torch03_cuda-G.pth",
    "modern_zip-G.ckpt",
    "fork_without_running_stats-G.ckpt",
    "dataparallel_module_prefix-G.ckpt",
]


def sample() -> tuple[torch.Tensor, torch.Tensor, dict]:
    golden = load_golden("legacy_io")
    return torch.from_numpy(golden["x"]), torch.from_numpy(golden["c"]), golden


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("mode", [True, False])
def test_old_generators_paint_the_same(name, mode):
    x, c, golden = sample()
    generator, shape = load_generator(golden_file(name))
    assert (shape.conv_dim, shape.c_dim, shape.repeat_num, shape.last_bias) == (4, 5, 1, False)
    with torch.no_grad():
        assert np.abs(generator.train(mode)(x, c).numpy() - golden["y"]).max() < 2e-6


def test_an_old_discriminator_judges_the_same():
    x, _, golden = sample()
    discriminator, shape = load_discriminator(golden_file("legacy_torch03_cuda-D.ckpt"))
    assert (shape.image_size, shape.conv_dim, shape.c_dim, shape.repeat_num) == (32, 4, 5, 2)
    with torch.no_grad():
        out_src, out_cls = discriminator(x)
    assert np.abs(out_src.numpy() - golden["d_out_src"]).max() < 2e-6
    assert np.abs(out_cls.numpy() - golden["d_out_cls"]).max() < 2e-6


@pytest.mark.parametrize("wrap", [lambda s: {"state_dict": s}, lambda s: {f"_orig_mod.{k}": v for k, v in s.items()}])
def test_wrapped_ones_load_too(tmp_path, wrap):
    x, c, golden = sample()
    weights = read_weights(golden_file("modern_zip-G.ckpt"))
    torch.save(wrap(dict(weights)), tmp_path / "G.ckpt")
    generator, _ = load_generator(tmp_path / "G.ckpt")
    with torch.no_grad():
        assert np.abs(generator(x, c).numpy() - golden["y"]).max() < 2e-6


def test_half_precision_loads(tmp_path):
    generator = Generator(4, 3, 1)
    torch.save(
        {name: v.half() if v.is_floating_point() else v for name, v in generator.state_dict().items()},
        tmp_path / "G.ckpt",
    )
    loaded, _ = load_generator(tmp_path / "G.ckpt")
    assert loaded.main[0].weight.dtype == torch.float32
    assert (loaded.main[0].weight - generator.main[0].weight).abs().max() < 1e-3


def pytorch_gans_name(name: str) -> str:
    """As that project calls the layer."""
    return re.sub(r"^main\.", "model.", re.sub(r"(\d+\.)main\.", r"\1conv_block.", name))


def test_pytorch_gans_files_load_with_the_bias_of_their_last_layer(tmp_path):
    torch.manual_seed(0)
    generator = Generator(4, 5, 2, last_bias=True)
    torch.save(
        {pytorch_gans_name(name): value for name, value in generator.state_dict().items()}, tmp_path / "generator.pth"
    )
    loaded, shape = load_generator(tmp_path / "generator.pth")
    x, c = torch.rand(1, 3, 16, 16), torch.rand(1, 5)
    assert shape.last_bias and float(generator.main[-2].bias.detach().abs().max()) > 0
    with torch.no_grad():
        assert torch.equal(loaded(x, c), generator(x, c))
    discriminator = Discriminator(16, 4, 5, 3)
    names = {"conv1": "out1", "conv2": "out2", "main": "model"}
    state = {
        f"{names[name.split('.')[0]]}.{name.partition('.')[2]}": v for name, v in discriminator.state_dict().items()
    }
    torch.save(state, tmp_path / "discriminator.pth")
    other, shape = load_discriminator(tmp_path / "discriminator.pth")
    assert shape.image_size == 16 and torch.equal(other(x)[1], discriminator(x)[1])


def test_what_we_write_has_the_originals_layout():
    """103 tensors for six blocks: the layout of torch 0.4.1 and later, which the original reads strictly."""
    with torch.device("meta"):
        names = list(Generator().state_dict())
    golden = load_golden("full_width_recipe_128")
    assert len(names) == 103 and names == golden["g_keys"].tolist()


# --- what does not fit, and what is no checkpoint -----------------------------------------------------------------


def test_the_other_network_is_recognised():
    with pytest.raises(UserError, match="no generator of StarGAN; it is a discriminator: take the file with G"):
        load_generator(golden_file("legacy_torch03_cuda-D.ckpt"))
    with pytest.raises(UserError, match="no discriminator of StarGAN; it is a generator: take the file with D"):
        load_discriminator(golden_file("modern_zip-G.ckpt"))


def test_anothers_network_is_recognised(tmp_path):
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 7)).state_dict(), tmp_path / "x.pth")
    with pytest.raises(UserError, match=r"x\.pth holds no generator of StarGAN$"):
        load_generator(tmp_path / "x.pth")


@pytest.mark.parametrize("drop", ["main.9.main.1.weight", "main.16.weight", "main.3.weight"])
def test_a_missing_tensor_is_named(tmp_path, drop):
    weights = {name: value for name, value in Generator(4, 5, 6).state_dict().items() if name != drop}
    torch.save(weights, tmp_path / "G.ckpt")
    with pytest.raises(UserError, match=re.escape(f"1 missing (such as {drop})")):
        load_generator(tmp_path / "G.ckpt")


def test_code_in_a_file_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    (tmp_path / "G.ckpt").write_bytes(pickle.dumps({"main.0.weight": Evil()}))
    torch.save({"main.0.weight": Evil()}, tmp_path / "zip.ckpt")
    for name in ("G.ckpt", "zip.ckpt"):
        with pytest.raises(UserError, match="no saved state, or holds code|is damaged"):
            load_generator(tmp_path / name)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["legacy_torch03_cuda-G.ckpt", "modern_zip-G.ckpt"])
def test_damaged_files_are_told_in_one_line(tmp_path, name):
    whole = golden_file(name).read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 10):
        (tmp_path / "G.ckpt").write_bytes(whole[:size])
        with pytest.raises(UserError) as caught:
            load_generator(tmp_path / "G.ckpt")
        assert "G.ckpt" in str(caught.value) and "\n" not in str(caught.value)


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "G.ckpt", "w") as file:
        file.writestr("a.txt", "celeba")
    with pytest.raises(UserError, match="is damaged or no saved state"):
        load_generator(tmp_path / "G.ckpt")


def test_a_flag_that_the_file_contradicts(tmp_path):
    check_flags({"g_conv_dim": 32}, {"g_conv_dim": 32}, tmp_path), check_flags({"g_conv_dim": 32}, {}, tmp_path)
    with pytest.raises(UserError, match="has --g_conv_dim 32, not 64; leave the flag out"):
        check_flags({"g_conv_dim": 32}, {"g_conv_dim": 64}, tmp_path)


def test_descriptions_of_full_size_networks():
    with torch.device("meta"):
        assert describe_generator(Generator(64, 15, 6).state_dict(), "G").c_dim == 15
        found = describe_discriminator(Discriminator(256, 64, 5).state_dict(), "D")
    assert (found.image_size, found.repeat_num, found.conv_dim) == (256, 6, 64)
