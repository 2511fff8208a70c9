"""Small trainings for the tests: data, command lines, and ways to run them here or in a process that may be killed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shared_scripts.checkpoints import load_state
from shared_scripts.cli import run
from train import main

PROJECT = Path(__file__).resolve().parent.parent
NETS = "--netG resnet_6blocks --ngf 2 --ndf 2 --netD n_layers --n_layers_D 1 --load_size 18 --crop_size 16"
QUIET = "--gpu_ids -1 --num_threads 0 --no_html --no_tensorboard"
STATE = "latest_train_state.pt"
# Not multiprocessing's default way of forking: a process that has computed gradients must not be forked.
SERVER = multiprocessing.get_context("forkserver") if os.name == "posix" else None


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (20, 20), seed: int = 0) -> Path:
    """Noise as PNGs of (width, height)."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(folder / f"{i}.png")
    return folder


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


def train(argv: list[str]) -> int:
    """Run train.py in this process as the command line would; returns the exit status."""
    try:
        run(lambda: main(argv))
    except SystemExit as end:
        return end.code
    finally:
        torch.use_deterministic_algorithms(False)  # --seed's doing, not meant for other tests


# --- in other processes -------------------------------------------------------------------------------------------


@pytest.fixture
def start():
    """`start(argv, log, NAME=value…)`: run train.py in a process of its own, which is there at once.

    It writes what it says to the file `log`, and the values are added to its environment. What still runs when the test
    is over is killed.
    """
    started = []

    def start_one(argv: list[str], log: Path, **environment: str) -> multiprocessing.Process:
        SERVER.set_forkserver_preload(["run_training", "models.cycle_gan_model", "models.pix2pix_model"])
        started.append(SERVER.Process(target=in_child, args=(argv, str(log), environment)))
        with pytest.MonkeyPatch.context() as patch:  # the server finds its modules by it
            patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
            started[-1].start()
        return started[-1]

    yield start_one
    for process in started:
        process.kill()


def in_child(argv: list[str], log: str, environment: dict[str, str]) -> None:
    """What `start`'s process does."""
    os.environ.update(environment)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    multiprocessing.set_start_method("fork", force=True)  # as in a process that the command line starts
    run(lambda: main(argv))


def finish(process: multiprocessing.Process, seconds: float = 120) -> int:
    """The exit status of a process, minus the signal's number where one killed it."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise AssertionError("the process hangs")
    return process.exitcode


def wait_for(condition, process: multiprocessing.Process, seconds: float = 120) -> None:
    """Until the condition holds; AssertionError where the process ends before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.is_alive() and time.monotonic() < end, "the training ended too early, or does not begin"
        time.sleep(0.001)


# --- comparing ----------------------------------------------------------------------------------------------------


def contents(folder: Path) -> dict:
    """All that two runs must have in common: networks under every name, the whole state, the reported losses."""
    found = {path.name: load_state(path) for path in sorted(folder.glob("*.pt*"))}
    losses = folder / "losses.csv"
    return {**found, "losses.csv": losses.read_text() if losses.exists() else ""}


def assert_same(a, b, place: str = "") -> None:
    """To the bit."""
    assert type(a) is type(b), place
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and a.shape == b.shape, place
        assert torch.equal(a, b), f"{place}: differs by {(a.double() - b.double()).abs().max()}"
    elif isinstance(a, dict):
        assert list(a) == list(b), place
        for key in a:
            assert_same(a[key], b[key], f"{place}/{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), place
        for number, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{place}/{number}")
    else:
        assert a == b, place
