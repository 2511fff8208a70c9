"""All that a training needs to go on as if it had never stopped: train_state.pt, beside the checkpoints.

The checkpoints hold the networks alone, as the reference's do. This file holds them again, with the optimisers and the
step: one file, replaced at once, so that a run killed at any moment finds parts that belong together. Learning rates,
the order of the pictures, their mirroring and what is drawn in a step all follow from the seed and the step.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import notes
from schedules import Moment
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import UserError
from training import Trainer

FILE = "train_state.pt"
KEYS = ("step", "name", "seed", "networks", "optimizers", "settings")
NETWORKS = ("*-[GD].ckpt", "*_[GD].pth", FILE)
PICTURES = ("*-images.jpg", "*_fake.png")
LOSSES = "losses.csv"


def save(folder: Path, trainer: Trainer, moment: Moment, seed: int, settings: dict, more: dict[str, int]) -> None:
    """Write the state after a step, with a few numbers more. UserError where the disk refuses; the old file is whole
    then."""
    state = {
        "step": moment.step,
        "name": moment.name,
        "seed": seed,
        "networks": {name: network.state_dict() for name, network in trainer.networks().items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "settings": settings,
        **more,
    }
    save_state(folder / FILE, state)


def find(folder: Path, settings: dict) -> dict | None:
    """The state in a folder, or None. UserError where it is damaged, or of a training with other settings."""
    if not (folder / FILE).is_file():
        return None
    found = load_state(folder / FILE, KEYS)
    for name, value in settings.items():
        if found["settings"].get(name) != value:
            raise UserError(
                f"the training in {folder} has {flag(name)} {text(found['settings'].get(name))}, not {text(value)}; "
                "say so to go on with it, or take another --model_save_dir"
            )
    return found


def flag(name: str) -> str:
    """What a setting is called. Labels are attributes, which a flag names, or classes, which are folders' names."""
    return "the labels" if name == "selected_attrs" else f"--{name}"


def text(value: object) -> str:
    """A setting as it stands on a command line."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def restore(trainer: Trainer, state: dict) -> None:
    """Put back what `save` wrote. Adam's betas are those of the flags: torch would bring back the old ones."""
    for name, network in trainer.networks().items():
        network.load_state_dict(state["networks"][name])
    for name, optimizer in trainer.optimizers.items():
        own = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
        optimizer.load_state_dict(state["optimizers"][name])
        for group, settings in zip(optimizer.param_groups, own, strict=True):
            group.update(settings)


def remove_leftovers(folder: Path) -> None:
    """Delete the halves of files that a killed run was writing."""
    for ending in ("pt", "ckpt", "pth", "json", "csv", "jpg", "png"):
        for path in folder.glob(f".*.tmp.{ending}"):
            path.unlink(missing_ok=True)


def set_aside(models: Path, logs: Path, samples: Path) -> Path | None:
    """Move an earlier training's files into earlier-1, earlier-2, … below their folders, which may be one and the same.

    Returns where they are, or None where nothing was there.
    """
    losses, pictures = (LOSSES, "events.out.*"), (*PICTURES, "latest-sheet.jpg")
    found = matching((models, (*NETWORKS, notes.FILE)), (logs, losses), (samples, pictures))
    return move_aside(found, models, logs, samples)


def set_later_aside(models: Path, logs: Path, samples: Path, done: int) -> Path | None:
    """The same for what a training wrote after step (or epoch) `done`, to which it goes back; of the losses a copy."""
    found = [path for path in matching((models, NETWORKS), (samples, PICTURES)) if step_in(path) > done]
    place = move_aside(found, models, logs, samples)
    if place and (logs / LOSSES).is_file():
        (logs / place.name).mkdir(exist_ok=True)
        shutil.copy(logs / LOSSES, logs / place.name)
    return place


def matching(*places: tuple[Path, tuple[str, ...]]) -> list[Path]:
    """The files in some folders whose names fit one of the folder's patterns."""
    return [path for folder, patterns in places for pattern in patterns for path in sorted(folder.glob(pattern))]


def step_in(path: Path) -> float:
    """The number that a file's name begins with; without one it is the newest."""
    number = re.match(r"\d+", path.name)
    return int(number[0]) if number else float("inf")


def move_aside(paths: list[Path], *folders: Path) -> Path | None:
    """Move files into the first earlier-N that none of the folders has yet; returns where the first one is."""
    if not paths:
        return None
    number = 1
    while any((folder / f"earlier-{number}").exists() for folder in folders):
        number += 1
    for path in paths:
        place = path.parent / f"earlier-{number}"
        place.mkdir(exist_ok=True)
        path.replace(place / path.name)
    return paths[0].parent / f"earlier-{number}"
