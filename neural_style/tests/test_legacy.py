"""The weight files people have: the good ones, their cache, and every kind of bad one."""

import os
import pickle
import re
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from safetensors.torch import save, save_file
from torch import nn

from legacy import cache_path, load_vgg19, read_weights
from networks import MEAN
from shared_scripts.cli import UserError, one_line

WIDTHS = (4, 5, 6, 7, 8)
VGG19_DEPTHS, VGG16_DEPTHS = (2, 2, 4, 4, 4), (2, 2, 3, 3, 3)
RELUS = {1: "relu1_1", 6: "relu2_1", 11: "relu3_1", 20: "relu4_1", 29: "relu5_1"}  # index in torchvision's features
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def torchvision_like(depths=VGG19_DEPTHS, seed=0):
    """A narrow random network built and named as torchvision's VGG, with the right gains for its depth."""
    torch.manual_seed(seed)
    layers, channels = [], 3
    for width, depth in zip(WIDTHS, depths, strict=True):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            nn.init.normal_(layers[-2].weight, std=(2 / (9 * channels)) ** 0.5)
            nn.init.normal_(layers[-2].bias)
            channels = width
        layers.append(nn.MaxPool2d(2, 2))
    network = nn.Module()
    network.features = nn.Sequential(*layers)
    return network


def state_dict(network, classifier=(0, 3, 6)):
    state = OrderedDict((name, value.detach().clone()) for name, value in network.state_dict().items())
    for index in classifier:
        state[f"classifier.{index}.weight"], state[f"classifier.{index}.bias"] = torch.zeros(2, 2), torch.zeros(2)
    return state


def own_features(network, x):
    """Features of torchvision's network on its own input, {layer: array}; sizes must be multiples of 16."""
    found = {}
    with torch.no_grad():
        for index, layer in enumerate(network.features):
            x = layer(x)
            if index in RELUS:
                found[RELUS[index]] = x.numpy().copy()
    return found


def rgb(height=32, width=48):
    """(1, 3, H, W), RGB 0..255"""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(3)) * 255


def channels(values):
    return torch.tensor(values).view(1, 3, 1, 1)


def check_features(network, expected):
    found = network(rgb() - channels(network.mean), list(expected))
    for layer, value in expected.items():
        assert np.abs(found[layer].numpy() - value).max() <= 1e-4 * np.abs(value).max(), layer


def refused(path, *words, file_format="auto"):
    """Check that the file ends in a UserError of one line that names it, holds the words, and leaves no cache."""
    with pytest.raises(UserError) as problem:
        load_vgg19(path, file_format=file_format)
    message = str(problem.value)
    assert str(path) in message and len(message) < 500
    for word in words:
        assert word in message, message
    assert not cache_path(path).exists()


# --- the good ones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout,mean", [("new", MEAN), ("old", None)])
def test_both_mat_layouts_load(weight_files, layout, mean):
    network, notes = load_vgg19(weight_files[layout])
    assert notes == []
    assert tuple(network.conv5_4_weight.shape) == (12, 12, 3, 3)
    assert str(weight_files[layout]) in network.title
    if mean:
        assert network.mean == pytest.approx(mean)


def test_kernels_axes_are_swapped(weight_files):
    """The file has (width, height, in, out)."""
    stored = scipy.io.loadmat(weight_files["new"])["layers"][0, 0][0, 0]["weights"][0, 0]
    kernel, _ = read_weights(weight_files["new"]).convolutions["conv1_1"]
    assert kernel[1, 2, 0, 1].item() == stored[1, 0, 2, 1] != stored[0, 1, 2, 1]


def test_torchvisions_features_come_out_scaled(tmp_path):
    """(rgb / 255 - mean) / std goes in there, rgb - mean here; all layers come out 255 mean(std) = 57 times larger."""
    original = torchvision_like()
    torch.save(state_dict(original), tmp_path / "vgg19-dcbb9e9d.pth")
    network, notes = load_vgg19(tmp_path / "vgg19-dcbb9e9d.pth")
    own = own_features(original, (rgb() / 255 - channels(IMAGENET_MEAN)) / channels(IMAGENET_STD))
    gain = 255 * np.mean(IMAGENET_STD)
    check_features(network, {layer: gain * value for layer, value in own.items()})
    assert len(notes) == 1 and "torchvision" in notes[0]


@pytest.mark.parametrize(
    "name,classifier,file_format",
    [
        ("vgg19-d01eb7cb.pth", (0, 3, 6), "auto"),
        ("vgg19_caffe.pth", (0, 3, 6), "auto"),
        ("weights.pth", (1, 4, 6), "auto"),
        ("weights.pth", (0, 3, 6), "caffe"),
        ("vgg19-dcbb9e9d.pth", (0, 3, 6), "caffe"),
    ],
)
def test_the_caffe_conversion_sees_blue_green_red(tmp_path, name, classifier, file_format):
    original = torchvision_like()
    torch.save(state_dict(original, classifier), tmp_path / name)
    network, _ = load_vgg19(tmp_path / name, file_format=file_format)
    check_features(network, own_features(original, rgb().flip(1) - channels(CAFFE_MEAN_BGR)))


def test_a_pth_of_unknown_origin_is_taken_for_torchvisions_unless_told(tmp_path):
    torch.save(state_dict(torchvision_like()), tmp_path / "weights.pth")
    assert "torchvision" in load_vgg19(tmp_path / "weights.pth")[0].title
    assert "Caffe" in load_vgg19(tmp_path / "weights.pth", file_format="caffe")[0].title
    assert "torchvision" in load_vgg19(tmp_path / "weights.pth", file_format="torchvision")[0].title


def test_the_old_torch_format_loads(tmp_path):
    """Files from before PyTorch 1.6, as the Caffe conversion is."""
    path = tmp_path / "vgg19-d01eb7cb.pth"
    torch.save(state_dict(torchvision_like()), path, _use_new_zipfile_serialization=False)
    assert "Caffe" in load_vgg19(path)[0].title


def test_safetensors_load(tmp_path):
    save_file(dict(state_dict(torchvision_like())), tmp_path / "vgg19.safetensors")
    assert "torchvision" in load_vgg19(tmp_path / "vgg19.safetensors")[0].title


def test_half_precision_weights_are_widened(tmp_path):
    torch.save({n: v.half() for n, v in state_dict(torchvision_like()).items()}, tmp_path / "vgg19.pth")
    network, _ = load_vgg19(tmp_path / "vgg19.pth")
    assert all(value.dtype == torch.float32 for value in network.buffers())


def test_the_pooling_reaches_the_network(weight_files):
    x = rgb() - channels(MEAN)
    pools = {kind: load_vgg19(weight_files["new"], kind)[0](x, ["pool1"])["pool1"] for kind in ("max", "avg")}
    assert (pools["max"] >= pools["avg"]).all() and not torch.equal(pools["max"], pools["avg"])


# --- the cache ----------------------------------------------------------------------------------------------------


def weights_of(network):
    return {name: value.clone() for name, value in network.named_buffers()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def spoil(path):
    """Overwrite a file with rubbish of the same length, and set its time back to what it was."""
    status = path.stat()
    path.write_bytes(b"\xaa" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_the_cache_is_written_and_used(tiny_mat):
    first, _ = load_vgg19(tiny_mat)
    assert cache_path(tiny_mat).is_file()
    spoil(tiny_mat)
    second, notes = load_vgg19(tiny_mat)
    assert same(weights_of(first), weights_of(second))
    assert (first.mean, first.title, notes) == (second.mean, second.title, [])


def test_notes_are_told_again_from_the_cache(tmp_path):
    torch.save(state_dict(torchvision_like()), tmp_path / "vgg19.pth")
    assert load_vgg19(tmp_path / "vgg19.pth")[1] == load_vgg19(tmp_path / "vgg19.pth")[1] != []


def test_a_file_that_changed_is_read_again(tiny_mat):
    load_vgg19(tiny_mat)
    spoil(tiny_mat)
    os.utime(tiny_mat)
    with pytest.raises(UserError, match="damaged"):
        load_vgg19(tiny_mat)


def test_another_format_is_read_again(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(state_dict(torchvision_like()), path)
    as_torchvision, as_caffe = (load_vgg19(path, file_format=name)[0] for name in ("torchvision", "caffe"))
    assert not torch.equal(as_torchvision.conv1_1_weight, as_caffe.conv1_1_weight)


DAMAGES = {
    "empty": lambda whole: b"",
    "cut short": lambda whole: whole[: len(whole) // 2],
    "rubbish": lambda whole: b"\xaa" * len(whole),
    "no metadata": lambda whole: save({}),
    "other metadata": lambda whole: save({}, {"about": "[1, 2, 3]"}),
    "text for metadata": lambda whole: save({}, {"about": "oh"}),
    "other tensors": lambda whole: whole.replace(b"conv5_4.bias", b"conv9_9.bias"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_again(tiny_mat, damage):
    first, _ = load_vgg19(tiny_mat)
    cache = cache_path(tiny_mat)
    whole = cache.read_bytes()
    cache.write_bytes(DAMAGES[damage](whole))
    assert cache.read_bytes() != whole
    second, notes = load_vgg19(tiny_mat)
    assert same(weights_of(first), weights_of(second)) and notes == []
    assert cache.stat().st_size == len(whole)
    spoil(tiny_mat)
    assert same(weights_of(first), weights_of(load_vgg19(tiny_mat)[0]))


def test_where_the_cache_cannot_be_written_a_note_says_so(tiny_mat):
    cache_path(tiny_mat).mkdir()
    _, notes = load_vgg19(tiny_mat)
    assert len(notes) == 1 and "could not be cached" in notes[0]
    assert sorted(path.name for path in tiny_mat.parent.iterdir()) == [tiny_mat.name, cache_path(tiny_mat).name]


def test_a_read_only_folder_is_no_obstacle(tiny_mat):
    """/proc/self/fd takes no new files, not even root's."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system has no /proc")
    with open(tiny_mat, "rb") as file:
        network, notes = load_vgg19(Path(f"/proc/self/fd/{file.fileno()}"))
    assert network.mean == pytest.approx(MEAN)
    assert len(notes) == 1 and "could not be cached" in notes[0]


# --- the bad ones -------------------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path):
    refused(tmp_path / "nothing.mat", "does not exist", "download_network.sh")


@pytest.mark.parametrize("name", ["page.mat", "page.pth"])
@pytest.mark.parametrize("text", ["<!DOCTYPE html><html>404</html>", "\n  <html>"])
def test_a_web_page(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    refused(tmp_path / name, "web page")


@pytest.mark.parametrize("name", ["empty.mat", "empty.pth", "empty.safetensors"])
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_mat_that_is_cut_short(tiny_mat, share):
    whole = tiny_mat.read_bytes()
    tiny_mat.write_bytes(whole[: int(len(whole) * share)])
    refused(tiny_mat)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_pth_that_is_cut_short(tmp_path, share, zipped):
    path = tmp_path / "vgg19.pth"
    torch.save(state_dict(torchvision_like()), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, "damaged")


@pytest.mark.parametrize("name", ["rubbish.mat", "rubbish.pth", "rubbish.bin"])
@pytest.mark.parametrize("seed", range(4))
def test_rubbish(tmp_path, name, seed):
    (tmp_path / name).write_bytes(np.random.default_rng(seed).bytes(3000))
    refused(tmp_path / name)


def mat_layers(count, widths):
    """Layers as MatConvNet names them; `widths(i)` is the i-th layer's output, 0 for a layer without weights."""
    cells, channels = np.empty((1, count), dtype=object), 3
    for i in range(count):
        layer = {"name": f"layer{i}", "type": "relu"}
        if width := widths(i):
            weights = np.empty((1, 2), dtype=object)
            weights[0, 0] = np.ones((3, 3, channels, width), np.float32)
            weights[0, 1] = np.ones((width, 1), np.float32)
            layer = {"name": f"layer{i}", "type": "conv", "weights": weights}
            channels = width
        cells[0, i] = layer
    return cells


def vgg16_widths(i):
    """VGG-16's convolutions are the layers 0, 2, 5, 7, 10, 12, 14, 17, …"""
    return 4 if i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28) else 0


META = {"normalization": {"imageSize": [224, 224, 3], "interpolation": "bicubic", "averageImage": np.ones((1, 1, 3))}}


@pytest.mark.parametrize(
    "content",
    [
        {"something": np.eye(3)},
        {"layers": np.eye(3)},
        {"layers": np.eye(7), "meta": META},
        {"layers": "text"},
        {"layers": mat_layers(5, lambda i: 4), "meta": META},
        {"layers": mat_layers(37, vgg16_widths), "meta": META},
        {"layers": mat_layers(43, lambda i: 0), "meta": META},
    ],
    ids=["other", "matrix", "square", "text", "short", "vgg16", "no convolutions"],
)
def test_a_mat_of_something_else(tmp_path, content):
    scipy.io.savemat(tmp_path / "other.mat", content)
    refused(tmp_path / "other.mat")


@pytest.mark.parametrize("meta", [None, {}, {"normalization": {}}, {"normalization": np.eye(2)}, "text"])
def test_a_mat_without_a_mean(tmp_path, meta):
    convolutions, index = set(), 0
    for depth in VGG19_DEPTHS:
        convolutions.update(range(index, index + 2 * depth, 2))
        index += 2 * depth + 1
    layers = mat_layers(43, lambda i: 4 if i in convolutions else 0)
    scipy.io.savemat(tmp_path / "good.mat", {"layers": layers, "meta": META})
    assert load_vgg19(tmp_path / "good.mat")[0].mean == (1, 1, 1)
    scipy.io.savemat(tmp_path / "bad.mat", {"layers": layers, **({} if meta is None else {"meta": meta})})
    refused(tmp_path / "bad.mat")


def test_a_newer_kind_of_mat(tmp_path):
    """MATLAB 7.3 files are HDF5."""
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
    refused(tmp_path / "new.mat")


def test_vgg16_as_pth(tmp_path):
    torch.save(state_dict(torchvision_like(VGG16_DEPTHS)), tmp_path / "vgg16.pth")
    refused(tmp_path / "vgg16.pth", "VGG-19")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"weight": torch.ones(3)},
        {"state_dict": {"features.0.weight": torch.ones(4, 3, 3, 3)}},
        [torch.ones(3)],
        torch.ones(3),
        "text",
    ],
    ids=["nothing", "other", "nested", "list", "tensor", "text"],
)
def test_a_pth_of_something_else(tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    refused(tmp_path / "other.pth")


class Malice:
    """Unpickling this makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["torch", "old torch", "pickle"])
@pytest.mark.parametrize("name", ["weights.pth", "weights.mat", "weights.bin"])
def test_a_pickle_with_code_in_it_is_not_executed(tmp_path, kind, name):
    path, victim = tmp_path / name, tmp_path / "victim"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"features.0.weight": Malice(victim)}))
    else:
        torch.save({"features.0.weight": Malice(victim)}, path, _use_new_zipfile_serialization=kind == "torch")
    refused(path)
    assert not victim.exists()


def changed(**changes):
    state = state_dict(torchvision_like())
    for name, change in changes.items():
        key = f"features.{name[1:]}.weight"
        state[key] = change(state[key])
    return state


def with_nan(value):
    value[0, 0, 0, 0] = float("nan")
    return value


@pytest.mark.parametrize(
    "state,words",
    [
        (changed(_28=with_nan), ("conv5_1", "not finite")),
        (changed(_34=lambda value: value / 0), ("conv5_4", "not finite")),
        (changed(_0=lambda value: value[:, :2]), ("conv1_1",)),
        (changed(_5=lambda value: value[:3]), ("conv2_1",)),
        (changed(_7=lambda value: value[:, :, :1, :1]), ("conv2_2",)),
        (changed(_7=lambda value: value[0, 0]), ("VGG-19",)),
    ],
    ids=["nan", "infinite", "two colours", "outputs missing", "1x1", "matrix"],
)
def test_weights_that_cannot_be(tmp_path, state, words):
    torch.save(state, tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", *words)


def test_a_file_of_another_format_than_told(tiny_mat, tmp_path):
    torch.save(state_dict(torchvision_like()), tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", file_format="matconvnet")
    refused(tiny_mat, file_format="torchvision")


def test_messages_are_one_line_on_the_terminal(tmp_path):
    shutil.copy(__file__, tmp_path / "python.pth")
    with pytest.raises(UserError) as problem:
        load_vgg19(tmp_path / "python.pth")
    assert not re.search(r"[\r\n]", one_line(problem.value))
