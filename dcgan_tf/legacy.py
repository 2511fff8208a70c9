"""Checkpoints of DCGAN-tensorflow of every age, and where they lie.

The original's variables changed their names four times. Here all get those of its last version; what is not a network's
(an optimiser's state, a training's position) keeps its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from architecture import (
    DISCRIMINATOR,
    GENERATOR,
    STATISTICS,
    Architecture,
    architecture_of,
    is_trained,
    variable_shapes,
)
from shared_scripts import tf1
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.progress import tell

VARIABLE = re.compile(
    r"^(?:.*/)?(?P<layer>[gd]_(?:h\d(?:_lin|_conv)?|bn\d))/(?P<part>Matrix|w|biases|bias|beta|gamma|moving_mean|moving_variance)$"
)
# Up to the end of 2016 batch normalisation kept its averages under names that depended on TensorFlow's version
AVERAGE = re.compile(
    r"^(?:.*/)?(?P<layer>[gd]_bn\d)/(?:.*/)?(?P<which>[^/]*(?:mean|variance)[^/]*|Squeeze(?:_1)?)/ExponentialMovingAverage$"
)
NAME = "DCGAN.model"  # the original's; its last version wrote model.b64-500
FOLDER = r"_(?P<batch>\d+)(?:_(?P<height>\d+))?(?:_(?P<width>\d+))?"
WHOLE = re.compile(r"(?P<dataset>.+)_\d+_\d+_\d+")  # a folder's name since 2017; before, one or two numbers less
STATE = "training/"  # a training's position, in our checkpoints
OTHERS = re.compile(r"/Adam(_1)?$|^beta[12]_power|^" + STATE)


@dataclass(frozen=True)
class Model:
    """A checkpoint as read. `others` are the tensors that belong to a training: the optimisers' and its position.

    `weights` of very old checkpoints have no moving statistics: see `Sampler`.
    """

    architecture: Architecture
    weights: dict[str, np.ndarray]
    prefix: Path
    step: int
    others: dict[str, np.ndarray] = field(default_factory=dict)


# --- names --------------------------------------------------------------------------------------------------------


def present_name(name: str) -> str | None:
    """What a variable of any era is called today; None for one that is no network's."""
    if match := VARIABLE.match(name):
        return scope_of(match["layer"]) + f"{match['layer']}/{match['part']}"
    if match := AVERAGE.match(name):
        variance = "variance" in match["which"] or match["which"] == "Squeeze_1"
        return scope_of(match["layer"]) + f"{match['layer']}/{STATISTICS[variance]}"
    return None


def scope_of(layer: str) -> str:
    """The network a layer belongs to."""
    return GENERATOR if layer.startswith("g_") else DISCRIMINATOR


def present_names(names: list[str]) -> dict[str, str]:
    """{today's name: name in the file} of the networks' variables."""
    found = {today: name for name in sorted(names) if (today := present_name(name))}
    last, earlier = (f"{DISCRIMINATOR}d_h{i}_lin" for i in (4, 3))
    if f"{GENERATOR}g_h4/w" in found:  # in 2017 the generic discriminator's last layer went from d_h3_lin to d_h4_lin
        found = {today.replace(earlier, last): name for today, name in found.items()}
    return found


# --- reading ------------------------------------------------------------------------------------------------------


def load_model(prefix: Path, sizes: list[tuple[int, int]] = (), training: bool = True) -> Model:
    """Read a V1 file or a V2 prefix. `sizes` are the (height, width) the pictures may have, likeliest first; those in
    the folder's name are tried too. Without `training` the `others`, which may be two thirds of the file, stay unread.
    UserError, naming what the file is, where it holds no DCGAN."""
    with tf1.open_checkpoint(prefix) as reader:
        names = present_names(list(reader.shapes))
        check_content(prefix, names, list(reader.shapes))
        shapes = {today: reader.shapes[name] for today, name in names.items()}
        architecture = architecture_of(shapes, [*sizes, *folder_sizes(prefix.parent)], str(prefix))
        wanted = [name for name in variable_shapes(architecture) if name in names]
        weights = {name: reader.floats(names[name]) for name in wanted}
        kept = [name for name in reader.shapes if training and OTHERS.search(name)]
        others = {name: reader.tensor(name) for name in kept}
    tf1.check_finite(prefix, weights)
    return Model(architecture, weights, prefix, step_of(prefix), others)


def check_content(prefix: Path, names: dict[str, str], held: list[str]) -> None:
    """UserError where there is no generator in the file."""
    if not any(name.startswith(GENERATOR) for name in names):
        first = ", ".join(sorted(held)[:3]) or "nothing"
        raise UserError(f"{prefix} is another network's checkpoint: it has no generator of a DCGAN; it holds {first} …")


def step_of(prefix: Path) -> int:
    """The number at the end of a checkpoint's name, 0 where it has none."""
    digits = re.findall(r"\d+", prefix.name)
    return int(digits[-1]) if digits else 0


def folder_sizes(folder: Path) -> list[tuple[int, int]]:
    """(height, width) in the name of a folder such as faces_64_96_128; [] where there are none."""
    match = re.search(FOLDER + "$", folder.resolve().name)
    if not match or not match["height"]:
        return []
    return [(int(match["height"]), int(match["width"] or match["height"]))]


def whole(model: Model) -> bool:
    """Whether a checkpoint has both networks, as training needs."""
    return all(name in model.weights for name in variable_shapes(model.architecture) if is_trained(name))


# --- finding ------------------------------------------------------------------------------------------------------


def model_folder(checkpoint_dir: Path, dataset: str, batch: int, height: int, width: int) -> Path:
    """Where the original keeps a training's checkpoints."""
    return checkpoint_dir / f"{dataset}_{batch}_{height}_{width}"


def find_folder(checkpoint_dir: Path, dataset: str, batch: int, sizes: tuple[int, int], any_size: bool) -> Path | None:
    """The folder that has checkpoints of a data set; None where there is none.

    The original finds only the one with exactly this batch size and these sizes in its name. If that is not there,
    others of these sizes are looked for, with `any_size` those of other sizes too (the newest is taken), and
    `checkpoint_dir` itself.
    """
    exact = model_folder(checkpoint_dir, dataset, batch, *sizes)
    if has_checkpoint(exact):
        return exact
    siblings = [f for f in subfolders(checkpoint_dir) if dataset_of(f) == dataset and has_checkpoint(f)]
    same = [f for f in siblings if folder_sizes(f) in ([sizes], [])]
    candidates = same or (siblings if any_size else [])
    if candidates:
        return max(candidates, key=lambda f: f.stat().st_mtime)
    return checkpoint_dir if any_size and has_checkpoint(checkpoint_dir) else None


def dataset_of(folder: Path) -> str | None:
    """The data set in a folder's name: faces of faces_64_128_128, faces_64_64 and faces_64. None of other names."""
    match = WHOLE.fullmatch(folder.name) or re.fullmatch(r"(?P<dataset>.+?)" + FOLDER, folder.name)
    return match["dataset"] if match else None


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, none where it is missing."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def has_checkpoint(folder: Path) -> bool:
    """Whether there is a checkpoint in a folder."""
    return bool(checkpoints_in(folder))


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints in a folder, by step; none where it is missing."""
    return sorted(tf1.list_checkpoints(folder), key=step_of) if folder.is_dir() else []


def newest(folder: Path) -> Path:
    """The checkpoint the folder's state file names, else the one with the highest number."""
    try:
        return tf1.find_in_folder(folder)
    except UserError:  # of several kinds: the highest number wins
        return checkpoints_in(folder)[-1]


def find_named(name: str, folders: list[Path]) -> Path:
    """A checkpoint by its name (DCGAN.model-500, or any of its files') in one of some folders, or by its path.

    Of a path that is not there the last two parts are looked for: the checkpoint's name alone would be found in
    another training's folder as well.
    """
    path = Path(name.replace("\\", "/"))
    own = [folder / path.name for folder in folders if folder.name == path.parent.name]
    inside = [folder / part for folder in folders for part in (path, Path(path.parent.name, path.name))]
    for candidate in (resolve_path(name), *inside, *own):
        if tf1.present(candidate):
            return tf1.find_checkpoint(candidate)
    there = ", ".join(path.name for folder in folders for path in checkpoints_in(folder)[-5:]) or "none"
    raise UserError(
        f"there is no checkpoint {name}; in {', '.join(map(str, folders)) or 'no folder'} there are: {there}"
    )


def tell_where(prefix: Path, batch: int) -> None:
    """Say which checkpoint was found, where its folder is not the one the flags name."""
    match = re.search(FOLDER + "$", prefix.parent.name)
    if match and int(match["batch"]) != batch:
        tell(f"Reading {prefix} (made with --batch_size {match['batch']}).")
