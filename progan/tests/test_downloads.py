"""scripts/download_network.sh, run for real against a small web server on this machine; and what it is found by."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import generate
from import_example import main as import_example
from networks import Generator
from pickle_writer import write_pickle
from presets import LSUN
from published import find_published, published_file
from shared_scripts.cli import UserError
from shared_scripts.testing import exit_status, offline_environment, web_server
from stored import from_state_dict

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared_scripts"
BASH = shutil.which("bash")
needs_bash = [
    pytest.mark.skipif(BASH is None, reason="the script needs bash (on Windows: Git Bash)"),
    pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a program on Windows"),
]
FACES, PLANES = "karras2018iclr-celebahq-1024x1024.pkl", "karras2018iclr-lsun-airplane-256x256.pkl"
DRIVE = "https://drive.google.com/drive/folders/15hvzxt_XxuokSmj0uO4xxMTMWVc0cIMU"
BODY = b"\x80\x04" + bytes(range(256)) * 100


@pytest.fixture
def server():
    with web_server() as server:
        yield server


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the script and of what it sources, in a folder with a blank in its name."""
    root = tmp_path / "play ground"
    for folder, names in (
        (PROJECT / "scripts", ["download_network.sh"]),
        (SHARED, ["common.sh", "download.sh"]),
    ):
        target = root / folder.relative_to(PROJECT.parent)
        target.mkdir(parents=True)
        for name in names:
            shutil.copy(folder / name, target)
    return root / "progan"


@pytest.fixture
def looker(tmp_path) -> Path:
    """Stands for Python: says of every file what `legacy.py show` says of a network of the size in its name."""
    script = tmp_path / "fake" / "python"
    script.parent.mkdir()
    script.write_text(
        '#!/bin/sh\nif grep -q DAMAGED "$3"; then echo "error: $3 is damaged" >&2; exit 2; fi\n'
        'side="${3##*x}"\nside="${side%.pkl}"\n'
        "echo \"Gs: averaged generator 'Gs', $side x $side, 3 channels, lod 0, 23 parameters\"\n"
    )
    script.chmod(0o755)
    return script


@pytest.fixture
def run(tree, tmp_path, server, looker):
    """`run(*words, cwd=…, NAME=value…)` runs the copy to its end; by default in its own folder."""

    def call(*words, cwd=tree, script=tree / "scripts/download_network.sh", **changes) -> subprocess.CompletedProcess:
        settings = {"PYTHON": str(looker), "PROGAN_URL": server.url("/")} | changes
        return subprocess.run(
            [BASH, str(script), *map(str, words)],
            cwd=cwd, env=offline_environment(tmp_path, **settings), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    return call


def fine(result) -> str:
    """It ended well, without a word of complaint; what it printed."""
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def refused(result, *words: str, status: int = 1, by_hand: bool = False) -> None:
    """It ended with a line `error: …` that holds the words, and behind it, where expected, how to do it by hand."""
    assert result.returncode == status, result
    line, *rest = result.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line
    assert bool(rest) == by_hand, rest
    if by_hand:
        assert rest[0].startswith("How to get it by hand") and DRIVE in rest[0]


def network_file(path: Path, resolution: int) -> Path:
    """A published-style file with small networks of random weights, without a D."""
    options = {"num_channels": 3, "resolution": resolution, "fmap_base": 1024, "fmap_max": 8, "fused_scale": False}
    stored = from_state_dict(Generator(**options).state_dict(), "G", options, "G_paper")
    write_pickle(path, stored, None, stored)
    return path


# --- the script ---------------------------------------------------------------------------------------------------


class TestScript:
    """The script itself."""

    pytestmark = needs_bash

    def test_help_names_and_wrong_words(self, run, server):
        text = fine(run("--help"))
        names = fine(run("--names")).split()
        assert names == ["celebahq", *(f"lsun-{name}" for name in LSUN)] and all(name in text for name in names)
        refused(run("lsun-dragon"), "no 'lsun-dragon' to fetch: there are celebahq, lsun-airplane", status=2)
        for word in ("celebahq-256", "lsun-cat-1024x1024", "", "*", "celebahq lsun-cat", "../celebahq"):
            refused(run(word), "to fetch", status=2)
        refused(run("--too", "celebahq"), "--too", status=2)
        refused(run("celebahq", "--to"), "--to needs a folder", status=2)
        assert run().returncode == 2 and server.asked == []

    def test_faces_and_planes(self, run, server, tree, tmp_path):
        server.add_all({f"/{FACES}": BODY, f"/{PLANES}": BODY[:-1]})
        out = fine(run("celebahq-1024", "airplane"))
        assert (tree / FACES).read_bytes() == BODY and (tree / PLANES).read_bytes() == BODY[:-1]
        assert f"now: python generate.py --network {FACES} --example" in out.splitlines()
        assert out.splitlines()[-1] == f"now: python generate.py --network {PLANES} --seeds 0-9"
        server.paths()
        for words in ((FACES, "LSUN-airplane-256x256"), ("karras2018iclr-celebahq-1024x1024", PLANES)):
            assert "already here" in fine(run(*words, cwd=tmp_path)) and server.paths() == []
        server.add(f"/{FACES}", BODY)
        out = fine(run("celebahq", "--to", "my nets\\x/", cwd=tmp_path))
        assert (tmp_path / "my nets/x" / FACES).read_bytes() == BODY
        assert out.splitlines()[-1].endswith(f"--network my\\ nets/x/{FACES} --example")

    def test_where_it_is_looked_for(self, run, tmp_path):
        """In the authors' folder, as a download rather than a page; a curl that finds nothing writes it down."""
        curl = tmp_path / "fake/curl"
        curl.write_text(
            '#!/bin/sh\nfor word; do last="$word"; done\necho "$last" >> "$HOME/urls"\necho "404 "\nexit 22\n'
        )
        curl.chmod(0o755)
        path = f"{curl.parent}{os.pathsep}{os.environ['PATH']}"
        assert run("celebahq", "lsun-tvmonitor", PATH=path, PROGAN_URL="").returncode == 1
        assert (tmp_path / "urls").read_text().split() == [
            f"https://drive.usercontent.google.com/download?id={number}&export=download&confirm=t"
            for number in ("188K19ucknC6wg1R6jbuPEhTq9zoufOx4", "1zHXSmE7320wzmxvBkwWZ_iHk8ArODhnn")
        ]

    def test_every_name_has_an_identifier_of_its_own(self):
        text = (PROJECT / "scripts/download_network.sh").read_text()
        found = re.findall(r"^(celebahq|lsun-[a-z]+) +([\w-]{33})$", text, re.MULTILINE)
        assert [name for name, _ in found] == ["celebahq", *(f"lsun-{name}" for name in LSUN)]
        assert len({number for _, number in found}) == 31

    @pytest.mark.parametrize(
        "body, said",
        [
            (None, "404"),
            (b"<!DOCTYPE html><title>Quota exceeded</title>" + b" " * 20000, "web page"),
            (b"x", "1 bytes"),
        ],
    )
    def test_downloads_that_are_no_good(self, run, server, tree, body, said):
        if body:
            server.add(f"/{FACES}", body)
        server.add(f"/{PLANES}", BODY)
        result = run("celebahq", "lsun-airplane")
        refused(result, said, FACES, by_hand=True)
        assert not list(tree.glob("*1024*")) and (tree / PLANES).is_file(), "the others are fetched all the same"

    def test_a_cut_transfer_goes_on(self, run, server, tree):
        server.add(f"/{FACES}", BODY, cuts=1, cut_at=20000)
        refused(run("celebahq"), "20000 bytes are kept", by_hand=True)
        fine(run("celebahq"))
        assert (tree / FACES).read_bytes() == BODY

    def test_without_python_nothing_is_fetched(self, run, server):
        refused(run("celebahq", PYTHON="/no/such/python"), "no such program", status=2)
        assert server.asked == []

    def test_what_comes_is_looked_at(self, run, server, tmp_path):
        """With the real legacy.py: a network of the right size passes, one that is not is not kept."""
        real = {"script": PROJECT / "scripts/download_network.sh", "PYTHON": sys.executable, "cwd": tmp_path}
        server.add(f"/{PLANES}", network_file(tmp_path / "x.pkl", 256).read_bytes())
        server.add(f"/{FACES}", (tmp_path / "x.pkl").read_bytes())
        result = run("airplane", "celebahq", "--to", ".", **real)
        refused(result, "not the network", "no averaged generator of 1024 x 1024", by_hand=True)
        assert (tmp_path / PLANES).is_file() and not (tmp_path / FACES).exists()

    def test_what_a_user_put_there_is_looked_at_and_stays(self, run, server, tree):
        (tree / PLANES).write_bytes(b"DAMAGED" + BODY)
        refused(run("airplane"), f"error: {PLANES} is damaged: move it away, and run the same command again")
        assert (tree / PLANES).read_bytes() == b"DAMAGED" + BODY and server.asked == []
        server.add(f"/{FACES}", b"DAMAGED" + BODY)
        refused(run("celebahq"), f"what was fetched from {server.url('/' + FACES)} is not the network", by_hand=True)
        assert not (tree / FACES).exists()


# --- what was fetched is found ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, file",
    [
        ("celebahq", FACES), ("CelebAHQ-1024", FACES), ("celebahq-1024x1024", FACES), (FACES, FACES),
        ("lsun-airplane", PLANES), ("lsun-airplane-256", PLANES), (PLANES, PLANES),
        ("train", None), ("lsun-dragon", None), ("celebahq-256", None), ("celebahq-1024x256", None), ("3", None),
        ("network-final.pkl", None), ("", None),
    ],
)  # fmt: skip
def test_names_of_published_networks(name, file):
    assert published_file(name) == file


def test_a_published_network_is_found_where_the_script_puts_it(tmp_path, monkeypatch, capsys):
    here, project = tmp_path / "here", tmp_path / "project"
    for folder in (here, project, here / "nets"):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("published.HERE", project)
    for given in ("celebahq", FACES, f"nets\\{FACES}"):
        with pytest.raises(UserError, match=r"download_network.sh celebahq-1024x1024$"):
            find_published(given)
    assert find_published("nets/celebahq") is None and find_published("7") is None
    assert exit_status(import_example, []) == 2
    assert f"error: {FACES} is not here; get it with: bash" in capsys.readouterr().err
    network_file(project / PLANES, 256)
    assert find_published(f"nets/{PLANES}") == project / PLANES
    assert exit_status(generate.main, ["--network", "lsun-airplane", "--seeds", "3"]) == 0
    assert [path.name for path in (here / "generated").iterdir()] == ["seed0003.png"]
