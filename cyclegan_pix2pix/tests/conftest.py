"""What the tests of cyclegan_pix2pix share: golden numbers, small pictures, and ways to run the scripts."""

from __future__ import annotations

import json
import os
import sys
from functools import lru_cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tiny pictures gain nothing from threads
PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden")
MORE = PROJECT.parent.parent / "shared" / "golden" / PROJECT.name  # the larger ones, beside the checkout
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from shared_scripts.testing import full_disk, processes, start_two, two  # noqa: E402, F401


def golden_file(name: str) -> Path:
    """A golden file, here or beside the checkout; skips the test where it is in neither place."""
    for folder in (GOLDEN, MORE):
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"{name} is neither in {GOLDEN} nor in {MORE}")


@lru_cache(maxsize=4)
def load_golden(name: str) -> dict:
    """A golden .npz file: its arrays, and under "meta" what they are, decoded."""
    with np.load(golden_file(f"{name}.npz")) as file:
        found = {key: file[key] for key in file.files}
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
