"""The VGG-19 files people have: MatConvNet's .mat (two layouts), torchvision's .pth and the Caffe conversion's.

None of them is unpickled: .mat files hold arrays only, .pth files are read with `weights_only`. What is needed of
them, 80 of 500 MB, is kept beside the file (`….convs.safetensors`), so only the first run pays for the reading.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from networks import DEPTHS, MEAN, VGG19, convolution_names, layer_order
from shared_scripts.checkpoints import load_safetensors, load_tensors, save_safetensors
from shared_scripts.cli import UserError

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
    """`imagenet-vgg-verydeep-19.mat`, of today's layout or the older "beta16" one.

    Fields are addressed by name. The kernel lies in the file as (width, height, in, out).
    """
    import scipy.io

    try:
        file = scipy.io.loadmat(path)
    except Exception as problem:  # scipy raises a dozen kinds for damaged files
        raise UserError(f"{path} is damaged or cut short ({problem}); fetch it again") from problem
    if "layers" not in file:
        raise UserError(f"{path} is a MATLAB file, but not MatConvNet's VGG-19: it has no 'layers'")
    layers = file["layers"].ravel()
    if len(layers) < len(layer_order()):
        raise UserError(f"{path} has {len(layers)} layers, fewer than VGG-19's {len(layer_order())} (VGG-16 perhaps?)")
    try:
        convolutions = {
            name: convert_layer(layers[index]) for index, name in enumerate(layer_order()) if name.startswith("conv")
        }
        mean = mean_pixel(file)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as problem:
        raise UserError(f"{path} is a MATLAB file, but its layers are not MatConvNet's VGG-19 ({problem})") from problem
    check_chain(path, convolutions)
    return Weights(convolutions, mean, "MatConvNet")


def convert_layer(cell: np.ndarray) -> tuple[Tensor, Tensor]:
    """One layer's struct -> kernel (out, in, 3, 3), bias (out,). The beta16 layout has only the weights first."""
    struct = cell.ravel()[0]
    names = struct.dtype.names or ()
    weights = struct["weights"] if "weights" in names else struct[0]
    kernel, bias = weights.ravel()[0], weights.ravel()[1]
    kernel = np.ascontiguousarray(np.transpose(kernel, (3, 2, 1, 0)), dtype=np.float32)
    return torch.from_numpy(kernel), torch.from_numpy(np.asarray(bias, dtype=np.float32).ravel().copy())


def mean_pixel(file: dict) -> tuple[float, ...]:
    """The RGB mean: one pixel in today's layout, an average image in the older."""
    if "normalization" in file:  # beta16
        normalization = file["normalization"].ravel()[0]
    else:
        meta = file["meta"].ravel()[0]
        normalization = meta["normalization"].ravel()[0]
    names = normalization.dtype.names or ()
    position = 0 if "normalization" in file else 2
    image = normalization["averageImage"] if "averageImage" in names else normalization[position]
    while image.dtype == object:  # cells within cells
        image = image.ravel()[0]
    image = np.asarray(image, dtype=np.float64)
    if image.size == 3:
        return tuple(image.ravel())
    return tuple(image.reshape(-1, image.shape[-1]).mean(axis=0))


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
    """UserError unless the kernels are 3x3, begin at RGB and each takes what the one before gives, all finite."""
    channels = 3
    for name, (kernel, bias) in convolutions.items():
        if kernel.shape[1:] != (channels, 3, 3) or bias.shape != kernel.shape[:1]:
            raise UserError(f"{path} is not VGG-19: its {name} has the shape {tuple(kernel.shape)}")
        if not (torch.isfinite(kernel).all() and torch.isfinite(bias).all()):
            raise UserError(f"{path} is damaged: its {name} holds numbers that are not finite; fetch it again")
        channels = kernel.shape[0]


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
