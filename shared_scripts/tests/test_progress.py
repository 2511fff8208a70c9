"""The bar, the CSV and TensorBoard."""

import csv
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from shared_scripts.cli import RunError
from shared_scripts.progress import Board, Progress, append_row, check_finite, forget_rows_after


def rows(path):
    with open(path, newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_losses_go_to_a_csv(tmp_path):
    with Progress(2, folder=tmp_path / "new") as progress:
        for step in (1, 2):
            progress.update(loss=1 / step)
            progress.report(step, {"loss": 1 / step, "tv": 3.0})
    assert rows(tmp_path / "new/losses.csv") == [{"step": 1, "loss": 1, "tv": 3}, {"step": 2, "loss": 0.5, "tv": 3}]


def test_a_resumed_run_appends(tmp_path):
    for start in (0, 1):
        with Progress(2, start=start, folder=tmp_path) as progress:
            progress.report(start, {"loss": 0.1})
    assert rows(tmp_path / "losses.csv") == [{"step": 0, "loss": 0.1}, {"step": 1, "loss": 0.1}]


def test_an_empty_csv_gets_its_header(tmp_path):
    (tmp_path / "x.csv").touch()
    append_row(tmp_path / "x.csv", {"step": 1, "loss": 2})
    assert rows(tmp_path / "x.csv") == [{"step": 1, "loss": 2}]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("step,loss\n1,2\n2,3\n3,4\n", "step,loss\n1,2\n2,3\n"),
        ("step,loss\n1,2\n2,3\n2", "step,loss\n1,2\n2,3\n"),  # killed while it wrote
        ("step,loss\n1,2\n2,3", "step,loss\n1,2\n"),  # or perhaps 3.5
        ("step,loss\n", "step,loss\n"),
        ("step,lo", ""),
        ("", ""),
    ],
)
def test_rows_behind_a_step_are_forgotten(tmp_path, before, after):
    path = tmp_path / "losses.csv"
    forget_rows_after(path, 2)
    assert not path.exists()
    path.write_text(before)
    forget_rows_after(path, 2)
    assert path.read_text() == after


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Progress(1) as progress:
        progress.update(loss=1.0)
        progress.report(1, {"loss": 1.0})
        progress.image(1, "x", np.zeros((4, 4, 3), np.uint8))
    assert os.listdir(tmp_path) == []


def test_where_there_is_no_terminal_there_is_no_bar(capsys):
    with Progress(3) as progress:
        progress.update(loss=1.0)
        progress.write("a line")
        progress.update()
    out, err = capsys.readouterr()
    assert (out, err) == ("a line\n", "")


def test_on_a_terminal_there_is_a_bar_with_the_losses():
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    code = "from shared_scripts.progress import Progress\nwith Progress(4, start=2) as progress:\n"
    code += "    progress.update(loss=0.123456)\n    progress.write('a line')\n    progress.update(loss=0.25)\n"
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux's way of saying that the other end is closed
        pass
    os.close(ours)
    out, _ = process.communicate()
    assert out.splitlines()[-1].strip() == "a line"
    assert b"4/4" in shown and b"loss=0.25" in shown


def test_tensorboard_gets_losses_and_pictures(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Progress(2, folder=tmp_path, tensorboard=True) as progress:
        progress.report(1, {"loss": 0.5})
        progress.report(2, {"loss": 0.25})
        progress.image(2, "sample", np.full((6, 5, 3), 80, np.uint8))
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 0.5), (2, 0.25)]
    image = events.Images("sample")[0]
    assert (image.step, image.height, image.width) == (2, 6, 5)
    assert len(rows(tmp_path / "losses.csv")) == 2


def test_two_boards_of_one_second_keep_apart_and_pictures_keep_their_alpha(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for step in (1, 2):
        board = Board(tmp_path)
        board.scalars(step, {"loss": step})
        board.close()
    assert len(list(tmp_path.iterdir())) == 2
    board = Board(tmp_path / "pictures")
    rng = np.random.default_rng(0)
    board.image(3, "alpha", rng.integers(0, 256, (6, 5, 4), np.uint8), quality=90)
    board.image(3, "jpeg", np.full((16, 16, 3), 80, np.uint8), quality=90)
    board.close()
    events = accumulator.EventAccumulator(str(tmp_path / "pictures")).Reload()
    assert events.Images("alpha")[0].encoded_image_string.startswith(b"\x89PNG")
    assert events.Images("jpeg")[0].encoded_image_string.startswith(b"\xff\xd8")


def test_the_board_does_without_tensorflow(tmp_path):
    pytest.importorskip("tensorboard")
    code = "import sys; from pathlib import Path; from shared_scripts.progress import Board\n"
    code += "board = Board(Path(sys.argv[1])); board.scalars(1, {'a': 1}); board.close()\n"
    code += "sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_rows_that_lack_a_loss_keep_their_columns(tmp_path):
    columns = ("D/real", "G/rec")
    with Progress(3, folder=tmp_path) as progress:
        progress.report(1, {"D/real": 0.5}, columns, dataset="CelebA")
        progress.report(2, {"D/real": 0.25, "G/rec": 1.0}, columns, dataset="RaFD")
    assert (tmp_path / "losses.csv").read_text().split() == [
        "step,dataset,D/real,G/rec",
        "1,CelebA,0.5,",
        "2,RaFD,0.25,1.0",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_ends_the_run(value):
    check_finite({"a": 1e30}, "take less")
    with pytest.raises(RunError, match="the loss b is no number any more; take less"):
        check_finite({"a": 1.0, "b": value}, "take less")
