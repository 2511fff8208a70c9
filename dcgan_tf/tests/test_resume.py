"""Trainings as people stop, kill and go on with them: to the last bit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from runs import (
    PROJECT,
    assert_same,
    files_in,
    refused,
    tensors,
)
from trainings import KINDS, LOSSES, PER_EPOCH, TINY, assert_equal_end, checkpoint_files

import run_training
from shared_scripts import checkpoints_tf


class Killed(BaseException):
    """Stands for the end of the process: nothing is saved."""


@pytest.fixture
def interrupt(monkeypatch):
    """`interrupt(step, how)`: in the next training, after so many steps, comes a signal, or the end ("kill")."""
    real = run_training.TrainingRun.one_step

    def plan(step: int, how: str) -> None:
        left = [step]

        def one_step(self, *arguments):
            real(self, *arguments)
            left[0] -= 1
            if left[0] == 0 and how == "kill":
                raise Killed
            if left[0] == 0:
                signal.raise_signal(getattr(signal, how))

        monkeypatch.setattr(run_training.TrainingRun, "one_step", one_step)

    yield plan
    monkeypatch.setattr(run_training.TrainingRun, "one_step", real)


@pytest.mark.parametrize(
    ("kind", "interruptions"),
    [
        ("folder", [(5, "SIGINT"), (PER_EPOCH - 5, "SIGTERM"), (15, "kill")]),
        ("mnist", [(24, "SIGINT"), (3, "kill")]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(f"{how}@{step}" for step, how in value),
)
def test_a_stopped_training_goes_on_to_the_last_bit(straight, train, interrupt, tmp_path, kind, interruptions):
    """Stopped in mid-epoch and at an epoch's end, then killed."""
    for step, how in interruptions:
        interrupt(step, how)
        if how == "kill":
            with pytest.raises(Killed):
                train(kind)
            continue
        status, _, err = train(kind)
        assert status == 130
        assert "has everything, and the same command goes on." in err and err.endswith("stopped by Ctrl-C\n")
    interrupt(-1, "")
    status, _, err = train(kind)
    assert status == 0 and "Going on from checkpoint/" in err
    run = straight(kind)
    assert_equal_end(tmp_path / "checkpoint" / run.checkpoints.name, run)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_real_signals(straight, tmp_path, data_dir, train):
    """`python …/main.py` from another folder, with Ctrl-C and then with a power cut."""
    command = [sys.executable, PROJECT / "main.py", *TINY, *KINDS["folder"], "--epoch", 2]
    relative = os.path.relpath(data_dir, tmp_path).replace("/", "\\")
    for line_number, sign, status in ((6, signal.SIGINT, 130), (26, signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen(
            [str(word) for word in (*command, "--data_dir", relative)],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(line_number):
            assert process.stdout.readline()
        process.send_signal(sign)
        _, err = process.communicate()
        assert process.returncode == status, err
    status, _, err = train("folder")
    assert status == 0 and "Going on from checkpoint/dots_3_16_16/DCGAN.model-" in err
    run = straight("folder")
    assert_equal_end(tmp_path / "checkpoint/dots_3_16_16", run)


@pytest.mark.parametrize(("save", "moved"), [(2, 0), (2, 1), (3, 1)], ids=["before", "between", "older"])
def test_killed_while_it_saves(straight, train, tmp_path, monkeypatch, save, moved):
    """Before the second checkpoint's files take their names, between the two, and between those of the first one, which
    is written anew without the optimisers."""
    real, calls = checkpoints_tf.move, []

    def move(prefix: Path) -> None:
        calls.append(prefix.name)
        if len(calls) != save:
            return real(prefix)
        pending = checkpoints_tf.pending_prefix(prefix)
        for part in checkpoints_tf.PARTS[:moved]:
            (pending.parent / (pending.name + part)).replace(prefix.with_name(prefix.name + part))
        raise SystemError  # which nothing catches

    monkeypatch.setattr(checkpoints_tf, "move", move)
    monkeypatch.setattr(checkpoints_tf, "discard", lambda prefix: None)
    with pytest.raises(SystemError):
        train("folder")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert calls[-1] == ("DCGAN.model-21" if save == 3 else "DCGAN.model-41")
    folder = tmp_path / "checkpoint/dots_3_16_16"
    copy = shutil.copytree(folder, tmp_path / "copy")
    run_training.finish_saves(copy)
    assert not [name for name in files_in(copy) if "pending" in name]
    assert (copy / "DCGAN.model-41.index").is_file() == (moved == 1)
    status, _, err = train("folder")
    assert status == 0 and f"DCGAN.model-{41 if save == 3 else 21}: epoch" in err
    run = straight("folder")
    assert_equal_end(folder, run)
    assert files_in(folder) == files_in(run.checkpoints)
    for step in (21, 41):
        assert_same(tensors(folder / f"DCGAN.model-{step}"), tensors(run.checkpoints / f"DCGAN.model-{step}"))


def test_more_epochs_later(straight, train, tmp_path):
    assert train("folder", "--epoch", 1)[0] == 0
    status, _, err = train("folder")
    assert status == 0 and "DCGAN.model-22: epoch 1, batch 0 of 21." in err
    assert_equal_end(tmp_path / "checkpoint/dots_3_16_16", straight("folder"))


def test_nothing_left_to_do(train, tmp_path):
    """Also where the last step had its checkpoint anyway."""
    flags = ["--epoch", 1, "--train_size", 60]
    assert train("folder", *flags)[0] == 0
    folder = tmp_path / "checkpoint/dots_3_16_16"
    assert files_in(folder) == LOSSES | checkpoint_files("DCGAN.model-21")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    outcome = train("folder", *flags)
    refused(outcome, "the training in checkpoint/dots_3_16_16 has all its 1 epochs behind it; give --epoch a larger")
    assert outcome[1] == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_full_disk_leaves_the_old_checkpoint(straight, train, tmp_path, full_disk):
    run = straight("folder")
    folder = tmp_path / "checkpoint/dots_3_16_16"
    shutil.copytree(run.checkpoints, folder)
    with full_disk(100_000):
        outcome = train("folder", "--epoch", 3, "--ckpt_freq", 1)
    refused(outcome, "cannot write checkpoint/dots_3_16_16/DCGAN.model-44")
    assert files_in(folder) == files_in(run.checkpoints)
    assert_equal_end(folder, run)
    assert (folder / "checkpoint").read_text() == (run.checkpoints / "checkpoint").read_text()


def test_back_to_an_earlier_checkpoint(straight, train, tmp_path):
    """It has lost its optimisers and its place but for the epoch; what came after it stays."""
    folder = tmp_path / "checkpoint/dots_3_16_16"
    shutil.copytree(straight("folder").checkpoints, folder)
    status, _, err = train("folder", "--checkpoint_name", "DCGAN.model-41", "--train_size", 6, "--ckpt_freq", 2)
    assert status == 0
    assert "DCGAN.model-41 has no optimiser's state: Adam begins anew." in err
    assert "DCGAN.model-41, which does not say where it was: at the beginning of epoch 1." in err
    assert "Pictures: the same command, without --checkpoint_name, without --train." in err
    assert 'model_checkpoint_path: "DCGAN.model-43"' in (folder / "checkpoint").read_text()
    assert (folder / "losses.csv").read_text().splitlines()[-1].startswith("40,")
    assert "What was trained after 41 is kept in checkpoint/dots_3_16_16/later1: DCGAN.model-43." in err
    before = straight("folder").checkpoints
    assert files_in(folder / "later1") == checkpoint_files("DCGAN.model-43") - {"checkpoint"} | LOSSES
    assert (folder / "later1" / "losses.csv").read_text() == (before / "losses.csv").read_text()
    assert_same(tensors(folder / "later1" / "DCGAN.model-43"), tensors(before / "DCGAN.model-43"))
