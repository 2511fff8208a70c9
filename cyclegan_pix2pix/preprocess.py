"""From a picture to what the networks see: grey, size, crop, flip, and float32 (bands, H, W) in [-1, 1].

The draws follow the original's, one by one, so that a seed gives the same crops: Python's random numbers where two
pictures share one crop (`get_params`), torch's where each has its own. `rules="2018"` prepares pictures as the code
did that the first published models were trained with.
"""

from __future__ import annotations

import random
from argparse import Namespace

import numpy as np
import torch
from torch import Tensor

from pictures import to_grey
from shared_scripts import images


def get_params(opt: Namespace, size: tuple[int, int]) -> dict:
    """One crop and flip for several pictures of a pair: {"crop_pos": (left, top), "flip": bool}.

    `size` is the picture's (width, height). Draws from Python's `random`: left, top, flip.
    """
    width, height = size
    if opt.preprocess == "resize_and_crop":
        width = height = opt.load_size
    elif opt.preprocess == "scale_width_and_crop":
        width, height = opt.load_size, opt.load_size * height // width
    spare = opt.crop_size + (1 if is_2018(opt) else 0)  # until 2018 the last position was never drawn
    left = random.randint(0, max(0, width - spare))
    top = random.randint(0, max(0, height - spare))
    return {"crop_pos": (left, top), "flip": random.random() > 0.5}


def get_transform(opt: Namespace, params: dict | None = None, grayscale: bool = False, convert: bool = True):
    """A callable that prepares a picture (H, W, bands), uint8 or float32 in 0..1, as `opt` says.

    With `params` crop and flip are those of `get_params`, else each call draws its own from torch's generator.
    It returns a float32 tensor (bands, H, W) in [-1, 1], with `grayscale` of one band, or without `convert` the array.
    """
    return Transform(opt, params, grayscale, convert)


class Transform:
    """What `get_transform` returns: an object, not a closure, so that loaders can send it to their workers."""

    def __init__(self, opt: Namespace, params: dict | None, grayscale: bool, convert: bool):
        self.opt, self.params, self.grayscale, self.convert = opt, params, grayscale, convert

    def __call__(self, picture: np.ndarray) -> Tensor | np.ndarray:
        grey_last = self.grayscale and is_2018(self.opt) and self.convert
        if self.grayscale and not grey_last:
            picture = to_grey(picture)
        picture = self.flip(self.crop(scale(picture, self.opt)))
        if not self.convert:
            return np.ascontiguousarray(picture)
        tensor = to_tensor(picture)
        return luma(tensor) if grey_last else tensor

    def crop(self, picture: np.ndarray) -> np.ndarray:
        if "crop" not in self.opt.preprocess:
            return picture
        size = self.opt.crop_size
        left, top = self.params["crop_pos"] if self.params else draw_crop(picture, size)
        return crop(picture, left, top, size)

    def flip(self, picture: np.ndarray) -> np.ndarray:
        if self.opt.no_flip or (is_2018(self.opt) and not self.opt.isTrain):
            return picture
        flip = self.params["flip"] if self.params else torch.rand(1).item() < 0.5
        return picture[:, ::-1].copy() if flip else picture


def is_2018(opt: Namespace) -> bool:
    """Whether the older rules were asked for."""
    return getattr(opt, "rules", "2020") == "2018"


# --- size ---------------------------------------------------------------------------------------------------------


def scale(picture: np.ndarray, opt: Namespace) -> np.ndarray:
    """The picture at the size that --preprocess gives it before any crop."""
    height, width = scaled_size(*picture.shape[:2], opt)
    if opt.preprocess == "none" and (height, width) != picture.shape[:2]:
        tell_about_multiples_of_4(picture.shape[:2], (height, width))
    return resize(picture, height, width)


def scaled_size(height: int, width: int, opt: Namespace) -> tuple[int, int]:
    """(height, width) before the crop of a picture of (height, width)."""
    rule = opt.preprocess
    if rule == "resize_and_crop":
        return opt.load_size, opt.load_size
    if rule == "crop":
        return height, width
    if rule == "none":
        return (up_to_4(height), up_to_4(width)) if is_2018(opt) else (nearest_4(height), nearest_4(width))
    if is_2018(opt):
        target = opt.crop_size if rule == "scale_width" else opt.load_size
        return up_to_4(int(target * height / width)), target
    return int(max(opt.load_size * height / width, opt.crop_size)), opt.load_size


def nearest_4(side: int) -> int:
    """The nearest multiple of 4; the networks halve a picture twice at least."""
    return max(4, round(side / 4) * 4)


def up_to_4(side: int) -> int:
    """The next multiple of 4."""
    return max(4, -(-side // 4) * 4)


def tell_about_multiples_of_4(before: tuple[int, int], after: tuple[int, int]) -> None:
    """Say once that --preprocess none resizes; the loader's workers but the first keep quiet."""
    worker = torch.utils.data.get_worker_info()
    if worker is None or worker.id == 0:
        say_once(
            "sides have to be multiples of 4: a picture of {1}x{0} was resized to {3}x{2}, and all others like it "
            "will be",
            *before,
            *after,
        )


said: set[str] = set()


def say_once(text: str, *values: object) -> None:
    """Print `text` with the values of its first use."""
    if text not in said:
        said.add(text)
        print(text.format(*values), flush=True)


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width, bands) by Pillow's bicubic filter, all bands alike; nothing is done to a picture of that size.

    uint8 with four bands is RGBA: transparent pixels lend no colour to their neighbours.
    """
    if picture.shape[:2] == (height, width):
        return picture
    if picture.dtype == np.uint8 and picture.shape[2] in (3, 4):
        return images.resize(picture, height, width)
    bands = [np.ascontiguousarray(picture[..., i]) for i in range(picture.shape[2])]
    resized = np.stack([images.resize(band, height, width) for band in bands], axis=2)
    return resized if resized.dtype == np.uint8 else resized.clip(0, 1)  # bicubic overshoots at edges


# --- crop ---------------------------------------------------------------------------------------------------------


def draw_crop(picture: np.ndarray, size: int) -> tuple[int, int]:
    """(left, top) of a random crop by torch's generator, with torchvision's draws: none where it fits exactly."""
    height, width = picture.shape[:2]
    if (height, width) == (size, size):
        return 0, 0
    top = torch.randint(0, max(0, height - size) + 1, size=(1,)).item()
    left = torch.randint(0, max(0, width - size) + 1, size=(1,)).item()
    return left, top


def crop(picture: np.ndarray, left: int, top: int, size: int) -> np.ndarray:
    """The square at (left, top). A picture too small on both sides stays whole; on one, it is filled up in black."""
    height, width = picture.shape[:2]
    if width <= size and height <= size:
        return picture
    part = picture[top : top + size, left : left + size]
    missing = (size - part.shape[0], size - part.shape[1])
    return np.pad(part, ((0, missing[0]), (0, missing[1]), (0, 0))) if any(missing) else part


# --- tensors ------------------------------------------------------------------------------------------------------


def to_tensor(picture: np.ndarray) -> Tensor:
    """(bands, H, W) float32 in [-1, 1] of (H, W, bands), uint8 or float32 in 0..1."""
    tensor = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    if tensor.dtype == torch.uint8:
        tensor = tensor.float().div_(255)
    return tensor.sub(0.5).div_(0.5)


def luma(tensor: Tensor) -> Tensor:
    """(1, H, W) grey of an RGB tensor (3, H, W): what the 2018 rules do in place of Pillow's grey."""
    if tensor.shape[0] == 1:
        return tensor
    red, green, blue = tensor
    return (red * 0.299 + green * 0.587 + blue * 0.114)[None]
