"""Small trainings for the tests: data, command lines, and ways to run them here or in a process that may be killed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shared_scripts.checkpoints import load_state
from shared_scripts.testing import exit_status, write_pictures
from train import main

PROJECT = Path(__file__).resolve().parent.parent
NETS = "--netG resnet_6blocks --ngf 2 --ndf 2 --netD n_layers --n_layers_D 1 --load_size 18 --crop_size 16"
QUIET = "--gpu_ids -1 --num_threads 0 --no_html --no_tensorboard"
STATE = "latest_train_state.pt"


def write_data(root: Path, count: int = 5) -> Path:
    """Folders for both kinds of training: trainA, trainB (one less), and pairs in train."""
    write_pictures(root / "trainA", count)
    write_pictures(root / "trainB", count - 1, seed=1)
    write_pictures(root / "train", count, (40, 20), seed=2)
    return root


def command(data: Path, place: Path, name: str, *flags: str) -> list[str]:
    """The arguments of a tiny training; in `flags` later ones win."""
    words = f"{NETS} {QUIET} {' '.join(flags)}".split()
    return ["--dataroot", str(data), "--checkpoints_dir", str(place), "--name", name, *words]


train = partial(exit_status, main)  # `train(argv)`: the exit status


def contents(folder: Path) -> dict:
    """All that two runs must have in common: networks under every name, the whole state, the reported losses."""
    found = {path.name: load_state(path) for path in sorted(folder.glob("*.pt*"))}
    losses = folder / "losses.csv"
    return {**found, "losses.csv": losses.read_text() if losses.exists() else ""}
