"""The data sets, one file each: `--dataset_mode NAME` is the class `NameDataset` in data/NAME_dataset.py.

To add one, copy template_dataset.py: a file in this folder is all that is needed.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from shared_scripts.cli import UserError


def dataset_names() -> list[str]:
    """The values that --dataset_mode takes."""
    found = (path.name.removesuffix("_dataset.py") for path in Path(__file__).parent.glob("*_dataset.py"))
    return sorted(name for name in found if name != "base")


def find_dataset_using_name(name: str) -> type:
    """The class behind a --dataset_mode. UserError where there is none, with those that are there."""
    if name not in dataset_names():
        raise UserError(f"there is no --dataset_mode {name!r}; choose from {', '.join(dataset_names())}")
    module = importlib.import_module(f"data.{name}_dataset")
    wanted = f"{name.replace('_', '')}dataset".lower()
    for title, found in vars(module).items():
        if title.lower() == wanted and isinstance(found, type):
            return found
    raise UserError(f"data/{name}_dataset.py has no class named {name.replace('_', '').capitalize()}Dataset")


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
