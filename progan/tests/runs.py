"""Small trainings for the tests: command lines, and ways to run them here or in processes that may be killed."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

from conftest import golden_file

from legacy import read_networks, to_state_dict
from shared_scripts.checkpoints import load_state
from shared_scripts.testing import exit_status
from train import main

# Four pictures a step, 4x4 → 8x8 → 16x16: 32 pictures to train, 32 to fade; a tick is 32
NETS = "--fmap_base 32 --fmap_max 8 --minibatch_base 4 --minibatch_dict 4:4 --grid.size 4x2 --device cpu"
TIMES = "--lod_training_kimg 0.032 --lod_transition_kimg 0.032 --tick_kimg_base 0.02 --tick_kimg_dict 4:0.02"
STATE = "training-state.pt"

train = partial(exit_status, main)  # `train(argv)`: the exit status


def command(results: Path, *flags: object, data: str = "datasets/tinyrgb") -> list[str]:
    """The arguments of a tiny training into `results`; of flags that are there twice the last counts."""
    where = ["--data", str(golden_file(data)), "--result_dir", str(results)]
    return [*where, *f"{NETS} {TIMES} --total_kimg 0.16 {' '.join(map(str, flags))}".split()]


def run_in(results: Path, number: int = 0) -> Path:
    """The folder of a run."""
    (found,) = results.glob(f"{number:03d}-*")
    return found


def contents(run: Path) -> dict:
    """All that two runs must have in common: networks, the whole state but its clock, losses, and pictures."""
    state = load_state(run / STATE)
    state["place"].pop("seconds")
    networks = {path.name: [to_state_dict(n) for n in read_networks(path)] for path in sorted(run.glob("*.pkl"))}
    pictures = {path.name: path.read_bytes() for path in sorted(run.glob("*.png"))}
    return {"state": state, "losses": losses(run), **networks, **pictures}


def losses(run: Path) -> list[dict]:
    """The rows of losses.csv."""
    with open(run / "losses.csv", newline="") as file:
        return list(csv.DictReader(file))


def names(run: Path) -> list[str]:
    """The names of a run's files; of TensorBoard's events without what differs."""
    return sorted("events" if path.name.startswith("events.out") else path.name for path in run.iterdir())


def last_error(capsys) -> str:
    """The one line an error was answered with."""
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1 and lines[-1] == errors[0], lines
    return errors[0]
