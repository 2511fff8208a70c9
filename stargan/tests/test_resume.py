"""A training that is stopped, in any way at any moment, and continued ends as if it had never stopped: to the bit."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from runs import STATE, command, contents, files, last_error, names, steps_in, train, write_data

import run_training
import training_state
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.testing import assert_same, finish, needs_processes, wait_for, write_pictures

CELEBA = "--num_iters 8 --num_iters_decay 6 --lr_update_step 2 --sample_step 3 --model_save_step 1"
EPOCHS = "--num_epochs 2 --num_epochs_decay 1 --sample_step 3 --model_save_step 1"  # of 4 batches
SELDOM = "--model_save_step 1000"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def snapshots(monkeypatch, tmp_path):
    """After each saving the run's folder is copied, as a kill right then would leave it: {step: the copy}."""
    copies = {}
    save = training_state.save

    def save_and_copy(folder, trainer, moment, *more):
        save(folder, trainer, moment, *more)
        if moment.step not in copies:  # a run that goes on saves them again
            copies[moment.step] = tmp_path / "snapshots" / str(moment.step)
            shutil.copytree(folder.parent, copies[moment.step])

    monkeypatch.setattr(training_state, "save", save_and_copy)
    return copies


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """`whole(flags)`: the contents of an uninterrupted run with --seed 1, made once."""
    place, made = tmp_path_factory.mktemp("whole"), {}

    def contents_of(flags):
        if flags not in made:
            assert train(command(data, place / str(len(made)), flags, "--seed 1")) == 0
            made[flags] = contents(place / str(len(made)))
        return made[flags]

    return contents_of


@contextmanager
def interrupted(step: int, number: int = signal.SIGINT):
    """Inside, this process gets the signal during that step of a training."""
    run_step = run_training.Training.run_step

    def signal_and_run(training, moment):
        if moment.step == step:
            os.kill(os.getpid(), number)
        run_step(training, moment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_training.Training, "run_step", signal_and_run)
        yield


# --- stopped between any two steps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "cuts"),
    [
        (f"{CELEBA} --seed 1", (1, 3, 4, 7)),  # 3: an epoch's last batch, as the samples took the first one
        (f"{CELEBA} --dataset RaFD", (2,)),
        (f"{CELEBA} --dataset Both --precision bf16 --seed 1", (3,)),
        (f"{CELEBA} --g_optimizer muon --g_lr 0.01 --warmup_iters 3 --lr_decay reference", (2, 3)),
        (f"--variant old {EPOCHS}", (3, 4, 5)),
        (f"--variant old --dataset Both {CELEBA} --seed 1", (3,)),
    ],
)
def test_a_run_goes_on_from_every_saved_state(data, tmp_path, snapshots, flags, cuts):
    """Without --seed too: what was drawn in its place is in the state."""
    assert train(command(data, tmp_path / "run", flags)) == 0
    expected, copies = contents(tmp_path / "run"), dict(snapshots)
    assert len(copies) == 8 and len(expected["losses.csv"].splitlines()) > 8
    for cut in cuts:
        folder = tmp_path / f"resumed{cut}"
        shutil.copytree(copies[cut], folder)
        shutil.copy(tmp_path / "run" / "logs" / "losses.csv", folder / "logs")  # it was killed much later
        assert load_state(folder / "models" / STATE)["step"] == cut
        assert train(command(data, folder, flags, "--resume")) == 0
        assert_same(contents(folder), expected)
        assert {path.name: path.read_bytes() for path in folder.glob("samples/*")} == {
            path.name: path.read_bytes() for path in (tmp_path / "run").glob("samples/*")
        }


def test_reading_ahead_changes_nothing(data, tmp_path, snapshots, whole):
    flags = f"{CELEBA} --seed 1 --num_workers 1"
    assert train(command(data, tmp_path / "run", flags)) == 0
    assert_same(contents(tmp_path / "run"), whole(CELEBA))
    shutil.copytree(snapshots[5], tmp_path / "resumed")
    assert train(command(data, tmp_path / "resumed", flags, "--resume")) == 0
    assert_same(contents(tmp_path / "resumed"), whole(CELEBA))


# --- Ctrl-C and kills ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("flags", [f"{CELEBA} --dataset Both", f"--variant old {EPOCHS}"])
def test_ctrl_c_saves_and_says_how_to_go_on(data, tmp_path, capsys, whole, flags, number):
    """Twice in one training, in the last step of an epoch too."""
    flags = f"{flags} {SELDOM}"
    more = []
    for step in (4, 5):
        with interrupted(step, number):
            assert train(command(data, tmp_path, flags, "--seed 1", *more)) == 130
        assert capsys.readouterr().err.splitlines()[-2:] == [
            f"Saved after step {step}; the same command with --resume goes on from here.",
            "stopped by Ctrl-C",
        ]
        more = ["--resume"]
    assert train(command(data, tmp_path, flags, "--seed 1 --resume")) == 0
    assert_same(contents(tmp_path), whole(flags))


def test_a_second_ctrl_c_does_not_cut_the_saving_off(data, tmp_path, monkeypatch):
    save = training_state.save

    def signal_and_save(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        save(*arguments)

    monkeypatch.setattr(training_state, "save", signal_and_save)
    with interrupted(2):
        assert train(command(data, tmp_path, CELEBA, SELDOM)) == 130
    assert load_state(tmp_path / "models" / STATE)["step"] == 2


def test_ctrl_c_in_the_last_step_leaves_the_networks(data, tmp_path, whole):
    with interrupted(8):
        assert train(command(data, tmp_path, CELEBA, SELDOM, "--seed 1")) == 130
    assert_same(contents(tmp_path), whole(f"{CELEBA} {SELDOM}"))
    assert names(tmp_path / "models", "*.ckpt") == ["8-D.ckpt", "8-G.ckpt"]


def read_log(place: Path) -> str:
    return (place / "log").read_text() if (place / "log").exists() else ""


@needs_processes
def test_a_killed_run_goes_on(data, tmp_path, whole, start):
    """Killed outright, three times in a row: as soon as there is a state, later, and while a file is being written."""
    flags, folder = "--num_iters 60 --model_save_step 3 --sample_step 20", tmp_path / "run"
    expected, more = whole(flags), ""
    kills = [
        lambda: (folder / "models" / STATE).exists(),
        lambda: time.sleep(0.03) or True,
        lambda: list((folder / "models").glob(".*.tmp.*")),
    ]
    for when in kills:
        begun = len(read_log(tmp_path))
        process = start(command(data, folder, flags, "--seed 1", more), tmp_path / "log")
        wait_for(lambda begun=begun: "Iteration [" in read_log(tmp_path)[begun:], process)
        wait_for(when, process)
        process.kill()
        assert finish(process) == -signal.SIGKILL
        more = "--resume"
    assert train(command(data, folder, flags, "--seed 1", more)) == 0
    assert_same(contents(folder), expected)
    assert not list(folder.rglob(".*"))


def test_halves_of_files_that_a_kill_left_are_cleared_away(data, tmp_path):
    halves = ("models/.train_state.7.tmp.pt", "models/.5-G.7.tmp.ckpt", "samples/.5-images.7.tmp.jpg")
    for name in (*halves, "models/notes.tmp.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    assert train(command(data, tmp_path, "--num_iters 1")) == 0
    assert not list(tmp_path.rglob(".*")) and (tmp_path / "models" / "notes.tmp.pt").exists()


# --- what cannot be saved or read ---------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_state_whole(data, tmp_path, capsys, full_disk, whole, monkeypatch):
    flags = f"{CELEBA} --model_save_step 3"
    save = training_state.save

    def save_on_full_disk(folder, trainer, moment, *more):
        with full_disk(20_000 if moment.step > 3 else 10**9):  # the networks fit, the state does not
            save(folder, trainer, moment, *more)

    with monkeypatch.context() as patch:
        patch.setattr(training_state, "save", save_on_full_disk)
        assert train(command(data, tmp_path, flags, "--seed 1")) == 2
    assert re.match(f"error: cannot write .*{STATE}", last_error(capsys))
    assert load_state(tmp_path / "models" / STATE)["step"] == 3
    assert not list(tmp_path.rglob(".*"))
    assert train(command(data, tmp_path, flags, "--seed 1 --resume")) == 0
    assert_same(contents(tmp_path), whole(flags))


def test_no_room_for_a_network(data, tmp_path, capsys, full_disk):
    with full_disk(5_000):
        assert train(command(data, tmp_path, "--num_iters 2 --use_tensorboard false")) == 2
    assert re.match("error: cannot write .*2-G.ckpt", last_error(capsys))
    assert names(tmp_path / "models") == ["labels.json"]


@pytest.mark.parametrize("lr", ["--d_lr 1e30", "--g_lr 1e30"])
@pytest.mark.parametrize("every", ["--log_step 1", "--log_step 1000", f"--log_step 1000 {SELDOM}"])
def test_losses_that_are_no_numbers_are_not_saved(data, tmp_path, capsys, lr, every):
    """In the state nor under a step's name: not even where nothing is logged until the end."""
    assert train(command(data, tmp_path, "--num_iters 3 --seed 1")) == 0
    before = contents(tmp_path)
    capsys.readouterr()
    assert train(command(data, tmp_path, f"--num_iters 9 --seed 1 --model_save_step 3 --resume {lr} {every}")) == 1
    assert "smaller --g_lr and --d_lr" in last_error(capsys)
    assert_same({**contents(tmp_path), "losses.csv": ""}, {**before, "losses.csv": ""})


@pytest.mark.parametrize("damage", ["cut", "noise", "another"])
def test_a_damaged_state_is_one_line_and_nothing_is_overwritten(data, copy, capsys, damage):
    state = copy / "models" / STATE
    if damage == "another":
        save_state(state, {"weights": torch.zeros(1)})
    else:
        state.write_bytes({"cut": state.read_bytes()[:999], "noise": b"\0\1" * 999}[damage])
    before = files(copy)
    assert train(command(data, copy, CELEBA, "--resume --num_iters 12")) == 2
    assert STATE in last_error(capsys)
    assert files(copy) == before


# --- what is gone on from -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A finished run of eight steps, to be copied."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert train(command(data, folder, CELEBA, "--seed 1")) == 0
    return folder


@pytest.fixture
def copy(trained, tmp_path, capsys):
    """Its folder in a place of this test's own."""
    shutil.copytree(trained, tmp_path / "run")
    capsys.readouterr()
    return tmp_path / "run"


def weights(path: Path) -> dict:
    """Those of a network that learning alone changes."""
    return {name: value for name, value in load_state(path).items() if not re.search("running|num_batches", name)}


def test_a_finished_run_has_nothing_left(data, copy, capsys):
    before = files(copy)
    assert train(command(data, copy, CELEBA, "--resume")) == 0
    assert "Nothing is left to train: step 8 of 8 is done." in capsys.readouterr().out
    assert files(copy) == before


def test_nothing_to_go_on_from_is_one_line(data, tmp_path, capsys):
    folder = tmp_path / "run"
    for flags, says in (
        ("--resume", f"no {STATE} to go on from; --resume_iters N"),
        ("--resume_iters 5", "there is no file .*5-G.ckpt"),
        ("--pretrained_model 1_5", "there is no file .*1_5_G.pth"),
        ("--pretrained_model newest", "newest"),
    ):
        assert train(command(data, folder, flags)) == 2
        assert re.search(says, last_error(capsys))
        assert not folder.exists()
    assert train(command(data, folder, "--resume_iters 0 --num_iters 1")) == 0  # as in the reference, 0 is no step


@pytest.mark.parametrize("how", ["--resume", "--resume_iters 5", "--reference_exact --resume"])
def test_more_iterations_are_those_of_a_longer_run(data, tmp_path, whole, how):
    """--resume_iters is exact where the state is of that step."""
    flags = "--num_iters 9 --model_save_step 5"
    assert train(command(data, tmp_path, flags, "--seed 1 --num_iters 5")) == 0
    assert train(command(data, tmp_path, flags, how)) == 0
    assert_same(contents(tmp_path), whole(flags))


RATES = "--num_iters 10 --num_iters_decay 6 --lr_update_step 2 --n_critic 1"


def rates(out: str) -> list[float]:
    """The generator's learning rates as they were lowered."""
    return [float(rate) for rate in re.findall(r"^Decayed learning rates, g_lr: (.*), d_lr: \1\.$", out, re.M)]


def used_rates(folder: Path) -> set[float]:
    """The learning rates in the saved optimisers: those of the next step."""
    optimizers = load_state(folder / "models" / STATE)["optimizers"].values()
    return {group["lr"] for optimizer in optimizers for group in optimizer["param_groups"]}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", [1 / 3, 0]),  # at 8 and 10; at 6 it had been 2 / 3
        ("--lr_decay reference", [4 / 6, 3 / 6]),
        ("--reference_exact", [5 / 6, 4 / 6]),  # begins at 1 again
    ],
)
def test_networks_alone_are_gone_on_from_where_they_were(data, copy, capsys, flags, expected):
    """With optimisers that begin anew, at the step's place in the calendar. The reference forgot this as well; a
    training that is resumed in our way does not forget what it forgot."""
    with interrupted(9):
        assert train(command(data, copy, RATES, f"--resume_iters 6 {flags}")) == 130
    told = capsys.readouterr()
    assert "Loading the trained models from step 6..." in told.out and steps_in(told.out) == [7, 8, 9]
    assert "Going on from networks alone: the optimisers begin anew." in told.err
    assert "the same command with --resume in place of --resume_iters goes on from here." in told.err
    assert rates(told.out) == pytest.approx([1e-4 * rate for rate in expected[:1]])
    assert used_rates(copy) == {rates(told.out)[0]}
    steps = load_state(copy / "models" / STATE)["optimizers"]["G"]["state"][0]["step"]
    assert int(steps) == 3
    assert train(command(data, copy, RATES, f"--resume {flags}")) == 0
    assert rates(capsys.readouterr().out) == pytest.approx([1e-4 * rate for rate in expected[1:]])
    assert {row.split(",")[0] for row in contents(copy)["losses.csv"].splitlines()[1:]} == {*map(str, range(1, 11))}


def test_going_back_takes_that_steps_networks_and_keeps_the_later_ones(data, copy, capsys):
    """What would be overwritten is put aside: the state, later networks and samples, the losses."""
    before = {which: weights(copy / "models" / f"3-{which}.ckpt") for which in "GD"}
    losses, later = contents(copy)["losses.csv"], load_state(copy / "models" / STATE)
    assert train(command(data, copy, "--resume_iters 3 --num_iters 5 --g_lr 0 --d_lr 0")) == 0
    assert f"kept in {copy / 'models' / 'earlier-1'}" in capsys.readouterr().err
    for which, expected in before.items():
        assert_same(weights(copy / "models" / f"5-{which}.ckpt"), expected)
    kept = names(copy / "models" / "earlier-1")
    assert kept == sorted([*(f"{n}-{which}.ckpt" for n in range(4, 9) for which in "GD"), STATE])
    assert_same(load_state(copy / "models" / "earlier-1" / STATE), later)
    assert names(copy / "models", "*-G.ckpt") == [f"{n}-G.ckpt" for n in (1, 2, 3, 5)]
    assert names(copy / "samples" / "earlier-1") == ["6-images.jpg"]
    assert (copy / "logs" / "earlier-1" / "losses.csv").read_text() == losses
    assert contents(copy)["losses.csv"].splitlines()[:4] == losses.splitlines()[:4]


def test_networks_of_other_programs_are_gone_on_from(data, copy, capsys):
    """A folder with nothing but a checkpoint, of long ago: no state, no statistics, names out of DataParallel."""
    for which in "GD":
        found = weights(copy / "models" / f"4-{which}.ckpt")
        for path in (copy / "models").glob(f"*-{which}.ckpt"):
            path.unlink()
        torch.save({f"module.{name}": w for name, w in found.items()}, copy / "models" / f"100-{which}.ckpt")
    (copy / "models" / STATE).unlink()
    shutil.rmtree(copy / "logs")
    before = weights(copy / "models" / "100-G.ckpt")
    assert train(command(data, copy, "--resume_iters 100 --num_iters 102 --g_lr 0")) == 0
    told = capsys.readouterr()
    assert steps_in(told.out) == [101, 102] and "kept in" not in told.err
    after = weights(copy / "models" / "102-G.ckpt")
    assert_same({f"module.{name}": w for name, w in after.items()}, dict(before))


def test_pretrained_model_names_an_epoch(data, tmp_path, capsys, whole):
    """Exactly, where it is the state's; else with the next epoch, as in 2017."""
    flags = f"{EPOCHS} --variant old"
    with interrupted(6):
        assert train(command(data, tmp_path, flags, "--seed 1")) == 130
    assert train(command(data, tmp_path, flags, "--seed 1 --pretrained_model 2_2")) == 0
    assert_same(contents(tmp_path), whole(flags))
    capsys.readouterr()
    assert train(command(data, tmp_path, flags, "--pretrained_model 1_3")) == 0
    told = capsys.readouterr()
    assert re.findall(r"Epoch \[(\d)/2\], Iter \[(\d)/4\]", told.out) == [("2", str(i)) for i in (1, 2, 3, 4)]
    assert "from networks alone" in told.err and "in place of" not in told.err
    assert names(tmp_path / "models" / "earlier-1", "*_G.pth") == [f"2_{i}_G.pth" for i in (1, 2, 3, 4)]


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--image_size 32", "--image_size 16, not 32"),
        ("--g_conv_dim 4", "--g_conv_dim 2, not 4"),
        ("--d_conv_dim 4", "--d_conv_dim"),
        ("--g_repeat_num 2", "--g_repeat_num"),
        ("--d_repeat_num 3", "--d_repeat_num"),
        ("--selected_attrs Male Young", "the labels Black_Hair Blond_Hair Brown_Hair Male Young, not Male Young"),
        ("--dataset Both", "--dataset CelebA, not Both"),
        ("--selected_attrs Blond_Hair Black_Hair Brown_Hair Male Young", "the labels"),
        ("--g_optimizer muon", "--g_optimizer adam, not muon"),
        ("--variant old", "--variant current, not old"),
    ],
)
def test_another_network_is_one_line(data, copy, capsys, with_state, flags, says):
    resume = "--resume --num_iters 12"
    if not with_state:
        (copy / "models" / STATE).unlink()
        resume = "--resume_iters 5 --num_iters 12"
        if re.search("optimizer|variant|Blond", flags):
            return  # nothing in the networks tells
    before = files(copy)
    assert train(command(data, copy, CELEBA, resume, flags)) == 2
    error = last_error(capsys)
    assert says in error if with_state else "does not fit the network" in error
    assert files(copy) == before


def test_a_state_without_the_later_numbers_goes_on(data, copy):
    """Those that the first trainings wrote had no "batches" and no "forgotten"."""
    state = load_state(copy / "models" / STATE)
    del state["batches"], state["forgotten"]
    save_state(copy / "models" / STATE, state)
    assert train(command(data, copy, CELEBA, "--resume --num_iters 9")) == 0
    assert load_state(copy / "models" / STATE)["step"] == 9


def test_what_may_change_changes(data, copy):
    """Weights of losses, learning rates and betas, the number of pictures in a batch, the pictures themselves."""
    more = write_data(copy.parent / "more", 20)
    flags = f"{CELEBA} --resume --num_iters 12 --num_iters_decay 1 --beta1 0.25 --beta2 0.9 --g_lr 0.002 --d_lr 0.001"
    assert train(command(more, copy, flags, "--batch_size 5 --lambda_cls 3 --seed 2")) == 0
    state = load_state(copy / "models" / STATE)
    assert state["step"] == 12 and state["seed"] == 2
    groups = {name: optimizer["param_groups"][0] for name, optimizer in state["optimizers"].items()}
    assert [groups[name]["betas"] for name in "GD"] == [(0.25, 0.9)] * 2
    assert int(state["optimizers"]["D"]["state"][0]["step"]) == 12
    assert len(contents(copy)["losses.csv"].splitlines()) == 13


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (2, ["2/3 3/4", "2/3 4/4"]),
        (4, ["2/3 2/2"]),
        (1, ["2/3 4/7", "2/3 5/7", "2/3 6/7", "2/3 7/7"]),
    ],
)
def test_epochs_stay_epochs_with_another_batch_size(data, tmp_path, capsys, batch, expected):
    """Half of the second one is behind it, and stays."""
    flags = "--variant old --num_epochs 3 --num_epochs_decay 3"
    with interrupted(6):
        assert train(command(data, tmp_path, flags)) == 130
    capsys.readouterr()
    assert train(command(data, tmp_path, flags, f"--resume --batch_size {batch}")) == 0
    out = capsys.readouterr().out
    found = [f"{e} {i}" for e, i in re.findall(r"Epoch \[(\d/\d)\], Iter \[(\d/\d)\]", out)]
    assert [place for place in found if place.startswith("2/3")] == expected
    assert len(found) == len(expected) + int(expected[-1][-1])
    assert len(re.findall("Decay learning rate to", out)) == 2


def test_an_earlier_training_is_kept(data, copy, capsys):
    """As it was, and the next one too; a new one begins at the beginning."""
    before, sheets = contents(copy), names(copy / "samples")
    for number in (1, 2):
        assert train(command(data, copy, CELEBA, "--seed 1 --num_iters 2")) == 0
        told = capsys.readouterr()
        assert f"An earlier training is kept in {copy / 'models' / f'earlier-{number}'}; --resume would" in told.err
        assert steps_in(told.out) == [1, 2]
        assert names(copy / "models", "*.ckpt") == ["1-D.ckpt", "1-G.ckpt", "2-D.ckpt", "2-G.ckpt"]
        assert not (copy / "samples" / "latest-sheet.jpg").exists()
    kept = copy.parent / "kept"
    for name in ("models", "logs", "samples"):
        shutil.copytree(copy / name / "earlier-1", kept / name)
    assert_same(contents(kept), before)
    assert names(kept / "samples") == sheets and (kept / "models" / "labels.json").is_file()


@pytest.mark.skipif(not Path("/proc/sys").is_dir(), reason="no folder here that refuses files even to root")
def test_nothing_is_moved_where_a_folder_refuses_files(data, copy, capsys):
    before = files(copy)
    assert train(command(data, copy, CELEBA, "--sample_dir /proc/sys")) == 2
    assert "cannot write into the folder /proc/sys" in last_error(capsys)
    assert files(copy) == before


def test_all_in_one_folder(data, tmp_path, whole):
    """Going on works, and a new training puts all of the old one aside."""
    places = [word for name in ("log", "model_save", "sample", "result") for word in (f"--{name}_dir", str(tmp_path))]
    argv = [*command(data, tmp_path, CELEBA, "--seed 1"), *places]
    with interrupted(4):
        assert train(argv) == 130
    assert train([*argv, "--resume"]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert train([*argv, "--num_iters", "1"]) == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "earlier-1").iterdir()} == before
    assert load_state(tmp_path / "earlier-1" / STATE)["step"] == 8
    shutil.copytree(tmp_path / "earlier-1", tmp_path / "x" / "models")
    (tmp_path / "x" / "logs").mkdir()
    shutil.copy(tmp_path / "earlier-1" / "losses.csv", tmp_path / "x" / "logs")
    assert_same(contents(tmp_path / "x"), whole(CELEBA))


def test_more_pictures_of_the_same_classes(data, copy):
    """New classes are other networks, new pictures are not."""
    folder, mine = copy.parent / "classes", write_data(copy.parent / "mine")
    assert train(command(mine, folder, "--dataset RaFD --num_iters 3")) == 0
    write_pictures(mine / "classes" / "calm", 9, seed=9)
    assert train(command(mine, folder, "--dataset RaFD --num_iters 6 --resume")) == 0
    write_pictures(mine / "classes" / "wild", 2)
    assert train(command(mine, folder, "--dataset RaFD --num_iters 9 --resume")) == 2
