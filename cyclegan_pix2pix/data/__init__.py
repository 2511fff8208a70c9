"""The data sets, one file each: `--dataset_mode NAME` is the class `NameDataset` in data/NAME_dataset.py.

To add one, copy template_dataset.py: a file in this folder is all that is needed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from plugins import find_plugin, plugin_names
from shared_scripts.cli import UserError

HERE = Path(__file__).parent


def dataset_names() -> list[str]:
    """The values that --dataset_mode takes."""
    return plugin_names(HERE, "dataset")


def find_dataset_using_name(name: str) -> type:
    """The class behind a --dataset_mode. UserError where there is none, with those that are there."""
    return find_plugin("data", HERE, "dataset", name, "--dataset_mode")


def get_option_setter(name: str) -> Callable[[argparse.ArgumentParser, bool], argparse.ArgumentParser]:
    """A data set's `modify_commandline_options(parser, is_train)`, which adds its flags and gives the parser back."""
    return find_dataset_using_name(name).modify_commandline_options


def create_dataset(opt: argparse.Namespace):
    """The data set of `opt.dataset_mode`, a torch.utils.data.Dataset of single items. UserError without pictures."""
    return find_dataset_using_name(opt.dataset_mode)(opt)


def check_same_size(items: Sequence[dict]) -> None:
    """UserError, naming two of the files, where the pictures of one batch cannot be stacked."""
    for side in ("A", "B"):
        shapes = [(item[f"{side}_paths"], tuple(item[side].shape)) for item in items if side in item]
        for path, shape in shapes[1:]:
            if shape != shapes[0][1]:
                first, other = (
                    f"{name} is {width}x{height}" for name, (_, height, width) in (shapes[0], (path, shape))
                )
                raise UserError(
                    f"pictures of one batch differ in size: {first}, {other}; "
                    "add --preprocess resize_and_crop, or --batch_size 1"
                )
