"""What a training shows and writes down, and that nothing which fails there ends it."""

import csv
import os
import re
import struct
import subprocess
import sys
import textwrap
import threading
import time
from argparse import Namespace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import optional_boards
from visualizer import Visualizer

LOSSES = {"D_A": 0.25, "G_A": 0.3454, "cycle_A": 10.0}
VISUALS = {"real_A": torch.zeros(1, 3, 4, 6), "fake_B": torch.ones(1, 1, 4, 6)}
HEADER = r"================ Training Loss \(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}\) ================"


def options(**changed):
    usual = {
        "name": "maps", "model": "pix2pix", "checkpoints_dir": "checkpoints", "display_id": 1, "display_winsize": 256,
        "display_ncols": 4, "display_server": "http://localhost", "display_port": 1, "display_env": "main",
        "no_html": False, "use_visdom": False, "use_wandb": False, "wandb_project_name": "CycleGAN-and-pix2pix",
        "use_tensorboard": False,
    }  # fmt: skip
    return Namespace(**{**usual, **changed})


def train(visualizer, epochs=(1, 2)):
    """A training in small."""
    for epoch in epochs:
        visualizer.print_losses(epoch, 100, LOSSES, 0.1234, 0.4)
        visualizer.plot_losses(epoch, 1.0, epoch * 100, LOSSES)
        visualizer.show(VISUALS, epoch, epoch * 100, save_page=True)


def page_of(folder):
    return (folder / "web/index.html").read_text(encoding="utf-8")


# --- lines ---


def test_the_line_is_the_references(tmp_path, capsys):
    visualizer = Visualizer(options(), tmp_path)
    visualizer.print_losses(1, 100, LOSSES, 0.1234, 0.4)
    line = "(epoch: 1, iters: 100, time: 0.123, data: 0.400) D_A: 0.250 G_A: 0.345 cycle_A: 10.000\n"
    assert capsys.readouterr().out == line
    log = (tmp_path / "loss_log.txt").read_text()
    assert re.fullmatch(HEADER + "\n" + re.escape(line), log)


def test_every_start_adds_its_header_to_the_log(tmp_path):
    for resumed in (False, True):
        Visualizer(options(), tmp_path, resumed)
    assert re.fullmatch(f"{HEADER}\n{HEADER}\n", (tmp_path / "loss_log.txt").read_text())


def test_lines_go_past_a_progress_bar(tmp_path):
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    code = f"""
        import sys
        sys.path[:0] = {sys.path!r}
        from argparse import Namespace
        from shared_scripts.progress import Progress
        from visualizer import Visualizer
        with Progress(3) as progress:
            visualizer = Visualizer(Namespace(**{vars(options())!r}), {str(tmp_path)!r})
            progress.update()
            visualizer.print_losses(1, 100, {LOSSES!r}, 0.1, 0.2)
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 150, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux's way of saying that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    pieces = re.split(rb"[\r\n]+", shown)
    assert b"(epoch: 1, iters: 100, time: 0.100, data: 0.200) D_A: 0.250 G_A: 0.345 cycle_A: 10.000" in pieces


# --- files ---


def test_a_training_leaves_its_page_and_its_losses(tmp_path):
    visualizer = Visualizer(options(), tmp_path)
    train(visualizer)
    live = page_of(tmp_path)
    assert 'http-equiv="refresh"' in live and "<title>Experiment name = maps</title>" in live
    assert live.index("epoch [2]") < live.index("epoch [1]") and 'class="losses"' in live
    assert "cycle_A <b>10.000</b>" in live
    visualizer.close()
    assert page_of(tmp_path).count("<h3>") == 2 and "Training finished in epoch 2." in page_of(tmp_path)
    assert "refresh" not in page_of(tmp_path)
    with open(tmp_path / "losses.csv", newline="") as file:
        assert list(csv.DictReader(file))[1] == {
            "epoch": "2", "iters": "200", "D_A": "0.25", "G_A": "0.3454", "cycle_A": "10.0",
        }  # fmt: skip
    names = sorted(path.name for path in (tmp_path / "web/images").iterdir())
    assert names == [f"epoch00{n}_{label}.png" for n in (1, 2) for label in ("fake_B", "real_A")]


def test_a_stopped_training_says_so(tmp_path):
    visualizer = Visualizer(options(), tmp_path)
    train(visualizer, [1])
    visualizer.close(finished=False)
    assert "Training stopped in epoch 1." in page_of(tmp_path) and "refresh" not in page_of(tmp_path)


def test_a_resumed_training_adds_to_page_and_curve(tmp_path):
    train(Visualizer(options(), tmp_path), [1, 2])
    visualizer = Visualizer(options(), tmp_path, resumed=True)
    visualizer.plot_losses(3, 1.0, 300, LOSSES)
    visualizer.show(VISUALS, 3, 300, save_page=True)
    assert re.findall(r"epoch \[\d\]", page_of(tmp_path)) == ["epoch [3]", "epoch [2]", "epoch [1]"]
    (line, *_) = re.findall(r'polyline points="([^"]+)"', page_of(tmp_path))
    assert [point.split(",")[0] for point in line.split()] == ["0.0", "500.0", "1000.0"]


@pytest.mark.parametrize("watched", [False, True])
def test_pictures_reach_the_page_only_when_it_is_due(tmp_path, stand_in, watched):
    stand_in("wandb", WANDB)
    visualizer = Visualizer(options(use_wandb=watched), tmp_path / "maps")
    visualizer.show(VISUALS, 1, 10, save_page=False)
    assert not (tmp_path / "maps/web").exists()
    visualizer.show(VISUALS, 1, 20, save_page=True)
    assert (tmp_path / "maps/web/index.html").exists()


def test_no_html_means_no_page(tmp_path):
    visualizer = Visualizer(options(no_html=True), tmp_path)
    train(visualizer)
    visualizer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loss_log.txt", "losses.csv"]


def test_the_other_processes_of_a_distributed_training_are_quiet(tmp_path, capfd):
    visualizer = Visualizer(options(use_tensorboard=True, use_visdom=True, use_wandb=True), tmp_path, quiet=True)
    train(visualizer)
    visualizer.close()
    assert capfd.readouterr() == ("", "") and not any(tmp_path.iterdir())


def test_a_disk_that_refuses_is_told_once_and_ends_nothing(tmp_path, capsys):
    for name in ("loss_log.txt", "losses.csv"):
        (tmp_path / name).mkdir()
    (tmp_path / "web").touch()
    visualizer = Visualizer(options(), tmp_path, resumed=True)
    train(visualizer, range(1, 5))
    visualizer.close()
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert [line.split(":")[1].strip() for line in err.splitlines()] == [
        "loss_log.txt cannot be written", "the losses cannot be written down", "the training page cannot be written",
    ]  # fmt: skip


# --- TensorBoard ---


def test_tensorboard_gets_losses_and_pictures(tmp_path, monkeypatch):
    if "tensorflow" not in sys.modules:  # TensorBoard's switch for reading without it, which saves seconds
        monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    visualizer = Visualizer(options(use_tensorboard=True, no_html=True), tmp_path)
    train(visualizer)
    visualizer.close()
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("D_A")] == [(100, 0.25), (200, 0.25)]
    assert [(image.step, image.width, image.height) for image in events.Images("fake_B")] == [(100, 6, 4), (200, 6, 4)]


def test_tensorboard_is_on_unless_switched_off_and_may_be_missing(tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # as if it were not installed
    opt = options()
    del opt.use_tensorboard
    train(Visualizer(opt, tmp_path))
    (line,) = capsys.readouterr().err.splitlines()
    assert "TensorBoard is not installed" in line and "pip install tensorboard" in line
    assert page_of(tmp_path)


# --- visdom and wandb: stand-ins for what is absent, raises or dies ---

VISDOM = """
    import requests
    class Visdom:
        calls = []
        def __init__(self, server, port, env, raise_exceptions, use_incoming_socket):
            self.session, self.address = requests.Session(), f"{server}:{port}"
            self.send("init", env, raise_exceptions)
        def send(self, *what):
            self.session.post(self.address, data="x")
            self.calls.append(what)
        def line(self, Y, X, win, update, opts):
            self.send("line", win, update, X.tolist(), Y.tolist(), opts["legend"])
        def images(self, stack, nrow, padding, win, opts):
            self.send("images", win, stack.shape, nrow, opts["title"])
        def image(self, image, win, opts):
            self.send("image", win, image.shape, opts["title"])
"""
WANDB = """
    calls = []
    Image = "picture of {}".format
    def init(project, name, config):
        if name == "refused": raise RuntimeError("No API key\\nconfigured")
        calls.append((project, name, config["model"]))
        return Run()
    class Run:
        def log(self, values, step):
            if step >= 300: raise OSError("gone")
            calls.append((sorted(values), step))
        def finish(self): calls.append("finish")
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """`stand_in(name, code)` makes a package importable for one test."""

    def make(name, code):
        (tmp_path / "packages").mkdir(exist_ok=True)
        Path(tmp_path, "packages", f"{name}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(str(tmp_path / "packages"))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return __import__(name)

    yield make
    for name in ("visdom", "wandb"):
        sys.modules.pop(name, None)


class Server:
    """A server that answers every request with a status; or, once `silent`, takes it and keeps still."""

    def __init__(self, status):
        self.silent, self.over, server = False, threading.Event(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if server.silent:
                    server.over.wait(20)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *words):
                pass

        self.http = HTTPServer(("localhost", 0), Handler)
        self.port = self.http.server_port
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def serve():
    servers = []

    def make(status=200):
        servers.append(Server(status))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def absent(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("name", ["visdom", "wandb"])
def test_a_package_that_is_asked_for_and_absent_is_one_line(tmp_path, monkeypatch, capsys, name):
    absent(name, monkeypatch)
    train(Visualizer(options(**{f"use_{name}": True}), tmp_path))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"Warning: training goes on without {name}: {name} is not installed; get it with: pip install {name}"
    )
    assert page_of(tmp_path)


@pytest.mark.parametrize("changed", [{"use_visdom": False}, {"use_visdom": True, "display_id": 0}])
def test_visdom_is_left_alone_unless_asked_for(tmp_path, monkeypatch, capsys, changed):
    absent("visdom", monkeypatch)
    train(Visualizer(options(**changed), tmp_path))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("server", ["http://localhost", "localhost", "http://no such host", "ftp://localhost"])
def test_a_visdom_server_that_is_not_there_is_one_line(tmp_path, stand_in, capsys, server):
    pytest.importorskip("requests")
    stand_in("visdom", VISDOM)
    train(Visualizer(options(use_visdom=True, display_server=server), tmp_path))  # nothing listens at port 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "not reachable at" in line and ":1;" in line and "python -m visdom.server" in line
    assert page_of(tmp_path)


@pytest.mark.parametrize("status", [200, 403])
def test_visdom_gets_losses_and_pictures(tmp_path, stand_in, serve, capsys, status):
    pytest.importorskip("requests")
    visdom = stand_in("visdom", VISDOM)
    opt = options(use_visdom=True, display_port=serve(status).port, display_id=5, display_ncols=4)
    visualizer = Visualizer(opt, tmp_path)
    train(visualizer)
    visualizer.close()
    assert capsys.readouterr().err == ""
    point = [[0.25, 0.3454, 10.0]]
    title = "maps images: real_A, fake_B"
    assert visdom.Visdom.calls == [
        ("init", "main", True),
        ("line", "5", None, [[1.0] * 3], point, list(LOSSES)),
        ("images", "6", (2, 3, 4, 6), 2, title),
        ("line", "5", "append", [[2.0] * 3], point, list(LOSSES)),
        ("images", "6", (2, 3, 4, 6), 2, title),
    ]


def test_visdom_without_columns_gets_a_window_for_every_picture(tmp_path, stand_in, serve):
    pytest.importorskip("requests")
    visdom = stand_in("visdom", VISDOM)
    visualizer = Visualizer(options(use_visdom=True, display_port=serve().port, display_ncols=0), tmp_path)
    visualizer.plot_losses(1, 0.5, 10, {"G": 1})
    visualizer.show(VISUALS, 1, 10, save_page=False)
    assert visdom.Visdom.calls[1:] == [
        ("line", "1", None, [0.5], [1.0], ["G"]),
        ("image", "2", (3, 4, 6), "real_A"),
        ("image", "3", (3, 4, 6), "fake_B"),
    ]


def test_pictures_of_different_sizes_still_stack():
    planes = optional_boards.pad_to_one_size([np.zeros((3, 2, 5), np.uint8), np.zeros((3, 4, 1), np.uint8)])
    assert [plane.shape for plane in planes] == [(3, 4, 5)] * 2
    assert planes[0][0].tolist() == [[0] * 5] * 2 + [[255] * 5] * 2


def test_a_visdom_server_that_dies_does_not_end_the_training(tmp_path, stand_in, serve, capsys):
    pytest.importorskip("requests")
    visdom, server = stand_in("visdom", VISDOM), serve()
    visualizer = Visualizer(options(use_visdom=True, display_port=server.port), tmp_path)
    train(visualizer, [1])
    server.http.shutdown()
    server.http.server_close()
    train(visualizer, [2, 3])
    visualizer.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Warning: training goes on without visdom: ")
    assert len(visdom.Visdom.calls) == 3 and page_of(tmp_path).count("<h3>") == 3


def test_nor_does_one_that_never_answers(tmp_path, stand_in, serve, capsys, monkeypatch):
    pytest.importorskip("requests")
    stand_in("visdom", VISDOM)
    server = serve()
    monkeypatch.setattr(optional_boards, "TIMEOUT", 0.2)
    visualizer = Visualizer(options(use_visdom=True, display_port=server.port), tmp_path)
    server.silent = True
    train(visualizer, [1])
    (line,) = capsys.readouterr().err.splitlines()
    assert "without visdom" in line and "timed out" in line.lower()


def test_wandb_gets_losses_and_pictures(tmp_path, stand_in, capsys):
    wandb = stand_in("wandb", WANDB)
    visualizer = Visualizer(options(use_wandb=True), tmp_path)
    train(visualizer)
    visualizer.close()
    losses, pictures = ["D_A", "G_A", "cycle_A", "epoch"], ["fake_B", "real_A"]
    project = ("CycleGAN-and-pix2pix", "maps", "pix2pix")
    assert wandb.calls == [project, (losses, 100), (pictures, 100), (losses, 200), (pictures, 200), "finish"]
    assert capsys.readouterr().err == ""


def test_wandb_that_refuses_or_fails_is_one_line(tmp_path, stand_in, capsys):
    wandb = stand_in("wandb", WANDB)
    train(Visualizer(options(use_wandb=True, name="refused"), tmp_path / "a"))
    assert capsys.readouterr().err == "Warning: training goes on without wandb: No API key configured\n"
    visualizer = Visualizer(options(use_wandb=True), tmp_path / "b")
    train(visualizer, [3, 4])
    visualizer.close()
    assert capsys.readouterr().err == "Warning: training goes on without wandb: gone\n"
    assert len(wandb.calls) == 1 and page_of(tmp_path / "b")


def test_times_are_spelt_alike_in_every_country(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "ctime", lambda: "Sun Nov 22 10:00:00 2026")
    Visualizer(options(), tmp_path)
    line = "================ Training Loss (Sun Nov 22 10:00:00 2026) ================\n"
    assert (tmp_path / "loss_log.txt").read_text() == line
