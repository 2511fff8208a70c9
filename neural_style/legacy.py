"""The VGG-19 files people have: MatConvNet's .mat (two layouts), torchvision's .pth and the Caffe conversion's.

None of them is unpickled: .mat files hold arrays only, .pth files are read with `weights_only`. What is needed of
them, 80 of 500 MB, is kept beside the file (`….convs.safetensors`), so only the first run pays for the reading.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from networks import MEAN, VGG19
from shared_scripts.checkpoints import load_safetensors, load_tensors, save_safetensors
from shared_scripts.cli import UserError
from shared_scripts.networks import matconvnet
from shared_scripts.networks.matconvnet import DEPTHS, convolution_names

CACHE_SUFFIX = ".convs.safetensors"
IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision's, of RGB 0..1
IMAGENET_STD = (0.229, 0.224, 0.225)
# torch.hub names files by the first digits of their SHA-256
TORCHVISION_HASH, CAFFE_HASH = "dcbb9e9d", "d01eb7cb"
FORMATS = ("auto", "matconvnet", "torchvision", "caffe")


@dataclass(frozen=True)
class Weights:
    """Sixteen convolutions (name -> kernel (out, in, 3, 3), bias (out,)), the RGB mean to subtract, the origin."""

    convolutions: dict[str, tuple[Tensor, Tensor]]
    mean: tuple[float, ...]
    origin: str
    notes: list[str] = field(default_factory=list)


def load_vgg19(path: Path, pooling: str = "max", file_format: str = "auto") -> tuple[VGG19, list[str]]:
    """The network of a weight file, frozen, and lines to tell the user about it.

    Raises UserError where the file is missing, damaged, or holds something else.
    """
    weights = read_cache(path, file_format)
    if weights is None:
        weights = read_weights(path, file_format)
        weights.notes.extend(write_cache(path, weights, file_format))
    network = VGG19(weights.convolutions, weights.mean, pooling)
    network.title = f"VGG-19 ({weights.origin}, {path})"
    return network.eval(), weights.notes


def read_weights(path: Path, file_format: str = "auto") -> Weights:
    """Read any of the accepted files. `file_format` is one of FORMATS; `auto` looks at the file."""
    if not path.is_file():
        raise UserError(f"Network {path} does not exist. Get it with: bash neural_style/scripts/download_network.sh")
    head = path.read_bytes()[:512] if path.stat().st_size < 1 << 20 else read_head(path)
    if head.lstrip()[:1] == b"<":
        raise UserError(f"{path} is a web page, not a network: its download went wrong; delete it and fetch it again")
    looks_matlab = head.startswith(b"MATLAB 5.0")
    if file_format == "matconvnet" or (file_format == "auto" and looks_matlab):
        return read_matconvnet(path)
    if file_format == "auto" and path.suffix == ".mat":
        raise UserError(f"{path} is damaged or no MATLAB file; it should be 534,904,783 bytes: fetch it again")
    return read_pytorch(path, file_format)


def read_head(path: Path, size: int = 512) -> bytes:
    """The first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(size)


# --- MatConvNet -------------------------------------------------------------------------------------------------


def read_matconvnet(path: Path) -> Weights:
    """`imagenet-vgg-verydeep-19.mat`, of either layout; kernels become (out, in, height, width)."""
    file = matconvnet.read_matconvnet(path)
    convolutions = {
        name: (torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias))
        for name, (kernel, bias) in file.convolutions.items()
    }
    return Weights(convolutions, file.mean, "MatConvNet")


# --- PyTorch ----------------------------------------------------------------------------------------------------


def feature_indices() -> list[int]:
    """Where torchvision's `features` has its sixteen convolutions: 0, 2, 5, 7, 10, … 34."""
    indices, index = [], 0
    for depth in DEPTHS:
        for _ in range(depth):
            indices.append(index)
            index += 2  # convolution, ReLU
        index += 1  # pool
    return indices


def read_pytorch(path: Path, file_format: str = "auto") -> Weights:
    """A state_dict with torchvision's keys: torchvision's own weights or the Caffe conversion."""
    state = load_tensors(path)
    convolutions = {}
    for name, index in zip(convolution_names(), feature_indices(), strict=True):
        kernel, bias = state.get(f"features.{index}.weight"), state.get(f"features.{index}.bias")
        if kernel is None or bias is None or kernel.ndim != 4:
            raise UserError(
                f"{path} is not VGG-19: it has no convolution features.{index} (VGG-16 or another network?)"
            )
        convolutions[name] = (kernel.float(), bias.float())
    check_chain(path, convolutions)
    if file_format == "auto":
        file_format = guess_pytorch_format(path, state)
    return from_caffe(convolutions) if file_format == "caffe" else from_torchvision(convolutions)


def guess_pytorch_format(path: Path, state: dict[str, Tensor]) -> str:
    """`caffe` or `torchvision`: by the hash in the name, by old key names, by the file's own hash, in this order."""
    if CAFFE_HASH in path.name or "caffe" in path.name.lower() or "classifier.1.weight" in state:
        return "caffe"
    if TORCHVISION_HASH in path.name:
        return "torchvision"
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read())
    return "caffe" if digest.hexdigest().startswith(CAFFE_HASH) else "torchvision"


def from_caffe(convolutions: dict[str, tuple[Tensor, Tensor]]) -> Weights:
    """The Caffe conversion expects BGR 0..255 minus the mean: reversing its first kernel's inputs makes that RGB."""
    kernel, bias = convolutions["conv1_1"]
    return Weights({**convolutions, "conv1_1": (kernel.flip(1), bias)}, MEAN, "Caffe conversion")


def from_torchvision(convolutions: dict[str, tuple[Tensor, Tensor]]) -> Weights:
    """torchvision's network, rewritten for RGB 0..255 minus the mean.

    It expects (rgb / 255 - mean) / std, so its activations are some 57 times smaller than those of the networks fed
    with 0..255, and the default weights would mean next to no style. Scaling every bias by `gain` = 255 mean(std) and
    the first kernel by gain / (255 std) gives exactly `gain` times torchvision's features, which is comparable.
    """
    gain = 255 * sum(IMAGENET_STD) / 3
    scaled = {name: (kernel, bias * gain) for name, (kernel, bias) in convolutions.items()}
    kernel, bias = scaled["conv1_1"]
    per_channel = gain / (255 * torch.tensor(IMAGENET_STD, dtype=kernel.dtype))
    scaled["conv1_1"] = (kernel * per_channel.view(1, 3, 1, 1), bias)
    note = f"torchvision's weights: features are scaled by {gain:.1f} so that the default weights fit"
    return Weights(scaled, tuple(255 * value for value in IMAGENET_MEAN), "torchvision", [note])


def check_chain(path: Path, convolutions: dict[str, tuple[Tensor, Tensor]]) -> None:
    """UserError unless these are VGG-19's convolutions, all finite."""
    arrays = {name: (kernel.permute(2, 3, 1, 0).numpy(), bias.numpy()) for name, (kernel, bias) in convolutions.items()}
    matconvnet.check_chain(path, arrays)


# --- the cache --------------------------------------------------------------------------------------------------


def cache_path(path: Path) -> Path:
    """Where the convolutions of a weight file are kept."""
    return path.with_name(path.name + CACHE_SUFFIX)


def fingerprint(path: Path, file_format: str) -> str:
    """Changes when the weight file does."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {file_format}"


def read_cache(path: Path, file_format: str) -> Weights | None:
    """The cached convolutions, or None where there are none, or they are of another file or damaged."""
    from safetensors import SafetensorError, safe_open

    cache = cache_path(path)
    if not (path.is_file() and cache.is_file()):
        return None
    try:
        with safe_open(cache, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
        if about.get("fingerprint") != fingerprint(path, file_format):
            return None
        tensors = load_safetensors(cache)
        convolutions = {name: (tensors[f"{name}.weight"], tensors[f"{name}.bias"]) for name in convolution_names()}
        return Weights(convolutions, tuple(about["mean"]), about["origin"], about["notes"])
    except (SafetensorError, UserError, KeyError, ValueError, TypeError, AttributeError, OSError):
        return None  # it will be written again


def write_cache(path: Path, weights: Weights, file_format: str) -> list[str]:
    """Keep the convolutions beside the file. Where that folder is read-only, say so and go on."""
    tensors = {}
    for name, (kernel, bias) in weights.convolutions.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = kernel, bias
    about = {
        "fingerprint": fingerprint(path, file_format),
        "mean": weights.mean,
        "origin": weights.origin,
        "notes": weights.notes,
    }
    try:
        save_safetensors(cache_path(path), tensors, {"about": json.dumps(about)})
    except UserError as problem:
        return [f"The network could not be cached ({problem}); every run will read the whole file."]
    return []
