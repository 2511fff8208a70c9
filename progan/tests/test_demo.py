"""The demos and the data sets they learn from, by their command lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import demo
import demo_training
import make_dataset
import make_figures
from datasets import open_dataset
from landscapes import draw_landscape
from run_generation import SHIPPED
from shapes import SHAPES, draw_shape
from shared_scripts.testing import exit_status
from shared_scripts.videos import probe, read_frames

shipped = pytest.mark.skipif(not SHIPPED.is_file(), reason="the generator that ships is not there")


@shipped
def test_the_demo_makes_a_sheet_and_a_film(tmp_path, capsys):
    assert demo.main(["--seconds", "2", "--out-dir", str(tmp_path)]) == 0
    with Image.open(tmp_path / "landscapes-000000.png") as image:
        assert image.size == (12 * 64, 8 * 64)
        rows = np.asarray(image, float).reshape(8, 64, 12, 64, 3).mean((1, 3))
    assert rows.std((0, 1)).min() > 15, "they have many colours"
    film = probe(tmp_path / "walk.mp4")
    assert (film.width, film.height, film.frames) == (5 * 3 * 64, 3 * 3 * 64, 60)
    frames = [frame.astype(float) for frame in read_frames(tmp_path / "walk.mp4")]
    away, back = (np.abs(frames[0] - frames[number]).mean() for number in (30, -1))
    assert away > 1 and away > 1.5 * back, "the film goes somewhere, and ends where it began"
    assert "walk.mp4" in capsys.readouterr().out


@shipped
def test_the_generator_that_ships_is_small():
    assert SHIPPED.stat().st_size < 6_000_000


@shipped
def test_the_readme_s_pictures_are_small_and_made_by_a_command(tmp_path, monkeypatch):
    monkeypatch.setattr(make_figures, "FIGURES", tmp_path)
    make_figures.main(["--only", "shipped"])
    figures = Path(make_figures.HERE / "figures")
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in figures.iterdir()}
    assert all(path.stat().st_size <= 150_000 for path in figures.iterdir())


def test_the_training_demo_trains_measures_and_films(tmp_path, capsys):
    flags = ["--kimg", "1", "--measure", "64", "--out-dir", str(tmp_path), "--kind", "digits"]
    assert demo_training.main(flags) == 0
    run = tmp_path / "results" / "000-pgan-digits-preset-v2-1gpu-fp32"
    table = (run / "metric-swd.txt").read_text()
    assert re.search(r"^Reals2 +\S+ +\d", table, re.MULTILINE) and re.search(r"^1 +\S+ +\d", table, re.MULTILINE)
    assert len(list(tmp_path.glob("results/*/*-train.mp4"))) == 1
    assert demo_training.main(flags) == 0, "a second time it goes on where it was"
    assert "Nothing is left to train" in capsys.readouterr().err
    assert len(list(tmp_path.glob("results/*-pgan-digits*"))) == 1


# --- data sets out of nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, channels, classes", [("landscapes", 3, 0), ("shapes", 3, 8), ("digits", 1, 10)])
def test_data_sets_are_made_and_read(tmp_path, kind, channels, classes):
    folder = tmp_path / kind
    assert exit_status(make_dataset.main, [kind, str(folder), "--count", "40", "--size", "16"]) == 0
    found = open_dataset(folder, max_label_size="full" if classes else 0)
    assert (len(found), found.resolution, found.num_channels, found.label_size) == (40, 16, channels, classes)
    pictures = found.images(np.arange(40), 4)
    assert len({picture.tobytes() for picture in pictures}) > 38
    if kind != "digits":
        draw = draw_landscape if kind == "landscapes" else draw_shape
        np.testing.assert_array_equal(pictures[3].transpose(1, 2, 0), draw([0, 3], 16, *pick(kind, 3)))


def pick(kind: str, number: int) -> tuple[str, ...]:
    """The kind of shape that a number has."""
    return (SHAPES[number],) if kind == "shapes" else ()


@pytest.mark.parametrize(
    "flags, expected",
    [
        (["shapes", "--size", "20"], "power of two"),
        (["digits", "--count", "5000"], "1797"),
        (["faces"], "invalid choice"),
        (["shapes", "--count", "0"], "above 0"),
    ],
)
def test_wrong_data_sets(tmp_path, capsys, monkeypatch, flags, expected):
    monkeypatch.chdir(tmp_path)
    assert exit_status(make_dataset.main, flags) == 2
    assert expected in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.tfrecords"))


def test_what_is_there_is_not_replaced(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert exit_status(make_dataset.main, ["shapes", str(tmp_path / "mine"), "--count", "2"]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_shape_is_inside_and_not_alone(kind):
    picture = draw_shape(5, 32, kind).astype(int)
    corner = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    distance = np.abs(picture - corner.mean(0)).sum(-1)
    share = (distance > 120).mean()
    assert 0.05 < share < 0.7, f"{share:.0%} of the picture is the shape"
    assert np.abs(corner - corner.mean(0)).max() < 60
