"""What `make` runs: the demos and the figures, and what comes along for them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import demo
import demo_training
import make_figures
from legacy import load_model, newest
from measure import ENOUGH
from options import SHIPPED
from seeds import read_seed
from shared_scripts.images import read_image
from shared_scripts.videos import probe, read_frames


def test_the_shipped_generator_is_small_and_whole():
    folder = SHIPPED / "digits_64_64_64"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
    model = load_model(newest(folder))
    a = model.architecture
    assert (a.height, a.width, a.channels, a.z_dim, a.conditional) == (64, 64, 1, 100, False)
    assert all(abs(read_seed(f"digit_{i}", make_figures.SEEDS).values).max() <= 1 for i in range(10))


def test_the_demo_makes_ten_seconds_that_end_where_they_began(tmp_path, capsys):
    assert demo.main(["--out-dir", str(tmp_path / "demo")]) == 0
    film = tmp_path / "demo" / "film.mp4"
    info = probe(film)
    assert (info.width, info.height, info.fps, info.duration) == (384, 384, 24, 10.0)
    frames = list(read_frames(film))
    assert len(frames) == 240
    difference = np.abs(frames[0].astype(int) - frames[-1]).mean()
    assert difference < 1 < np.abs(frames[0].astype(int) - frames[120]).mean()
    (sheet,) = (tmp_path / "demo" / "samples").glob("test_*.png")
    assert read_image(sheet).shape == (512, 512, 3)
    said = capsys.readouterr()
    assert "python dcgan_tf/main.py --dataset digits" in said.err and "Made" in said.out


def test_the_training_demo_trains_measures_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(demo_training, "VARIANTS", 1)
    monkeypatch.setattr(demo_training, "SAMPLES", 60)
    words = ["--out-dir", str(tmp_path), "--epochs"]
    status = demo_training.main([*words, "1"])  # 28 iterations: nothing that could be read
    shares = json.loads((tmp_path / "measured.json").read_text())["shares"]
    assert len(shares) == 10 and sum(shares) == pytest.approx(1)
    assert status == (0 if sum(share >= 0.02 for share in shares) >= demo_training.ENOUGH else 1)
    said = capsys.readouterr().out
    assert "Epoch: [ 0/ 1] [  27/  28]" in said and "classifier: " in said
    assert float(said.split("classifier: ")[1].split("%")[0]) / 100 > ENOUGH
    demo_training.main([*words, "1"])
    assert "all its 1 epochs behind it" in capsys.readouterr().err
    demo_training.main([*words, "2"])
    assert "Epoch: [ 1/ 2] [   0/  28]" in capsys.readouterr().out
    assert read_image(tmp_path / "sheet.png").shape == (4 + 5 * 52, 4 + 12 * 52, 3)
    assert len(list(tmp_path.glob("new_*"))) >= 1


def test_the_figures(tmp_path):
    assert make_figures.main(["--out-dir", str(tmp_path), "--only", "modes", "plane", "film", "curve", "game"]) == 0
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"modes.jpg", "plane.jpg", "film.gif", "curve.png", "game.png"}
    assert all(5000 < size < 150_000 for size in sizes.values())
    rows, gap = len(make_figures.STRIPS), 3
    assert read_image(tmp_path / "modes.jpg").shape[0] == gap + rows * (make_figures.CELL + gap)
