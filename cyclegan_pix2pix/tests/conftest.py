"""What the tests of cyclegan_pix2pix share: golden numbers, small pictures, and ways to run the scripts."""

from __future__ import annotations

import json
import os
import sys
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tiny pictures gain nothing from threads
PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

import pytest  # noqa: E402

from shared_scripts.testing import find_golden, full_disk, load_arrays, processes, start_two, two  # noqa: E402, F401

golden_file = partial(find_golden, PROJECT)


@cache
def load_golden(name: str) -> dict:
    """A golden .npz file: its arrays, and under "meta" what they are, decoded."""
    found = load_arrays(golden_file(f"{name}.npz"))
    return {**found, "meta": json.loads(str(found["meta"]))}


@pytest.fixture(scope="session")
def golden():
    """`golden(name)` reads a golden .npz file."""
    return load_golden


@pytest.fixture
def start():
    """`start(argv, log, NAME=value…)`: train.py in a process of its own, as `shared_scripts.testing` has it."""
    from train import main

    own = ("run_training", "models.cycle_gan_model", "models.pix2pix_model")
    # Torch imports the other two at the first step: a second and a half that every process would spend.
    with processes(main, [*own, "torch._dynamo", "torch.nn.parallel.distributed"]) as start_one:
        yield start_one
