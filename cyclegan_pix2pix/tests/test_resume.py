"""A training that is stopped, in any way at any moment, and continued ends as if it had never stopped: to the bit."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from runs import STATE, command, contents, train, write_data

import run_training
from shared_scripts.checkpoints import load_state, save_state
from shared_scripts.testing import assert_same, finish, needs_processes, wait_for, write_pictures
from training_state import TrainingState

EPOCHS = "--n_epochs 2 --n_epochs_decay 1 --print_freq 1 --save_latest_freq 1 --save_epoch_freq 1"
CYCLE = f"--model cycle_gan --pool_size 2 {EPOCHS}"
PIX = f"--model pix2pix {EPOCHS}"  # with batch norm, and dropout at work


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def snapshots(monkeypatch, tmp_path):
    """After each saving the folder is copied, as a kill right then would leave it: a list of the copies."""
    copies = []
    save = TrainingState.save

    def save_and_copy(state, model):
        save(state, model)
        copies.append(tmp_path / "snapshots" / str(len(copies)))
        shutil.copytree(state.folder, copies[-1])

    monkeypatch.setattr(TrainingState, "save", save_and_copy)
    yield copies


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """`whole(flags)`: the contents of an uninterrupted run with --seed 1, made once."""
    place, made = tmp_path_factory.mktemp("whole"), {}

    def contents_of(flags):
        if flags not in made:
            assert train(command(data, place, f"w{len(made)}", flags, "--seed 1")) == 0
            made[flags] = contents(place / f"w{len(made)}")
        return made[flags]

    return contents_of


@pytest.fixture
def interrupt(monkeypatch):
    """`interrupt(n, signal)`: this process gets the signal while the step that reaches n images is shown."""

    def at(images, number=signal.SIGINT):
        show = run_training.Training.show

        def show_and_signal(training, position, *times):
            show(training, position, *times)
            if position.images == images:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(run_training.Training, "show", show_and_signal)

    return at


# --- stopped between any two steps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "cuts"),
    [
        (f"{CYCLE} --seed 1", (3, 4, 5)),  # 4: the epoch's last batch is done; 5: the epoch is
        (CYCLE, (3,)),
        (f"{PIX} --seed 1", (1, 4, 5)),
        (PIX, (2,)),
        (f"{PIX} --batch_size 2 --precision bf16 --seed 1", (4,)),
        (f"{CYCLE} --batch_size 2 --lr_policy cosine --n_epochs 3 --lambda_identity 0 --direction BtoA", (6,)),
    ],
)
def test_a_run_goes_on_from_every_saved_state(data, tmp_path, snapshots, flags, cuts):
    """Without --seed too: what was drawn in its place is in the state."""
    argv = command(data, tmp_path, "run", flags)
    assert train(argv) == 0
    expected, copies = contents(tmp_path / "run"), list(snapshots)
    assert len(contents(tmp_path / "run")["losses.csv"].splitlines()) > 9
    for cut in cuts:
        name = f"resumed{cut}"
        shutil.copytree(copies[cut], tmp_path / name)
        assert load_state(tmp_path / name / STATE)["position"] != expected[STATE]["position"]
        assert train([*argv, "--name", name, "--continue_train"]) == 0
        assert_same(contents(tmp_path / name), expected)


def test_the_plateau_policy_goes_on(tmp_path, snapshots):
    """Its rate falls after 6 epochs in which the metric stayed where it is, so a run must remember how many."""
    data = write_pictures(tmp_path / "data" / "train", 2, (40, 20)).parent
    argv = command(data, tmp_path, "run", PIX, "--lr_policy plateau --n_epochs 8 --n_epochs_decay 1 --seed 1")
    assert train(argv) == 0
    expected = contents(tmp_path / "run")
    rate = expected[STATE]["model"]["optimizers"]["G"]["param_groups"][0]["lr"]
    assert rate == pytest.approx(0.0002 / 5)
    for cut in (10, 11):
        shutil.copytree(snapshots[cut], tmp_path / str(cut))
        assert train([*argv, "--name", str(cut), "--continue_train"]) == 0
        assert_same(contents(tmp_path / str(cut)), expected)


def test_reading_ahead_changes_nothing(tmp_path, snapshots):
    data = write_data(tmp_path / "data", 16)
    flags = f"{PIX} --batch_size 4 --save_latest_freq 4 --n_epochs 1 --seed 1"
    assert train(command(data, tmp_path, "run", flags)) == 0
    expected = contents(tmp_path / "run")
    assert train(command(data, tmp_path, "ahead", flags, "--num_threads 2")) == 0
    assert_same(contents(tmp_path / "ahead"), expected)
    shutil.copytree(snapshots[2], tmp_path / "resumed")
    assert train(command(data, tmp_path, "resumed", flags, "--num_threads 2 --continue_train")) == 0
    assert_same(contents(tmp_path / "resumed"), expected)


# --- Ctrl-C and kills ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "images"), [(CYCLE, 3), (CYCLE, 5), (PIX, 8), (PIX, 10)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_says_how_to_go_on(
    data, tmp_path, capsys, interrupt, whole, monkeypatch, flags, images, number
):
    flags = flags.replace("--save_latest_freq 1", "--save_latest_freq 1000").replace("_epoch_freq 1", "_epoch_freq 9")
    expected = whole(flags)
    argv = command(data, tmp_path, "run", flags, "--seed 1")
    with monkeypatch.context():
        interrupt(images, number)
        assert train(argv) == 130
    told = capsys.readouterr().err.splitlines()
    assert told[-2:] == [
        f"Saved at {images} images; the same command with --continue_train goes on from here.",
        "stopped by Ctrl-C",
    ]
    assert train([*argv, "--continue_train"]) == 0
    assert_same(contents(tmp_path / "run"), expected)


def test_a_second_ctrl_c_does_not_cut_the_saving_off(data, tmp_path, interrupt, monkeypatch):
    save = TrainingState.save

    def signal_and_save(state, model):
        os.kill(os.getpid(), signal.SIGINT)
        save(state, model)

    monkeypatch.setattr(TrainingState, "save", signal_and_save)
    interrupt(2)
    assert train(command(data, tmp_path, "run", CYCLE, "--save_latest_freq 1000")) == 130
    assert load_state(tmp_path / "run" / STATE)["position"]["images"] == 2


@needs_processes
@pytest.mark.parametrize("flags", [CYCLE, PIX])
def test_a_killed_run_goes_on(data, tmp_path, whole, start, flags):
    """Killed outright, three times in a row: as soon as there is a state, later, and while a file is being written."""
    expected, folder = whole(flags), tmp_path / "run"
    argv, more = command(data, tmp_path, "run", flags, "--seed 1"), []
    kills = [
        lambda: (folder / STATE).exists(),
        lambda: time.sleep(0.05) or True,
        lambda: list(folder.glob(f".{Path(STATE).stem}.*")),
    ]
    for when in kills:
        begun = len(read_log(tmp_path).splitlines())
        process = start([*argv, *more], tmp_path / "log")
        wait_for(lambda begun=begun: "iters" in "".join(read_log(tmp_path).splitlines()[begun:]), process)
        wait_for(when, process)
        process.kill()
        assert finish(process) == -signal.SIGKILL
        more = ["--continue_train"]
    assert train([*argv, *more]) == 0
    assert_same(contents(folder), expected)
    assert not list(folder.glob(".*"))


def read_log(place: Path) -> str:
    log = place / "log"
    return log.read_text() if log.exists() else ""


def forked_children(pid: int) -> list[int]:
    """The children of a process that run the same program (Linux; elsewhere none is found)."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    numbers = [int(word) for word in found.read_text().split()] if found.exists() else []
    own = Path(f"/proc/{pid}/cmdline")
    return [number for number in numbers if Path(f"/proc/{number}/cmdline").read_text() == own.read_text()]


@needs_processes
def test_a_killed_process_leaves_no_readers(tmp_path, start):
    """Those that read ahead get no Ctrl-C of their own, and go when their training goes."""
    data = write_data(tmp_path / "data", 16)
    argv = command(data, tmp_path, "run", PIX, "--num_threads 2 --n_epochs 1000")
    process = start(argv, tmp_path / "log")
    wait_for(lambda: "(epoch: 1, iters: 9" in read_log(tmp_path), process)
    readers = forked_children(process.pid)
    assert len(readers) == 2 or not Path("/proc/self").exists()
    assert all(os.getpgid(reader) == reader for reader in readers)
    os.kill(process.pid, signal.SIGINT)
    assert finish(process) == 130
    assert "Traceback" not in read_log(tmp_path) and "goes on from here" in read_log(tmp_path)
    assert not any(Path(f"/proc/{reader}").exists() for reader in readers)


def test_halves_of_files_that_a_kill_left_are_cleared_away(data, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".latest_train_state.77.tmp.pt", ".latest_net_G.77.tmp.pth"):
        (folder / name).write_bytes(b"half")
    (folder / "notes.tmp.pt").write_bytes(b"mine")
    assert train(command(data, tmp_path, "run", PIX, "--n_epochs 1 --n_epochs_decay 0")) == 0
    assert not list(folder.glob(".*")) and (folder / "notes.tmp.pt").exists()


# --- what cannot be saved or read ---------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_state_whole(data, tmp_path, capsys, full_disk, whole):
    flags = f"{CYCLE} --save_epoch_freq 9 --save_latest_freq 4"
    argv = command(data, tmp_path, "run", flags, "--seed 1")
    save = TrainingState.save

    def save_on_full_disk(state, model):
        if state.position.images < 8:
            return save(state, model)
        with full_disk(20_000):  # the networks fit, the state does not
            return save(state, model)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingState, "save", save_on_full_disk)
        assert train(argv) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: cannot write") and STATE in error
    assert load_state(tmp_path / "run" / STATE)["position"]["images"] == 4
    assert not list((tmp_path / "run").glob(".*"))
    assert train([*argv, "--continue_train"]) == 0
    assert_same(contents(tmp_path / "run"), whole(flags))


def files(folder: Path) -> dict:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "another"])
def test_a_damaged_state_is_one_line_and_nothing_is_overwritten(data, tmp_path, capsys, damage):
    argv = command(data, tmp_path, "run", PIX, "--n_epochs 1 --n_epochs_decay 0")
    assert train(argv) == 0
    state = tmp_path / "run" / STATE
    if damage == "another":
        save_state(state, {"weights": torch.zeros(1)})
    else:
        whole = state.read_bytes()
        state.write_bytes({"cut": whole[: len(whole) // 2], "noise": b"\0\1" * 999, "empty": b""}[damage])
    before = files(tmp_path)
    capsys.readouterr()
    assert train([*argv, "--continue_train", "--n_epochs", "3"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith("error: ") and STATE in error[-1] and sum("error" in line for line in error) == 1
    assert files(tmp_path) == before


# --- what --continue_train goes on from ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A finished run of three epochs, to be copied."""
    place = tmp_path_factory.mktemp("trained")
    assert train(command(data, place, "run", CYCLE, "--seed 1")) == 0
    return place / "run"


@pytest.fixture
def copy(trained, tmp_path):
    """Its folder, named run, in a place of this test's own."""
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def go_on(data, folder: Path, *flags: str) -> int:
    return train(command(data, folder.parent, folder.name, CYCLE, "--continue_train", *flags))


def first_epochs(out: str) -> list[int]:
    return sorted({int(number) for number in re.findall(r"\(epoch: (\d+)", out)})


def test_a_finished_run_has_nothing_left(data, copy, capsys):
    before = files(copy)
    assert go_on(data, copy) == 0
    assert "Nothing is left to train: epoch 3 of 3 is done; raise --n_epochs to go on." in capsys.readouterr().out
    assert files(copy) == before


def test_a_finished_run_goes_on_with_more_epochs(data, copy, capsys):
    assert go_on(data, copy, "--n_epochs 4 --n_epochs_decay 0") == 0
    assert first_epochs(capsys.readouterr().out) == [4]
    assert (copy / "4_net_G_A.pth").is_file()
    rows = (copy / "losses.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1::5]] == ["1", "2", "3", "4"] and len(rows) == 21


def no_learning(folder: Path) -> str:
    """Flags under which a run's networks are those it began with, for one more epoch than there is."""
    return "--lr 0 --save_latest_freq 1000 --save_epoch_freq 1"


def test_networks_alone_are_continued_too(data, copy, capsys):
    (copy / STATE).unlink()
    before = load_state(copy / "latest_net_G_A.pth")
    assert go_on(data, copy, no_learning(copy), "--n_epochs 1 --n_epochs_decay 0") == 0
    told = capsys.readouterr()
    assert "from networks alone" in told.err and first_epochs(told.out) == [1]
    assert_same(load_state(copy / "1_net_G_A.pth"), before)


def test_an_earlier_epoch_is_continued_with_the_next(data, copy, capsys):
    before = {name: load_state(copy / f"2_net_{name}.pth") for name in ("G_A", "D_B")}
    assert go_on(data, copy, no_learning(copy), "--epoch 2") == 0
    assert first_epochs(capsys.readouterr().out) == [3]
    for name, weights in before.items():
        assert_same(load_state(copy / f"latest_net_{name}.pth"), weights)
    rows = (copy / "losses.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1::5]] == ["1", "2", "3"]


def test_epoch_count_chooses_the_epoch(data, copy, capsys):
    assert go_on(data, copy, "--epoch_count 2") == 0
    assert first_epochs(capsys.readouterr().out) == [2, 3]
    (copy / STATE).unlink()
    assert go_on(data, copy, "--epoch_count 3") == 0
    assert first_epochs(capsys.readouterr().out) == [3]


def test_the_same_command_goes_on_also_where_it_named_a_first_epoch(data, tmp_path, capsys, interrupt, monkeypatch):
    argv = command(data, tmp_path, "run", CYCLE, "--epoch_count 2 --n_epochs 3 --seed 1")
    assert train([*argv, "--name", "whole"]) == 0
    with monkeypatch.context():
        interrupt(7)
        assert train(argv) == 130
    capsys.readouterr()
    assert train([*argv, "--continue_train"]) == 0
    assert first_epochs(capsys.readouterr().out) == [3, 4]
    assert_same(contents(tmp_path / "run"), contents(tmp_path / "whole"))


def test_saved_iterations_are_continued(data, copy, tmp_path, capsys):
    assert go_on(data, copy, "--n_epochs 4 --n_epochs_decay 0 --save_by_iter --save_latest_freq 2") == 0
    before = load_state(copy / "iter_18_net_D_A.pth")
    capsys.readouterr()
    assert go_on(data, copy, no_learning(copy), "--load_iter 18 --n_epochs 1 --n_epochs_decay 0") == 0
    assert "from networks alone" in capsys.readouterr().err
    assert_same(load_state(copy / "1_net_D_A.pth"), before)


@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--ngf 4", "--ngf"),
        ("--ndf 3", "--ndf"),
        ("--netG resnet_9blocks", "--netG"),
        ("--norm batch", "--norm"),
        ("--use_dropout", "--use_dropout"),
        ("--input_nc 1", "--input_nc"),
        ("--n_layers_D 2", "--n_layers_D"),
    ],
)
def test_another_architecture_is_one_line(data, copy, capsys, with_state, flags, says):
    if not with_state:
        (copy / STATE).unlink()
    before = files(copy)
    assert go_on(data, copy, "--n_epochs 4", flags) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and says in error and len(error) < 300
    assert files(copy) == before


def test_the_architecture_need_not_be_repeated(data, copy):
    flags = ["--model", "cycle_gan", "--load_size", "18", "--crop_size", "16", "--gpu_ids", "-1", "--n_epochs", "3"]
    place = ["--dataroot", str(data), "--checkpoints_dir", str(copy.parent), "--name", "run", "--num_threads", "0"]
    assert train([*place, *flags, "--n_epochs_decay", "1", "--continue_train"]) == 0
    assert len(load_state(copy / "latest_net_G_A.pth")["model.1.bias"]) == 2


def test_a_shrunk_discriminator_goes_on_with_the_same_command(data, tmp_path, capsys):
    argv = command(data, tmp_path, "run", CYCLE, "--netD basic --n_epochs 1 --n_epochs_decay 0")
    assert train(argv) == 0
    assert train([*argv, "--continue_train", "--n_epochs", "2"]) == 0
    (tmp_path / "run" / STATE).unlink()
    assert train([*argv, "--continue_train", "--epoch_count", "2", "--n_epochs", "2"]) == 0
    capsys.readouterr()
    assert train([*argv, "--continue_train", "--n_epochs", "3", "--load_size", "40", "--crop_size", "32"]) == 2
    assert "--netD" in capsys.readouterr().err.splitlines()[-1]  # basic is another one for larger crops


def test_another_model_is_one_line(data, copy, capsys):
    before = files(copy)
    assert train(command(data, copy.parent, "run", PIX, "--continue_train --n_epochs 4")) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and "--model cycle_gan" in error
    assert files(copy) == before


def test_a_missing_experiment_is_one_line_with_those_there_are(data, copy, capsys):
    assert train(command(data, copy.parent, "ruin", CYCLE, "--continue_train")) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: there is no experiment 'ruin'") and "it has run" in error
    assert not (copy.parent / "ruin").exists()
    assert go_on(data, copy, "--epoch 7 --n_epochs 9") == 2
    assert re.search(r"7_net_G_A.pth.* 1, 2, 3", capsys.readouterr().err.splitlines()[-1])


def test_a_new_run_over_an_old_one_says_so(data, copy, capsys):
    assert train(command(data, copy.parent, "run", CYCLE, "--n_epochs 1 --n_epochs_decay 0")) == 0
    assert "holds a training, which this one replaces; --continue_train would go on" in capsys.readouterr().err
    assert load_state(copy / STATE)["position"]["epoch"] == 2
    assert len((copy / "losses-1.csv").read_text().splitlines()) == 16
