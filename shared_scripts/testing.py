"""What the tests of several folders use: scripts in processes of their own, comparisons to the bit, noise as pictures,
a full disk, a small web server, archives made in memory."""

from __future__ import annotations

import http.server
import io
import multiprocessing
import os
import socket
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared_scripts.cli import run


@pytest.fixture
def full_disk():
    """`with full_disk(size):` no file of this process can grow beyond `size` bytes. A conftest.py imports it."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def offline_environment(home: Path, **changes: str) -> dict[str, str]:
    """This process's environment without proxies, for downloads from this machine that give up at once."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return kept | {"HOME": str(home), "DOWNLOAD_RETRIES": "0", "DOWNLOAD_RETRY_DELAY": "0"} | changes


def find_golden(project: Path, name: str) -> Path:
    """A golden file or folder of a project: in its tests/golden, or of the larger ones, beside the checkout.

    The test is skipped where it is in neither place.
    """
    folders = (project / "tests" / "golden", project.parent.parent / "shared" / "golden" / project.name)
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"{name} is in neither {folders[0]} nor {folders[1]}")


@cache
def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, read once."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (20, 20), seed: int = 0) -> Path:
    """Noise as PNGs of (width, height): 0.png, 1.png, …"""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(folder / f"{i}.png")
    return folder


def assert_same(a, b, place: str = "") -> None:
    """To the bit: torch's tensors, numbers, texts, and containers of these."""
    import torch

    assert type(a) is type(b), place
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and a.shape == b.shape, place
        assert torch.equal(a, b), f"{place}: differs by {(a.double() - b.double()).abs().max()}"
    elif isinstance(a, dict):
        assert list(a) == list(b), place
        for key in a:
            assert_same(a[key], b[key], f"{place}/{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), place
        for number, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{place}/{number}")
    else:
        assert a == b, place


# ---- scripts in processes of their own ------------------------------------------------------------------------------

# Not multiprocessing's default way of forking: a process that has computed gradients must not be forked.
SERVER = multiprocessing.get_context("forkserver") if os.name == "posix" else None
needs_processes = pytest.mark.skipif(os.name != "posix", reason="processes are started by forking")


@contextmanager
def processes(main: Callable[[list[str]], object], preload: Sequence[str] = ()) -> Iterator[Callable[..., BaseProcess]]:
    """`start(argv, log, NAME=value…)`, which runs a script's `main` in a process of its own that is there at once.

    The process has imported the modules `preload`, writes what it says to the file `log`, and has the values in its
    environment. What still runs in the end is killed.
    """
    started: list[BaseProcess] = []

    def start(argv: list[str], log: Path, **environment: str) -> BaseProcess:
        SERVER.set_forkserver_preload(list(preload))
        started.append(SERVER.Process(target=in_child, args=(main, argv, str(log), environment)))
        with pytest.MonkeyPatch.context() as patch:  # the server finds its modules by it
            patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
            started[-1].start()
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.kill()


def in_child(main: Callable[[list[str]], object], argv: list[str], log: str, environment: dict[str, str]) -> None:
    """What such a process does."""
    os.environ.update(environment)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    multiprocessing.set_start_method("fork", force=True)  # as in a process that the command line starts
    run(lambda: main(argv))


def exit_status(main: Callable[[list[str]], object], argv: list[str]) -> int:
    """Run a PyTorch script's `main` in this process as the command line would; returns the exit status."""
    import torch

    try:
        run(lambda: main(argv))
    except SystemExit as end:
        return end.code
    finally:
        torch.use_deterministic_algorithms(False)  # --seed's doing, not meant for other tests


def finish(process: BaseProcess, seconds: float = 120) -> int:
    """The exit status of a process, minus the signal's number where one killed it."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise AssertionError("the process hangs")
    return process.exitcode


def wait_for(condition: Callable[[], object], process: BaseProcess, seconds: float = 120) -> None:
    """Until the condition holds; AssertionError where the process ends before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.is_alive() and time.monotonic() < end, "the process ended too early, or does not begin"
        time.sleep(0.001)


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


@pytest.fixture
def start_two(start, tmp_path):
    """`start_two(argv)`: the script in two processes, as torchrun starts them. They write log0 and log1 in `tmp_path`.

    The fixture `start`, a project's own, is what `processes` gives.
    """

    def start_both(argv: list[str]) -> list[BaseProcess]:
        common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
        return [start(argv, tmp_path / f"log{rank}", RANK=str(rank), LOCAL_RANK=str(rank), **common) for rank in (0, 1)]

    return start_both


@pytest.fixture
def two(start_two):
    """`two(argv)`: the exit statuses of the script in two processes."""
    return lambda argv: [finish(process) for process in start_two(argv)]


# ---- a web server ---------------------------------------------------------------------------------------------------


class Resource:
    """What one address of a `WebServer` answers, and the headers it was asked with.

    It can refuse ranges, cut the first `cuts` transfers (in the middle, or after `cut_at` bytes), answer with a
    `status` before the body, redirect to `location`, and wait in the middle of the body for the event `gate`.
    """

    def __init__(
        self, body: bytes, *, ranges=True, cuts=0, cut_at=None, status=(), etag='"v1"', location="", kind="", gate=None
    ):
        self.body, self.ranges, self.cuts, self.cut_at, self.etag = body, ranges, cuts, cut_at, etag
        self.statuses = list(status)  # one a request; when they are used up the body comes
        self.location, self.kind, self.gate = location, kind or "application/octet-stream", gate
        self.asked: list[dict[str, str]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for the resources of its server."""

    def do_GET(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers.get("range", "")))
        resource = self.server.resources.get(self.path)
        if resource is None:
            return self.send_error(404)
        resource.asked.append(headers)
        if resource.statuses:
            return self.send_error(resource.statuses.pop(0))
        if resource.location:
            self.send_response(302)
            self.send_header("Location", resource.location)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        first, wanted = 0, headers.get("range")
        same = headers.get("if-range") in (None, resource.etag)
        if resource.ranges and wanted and same:
            first = int(wanted.removeprefix("bytes=").split("-")[0])
            if first >= len(resource.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(resource.body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(resource.body) - 1}/{len(resource.body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", resource.kind)
        if resource.etag:
            self.send_header("ETag", resource.etag)
        rest = resource.body[first:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if resource.cuts:
            resource.cuts -= 1
            rest = rest[: len(rest) // 2 if resource.cut_at is None else resource.cut_at]
        if resource.gate:
            self.wfile.write(rest[:64000])
            self.wfile.flush()
            resource.gate.wait(10)
            rest = rest[64000:]
        self.wfile.write(rest)

    def log_message(self, *arguments):
        pass


class WebServer(http.server.ThreadingHTTPServer):
    """Serves `resources`, {path: Resource}, on this machine. `asked`: (path, range) of every request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.resources: dict[str, Resource] = {}
        self.asked: list[tuple[str, str]] = []

    def url(self, path: str = "") -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def add(self, path: str, body: bytes, **settings) -> Resource:
        """Answer at a path, in the way that `Resource` explains."""
        self.resources[path] = Resource(body, **settings)
        return self.resources[path]

    def add_all(self, bodies: dict[str, bytes]) -> None:
        """Answer plainly at several paths."""
        for path, body in bodies.items():
            self.add(path, body)

    def paths(self) -> list[str]:
        """What was asked for since the last time, in order."""
        asked, self.asked = self.asked, []
        return [path for path, _ in asked]

    def handle_error(self, request, client_address):
        pass  # a client that hangs up in the middle is what some tests are about


@contextmanager
def web_server(kind: type[WebServer] = WebServer) -> Iterator[WebServer]:
    """A running WebServer."""
    server = kind()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# ---- archives -------------------------------------------------------------------------------------------------------


def tar_bytes(members, mode: str = "w:gz") -> bytes:
    """A tar; members: (name, content) or a ready TarInfo."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as file:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                file.addfile(member)
            else:
                information = tarfile.TarInfo(member[0])
                information.size = len(member[1])
                file.addfile(information, io.BytesIO(member[1]))
    return stream.getvalue()


def zip_bytes(members) -> bytes:
    """A zip; members: (name or ZipInfo, content)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return stream.getvalue()
