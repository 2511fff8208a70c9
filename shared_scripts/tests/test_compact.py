"""The compact perceptual network: shapes, what is computed, and its weights file."""

import json

import pytest
import torch
from safetensors import safe_open

from shared_scripts.cli import UserError
from shared_scripts.networks.compact import CompactVGG, compact_mean, load_compact, save_compact
from shared_scripts.networks.layout import DEPTHS, GAINS, HEADS, WEIGHTS, layer_names

LAYERS = list(HEADS)
NO_GAINS = dict.fromkeys(LAYERS, 1.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CompactVGG().eval()


def picture(height, width):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 60


def test_the_layers_are_vgg19s_up_to_relu5_1():
    assert layer_names() == [f"conv{b}_{i}" for b, depth in enumerate((2, 2, 4, 4, 1), 1) for i in range(1, depth + 1)]
    assert len(layer_names()) == sum(DEPTHS) == 13
    assert {*CompactVGG.style_layers, *CompactVGG.content_layers} == set(HEADS)


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("height,width", [(32, 48), (33, 47), (17, 5), (2, 2), (1, 7), (1, 1)])
def test_sizes_are_halved_rounding_up_and_channels_are_the_heads(pooling, height, width):
    with torch.no_grad():
        features = CompactVGG(pooling)(picture(height, width), LAYERS)
    assert features.keys() == HEADS.keys()
    for layer, channels in HEADS.items():
        half = 2 ** (int(layer[4]) - 1)
        assert features[layer].shape == (1, channels, -(-height // half), -(-width // half)), layer
        assert features[layer].min() >= 0 and torch.isfinite(features[layer]).all()


@pytest.mark.parametrize("last", LAYERS)
def test_layers_behind_the_last_asked_are_not_computed(network, last):
    names = layer_names()
    for name in names[names.index(last.replace("relu", "conv")) + 1 :]:
        delattr(network, name)
    for layer in LAYERS:
        if layer != last:
            delattr(network, f"head{layer[4:]}")
    assert network(picture(20, 24), [last])[last].shape[1] == HEADS[last]
    with pytest.raises(AttributeError):
        network(picture(20, 24), LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_does_not_depend_on_what_else_is_asked(network, layer):
    alone, together = network(picture(20, 24), [layer])[layer], network(picture(20, 24), LAYERS[::-1])[layer]
    torch.testing.assert_close(alone, together, rtol=0, atol=0)


def test_the_input_is_left_alone_and_gets_a_gradient(network):
    x = picture(20, 24).requires_grad_()
    before = x.detach().clone()
    sum(value.mean() for value in network(x, LAYERS).values()).backward()
    assert torch.equal(x, before)
    assert torch.isfinite(x.grad).all() and x.grad.abs().max() > 0


def test_borders_are_mirrored(network):
    """A plain picture stays plain: zeros around it would show at its edges."""
    features = network(torch.full((1, 3, 20, 20), 40.0), ["relu1_1", "relu3_1"])
    for value in features.values():
        torch.testing.assert_close(value, value[:, :, :1, :1].expand_as(value), rtol=1e-3, atol=1e-4)


# --- the weights file ---------------------------------------------------------------------------------------------


def test_weights_survive_in_half_precision(network, tmp_path):
    save_compact(network, tmp_path / "x.safetensors", {"steps": 7})
    loaded = load_compact(tmp_path / "x.safetensors", gains=NO_GAINS)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value.half().float(), rtol=0, atol=0)
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert json.loads(file.metadata()["about"]) == {"steps": 7}
        assert all(file.get_tensor(name).dtype == torch.float16 for name in file.keys())


def test_a_loaded_network_is_frozen_and_in_float32(network, tmp_path):
    save_compact(network, tmp_path / "x.safetensors", {})
    loaded = load_compact(tmp_path / "x.safetensors", "avg")
    assert loaded.pooling == "avg" and not loaded.training
    assert all(not p.requires_grad and p.dtype == torch.float32 for p in loaded.parameters())


def test_gains_scale_the_features(network, tmp_path):
    save_compact(network, tmp_path / "x.safetensors", {})
    plain, scaled = (load_compact(tmp_path / "x.safetensors", gains=gains) for gains in (NO_GAINS, GAINS))
    one, other = plain(picture(20, 24), LAYERS), scaled(picture(20, 24), LAYERS)
    for layer in LAYERS:
        torch.testing.assert_close(other[layer], one[layer] * GAINS[layer], rtol=1e-4, atol=1e-3)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="nothing.safetensors"):
        load_compact(tmp_path / "nothing.safetensors")


def test_a_damaged_file_is_named(network, tmp_path):
    path = tmp_path / "x.safetensors"
    save_compact(network, path, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="x.safetensors"):
        load_compact(path)


@pytest.mark.parametrize("change", [lambda w: w.pop("conv5_1.bias"), lambda w: w.update(extra=torch.ones(2)),
                                    lambda w: w.update({"conv1_1.weight": torch.ones(24, 4, 3, 3)})])  # fmt: skip
def test_another_networks_file_is_refused(network, tmp_path, change):
    from safetensors.torch import save_file

    weights = dict(network.state_dict())
    change(weights)
    save_file(weights, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="x.safetensors"):
        load_compact(tmp_path / "x.safetensors")


def test_the_shipped_weights_are_small_and_sound():
    assert WEIGHTS.stat().st_size <= 2.5 * 1024 * 1024
    network = load_compact()
    for name, value in network.state_dict().items():
        assert torch.isfinite(value).all() and value.abs().max() > 0, name


def test_the_shipped_network_tells_textures_apart():
    """Gram matrices of two parts of one texture are more alike than those of two textures."""
    network = load_compact()
    rows = torch.arange(96.0).view(1, 1, 96, 1).expand(1, 3, 96, 96)
    noise = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    stripes, grain = (rows.mul(0.7).sin() * 100 + noise * 20, noise.sub(0.5) * 200)

    def grams(x):
        maps = network(x, LAYERS)
        return {layer: torch.einsum("nchw,ndhw->cd", value, value) / value.numel() for layer, value in maps.items()}

    one, two, other = grams(stripes[..., :64, :]), grams(stripes[..., 32:, :]), grams(grain[..., :64, :])
    for layer in LAYERS:
        assert (one[layer] - two[layer]).square().mean() * 4 < (one[layer] - other[layer]).square().mean(), layer


def test_the_mean_is_vggs():
    assert compact_mean().shape == (1, 3, 1, 1)
    assert tuple(compact_mean().flatten().tolist()) == pytest.approx(CompactVGG.mean)
