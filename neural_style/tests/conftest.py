"""What the tests of neural_style share: golden numbers, small pictures, and three ways to run the script."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tiny pictures gain nothing from threads
PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_name("golden")
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from shared_scripts import cli as shared_cli  # noqa: E402


@dataclass
class Outcome:
    """What a command left on the terminal."""

    status: int
    out: str
    err: str

    def refused(self, *words: str, status: int = 2) -> None:
        """Check that it ended with one line `error: …` that holds `words`, and no traceback."""
        assert self.status == status, (self.status, self.out, self.err)
        lines = self.err.splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:], self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in lines[-1], (word, lines[-1])

    def succeeded(self) -> None:
        """Check that it ended well and had nothing to complain about."""
        assert self.status == 0, (self.status, self.out, self.err)
        assert "error" not in self.err and "Traceback" not in self.err


@lru_cache(maxsize=4)
def load_golden(name: str):
    """A file of tests/golden: a .json as it is, an .npz as a dictionary of arrays."""
    if name.endswith(".json"):
        return json.loads((GOLDEN / name).read_text())
    with np.load(GOLDEN / name) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="session")
def golden():
    """`golden(name)` reads a golden file."""
    return load_golden


@pytest.fixture(scope="session")
def weight_files(tmp_path_factory) -> dict[str, Path]:
    """The tiny VGG-19 in both .mat layouts, copied so that the cache is not written among the golden files."""
    folder = tmp_path_factory.mktemp("weights")
    return {layout: Path(shutil.copy(GOLDEN / f"tiny_vgg19_{layout}.mat", folder)) for layout in ("new", "old")}


@pytest.fixture
def tiny_mat(tmp_path) -> Path:
    """A tiny VGG-19 file of this test's own."""
    return Path(shutil.copy(GOLDEN / "tiny_vgg19_new.mat", tmp_path / "tiny.mat"))


def save_picture(path: Path, height: int, width: int, seed: int) -> Path:
    """A picture of smooth random colours, written in the format the name ends in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture
def picture():
    """`picture(path, height, width, seed)` saves a picture."""
    return save_picture


def fill_desk(folder: Path) -> Path:
    """c.png, s.png and tiny.mat in a folder to work in."""
    save_picture(folder / "c.png", 24, 30, 1)
    save_picture(folder / "s.png", 28, 20, 2)
    shutil.copy(GOLDEN / "tiny_vgg19_new.mat", folder / "tiny.mat")
    return folder


@pytest.fixture(scope="session")
def make_desk():
    """`make_desk(folder)` puts c.png, s.png and tiny.mat there."""
    return fill_desk


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    """The current folder of a run: c.png and s.png to work with, and tiny.mat."""
    folder = fill_desk(tmp_path / "desk")
    monkeypatch.chdir(folder)
    return folder


BASE = [
    *("--content", "c.png", "--styles", "s.png", "--output", "out.png", "--network", "tiny.mat"),
    *("--iterations", "2", "--device", "cpu"),
]


@pytest.fixture(scope="session")
def main():
    """The script's `main`. It has the project's name, so it is run from its path rather than imported."""
    return runpy.run_path(str(PROJECT / "neural_style.py"))["main"]


@pytest.fixture
def cli(main, capsys):
    """`cli(*flags)` does all the script does, in this process: `main` and the wrapper that ends it."""

    def call(*flags) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            shared_cli.run(lambda: main([str(flag) for flag in flags]))
        return Outcome(end.value.code or 0, *capsys.readouterr())

    yield call
    torch.use_deterministic_algorithms(False)  # --seed switches it on


@pytest.fixture
def transfer(cli):
    """`transfer(*flags)` is `cli` with c.png, s.png, out.png, tiny.mat and two iterations, unless `flags` say else."""

    def call(*flags) -> Outcome:
        return cli(*BASE, *flags)

    return call


def script(*flags, cwd: Path) -> Outcome:
    """Run the script as people do, in a process of its own."""
    command = [sys.executable, str(PROJECT / "neural_style.py"), *map(str, flags)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session", name="script")
def script_fixture():
    """`script(*flags, cwd=folder)` runs the script as people do, in a process of its own."""
    return script


@pytest.fixture
def little_memory():
    """`with little_memory(megabytes):` leaves this process no more than so much memory to take."""
    resource = pytest.importorskip("resource")
    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux keeps to this limit")

    @contextmanager
    def limited(megabytes):
        before = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (megabytes << 20), before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)

    return limited
