"""download.py against a small web server on this machine; Google Drive by a stand-in for gdown."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import download
import lsun
from data import find_pictures
from download import main
from mnist import load_mnist
from shared_scripts.cli import UserError
from shared_scripts.testing import web_server, zip_bytes

PROJECT = Path(__file__).resolve().parent.parent
needs_bash = pytest.mark.skipif(download.find_bash() is None, reason="the downloads need bash (on Windows: Git Bash)")


def idx(array: np.ndarray, magic: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (magic, *array.shape)) + array.tobytes()


RNG = np.random.RandomState(2)
MNIST = {
    f"{part}-{kind}-ubyte": gzip.compress(data, mtime=0)
    for part, n in (("train", 5), ("t10k", 3))
    for kind, data in (
        ("images-idx3", idx(RNG.randint(0, 256, (n, 28, 28)).astype(np.uint8), 2051)),
        ("labels-idx1", idx(RNG.randint(0, 10, n).astype(np.uint8), 2049)),
    )
}
FACES = [(f"img_align_celeba/{i:06d}.jpg", os.urandom(50)) for i in range(1, 5)]
CELEBA = zip_bytes([("img_align_celeba/", b""), *FACES])
PAGE = b"\n<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></html>"


@pytest.fixture
def server(monkeypatch):
    """The web server, and nothing else to be asked."""
    for name in list(os.environ):
        if "proxy" in name.lower():
            monkeypatch.delenv(name)
    monkeypatch.setenv("DOWNLOAD_RETRIES", "0")
    with web_server() as server:
        monkeypatch.setattr(download, "MNIST_MIRRORS", (server.url("/first"), server.url("/second")))
        sums = {name: hashlib.md5(data, usedforsecurity=False).hexdigest() for name, data in MNIST.items()}
        monkeypatch.setattr(download, "MNIST_MD5", sums)
        monkeypatch.setattr(download, "LSUN_HOSTS", (server.url("/secure"), server.url("/plain")))
        yield server


@pytest.fixture
def celeba(monkeypatch):
    """A CelebA of four faces."""
    monkeypatch.setattr(download, "CELEBA_PICTURES", len(FACES))
    monkeypatch.setattr(download, "CELEBA_MD5", hashlib.md5(CELEBA, usedforsecurity=False).hexdigest())


@pytest.fixture
def drive(monkeypatch):
    """`drive(content)` stands for gdown: it writes that, or raises it if it is an exception, and counts the calls."""
    calls = []

    def stand_in(answer):
        def fetch(*, id, output, resume):
            calls.append(id)
            if isinstance(answer, Exception):
                raise answer
            Path(output).write_bytes(answer)
            return output

        monkeypatch.setitem(sys.modules, "gdown", types.SimpleNamespace(download=fetch))
        return calls

    return stand_in


def call(folder: Path, *words: str) -> int:
    return main([*words, "--data_dir", str(folder)])


# --- MNIST --------------------------------------------------------------------------------------------------------


@needs_bash
def test_mnist_from_either_mirror(server, tmp_path, capfd):
    folder = tmp_path / "my data"
    server.add_all({f"/second/{name}.gz": data for name, data in MNIST.items()})
    server.add("/first/t10k-images-idx3-ubyte.gz", b"spoiled" * 99)
    assert call(folder, "MNIST") == 0
    assert sorted(path.name for path in (folder / "mnist").iterdir()) == sorted(MNIST)
    for name, data in MNIST.items():
        assert (folder / "mnist" / name).read_bytes() == gzip.decompress(data)
    assert len(load_mnist(folder / "mnist")[0]) == 8
    server.paths()
    capfd.readouterr()
    assert call(folder, "mnist") == 0 and server.paths() == []
    assert capfd.readouterr().out == "Found MNIST - skip\n"


@needs_bash
def test_what_is_missing_or_damaged_is_fetched_again(server, tmp_path):
    server.add_all({f"/first/{name}.gz": data for name, data in MNIST.items()})
    (tmp_path / "mnist").mkdir()
    assert call(tmp_path, "mnist") == 0 and len(server.paths()) == 4
    images, labels = (tmp_path / "mnist" / f"t10k-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    images.write_bytes(images.read_bytes()[:-1])
    labels.unlink()
    (tmp_path / "mnist" / "train-labels-idx1-ubyte").unlink()  # but its .gz, whole, was put there by hand
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(MNIST["train-labels-idx1-ubyte"])
    assert call(tmp_path, "mnist") == 0
    assert sorted(server.paths()) == [f"/first/{path.name}.gz" for path in (images, labels)]
    assert len(load_mnist(tmp_path / "mnist")[0]) == 8


@needs_bash
def test_no_mirror_has_it(server, celeba, tmp_path, capfd):
    """It is said, the next data set is done all the same, and what was there stays."""
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte").write_bytes(b"half")
    (tmp_path / "img_align_celeba.zip").write_bytes(CELEBA)
    assert call(tmp_path, "mnist", "celeba") == 1
    said = capfd.readouterr().err
    assert "HTTP 404" in said and said.rstrip().splitlines()[-2].startswith("error: ")
    assert (tmp_path / "mnist" / "t10k-images-idx3-ubyte").read_bytes() == b"half"
    assert len(find_pictures(tmp_path, "celebA")) == 4


def test_without_bash(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "find_bash", lambda: None)
    assert call(tmp_path, "mnist") == 2
    (line,) = capsys.readouterr().err.splitlines()
    name = "train-images-idx3-ubyte.gz"
    assert f"{download.MNIST_MIRRORS[0]}/{name} by hand" in line and str(tmp_path / "mnist" / name) in line


# --- CelebA -------------------------------------------------------------------------------------------------------


def test_celeba_from_drive(celeba, drive, tmp_path, capsys):
    asked = drive(CELEBA)
    assert call(tmp_path, "Celeb-A") == 0 and asked == ["0B7EVK8r0v71pZjFTYXZWM3FlRnM"]
    assert [path.name for path in tmp_path.iterdir()] == ["celebA"]
    for name, content in FACES:
        assert (tmp_path / "celebA" / Path(name).name).read_bytes() == content
    capsys.readouterr()
    assert call(tmp_path, "celebA", "CELEBA") == 0 and len(asked) == 1
    assert capsys.readouterr().out == "Found Celeb-A - skip\n"


@pytest.mark.parametrize("own", [CELEBA, zip_bytes([(f"a/b/{name}", content) for name, content in FACES])])
def test_a_zip_that_lies_there_is_used_and_kept(celeba, drive, tmp_path, own):
    asked = drive(PAGE)
    archive = tmp_path / "img_align_celeba.zip"
    archive.write_bytes(own)
    assert call(tmp_path, "celebA") == 0 and asked == []
    assert len(find_pictures(tmp_path, "celebA")) == 4 and archive.read_bytes() == own


def test_half_a_folder_is_moved_aside(celeba, tmp_path, capsys):
    (tmp_path / "img_align_celeba.zip").write_bytes(CELEBA)
    (tmp_path / "celebA").mkdir()
    assert call(tmp_path, "celebA") == 0  # an empty one just goes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["celebA", "img_align_celeba.zip"]
    (tmp_path / "celebA" / "000002.jpg").unlink()
    (tmp_path / "celebA" / "000003.jpg").write_bytes(b"mine")
    assert call(tmp_path, "celebA") == 0
    assert (tmp_path / "celebA.incomplete1" / "000003.jpg").read_bytes() == b"mine"
    assert len(find_pictures(tmp_path, "celebA")) == 4 and "3 of 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (PAGE, ["web page", "too many people"]),
        (RuntimeError("Cannot retrieve the file.\nYou may\nneed ..."), ["(Cannot retrieve the file)"]),
        (CELEBA[:150], ["no zip, or cut short", "delete it"]),
        (zip_bytes(FACES[:3]), ["wrong MD5", "3 pictures instead of 4", "delete it"]),
    ],
)
def test_drive_gives_something_else(celeba, drive, tmp_path, capsys, answer, words):
    drive(answer)
    assert call(tmp_path, "celebA") == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    for word in [*words, "with a browser from https://drive.google.com", f"save it as {tmp_path}/img_align_celeba.zip"]:
        assert word in line, (word, line)
    assert not (tmp_path / "celebA").exists()
    if answer == PAGE:
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(PAGE, "web page"), (zip_bytes([(f"../{name}", data) for name, data in FACES]), "leads out of the folder")],
)
def test_a_bad_zip_that_lies_there(celeba, tmp_path, capsys, content, words):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "img_align_celeba.zip").write_bytes(content)
    assert call(tmp_path / "data", "celebA") == 2 and words in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "img_align_celeba.zip"]


def test_without_gdown(celeba, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gdown", None)
    assert call(tmp_path, "celebA") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install gdown" in line and "with a browser" in line


# --- LSUN ---------------------------------------------------------------------------------------------------------


@needs_bash
def test_lsun(server, tmp_path, capfd):
    data = os.urandom(3000)
    server.add("/plain/tower_val_lmdb.zip", zip_bytes([("tower_val_lmdb/data.mdb", data)]))
    server.add("/secure/test_lmdb.zip", zip_bytes([("test_lmdb/data.mdb", data), ("test_lmdb/lock.mdb", b"")]))
    half = tmp_path / "lsun" / "tower_val_lmdb"
    half.mkdir(parents=True)
    words, names = ("lsun", "--category", "tower", "--set", "val", "test"), ("tower_val_lmdb", "test_lmdb")
    assert call(tmp_path, *words) == 0
    assert all((tmp_path / "lsun" / name / "data.mdb").read_bytes() == data for name in names)
    assert sorted(path.name for path in (tmp_path / "lsun").iterdir()) == ["test_lmdb", "tower_val_lmdb"]
    server.paths()
    capfd.readouterr()
    assert call(tmp_path, *words) == 0 and server.paths() == []
    assert capfd.readouterr().out.splitlines() == [
        f"Found LSUN {name} - skip" for name in ("tower_val_lmdb", "test_lmdb")
    ]


ENTRIES = [(f"{i:040x}".encode(), (b"\xff\xd8" if i < 2 else b"RIFF") + bytes([i]) * 9) for i in range(5)]


def test_shards_of_an_export(tmp_path, monkeypatch):
    """Whole folders stay, one that was cut short or of a lower limit is written anew."""
    monkeypatch.setattr(lsun, "SHARD", 2)

    def names() -> list[str]:
        return sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))

    assert lsun.write_shards(iter(ENTRIES[:3]), 3, tmp_path) == ".jpg"
    first = [f"0000/{i:040x}.jpg" for i in range(2)]
    assert names() == [*first, f"0001/{2:040x}.webp"]
    (tmp_path / first[0]).write_bytes(b"kept")
    (tmp_path / ".0002.part").mkdir()
    (tmp_path / ".0002.part" / "half.webp").touch()
    assert lsun.write_shards(iter(ENTRIES), 5, tmp_path) == ".jpg"
    assert names() == [*first, *(f"{i // 2:04d}/{i:040x}.webp" for i in (2, 3, 4))]
    assert (tmp_path / first[0]).read_bytes() == b"kept"
    assert (tmp_path / f"0002/{4:040x}.webp").read_bytes() == ENTRIES[4][1]
    assert lsun.file_stem(b"../a") == "2e2e2f61"


def test_export_of_a_database(tmp_path, capsys):
    lmdb = pytest.importorskip("lmdb")
    (tmp_path / "lsun").mkdir()
    with lmdb.open(str(tmp_path / "lsun" / "bedroom_val_lmdb"), map_size=1 << 20) as environment:
        with environment.begin(write=True) as transaction:
            for key, value in ENTRIES:
                transaction.put(key, value)
    assert call(tmp_path, "lsun", "--set", "val", "--export-lsun", "--limit", "4") == 0
    said = capsys.readouterr().out
    assert "--dataset lsun_bedroom_val --input_fname_pattern '*.jpg'" in said and "4 pictures" in said
    found = find_pictures(tmp_path, "lsun_bedroom_val", "*")
    assert [path.read_bytes() for path in found] == [value for _, value in ENTRIES[:4]]
    (tmp_path / "lsun" / "bedroom_val_lmdb" / "data.mdb").write_bytes(b"x" * 9000)
    assert call(tmp_path, "--set=val", "--export-lsun", "lsun") == 2
    assert "is damaged" in capsys.readouterr().err


def test_export_without_what_it_needs(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no LMDB database .*nowhere"):
        lsun.export(tmp_path / "nowhere", tmp_path)
    (tmp_path / "data.mdb").touch()
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(UserError, match="pip install lmdb"):
        lsun.export(tmp_path, tmp_path)


# --- the command line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["imagenet"], ["imagenet", "mnist"]),
        ([], ["DATASET"]),
        (["lsun", "--set", "all"], ["--set", "all"]),
        (["lsun", "--limit", "0"], ["--limit", "0"]),
    ],
)
def test_wrong_words(tmp_path, words, expected):
    script = PROJECT / "download.py"
    done = subprocess.run([sys.executable, script, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and line.startswith("error: ") and all(word in line for word in expected)
    assert list(tmp_path.iterdir()) == []
