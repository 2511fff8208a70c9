"""A training that is stopped, in any way at any moment, and continued ends as if it had never stopped: to the bit."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import STATE, command, contents, last_error, run_in, train

import run_training
import training_state
from legacy import read_networks
from run_log import Log, parse_ticks
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.testing import assert_same, finish, needs_processes, wait_for

OFTEN = "--network_snapshot_ticks 1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """`whole(flags)`: the contents of an uninterrupted run, made once."""
    made = {}

    def contents_of(flags: str) -> dict:
        if flags not in made:
            place = tmp_path_factory.mktemp("whole")
            assert train(command(place, flags)) == 0
            made[flags] = contents(run_in(place))
        return made[flags]

    return contents_of


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    """The results of a very short training, to be copied."""
    results = tmp_path_factory.mktemp("short")
    assert train(command(results, "--total_kimg 0.004 --minibatch_repeats 1")) == 0
    return results


@pytest.fixture
def results(tmp_path, short) -> Path:
    """A copy of these."""
    return Path(shutil.copytree(short, tmp_path / "results"))


@contextmanager
def interrupted(repeat: int, number: int = signal.SIGINT):
    """Inside, this process gets the signal during that generator's step of a training, counted from 1."""
    run_repeat = run_training.Training.run_repeat
    made = []

    def signal_and_run(training):
        made.append(None)
        if len(made) == repeat:
            os.kill(os.getpid(), number)
        run_repeat(training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_training.Training, "run_repeat", signal_and_run)
        yield


@pytest.mark.parametrize(
    "flags, cut",
    [
        ("--preset cond,noreset", 2),
        ("--preset cond,noreset", 9),
        ("--mirror_augment TRUE --precision bf16", 14),
        ("--D_repeats 2", 9),
    ],
)
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, capsys, whole, flags, cut):
    """9 is in the middle of the repeats that share an entry of the schedule, and in a fade."""
    with interrupted(cut):
        assert train(command(tmp_path, flags)) == 130
    assert capsys.readouterr().err.splitlines()[-2].endswith("the same command with --resume goes on from here.")
    assert train(command(tmp_path, flags, "--resume")) == 0
    assert_same(contents(run_in(tmp_path)), whole(flags))


def test_stopped_twice_and_by_a_polite_kill(tmp_path, whole):
    with interrupted(3, signal.SIGTERM):
        assert train(command(tmp_path, OFTEN)) == 130
    with interrupted(4):
        assert train(command(tmp_path, OFTEN, "--resume")) == 130
    assert train(command(tmp_path, OFTEN, "--resume")) == 0
    assert_same(contents(run_in(tmp_path)), whole(OFTEN))


def test_from_every_saved_state(tmp_path, monkeypatch, whole):
    """After each saving the folder is copied, as a kill right then would leave it."""
    copies: list[Path] = []
    save = training_state.save

    def save_and_copy(folder, *more):
        save(folder, *more)
        copies.append(tmp_path / f"copy{len(copies)}" / folder.name)
        shutil.copytree(folder, copies[-1])

    with monkeypatch.context() as patch:
        patch.setattr(training_state, "save", save_and_copy)
        assert train(command(tmp_path / "run", OFTEN)) == 0
    assert len(copies) >= 6
    for copy in copies[:-1:2]:
        shutil.copy(run_in(tmp_path / "run") / "losses.csv", copy)  # it was killed much later
        assert train(command(copy.parent, OFTEN, "--resume")) == 0
        assert_same(contents(copy), whole(OFTEN))
        ticks = [tick["tick"] for tick in parse_ticks((copy / "log.txt").read_text())]
        assert ticks[-1] == 5 and ticks == sorted(ticks)


@needs_processes
def test_killed_at_once_it_goes_on_from_the_last_snapshot(tmp_path, start, whole):
    process = start(command(tmp_path, OFTEN), tmp_path / "log")
    wait_for(lambda: list(tmp_path.glob(f"000-*/{STATE}")), process)
    process.kill()
    finish(process)
    assert train(command(tmp_path, OFTEN, "--resume")) == 0
    assert_same(contents(run_in(tmp_path)), whole(OFTEN))


def test_a_longer_training_goes_on_where_the_shorter_ended(tmp_path, whole):
    longer = "--total_kimg 0.224"
    assert train(command(tmp_path, "")) == 0
    assert train(command(tmp_path, longer, "--resume")) == 0
    ours, expected = contents(run_in(tmp_path)), whole(longer)
    assert_same(ours["state"]["networks"], expected["state"]["networks"])


def test_what_is_done_is_left_alone(results, capsys):
    run = run_in(results)
    before = {path: path.read_bytes() for path in run.iterdir()}
    assert train(command(results, "--total_kimg 0.004 --resume")) == 0
    assert "Nothing is left to train" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize("flags, named", [("--fmap_max 4", "G"), ("--seed 5", "random_seed"), ("--preset cond", "run")])
def test_other_settings_are_another_training(results, capsys, flags, named):
    before = (run_in(results) / STATE).read_bytes()
    assert train(command(results, flags, "--resume")) == 2
    assert named in last_error(capsys)
    assert (run_in(results) / STATE).read_bytes() == before


def test_a_damaged_state(results, capsys):
    state = run_in(results) / STATE
    state.write_bytes(state.read_bytes()[:-100])
    assert train(command(results, "--resume")) == 2
    assert "damaged" in last_error(capsys)


@pytest.mark.parametrize(
    "part, value, expected",
    [
        ("networks", None, "it has no networks"),
        ("networks", {"G": {}}, "does not fit"),
        ("optimizers", {}, "does not fit"),
        ("place", {"nimg": "many"}, "does not fit"),
        ("place", {"bogus": 1}, "does not fit"),
        ("settings", 5, "does not fit"),
    ],
)
def test_a_state_with_other_parts(results, capsys, part, value, expected):
    path = run_in(results) / STATE
    state = load_state(path) | {part: value}
    save_state(path, {name: value for name, value in state.items() if value is not None})
    assert train(command(results, "--resume")) == 2
    assert expected in last_error(capsys)


def test_a_description_that_is_no_file_name_is_found_again(tmp_path, capsys):
    flags = ("--desc a/b[1]* --total_kimg 0.004 --minibatch_repeats 1",)
    assert train(command(tmp_path, *flags)) == 0
    assert train(command(tmp_path, *flags, "--resume")) == 0
    assert "Nothing is left" in capsys.readouterr().err


def test_two_do_not_train_in_one_folder(results, capsys):
    pytest.importorskip("fcntl")
    log = run_in(results) / "log.txt"
    before = log.read_bytes()
    with Log() as other:
        other.open(log, append=True)
        assert other.keep_others_out()
        assert train(command(results, "--resume --total_kimg 0.1")) == 2
    assert "another process trains in" in last_error(capsys)
    assert log.read_bytes().startswith(before)


def test_a_full_disk_ends_with_one_line_and_the_old_state(results, capsys, full_disk):
    before = (run_in(results) / STATE).read_bytes()
    with full_disk(40_000):
        assert train(command(results, "--total_kimg 0.032 --resume")) == 2
    assert "cannot write" in last_error(capsys)
    assert (run_in(results) / STATE).read_bytes() == before


# --- the reference's way ------------------------------------------------------------------------------------------


def test_resume_run_id_takes_the_networks_into_a_new_folder(tmp_path):
    assert train(command(tmp_path, "--total_kimg 0.096")) == 0
    assert train(command(tmp_path, "--resume_run_id 0")) == 0
    second = run_in(tmp_path, 1)
    ticks = parse_ticks((second / "log.txt").read_text())
    assert ticks[0]["kimg"] == pytest.approx(0.1) and ticks[0]["tick"] == 1, "the kimg is that of the state beside it"


def test_resume_kimg_is_heeded_and_the_networks_are_the_snapshot_s(tmp_path, monkeypatch):
    assert train(command(tmp_path, "--total_kimg 0.096")) == 0
    stored = read_networks(run_in(tmp_path) / "network-final.pkl")
    begun = {}

    def look(training, stopping):
        begun.update({name: network.state_dict() for name, network in training.trainer.networks().items()})
        begun["nimg"] = training.place.nimg

    monkeypatch.setattr(run_training.Training, "run_steps", look)
    flags = f"--resume_run_id {run_in(tmp_path) / 'network-final.pkl'} --resume_kimg 0.112"
    assert train(command(tmp_path, flags)) == 0
    assert begun["nimg"] == 112
    for network in stored:
        assert torch.equal(begun[network.name]["4x4.Conv.bias"], torch.from_numpy(network.variables["4x4/Conv/bias"]))
    assert np.abs(stored[0].variables["4x4/Conv/bias"]).max() > 0


def test_program_text_in_an_old_file_is_carried_over(tmp_path):
    from conftest import golden_file

    old = golden_file("network-final-tf.pkl")
    expected = read_networks(old)
    options = expected[0].options
    sizes = f"--fmap_base {options['fmap_base']} --fmap_max {options['fmap_max']}"
    flags = command(tmp_path, sizes, f"--resume_run_id {old} --total_kimg 0.016")
    if options["label_size"]:
        flags += ["--preset", "cond"]
    assert train(flags) == 0
    new = read_networks(run_in(tmp_path) / "network-final.pkl")
    assert new[0].build_module_src == expected[0].build_module_src != ""
