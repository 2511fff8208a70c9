"""genforce's files: our networks under its names give the same pictures again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import golden_file

from legacy import build, from_state_dict, read_networks, to_state_dict
from legacy_torch import discriminator_names, generator_names
from networks import Discriminator, Generator
from shared_scripts.cli import UserError
from stored import StoredNetwork


def genforces(stored: StoredNetwork) -> dict[str, torch.Tensor]:
    """A network's state_dict as genforce has it."""
    levels = int(np.log2(stored.options["resolution"]))
    fused = stored.options["fused_scale"]
    names = generator_names(levels, fused) if stored.kind == "G" else discriminator_names(levels)
    ours = to_state_dict(stored)
    found = {"lod": ours["lod"]}
    for theirs, own in names.items():
        weight, bias = (ours[f"{own.replace('/', '.')}.{part}"] for part in ("weight", "bias"))
        if own == "4x4/Dense":  # (outputs * 16, inputs) to a kernel that is turned when it is applied
            weight = weight.view(len(bias), 4, 4, -1).permute(0, 3, 1, 2).flip(2, 3).contiguous()
        found |= {f"{theirs}.weight": weight, f"{theirs}.bias": bias}
    return found


@pytest.fixture
def networks():
    return read_networks(golden_file("published-style-celebahq-16.pkl"))


def save(path, G, D, Gs) -> None:
    state = {"generator": genforces(G), "discriminator": genforces(D), "generator_smooth": genforces(Gs)}
    torch.save(state, path)


def test_the_same_networks(tmp_path, networks):
    save(tmp_path / "x.pth", *networks)
    found = read_networks(tmp_path / "x.pth")
    for one, other in zip(found, networks, strict=True):
        wanted = other.options | ({"latent_size": None} if one.kind == "G" else {})  # 16 is what it is without a word
        assert one.options == wanted and list(one.variables) == list(other.variables)
        assert all(np.array_equal(value, other.variables[name]) for name, value in one.variables.items())


def test_the_first_layer_is_a_convolution_over_one_pixel(networks):
    """Computed as genforce does: zeros around one pixel, then a 4x4 convolution."""
    stored = networks.Gs
    weight = genforces(stored)["layer0.weight"]
    latents = torch.randn(2, 16)
    there = torch.nn.functional.conv2d(latents[:, :, None, None], weight, padding=3)
    dense = torch.from_numpy(stored.variables["4x4/Dense/weight"])
    assert (there - (latents @ dense).view(2, 16, 4, 4)).abs().max() < 1e-5


@pytest.mark.parametrize("fused", [True, False])
def test_whether_it_is_fused_shows_where_widths_change(tmp_path, fused):
    options = {"resolution": 16, "fmap_base": 64, "fmap_max": 16, "fused_scale": fused}
    generator = from_state_dict(Generator(**options).state_dict(), "G", options)
    torch.save({"generator_smooth": genforces(generator)}, tmp_path / "x.pth")
    found = read_networks(tmp_path / "x.pth")
    assert found.G is None and found.D is None and found.Gs.options == generator.options
    assert torch.equal(build(found.Gs)(torch.ones(1, 16)), build(generator)(torch.ones(1, 16)))


def test_labels_are_refused(tmp_path):
    options = {"resolution": 8, "fmap_base": 32, "fmap_max": 16, "label_size": 3, "fused_scale": False}
    judge = from_state_dict(Discriminator(**options).state_dict(), "D", options)
    torch.save({"discriminator": genforces(judge)}, tmp_path / "x.pth")
    with pytest.raises(UserError, match=r"D in .*x\.pth was made for labels"):
        read_networks(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda s: s.pop("layer3.bias"), "layer3.bias is missing"),
        (lambda s: s.pop("output1.weight"), "no progressive GAN of genforce"),
        (lambda s: s.update({"noise": torch.zeros(1)}), "noise is unknown"),
        (lambda s: s.update({"layer0.weight": torch.zeros(3)}), "shapes make no sense|has the shape|no whole"),
        (lambda s: s.update({"layer2.bias": torch.zeros(3)}), "has the shape"),
        (lambda s: s.clear(), "no progressive GAN of genforce"),
        (lambda s: s.update({"lod": "1"}), "is no state_dict"),
    ],
)
def test_damaged(tmp_path, networks, change, text):
    state = genforces(networks.Gs)
    change(state)
    torch.save({"generator": state}, tmp_path / "x.pth")
    with pytest.raises(UserError, match=text) as caught:
        read_networks(tmp_path / "x.pth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "state, text",
    [
        ({"config": 1, "netG": {}, "netD": {}, "avgG": {}}, "pytorch_GAN_zoo, whose networks differ"),
        ({"other": 1}, "holds no progressive GAN"),
        ([1, 2], "holds no progressive GAN"),
        ({"generator": 5}, "is no state_dict"),
    ],
)
def test_other_projects(tmp_path, state, text):
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(UserError, match=text):
        read_networks(tmp_path / "x.pth")


def test_an_old_file_of_pytorch(tmp_path, networks):
    torch.save({"generator": genforces(networks.G)}, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    assert read_networks(tmp_path / "x.pth").G.parameters == networks.G.parameters
