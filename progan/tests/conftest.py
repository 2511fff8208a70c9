"""What the tests of progan share: golden numbers, small networks and pictures, and ways to run the scripts."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tiny pictures gain nothing from threads
PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

import pytest  # noqa: E402

from shared_scripts.testing import find_golden, full_disk, load_arrays, processes, start_two, two  # noqa: E402, F401

golden_file = partial(find_golden, PROJECT)


def load_golden(name: str) -> dict:
    """The arrays of a golden .npz file."""
    return load_arrays(golden_file(f"{name}.npz"))


@pytest.fixture(scope="session")
def golden():
    """`golden(name)` reads a golden .npz file."""
    return load_golden


@pytest.fixture
def start():
    """`start(argv, log, NAME=value…)`: train.py in a process of its own, as `shared_scripts.testing` has it."""
    from train import main

    # Torch imports the other two at the first step: a second and a half that every process would spend.
    with processes(main, ["run_training", "torch._dynamo", "torch.nn.parallel.distributed"]) as start_one:
        yield start_one
