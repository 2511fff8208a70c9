"""All that a training needs to go on as if it had never stopped: train_state.pt, beside the checkpoints.

The checkpoints hold the networks alone, as the reference's do. This file holds them again, with the optimisers and the
step: one file, replaced at once, so that a run killed at any moment finds parts that belong together. Learning rates,
the order of the pictures, their mirroring and what is drawn in a step all follow from the seed and the step.
"""

from __future__ import annotations

from pathlib import Path

from schedules import Moment
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import UserError
from training import Trainer

FILE = "train_state.pt"
KEYS = ("step", "name", "seed", "networks", "optimizers", "settings")


def save(folder: Path, trainer: Trainer, moment: Moment, seed: int, settings: dict) -> None:
    """Write the state after a step. UserError where the disk refuses; the old file is whole then."""
    state = {
        "step": moment.step,
        "name": moment.name,
        "seed": seed,
        "networks": {name: network.state_dict() for name, network in trainer.networks().items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "settings": settings,
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
                f"the training in {folder} has --{name} {text(found['settings'].get(name))}, not {text(value)}; "
                "say so to go on with it, or take another --model_save_dir"
            )
    return found


def text(value: object) -> str:
    """A setting as it stands on a command line."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def restore(trainer: Trainer, state: dict) -> None:
    """Put back what `save` wrote."""
    for name, network in trainer.networks().items():
        network.load_state_dict(state["networks"][name])
    for name, optimizer in trainer.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])


def remove_leftovers(folder: Path) -> None:
    """Delete the halves of files that a killed run was writing."""
    for pattern in (".*.tmp.pt", ".*.tmp.ckpt", ".*.tmp.pth"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def set_aside(folders: dict[Path, tuple[str, ...]]) -> Path | None:
    """Move an earlier training's files, {folder: patterns}, into earlier-1, earlier-2, … below their folders.

    Returns the first folder's new place, or None where nothing was there.
    """
    found = {
        folder: sorted(p for pattern in patterns for p in folder.glob(pattern)) for folder, patterns in folders.items()
    }
    if not any(found.values()):
        return None
    number = 1
    while any((folder / f"earlier-{number}").exists() for folder in folders):
        number += 1
    for folder, paths in found.items():
        place = folder / f"earlier-{number}"
        for path in paths:
            place.mkdir(exist_ok=True)
            path.replace(place / path.name)
    return next(iter(folders)) / f"earlier-{number}"
