"""Training in several processes: what one process with the whole batch would learn, and resumed to the bit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import STATE, command, contents, names, steps_in, train, write_data

from shared_scripts.checkpoints import load_state
from shared_scripts.testing import assert_same, finish, free_port, needs_processes, wait_for

pytestmark = needs_processes
TRAIN = Path(__file__).resolve().parent.parent / "train.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight training pictures and as many in classes: no odd one, which would be shown to each process."""
    return write_data(tmp_path_factory.mktemp("data"), 9, classes=4, each=2)


@pytest.fixture(autouse=True)
def not_under_torchrun(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def log(place: Path, rank: int) -> str:
    return (place / f"log{rank}").read_text()


def difference(a: dict, b: dict) -> float:
    """How far the networks of two runs are from each other. Left out are running statistics, which are of a process's
    own share, and weights with a gradient of rounding noise alone: see test_networks."""
    found = []
    for file in (name for name in a if name != STATE and name != "losses.csv"):
        for name in a[file]:
            if not re.search("running|num_batches", name):
                apart = (a[file][name] - b[file][name]).abs()
                if "G." in file and name == "main.0.weight":
                    apart[:, 3:, 3, 3] = 0
                found.append(float(apart.max()))
    assert len(found) > 40
    return max(found)


@pytest.mark.parametrize(
    "flags",
    [
        "--num_iters 6",
        "--num_iters 6 --dataset Both --warmup_iters 2",
        "--variant old --num_epochs 2 --num_epochs_decay 2",
        "--variant old --dataset Both --num_iters 6",
    ],
)
def test_two_processes_learn_what_one_does(data, tmp_path, two, flags):
    flags += " --model_save_step 3 --seed 1 --g_lr 0.001 --d_lr 0.001"
    assert train(command(data, tmp_path / "one", flags)) == 0
    assert two(command(data, tmp_path / "two", flags, "--batch_size 1")) == [0, 0]
    one, both = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert list(one) == list(both)  # the same files
    assert difference(one, both) < 2e-5
    assert one[STATE]["step"] == both[STATE]["step"]
    rows = [[line.split(",") for line in run["losses.csv"].splitlines()] for run in (one, both)]
    assert rows[0][0] == rows[1][0] and len(rows[0]) == len(rows[1]) > 6
    for a, b in zip(rows[0][1:], rows[1][1:], strict=True):
        numbers = [[float(x) for x in row if re.fullmatch(r"-?[\d.e-]+", x)] for row in (a, b)]
        assert numbers[0] == pytest.approx(numbers[1], abs=2e-5) and len(numbers[0]) > 1
    G = [one[name]["main.3.weight"] for name in one if "G." in name]
    assert (G[-1] - G[0]).abs().max() > 5e-4  # it did learn


def test_only_the_first_process_talks_and_writes(data, tmp_path, two):
    """Nor do they hand on warnings: of pictures for testing, unused classes, an earlier training."""
    flags = "--dataset Both --c2_dim 5 --num_iters 4 --sample_step 2 --num_workers 1 --use_tensorboard true"
    for number in (0, 1):
        for rank in (0, 1):
            (tmp_path / f"log{rank}").unlink(missing_ok=True)
        assert two(command(data, tmp_path / "run", flags, "--test_images 5")) == [0, 0]
        assert log(tmp_path, 1) == ""
        said = log(tmp_path, 0)
        for expected in (
            "--c2_dim is 5",
            "5 are kept for testing",
            "Start training...",
            "Iteration [4/4], Dataset [RaFD]",
        ):
            assert said.count(expected) == 1, expected
        assert said.count("An earlier training is kept") == number
        assert "arning" not in said and "Traceback" not in said
        assert len(names(tmp_path / "run" / "logs", "events*")) == 1
        assert names(tmp_path / "run" / "samples") == ["2-images.jpg", "4-images.jpg", "latest-sheet.jpg"]
    assert not (tmp_path / "run" / "models" / "earlier-2").exists()


def test_ctrl_c_in_one_stops_both_and_they_go_on_to_the_bit(data, tmp_path, two, start_two):
    """Both stop after the same step. Without --seed: they agree on what comes in its place."""
    flags = "--model_save_step 1000000 --num_iters_decay 1 --num_iters"
    for name in ("log0", "log1"):
        (tmp_path / name).touch()
    processes = start_two(command(data, tmp_path / "run", flags, "100000"))
    wait_for(lambda: "Iteration [3/" in log(tmp_path, 0), processes[0])
    os.kill(processes[1].pid, signal.SIGINT)
    assert [finish(process) for process in processes] == [130, 130]
    assert "the same command with --resume goes on from here" in log(tmp_path, 0)
    assert log(tmp_path, 1).splitlines() == ["stopped by Ctrl-C"]
    state = load_state(tmp_path / "run" / "models" / STATE)
    total = str(state["step"] + 3)
    assert two(command(data, tmp_path / "run", flags, total, "--resume")) == [0, 0]
    assert two(command(data, tmp_path / "whole", flags, total, f"--seed {state['seed']}")) == [0, 0]
    assert_same(contents(tmp_path / "run"), contents(tmp_path / "whole"))


def test_torchrun(data, tmp_path):
    """The real thing: stopped by one signal, which it hands on to its processes, and gone on with; then in one process
    with two pictures a step, which are the same."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    flags = "--seed 1 --dataset RaFD --num_workers 1 --model_save_step 1000000 --log_step 1"
    argv = command(data, tmp_path / "run", flags, "--batch_size 1 --num_iters 1000000")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with open(tmp_path / "log", "w") as file:
        process = subprocess.Popen([*launcher, str(TRAIN), *argv], stdout=file, stderr=file, env=environment)
    try:
        end = time.monotonic() + 120
        while "Iteration [3/" not in (tmp_path / "log").read_text():
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    finally:
        process.kill()
    said = (tmp_path / "log").read_text()
    assert said.count("the same command with --resume goes on from here") == 1, said
    step = load_state(tmp_path / "run" / "models" / STATE)["step"]
    assert steps_in(said) == [*range(1, step + 1)]
    total = f"--num_iters {step + 2}"
    assert train(command(data, tmp_path / "run", flags, "--batch_size 2 --resume", total)) == 0
    rows = contents(tmp_path / "run")["losses.csv"].splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [str(number) for number in range(1, step + 3)]


def test_errors_end_all_processes(data, tmp_path, two):
    """Losses that are no numbers; nothing to go on from."""
    assert two(command(data, tmp_path / "run", "--num_iters 9 --d_lr 1e30")) == [1, 1]
    assert "smaller --g_lr and --d_lr" in log(tmp_path, 0) and "Traceback" not in log(tmp_path, 0) + log(tmp_path, 1)
    assert two(command(data, tmp_path / "none", "--resume")) == [2, 2]


@pytest.mark.parametrize("what", ["models/4-D.ckpt", "samples"])
def test_one_process_in_trouble_does_not_leave_the_other_waiting(data, tmp_path, two, what):
    """The first cannot save, or make a folder: both end, and one line tells why."""
    flags, blocked = "--num_iters 4 --sample_step 1000", tmp_path / "run" / what
    assert train(command(data, tmp_path / "run", flags, "--num_iters 2")) == 0
    if what == "samples":
        blocked.rmdir()
        blocked.touch()
    else:
        (blocked / "x").mkdir(parents=True)
    assert two(command(data, tmp_path / "run", flags, "--batch_size 1 --resume")) == [2, 1]
    logs = log(tmp_path, 0), log(tmp_path, 1)
    assert str(blocked) in logs[0].splitlines()[-1] and logs[1].count("\n") == 1 and "could not be saved" in logs[1]
    assert "Traceback" not in logs[0]


def test_another_number_of_processes_goes_on(data, tmp_path, two):
    flags = "--model_save_step 2 --num_iters"
    assert train(command(data, tmp_path / "run", flags, "2 --batch_size 2")) == 0
    assert two(command(data, tmp_path / "run", flags, "4 --batch_size 1 --resume")) == [0, 0]
    assert train(command(data, tmp_path / "run", flags, "6 --batch_size 2 --resume")) == 0
    whole = tmp_path / "whole"
    seed = load_state(tmp_path / "run" / "models" / STATE)["seed"]
    assert train(command(data, whole, flags, f"6 --batch_size 2 --seed {seed}")) == 0
    assert difference(contents(whole), contents(tmp_path / "run")) < 1e-5
