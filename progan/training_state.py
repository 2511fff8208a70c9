"""All that a training needs to go on as if it had never stopped: training-state.pt, in its folder.

The snapshots hold the networks alone, as the reference's do. This file holds them again, with the optimisers, the place
in the data and the state of the random numbers: one file, replaced at once, so that a run killed at any moment finds
parts that belong together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from feed import Feed
from means import Means
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.cli import UserError
from training import Trainer

FILE = "training-state.pt"
KEYS = ("place", "networks", "optimizers", "steps", "means", "feed", "settings")


@dataclass
class Place:
    """How far a training is.

    nimg         real pictures shown; `stage_nimg` when the schedule was last asked, `repeat` steps since then
    tick         the last one; tick_nimg: pictures shown until then
    seconds      of training, before this process began
    stage        the floor and the ceiling of the lod that the optimisers were made for
    """

    nimg: int = 0
    stage_nimg: int = 0
    repeat: int = 0
    tick: int = 0
    tick_nimg: int = 0
    seconds: float = 0.0
    stage: tuple[int, int] | None = None


def save(folder: Path, trainer: Trainer, feed: Feed, place: Place, means: Means, settings: dict) -> None:
    """Write the state; `means` are the losses since the last tick.

    UserError where the disk refuses; the old file is whole then.
    """
    state = {
        "place": asdict(place),
        "networks": {name: network.state_dict() for name, network in trainer.networks().items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in trainer.optimizers.items()},
        "steps": dict(trainer.steps),
        "means": means.state_dict(),
        "feed": feed.state_dict(),
        "settings": settings,
    }
    save_state(folder / FILE, state)


def find(folder: Path, settings: dict) -> dict | None:
    """The state in a folder, or None. UserError where it is damaged, or of a training with other `settings`."""
    if not (folder / FILE).is_file():
        return None
    state = load_state(folder / FILE, KEYS)
    with told(folder):
        kept = dict(state["settings"])
    for name, value in settings.items():
        before = kept.get(name)
        if before != value:
            raise UserError(f"the training in {folder} has {name} {before}, not {value}; say so to go on with it")
    return state


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """UserError instead of all that may happen where a state's parts are not what `save` wrote."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as problem:
        raise UserError(
            f"{folder / FILE} does not fit this version or these networks; --resume_run_id without --resume takes the "
            f"networks of {folder.name} alone"
        ) from problem


def restore(trainer: Trainer, feed: Feed, means: Means, state: dict) -> Place:
    """Put back what `save` wrote; returns the place. What it raises where the state is another one, `told` tells."""
    for name, network in trainer.networks().items():
        network.load_state_dict(state["networks"][name])
    for name, optimizer in trainer.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    trainer.steps = dict(state["steps"])
    feed.load_state_dict(state["feed"])
    means.load_state_dict(state["means"])
    place = Place(**state["place"])
    if not all(
        type(value) is int for value in (place.nimg, place.stage_nimg, place.repeat, place.tick, place.tick_nimg)
    ):
        raise ValueError("a place is told by whole numbers")
    place.stage = tuple(place.stage) if place.stage else None
    return place


def remove_leftovers(folder: Path) -> None:
    """Delete the halves of files that a killed run was writing."""
    for path in folder.glob(".*.tmp.*"):
        path.unlink(missing_ok=True)
