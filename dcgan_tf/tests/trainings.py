"""Small trainings that the tests of run_training.py share, as fixtures to import."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from runs import assert_same, call, files_in, make_mnist, make_pictures, tensors

import main as script
from shared_scripts import checkpoints_tf

TINY = "--train --gf_dim 4 --df_dim 4 --z_dim 5 --batch_size 3 --seed 1".split()
KINDS = {
    "folder": ["--dataset", "dots", "--input_fname_pattern", "*.png", "--output_height", "16"],
    # The noise of a batch is an odd number of values here, and normal ones come in pairs: one is kept for the next
    "mnist": ["--dataset", "mnist", "--output_height", "12", "--z_dist", "normal01"],
}
PER_EPOCH = 21
LOSSES = {"losses.csv"}  # there from the tenth step on


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """64 pictures and 64 digits: 21 batches of three, and one left over."""
    folder = tmp_path_factory.mktemp("data")
    make_pictures(folder / "dots", 64)
    make_mnist(folder / "mnist", 50, 14, 12)
    return folder


@pytest.fixture
def train(capsys, tmp_path, data_dir, monkeypatch):
    """`train(kind, *flags)` trains in an empty folder; (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    return lambda kind, *flags: call(capsys, *TINY, *KINDS[kind], "--data_dir", data_dir, "--epoch", 2, *flags)


class Run:
    """A training that nothing disturbed: its folder and what it printed."""

    def __init__(self, kind: str, folder: Path, data_dir: Path):
        self.folder, printed = folder, io.StringIO()
        places = ["--checkpoint_dir", folder / "checkpoint", "--sample_dir", folder / "samples"]
        words = [*TINY, *KINDS[kind], "--data_dir", data_dir, "--epoch", 2, *places]
        before, sys.stdout = sys.stdout, printed
        try:
            script.main([str(word) for word in words])
        finally:
            sys.stdout = before
        self.lines = printed.getvalue().splitlines()
        (self.checkpoints,) = (folder / "checkpoint").iterdir()


@pytest.fixture(scope="session")
def straight(tmp_path_factory, data_dir):
    """`straight(kind)` is a Run of two epochs."""
    runs = {}

    def run(kind: str) -> Run:
        if kind not in runs:
            runs[kind] = Run(kind, tmp_path_factory.mktemp(kind), data_dir)
        return runs[kind]

    return run


def assert_equal_end(folder: Path, run: Run, step: int = 2 * PER_EPOCH + 1) -> None:
    """The same last checkpoint to the bit, and the same losses."""
    assert_same(tensors(folder / f"DCGAN.model-{step}"), tensors(run.checkpoints / f"DCGAN.model-{step}"))
    assert (folder / "losses.csv").read_text() == (run.checkpoints / "losses.csv").read_text()
    assert not [name for name in files_in(folder) if name.startswith(".")]


def checkpoint_files(*names: str) -> set[str]:
    return {"checkpoint"} | {f"{name}{part}" for name in names for part in checkpoints_tf.PARTS}
