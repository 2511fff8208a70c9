"""Ctrl-C, kill -9 and going on: nothing half-written, nothing lost, and the same picture in the end to the bit."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import options
from shared_scripts.images import read_image

PROJECT = Path(options.__file__).parent
STEPS = 300
FLAGS = [
    *("--content", "c.png", "--styles", "s.png", "--output", "out.png", "--network", "tiny.mat"),
    *("--iterations", str(STEPS), "--seed", "5", "--print-iterations", "7", "--progress-write"),
    *("--checkpoint-output", "ck_%03d.png", "--checkpoint-iterations", "10", "--device", "cpu"),
]  # fmt: skip


@pytest.fixture(scope="module")
def start():
    """`start(folder, *flags)` starts a run in a process of its own, which saves its state after every step."""
    running = []
    code = f"""
import runpy, sys
sys.path.insert(0, {str(PROJECT)!r})
import transfer
transfer.STATE_SECONDS = 0
runpy.run_path({str(PROJECT / "neural_style.py")!r}, run_name="__main__")
"""

    def launch(folder, *flags):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *FLAGS, *flags],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        running.append(process)
        return process

    yield launch
    for process in running:
        process.kill()
        process.communicate()


def wait_for_step(process, number):
    """Read the process's lines until it has done so many steps."""
    for line in process.stdout:
        if line.startswith(f"Iteration {number:4d}/"):
            return
    raise AssertionError(process.stderr.read())


@pytest.fixture(scope="module")
def stopped(start, tmp_path_factory, make_desk):
    """The folder of a run that Ctrl-C stopped half-way, and what it said."""
    folder = make_desk(tmp_path_factory.mktemp("stopped"))
    process = start(folder)
    wait_for_step(process, 95)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return folder, process.returncode, err


@pytest.fixture
def again(stopped, tmp_path, monkeypatch):
    """A copy of the stopped run's folder to go on in."""
    folder = Path(shutil.copytree(stopped[0], tmp_path / "again"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, script, make_desk):
    """The folder of the same run left alone."""
    folder = make_desk(tmp_path_factory.mktemp("uninterrupted"))
    script(*FLAGS, cwd=folder).succeeded()
    return folder


def pictures(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


# --- Ctrl-C -------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_with_130(stopped):
    _, status, err = stopped
    assert status == 130 and "Traceback" not in err, err


def test_ctrl_c_leaves_a_whole_picture_and_the_state(stopped):
    folder, _, _ = stopped
    assert read_image(folder / "out.png").shape == (24, 30, 3)
    assert (folder / "out.png.state").is_file()
    assert not list(folder.glob("*.tmp*")) and not list(folder.glob(".*"))


def test_ctrl_c_says_how_to_go_on(stopped):
    _, _, err = stopped
    lines = [line for line in err.splitlines() if "--resume" in line]
    assert len(lines) == 1 and "out.png" in lines[0]


def test_ctrl_c_saves_the_picture_with_the_lowest_loss(stopped):
    folder, _, _ = stopped
    run = torch.load(folder / "out.png.state", weights_only=True)["run"]
    pixels = run["lowest"][0].permute(1, 2, 0).double().numpy() + [123.68, 116.779, 103.939]
    np.testing.assert_array_equal(read_image(folder / "out.png"), np.clip(pixels, 0, 255).astype(np.uint8))


# --- going on -----------------------------------------------------------------------------------------------------


def test_resume_gives_the_pictures_of_an_uninterrupted_run_to_the_bit(cli, again, uninterrupted):
    outcome = cli(*FLAGS, "--resume")
    outcome.succeeded()
    assert "Going on after" in outcome.err
    found, expected = pictures(again), pictures(uninterrupted)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_resume_records_the_losses_of_an_uninterrupted_run(cli, again, uninterrupted):
    cli(*FLAGS, "--resume").succeeded()
    assert (again / "progress.txt").read_text() == (uninterrupted / "progress.txt").read_text()


def test_resume_leaves_no_state_behind(cli, again):
    cli(*FLAGS, "--resume").succeeded()
    assert not list(again.glob("*.state")) and not list(again.glob(".*"))


def test_resume_may_take_more_steps_than_were_planned(cli, again):
    cli(*FLAGS, "--resume", "--iterations", STEPS + 7).succeeded()
    assert (again / f"ck_{STEPS + 7}.png").exists()


def test_resume_with_fewer_steps_than_were_done_loses_nothing(cli, again):
    before = {path.name: path.read_bytes() for path in again.iterdir()}
    cli(*FLAGS, "--resume", "--iterations", "20").refused("out.png.state", "--iterations")
    assert {path.name: path.read_bytes() for path in again.iterdir()} == before


OTHERS = {
    "--content": "s.png", "--styles": "c.png", "--initial": "c.png", "--style-scales": "2", "--pooling": "avg",
    "--content-weight": "6", "--content-weight-blend": "0.5", "--style-weight": "1", "--style-layer-weight-exp": "2",
    "--style-blend-weights": "3", "--tv-weight": "1", "--learning-rate": "1", "--beta1": "0.5", "--beta2": "0.9",
    "--eps": "0.1", "--width": "20",
}  # fmt: skip


@pytest.mark.parametrize("flag", OTHERS)
def test_resume_with_another_flag_is_refused(cli, again, flag):
    before = {path.name: path.read_bytes() for path in again.iterdir()}
    outcome = cli(*FLAGS, "--resume", flag, OTHERS[flag])
    outcome.refused("out.png.state", flag)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == before


def test_resume_names_all_flags_that_differ_and_no_others(cli, again):
    outcome = cli(*FLAGS, "--resume", "--tv-weight", "1", "--pooling", "avg")
    outcome.refused("--tv-weight", "--pooling")
    assert "--content-weight" not in outcome.err and "--width" not in outcome.err


def test_resume_with_another_network_is_refused(cli, again):
    shutil.copy("tiny.mat", "other.mat")
    cli(*FLAGS, "--resume", "--network", "other.mat").refused("--network")


def test_resume_with_another_picture_under_the_same_name_is_refused(cli, again, picture):
    picture(again / "c.png", 20, 30, 1)
    cli(*FLAGS, "--resume").refused("out.png.state")


def test_resume_without_a_state_starts_from_the_beginning(cli, again, uninterrupted):
    (again / "out.png.state").unlink()
    for path in again.glob("ck_*.png"):
        path.unlink()
    outcome = cli(*FLAGS, "--resume", "--overwrite")
    outcome.succeeded()
    assert "from the beginning" in outcome.err
    assert pictures(again) == pictures(uninterrupted)


def test_resume_without_a_state_does_not_overwrite_unasked(cli, again):
    (again / "out.png.state").unlink()
    before = pictures(again)
    cli(*FLAGS, "--resume").refused("out.png", "--overwrite")
    assert pictures(again) == before


def damaged_state(whole):
    return whole[: len(whole) // 2]


def foreign_state(whole):
    torch.save({"weights": torch.ones(3)}, "other.state")
    return Path("other.state").read_bytes()


class Malice:
    def __reduce__(self):
        return os.mkdir, ("victim",)


@pytest.mark.parametrize(
    "change",
    [damaged_state, foreign_state, lambda whole: b"", lambda whole: b"rubbish" * 50,
     lambda whole: pickle.dumps({"run": Malice(), "settings": {}, "rows": []})],
    ids=["cut short", "foreign", "empty", "rubbish", "code"],
)  # fmt: skip
def test_resume_from_a_bad_state_is_refused(cli, again, change):
    state = again / "out.png.state"
    content = change(state.read_bytes())
    state.write_bytes(content)
    before = pictures(again)
    cli(*FLAGS, "--resume").refused("out.png.state")
    assert pictures(again) == before and state.read_bytes() == content
    assert not (again / "victim").exists()


def test_a_fresh_run_does_not_take_up_an_old_state(cli, again, uninterrupted):
    outcome = cli(*FLAGS, "--overwrite")
    outcome.succeeded()
    assert "Going on" not in outcome.err and not list(again.glob("*.state"))
    assert pictures(again) == pictures(uninterrupted)


# --- Ctrl-C at every line -----------------------------------------------------------------------------------------

SHORT = ["--iterations", "5", "--checkpoint-iterations", "1", "--print-iterations", "1"]
WINDOW = (3, 5)  # steps done when Ctrl-C may come: in the middle of the run, and at its very end


@pytest.fixture
def ctrl_c_at():
    """`with ctrl_c_at(n) as watch:` Ctrl-C at the n-th line that the optimisation's own code runs in mid-run.

    `watch.count` is how many lines there were until it came; `press` are the signals that come then.
    """
    watched = {str(PROJECT / name) for name in ("stylize.py", "optimizers.py", "transfer.py", "report.py")}

    class Watch:
        def __init__(self, number, press=(signal.SIGINT,), window=WINDOW):
            self.number, self.count, self.press, self.window = number, 0, press, window

        def in_the_middle(self, frame):
            """Whether this is code of a step, or called by it, at one of the chosen times."""
            while frame is not None:
                owner = frame.f_locals.get("self")
                if frame.f_code.co_name in ("run", "after") and frame.f_code.co_filename in watched:
                    return getattr(owner, "optimization", owner).done in self.window
                frame = frame.f_back
            return False

        def calls(self, frame, event, _):
            return self.lines if frame.f_code.co_filename in watched else None

        def lines(self, frame, event, _):
            if event == "line" and self.in_the_middle(frame):
                self.count += 1
                if self.count == self.number:
                    sys.settrace(None)
                    for number in self.press:
                        signal.raise_signal(number)
            return self.lines

        def __enter__(self):
            self.before = sys.gettrace()
            sys.settrace(self.calls)
            return self

        def __exit__(self, *_):
            sys.settrace(self.before)
            torch.set_grad_enabled(True)  # if a `with torch.no_grad()` was cut off; a real process ends here

    return Watch


@pytest.fixture
def quick_folder():
    """A folder in memory where the system has one: hundreds of runs wait for nothing but the disk otherwise."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)
        os.chdir(PROJECT)  # Windows deletes no current folder


def test_ctrl_c_at_any_line_costs_nothing(cli, make_desk, ctrl_c_at, quick_folder, monkeypatch):
    """Wherever Ctrl-C comes, --resume ends with the same pictures, checkpoints and recorded losses."""
    folder = make_desk(quick_folder / "whole")
    monkeypatch.chdir(folder)
    with ctrl_c_at(0) as watch:
        cli(*FLAGS, *SHORT).succeeded()
    expected, losses, lines = pictures(folder), (folder / "progress.txt").read_text(), watch.count
    assert lines > 40
    wrong = []
    for number in range(1, lines + 1):
        monkeypatch.chdir(make_desk(quick_folder / str(number)))
        with ctrl_c_at(number):
            first = cli(*FLAGS, *SHORT)
        finished = first.status == 0  # it may have been so near the end that there was nothing left to stop
        second = first if finished else cli(*FLAGS, *SHORT, "--resume")
        found = pictures(Path.cwd())
        names = sorted(name for name in expected | found if found.get(name) != expected.get(name))
        whole = Path("progress.txt").exists() and Path("progress.txt").read_text() == losses
        if first.status not in (0, 130) or second.status or names or not whole:
            wrong.append((number, first.status, second.status, names, whole))
    assert not wrong, f"at {len(wrong)} of {lines} lines: {wrong}"


def test_an_impatient_second_ctrl_c_never_makes_resume_wrong(cli, make_desk, ctrl_c_at, quick_folder, monkeypatch):
    """The second does not wait for the end of the step; what is saved then must still be whole, or left unsaved."""
    folder = make_desk(quick_folder / "whole")
    monkeypatch.chdir(folder)
    with ctrl_c_at(0, window=(3,)) as watch:
        cli(*FLAGS, *SHORT).succeeded()
    expected, wrong = pictures(folder), []
    for number in range(1, watch.count + 1, 3):
        monkeypatch.chdir(make_desk(quick_folder / str(number)))
        with ctrl_c_at(number, press=(signal.SIGINT, signal.SIGINT), window=(3,)):
            first = cli(*FLAGS, *SHORT)
        second = cli(*FLAGS, *SHORT, "--resume", "--overwrite")
        found = pictures(Path.cwd())
        names = sorted(name for name in expected | found if found.get(name) != expected.get(name))
        if first.status != 130 or second.status or names:
            wrong.append((number, first.status, second.status, names))
    assert not wrong, f"at {len(wrong)} lines: {wrong}"


@pytest.mark.parametrize("name", ["out.png.state", "out.png"])
def test_an_impatient_second_ctrl_c_does_not_stop_the_saving(cli, make_desk, quick_folder, monkeypatch, name):
    """Pressed while the first one is being answered, it must cost neither the state nor the picture."""
    monkeypatch.chdir(make_desk(quick_folder / "desk"))
    replace, pressed = os.replace, []

    def press_and_replace(source, target):
        if Path(target).name == ("ck_001.png" if not pressed else name):
            pressed.append(target)
            signal.raise_signal(signal.SIGINT)
        return replace(source, target)

    monkeypatch.setattr(os, "replace", press_and_replace)
    assert cli(*FLAGS, *SHORT).status == 130
    assert [path.name for path in map(Path, pressed)] == ["ck_001.png", name]
    run = torch.load("out.png.state", weights_only=True)["run"]
    pixels = run["lowest"][0].permute(1, 2, 0).double().numpy() + [123.68, 116.779, 103.939]
    np.testing.assert_array_equal(read_image("out.png"), np.clip(pixels, 0, 255).astype(np.uint8))


def test_a_polite_kill_is_answered_like_ctrl_c(cli, make_desk, ctrl_c_at, quick_folder, monkeypatch):
    monkeypatch.chdir(make_desk(quick_folder / "desk"))
    with ctrl_c_at(5, press=(signal.SIGTERM,)):
        assert cli(*FLAGS, *SHORT).status == 130
    assert Path("out.png.state").is_file()
    assert read_image("out.png").shape == (24, 30, 3)


# --- kill -9 ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(start, tmp_path_factory, make_desk):
    """The folder of a run that was killed while it rewrote its picture and state all the time.

    The picture was looked at again and again meanwhile; `looks` are the shapes it had.
    """
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("this system has no kill -9")
    folder = make_desk(tmp_path_factory.mktemp("killed"))
    process = start(folder, "--refresh", "0.0000001", "--iterations", "100000", "--output", "out.bmp")
    wait_for_step(process, 5)
    looks, end = [], time.monotonic() + 1.5
    while time.monotonic() < end:
        looks.append(read_image(folder / "out.bmp").shape)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    return folder, looks


def test_the_picture_is_whole_at_any_time(killed):
    _, looks = killed
    assert len(looks) > 20 and set(looks) == {(24, 30, 3)}


def test_a_kill_leaves_no_half_written_file(killed):
    folder, _ = killed
    for path in [folder / "out.bmp", *folder.glob("ck_*.png")]:
        assert read_image(path).shape == (24, 30, 3)


def test_after_a_kill_resume_goes_on_from_the_last_saved_state(killed, cli, make_desk, tmp_path, monkeypatch):
    done = torch.load(killed[0] / "out.bmp.state", weights_only=True)["run"]["done"]
    assert done >= 5
    flags = [*FLAGS, "--output", "out.bmp", "--iterations", done + 3]
    found = []
    for folder, more in [(killed[0], ["--resume"]), (make_desk(tmp_path / "whole"), [])]:
        monkeypatch.chdir(folder)
        cli(*flags, *more).succeeded()
        found.append([(folder / name).read_bytes() for name in ("out.bmp", "progress.txt")])
    assert found[0] == found[1]
