"""Digits as PNGs: what is written, from where, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn import datasets

from digits import vary, write_digits, write_pictures
from shared_scripts.cli import UserError
from shared_scripts.digits import enlarge, load_digits

PROJECT = Path(__file__).resolve().parent.parent


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess:
    """digits.py as people call it, from some folder."""
    command = [sys.executable, str(PROJECT / "digits.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_digits_are_scikit_learns(tmp_path):
    real = datasets.load_digits()
    assert write_digits(tmp_path / "eight", 8) == 1797
    assert write_digits(tmp_path / "large", 32) == 1797
    names = sorted(path.name for path in (tmp_path / "large").iterdir())
    assert len(names) == 1797 and names[0] == "digit_0000_label0.png"
    for i in (0, 5, 1796):
        name = f"digit_{i:04d}_label{real.target[i]}.png"
        with Image.open(tmp_path / "eight" / name) as small, Image.open(tmp_path / "large" / name) as large:
            assert (small.mode, large.mode, large.size) == ("L", "L", (32, 32))
            np.testing.assert_allclose(np.asarray(small), real.images[i] * 255 / 16, atol=0.51)
            blocks = np.asarray(large, float).reshape(8, 4, 8, 4).mean(axis=(1, 3))
            assert np.corrcoef(blocks.ravel(), real.images[i].ravel())[0, 1] > 0.97


def test_enlarging_keeps_flat_pictures_and_the_range():
    assert (enlarge(np.full((1, 8, 8), 200, np.uint8), 20) == 200).all()
    checks = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((2, 2))).astype(np.uint8)[None] * 255
    large = enlarge(checks, 32)
    assert large.shape == (1, 32, 32) and large.min() == 0 and large.max() == 255  # overshoot clipped, not wrapped
    assert abs(large.mean() - 127.5) < 1


def test_written_once_and_never_over_something_else(tmp_path, capsys):
    pixels, labels = load_digits(8)
    folder = tmp_path / "digits"
    assert write_pictures(folder, pixels[:3], labels[:3]) == 3
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write_pictures(folder, pixels[:3], labels[:3]) == 3
    assert "Found 3 digits" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    with pytest.raises(UserError, match="something else"):
        write_pictures(folder, enlarge(pixels[:3], 16), labels[:3])
    (folder / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(UserError, match="something else"):
        write_pictures(folder, pixels[:3], labels[:3])
    assert (folder / "photo.jpg").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]  # nothing half-written beside it


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "digits").mkdir()
    pixels, labels = load_digits(8)
    assert write_pictures(tmp_path / "digits", pixels[:2], labels[:2]) == 2
    assert len(list((tmp_path / "digits").iterdir())) == 2


def test_mnist_as_pngs(tmp_path):
    pixels = np.random.RandomState(0).randint(0, 256, (12, 28, 28)).astype(np.uint8)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(np.array([2051, 12, 28, 28], ">u4").tobytes() + pixels.tobytes())
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(
        np.array([2049, 12], ">u4").tobytes() + bytes(range(10)) + b"\7\7"
    )
    done = run("--mnist", tmp_path, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--dataset mnist_png" in done.stderr and "--output_height 28" in done.stderr
    written = sorted((tmp_path / "data" / "mnist_png").iterdir())
    assert len(written) == 12 and written[11].name == "digit_0011_label7.png"
    with Image.open(written[11]) as last:
        np.testing.assert_array_equal(np.asarray(last), pixels[11])


def test_the_command_and_its_errors(tmp_path):
    done = run("--out-dir", "some\\digits", "--size", 12, folder=tmp_path)
    assert done.returncode == 0 and len(list((tmp_path / "some" / "digits").iterdir())) == 1797
    assert '--dataset digits --input_fname_pattern "*.png" --output_height 12 --train' in done.stderr
    for arguments, words in (
        (("--size", 0), "--size 0 is not between"),
        (("--mnist", "nowhere"), "there is no folder nowhere"),
        (("--size", 16, "--out-dir", "some/digits"), "something else"),
    ):
        done = run(*arguments, folder=tmp_path)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


# --- variants ---


def middle(picture: np.ndarray) -> np.ndarray:
    """The centre of mass, (y, x)."""
    return np.array([(axis * picture.astype(float)).sum() / picture.sum() for axis in np.mgrid[:32, :32]])


def test_variants_are_shifted_turned_and_scaled_but_stay_in_the_frame():
    dot, bar = np.zeros((1, 32, 32), np.uint8), np.zeros((1, 32, 32), np.uint8)
    dot[0, 14:18, 14:18], bar[0, 4:28, 15:17] = 255, 255
    places = np.array([middle(one) for one in vary(dot, 300)])
    np.testing.assert_allclose(places.mean(axis=0), 15.5, atol=0.2)
    assert (np.abs(places - 15.5) < 0.06 * 32 + 0.15).all()  # never further than 6 %
    assert (np.ptp(places, axis=0) > 0.1 * 32).all()  # but nearly as far
    bars = vary(bar, 300)
    heights = np.array([one.max(axis=1).astype(bool).sum() for one in bars])
    assert heights.max() < 24 and heights.min() >= 24 * 0.75 * 0.9 * 0.97 - 1  # three quarters, give or take a tenth
    edges = np.concatenate([bars[:, 0], bars[:, -1], bars[:, :, 0], bars[:, :, -1]])
    assert edges.max() == 0


def test_variants_repeat_and_differ():
    pixels, labels = load_digits(16)
    first = vary(pixels[:3], 4)
    assert first.shape == (12, 16, 16) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, vary(pixels[:3], 4))
    assert (vary(pixels[:3], 4, seed=1) != first).any()
    assert len({one.tobytes() for one in first}) == 12


def test_variants_by_command(tmp_path):
    result = run("--variants", "2", "--size", "8", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    written = sorted((tmp_path / "data" / "digits").iterdir())
    assert len(written) == 2 * 1797
    assert [path.name.split("label")[1] for path in written[:4]] == ["0.png", "0.png", "1.png", "1.png"]
    assert "--variants is a number" in run("--variants", "-1", folder=tmp_path).stderr
    assert "for scikit-learn's digits alone" in run("--variants", "2", "--mnist", "x", folder=tmp_path).stderr
