"""VGG-19 out of MatConvNet's `imagenet-vgg-verydeep-19.mat`, of today's layout or the older "beta16" one, as arrays.

A .mat file holds arrays only: nothing in it is executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared_scripts.cli import UserError

DEPTHS = (2, 2, 4, 4, 4)  # VGG-19's convolutions in each of the five blocks


@dataclass(frozen=True)
class MatConvNet:
    """Sixteen convolutions (name -> kernel (height, width, in, out), bias (out,)), and the RGB mean to subtract."""

    convolutions: dict[str, tuple[np.ndarray, np.ndarray]]
    mean: tuple[float, ...]


def layer_order() -> list[str]:
    """VGG-19's 36 layer names in order: conv1_1, relu1_1, conv1_2, relu1_2, pool1, … relu5_4."""
    names = []
    for block, depth in enumerate(DEPTHS, 1):
        for i in range(1, depth + 1):
            names += [f"conv{block}_{i}", f"relu{block}_{i}"]
        if block < len(DEPTHS):
            names.append(f"pool{block}")
    return names


def convolution_names() -> list[str]:
    """The sixteen convolutions' names in order."""
    return [name for name in layer_order() if name.startswith("conv")]


def read_matconvnet(path: Path) -> MatConvNet:
    """Read the file; fields are addressed by name. UserError where it is missing, damaged or another network's."""
    import scipy.io

    if not path.is_file():
        raise UserError(f"there is no file {path}")
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
    return MatConvNet(convolutions, mean)


def convert_layer(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One layer's struct -> kernel (height, width, in, out), bias (out,).

    The kernel lies in the file as (width, height, in, out). The beta16 layout has the weights as its first field.
    """
    struct = cell.ravel()[0]
    names = struct.dtype.names or ()
    weights = struct["weights"] if "weights" in names else struct[0]
    kernel, bias = weights.ravel()[0], weights.ravel()[1]
    kernel = np.ascontiguousarray(np.transpose(kernel, (1, 0, 2, 3)), dtype=np.float32)
    return kernel, np.asarray(bias, dtype=np.float32).ravel().copy()


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


def check_chain(path: Path, convolutions: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """UserError unless the kernels are 3x3, begin at RGB and each takes what the one before gives, all finite."""
    channels = 3
    for name, (kernel, bias) in convolutions.items():
        if kernel.shape[:3] != (3, 3, channels) or bias.shape != kernel.shape[3:]:
            raise UserError(f"{path} is not VGG-19: its {name} has the shape {kernel.shape}")
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise UserError(f"{path} is damaged: its {name} holds numbers that are not finite; fetch it again")
        channels = kernel.shape[3]
