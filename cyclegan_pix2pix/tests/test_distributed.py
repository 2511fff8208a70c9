"""Training in several processes: what one process with the whole batch would learn, and resumed to the bit."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image
from runs import PROJECT, STATE, command, contents, train, write_data

from shared_scripts.checkpoints import load_state
from shared_scripts.testing import assert_same, free_port, needs_processes, write_pictures

pytestmark = needs_processes

CYCLE = "--model cycle_gan --print_freq 2 --save_epoch_freq 1 --init_gain 0.1"
PIX = "--model pix2pix --norm instance --no_dropout --print_freq 2 --save_epoch_freq 1 --init_gain 0.1"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"), 6)


def differences(a: dict, b: dict) -> list[float]:
    """How far the networks of two runs are from each other, where their gradients are not rounding noise alone: biases
    that an instance norm takes out again are left out, which are all but the first of D's and the last of both."""
    found = []
    for file in (name for name in a if name.startswith("latest_net")):
        keys = [key for key in a[file] if key.endswith("weight")]
        keys += [key.replace("weight", "bias") for key in (keys[-1], *keys[: "net_D" in file])]
        found += [float((a[file][key] - b[file][key]).abs().max()) for key in keys]
    return found


@pytest.mark.parametrize("flags", [f"{CYCLE} --pool_size 0", f"{CYCLE} --pool_size 50 --direction BtoA", PIX])
def test_two_processes_learn_what_one_does(data, tmp_path, two, flags):
    """For as many steps as rounding does not grow: each multiplies it by ten in networks as small as these."""
    flags += " --n_epochs 1 --n_epochs_decay 1 --seed 1 --max_dataset_size 4"
    assert train(command(data, tmp_path, "one", flags, "--batch_size 2")) == 0
    assert two(command(data, tmp_path, "two", flags)) == [0, 0]
    one, both = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert list(one) == list(both)  # the same files
    found = differences(one, both)
    assert len(found) > 20 and max(found) < 1e-4
    assert one[STATE]["position"] == both[STATE]["position"]
    rows = [[line.split(",") for line in run["losses.csv"].splitlines()] for run in (one, both)]
    assert rows[0][0] == rows[1][0] and len(rows[0]) == len(rows[1]) == 5
    for a, b in zip(rows[0][1:], rows[1][1:], strict=True):
        assert [float(x) for x in a] == pytest.approx([float(x) for x in b], abs=1e-3)
    earlier = {f"latest{name[1:]}": weights for name, weights in one.items() if name.startswith("1_net")}
    assert max(differences(one, earlier)) > 2e-4  # it did learn


def test_only_the_first_process_talks_and_writes(data, tmp_path, two):
    flags = (
        "--model cycle_gan --netD basic --n_epochs 1 --n_epochs_decay 0 --print_freq 2 --num_threads 2 --norm syncbatch"
    )
    assert two(command(data, tmp_path, "run", flags)) == [0, 0]
    assert (tmp_path / "log1").read_text() == ""
    log = (tmp_path / "log0").read_text()
    for expected in (
        "too small for a discriminator",
        "works on GPUs only",
        "(epoch: 1, iters: 6",
        "End of epoch 1 / 1",
    ):
        assert log.count(expected) == 1
    assert "arning" not in log and "Traceback" not in log
    (tmp_path / "log0").unlink()
    (tmp_path / "run" / STATE).unlink()
    assert two(command(data, tmp_path, "run", flags, "--continue_train --n_epochs 2")) == [0, 0]
    assert (tmp_path / "log1").read_text() == ""
    assert (tmp_path / "log0").read_text().count("from networks alone") == 1


def test_processes_without_a_seed_agree_on_one(data, tmp_path, two):
    """Else each would shuffle by its own, and some pictures would be seen twice and others never: then an epoch of
    networks that do not learn would have another mean loss."""
    flags = "--model pix2pix --n_epochs 1 --n_epochs_decay 0 --lr 0 --no_dropout --norm instance --init_gain 0.3"
    argv = command(data, tmp_path, "run", flags, "--no_flip --load_size 16 --crop_size 16")
    assert train([*argv, "--print_freq", "1"]) == 0
    one = mean_loss(tmp_path / "run")
    (tmp_path / "run" / STATE).unlink()
    (tmp_path / "run" / "losses.csv").unlink()
    assert two([*argv, "--print_freq", "2", "--continue_train"]) == [0, 0]
    assert mean_loss(tmp_path / "run") == pytest.approx(one, rel=1e-5)
    shares = load_state(tmp_path / "run" / STATE)["shares"]
    assert len(shares) == 2
    assert not torch.equal(shares[0]["random"]["torch"], shares[1]["random"]["torch"])  # for dropout and pools


def mean_loss(folder) -> float:
    with open(folder / "losses.csv", newline="") as file:
        losses = [float(row["G_L1"]) for row in csv.DictReader(file)]
    return sum(losses) / len(losses)


def test_errors_end_all_processes(data, tmp_path, two):
    assert two(command(data, tmp_path, "run", "--model pix2pix --lr 1e30 --print_freq 2")) == [1, 1]
    assert "smaller --lr" in (tmp_path / "log0").read_text()
    assert two(command(data, tmp_path, "none", "--model cycle_gan --continue_train")) == [2, 2]


def test_one_process_in_trouble_does_not_leave_the_other_waiting(tmp_path, two):
    """The first fails to save, the second to read its share: both end, and only the one in trouble tells of it."""
    data = write_data(tmp_path / "data", 2)
    argv = command(data, tmp_path, "run", "--model pix2pix --n_epochs 1 --n_epochs_decay 0")
    (tmp_path / "run" / STATE).mkdir(parents=True)
    assert two(argv) == [2, 1]
    assert f"cannot write {tmp_path / 'run' / STATE}" in (tmp_path / "log0").read_text()
    Image.new("RGB", (80, 40)).save(data / "train" / "1.png")
    write_pictures(data / "train" / "more", 2, (40, 20))
    (tmp_path / "log1").unlink()
    assert two([*argv, "--serial_batches", "--preprocess", "none", "--batch_size", "2", "--name", "b"]) != [0, 0]
    logs = [(tmp_path / f"log{rank}").read_text() for rank in (0, 1)]
    assert sum("differ in size" in log for log in logs) == 1
    assert not any("Traceback" in log for log in logs), logs


def test_torchrun_stops_by_ctrl_c_and_goes_on_to_the_bit(data, tmp_path, two):
    """With dropout, and pools that are full: the second process's are in the state too. With an odd batch at the end of
    every epoch, and readers, which torchrun's signal must not reach."""
    flags = "--model cycle_gan --pool_size 2 --use_dropout --max_dataset_size 5 --print_freq 2 --seed 1 --num_threads 1"
    argv = command(data, tmp_path, "run", flags, "--save_latest_freq 6 --save_epoch_freq 100000 --n_epochs_decay 0")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    script = [*launcher, str(PROJECT / "train.py"), *argv, "--n_epochs", "100000"]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(script, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        end = time.monotonic() + 120
        while not (tmp_path / "run" / STATE).exists():
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    finally:
        process.kill()
    said = (tmp_path / "log").read_text()
    assert said.count("the same command with --continue_train goes on from here") == 1, said
    position = load_state(tmp_path / "run" / STATE)["position"]
    assert position["images"] == (position["epoch"] - 1) * 6 + position["epoch_images"]
    epochs = ["--n_epochs", str(position["epoch"] + 1)]
    assert two([*argv, *epochs, "--continue_train"]) == [0, 0]
    assert two([*argv, *epochs, "--name", "whole"]) == [0, 0]
    expected = contents(tmp_path / "whole")
    pools = [share["pools"]["fake_A"]["images"] for share in expected[STATE]["shares"]]
    assert [len(pool) for pool in pools] == [2, 2] and not torch.equal(pools[0][0], pools[1][0])
    assert_same(contents(tmp_path / "run"), expected)


def test_another_number_of_processes_goes_on(data, tmp_path, two):
    flags = "--model cycle_gan --n_epochs 1 --n_epochs_decay 0 --batch_size"
    assert train(command(data, tmp_path, "run", flags, "2")) == 0
    assert two(command(data, tmp_path, "run", flags, "1 --n_epochs 2 --continue_train")) == [0, 0]
    assert train(command(data, tmp_path, "run", flags, "2 --n_epochs 3 --continue_train")) == 0
    assert load_state(tmp_path / "run" / STATE)["position"]["images"] == 18
