"""Where a training begins: fresh weights, another style's, or its own of yesterday with all that belongs to them."""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

import data
from legacy import USUAL_NAME, load_checkpoint
from networks import initial_weights
from shared_scripts.checkpoints_tf import finish_save
from shared_scripts.cli import UserError
from shared_scripts.devices_tf import pick_precision
from shared_scripts.images import list_images
from shared_scripts.progress import tell
from shared_scripts.tf1 import strip

RECORD, LOSSES = "training.json", "losses.csv"
# Two trainings with these flags the same are the same training: what a resumed run must share with the stopped one.
SAME_RUN = (
    "style", "train_path", "batch_size", "content_weight", "style_weight", "tv_weight", "learning_rate", "schedule",
    "resize", "shuffle", "seed", "vgg_path", "optimizer",
)  # fmt: skip


@dataclass(frozen=True)
class Start:
    """What a training begins with: weights and Adam's state, where there are any, and the record beside them."""

    weights: dict[str, np.ndarray] | None = None
    adam: dict[str, np.ndarray] | None = None
    record: dict = field(default_factory=dict)


def starting_point(flags: argparse.Namespace) -> Start:
    """This training's own checkpoint on --resume, another style's weights, fresh ones of a --seed, or nothing."""
    finish_save(flags.checkpoint_dir / USUAL_NAME)
    if flags.resume:
        return resumed(flags)
    if flags.initial_checkpoint:
        found = load_checkpoint(flags.initial_checkpoint)
        return Start(found.weights, None, read_record(found.prefix.parent / RECORD))
    return Start(None if flags.seed is None else initial_weights(flags.seed))


def resumed(flags: argparse.Namespace) -> Start:
    """The checkpoint in --checkpoint-dir with its optimiser. UserError where it is of another training."""
    found = load_checkpoint(flags.checkpoint_dir / USUAL_NAME)
    if found.adam is None:
        raise UserError(
            f"{found.prefix} holds weights without the optimiser's state, so no training can go on from it exactly; "
            "begin a new one with them: --initial-checkpoint instead of --resume"
        )
    record = read_record(flags.checkpoint_dir / RECORD)
    saved = record.get("settings", {})
    changed = [name for name, value in settings(flags).items() if name in saved and saved[name] != value]
    if changed:
        names = ", ".join("--" + name.replace("_", "-") for name in changed)
        raise UserError(
            f"the training in {flags.checkpoint_dir} ran with another {names}; use the same to resume it, "
            "or begin a new one from its weights with --initial-checkpoint"
        )
    return Start(found.weights, found.adam, record)


def settings(flags: argparse.Namespace) -> dict:
    """What a resumed run must share with the one before."""
    return {name: jsonable(getattr(flags, name)) for name in SAME_RUN}


def training_pictures(flags: argparse.Namespace, record: dict) -> data.TrainingPictures:
    """The stream of batches; a resumed run's has the order of the run before, and must have as many pictures."""
    paths = list_images(flags.train_path)
    if flags.resume and record.get("pictures", len(paths)) != len(paths):
        raise UserError(
            f"the training in {flags.checkpoint_dir} ran with {record['pictures']} pictures, and {flags.train_path} "
            f"has {len(paths)} now; put them back, or begin a new training with --initial-checkpoint"
        )
    seed = None
    if flags.shuffle:
        seed = record.get("settings", {}).get("shuffle_seed") if flags.resume else flags.seed
        seed = random.getrandbits(31) if seed is None else seed
    return data.TrainingPictures(paths, flags.batch_size, flags.resize, seed)


def training_precision(flags: argparse.Namespace, record: dict, device: str) -> tf.DType:
    """By --precision; a resumed run computes as the run before did, whatever `auto` would find today."""
    if flags.resume and record.get("precision") in ("float32", "bfloat16"):
        return tf.as_dtype(record["precision"])
    return pick_precision(flags.precision, device)


def keep_earlier(folder: Path) -> None:
    """Rename an earlier training's files, fns.ckpt… -> fns-1.ckpt…: nothing anyone trained is overwritten."""
    parts = [path for path in folder.iterdir() if strip(path).name == USUAL_NAME or path.name == LOSSES]
    if not parts:
        return
    number = 1
    while any(folder.glob(f"fns-{number}.*")):
        number += 1
    for path in [*parts, folder / RECORD]:
        if path.exists():
            path.replace(path.with_name(f"fns-{number}.{path.name.removeprefix('fns.')}"))
    tell(f"The earlier training in {folder} is kept as fns-{number}.ckpt.")


def jsonable(value):
    """A flag's value as JSON keeps it."""
    return str(value) if isinstance(value, Path) else value


def read_record(path: Path) -> dict:
    """The record beside a checkpoint, empty where there is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if {"steps", "beta2_power", "seconds", "settings"} <= set(record) else {}
    except (OSError, ValueError, TypeError):
        return {}
