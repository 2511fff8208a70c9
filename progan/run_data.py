"""The data set that settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from datasets import Dataset, SyntheticDataset, open_dataset
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path

SYNTHETIC = ("resolution", "num_channels", "label_size")


def open_training_data(settings: dict, say: Callable[[str], None] = print) -> Dataset:
    """Open it, and tell of it in the reference's words. UserError where it is not there, or damaged."""
    about = settings["dataset"]
    synthetic = str(about.get("class_name", "")).endswith("SyntheticDataset")
    say(f"Streaming data using dataset.{'SyntheticDataset' if synthetic else 'TFRecordDataset'}...")
    if synthetic:
        dataset = SyntheticDataset(**{name: about[name] for name in SYNTHETIC if name in about})
    else:
        dataset = open_dataset(
            data_path(settings), about.get("resolution"), about.get("label_file"), about.get("max_label_size", 0)
        )
    say(f"Dataset shape = [{dataset.num_channels}, {dataset.resolution}, {dataset.resolution}]")
    say(f"Dynamic range = {list(dataset.dynamic_range)}")
    say(f"Label size    = {dataset.label_size}")
    return dataset


def data_path(settings: dict) -> Path:
    """Where the data are: a folder below `data_dir`, as the reference has it, or any path."""
    name = settings["dataset"].get("tfrecord_dir")
    if not name:
        raise UserError("which pictures? --data FOLDER (or a zip, or a data set of dataset_tool.py)")
    inside = resolve_path(settings["data_dir"]) / str(name)
    direct = resolve_path(name)
    return direct if direct.exists() and not inside.exists() else inside
