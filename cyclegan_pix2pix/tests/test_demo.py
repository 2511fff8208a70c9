"""The demo, the measuring of results, and the walkthrough's figures."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

import demo
import make_figures
import measure
from perceptual import PerceptualDistance
from shared_scripts.cli import UserError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A demo much shortened, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    status = demo.main(["--epochs", "2", "--train", "3", "--ngf", "2", "--out-dir", str(folder)])
    assert status == 0
    return folder


def test_the_demo_leaves_a_page_a_sheet_and_a_training(made):
    results = made / "results" / "shapes" / "test_latest"
    page = (results / "index.html").read_text()
    assert len(list((results / "images").glob("*_fake_B.png"))) == 20 and page.count("fake_B.png") >= 20
    with Image.open(made / "sheet.jpg") as sheet:
        assert sheet.width == 8 + 3 * (128 + 8) and sheet.height == 28 + demo.SHOWN * (128 + 8)
    with open(made / "checkpoints" / "shapes" / "losses.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def write(path, pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def judged(tmp_path, rng):
    """Two results: one perfect, one 10 levels off; and pairs whose targets are 100 and 200."""
    truth = rng.integers(0, 200, (48, 48, 3), dtype=np.uint8)
    images = tmp_path / "results" / "images"
    for stem, error in (("a", 0), ("b", 10)):
        write(images / f"{stem}_real_B.png", truth)
        write(images / f"{stem}_fake_B.png", truth + np.uint8(error))
    write(images / "left_by_an_earlier_run_fake_B.png", truth)
    page = "".join(f'<img src="images/{stem}_{label}.png">' for stem in "ab" for label in ("real_B", "fake_B"))
    (tmp_path / "results" / "index.html").write_text(page)
    for name, target in (("1", 100), ("2", 200)):
        pair = np.zeros((48, 96, 3), np.uint8)
        pair[:, :48] = target
        write(tmp_path / "pairs" / "train" / f"{name}.png", pair)
    return tmp_path, truth


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_results_are_measured_against_the_mean_picture(judged, capsys):
    folder, truth = judged
    words = ["--results", folder / "results", "--dataroot", folder / "pairs", "--output", folder / "out.json"]
    assert measure.main([*map(str, words), "--direction", "BtoA"]) == 0
    numbers = json.loads((folder / "out.json").read_text())
    assert numbers["pictures"] == 2
    assert numbers["model"]["L1"] == pytest.approx(5 / 255)  # the mean of 0 and 10 levels
    assert numbers["mean picture"]["L1"] == pytest.approx(np.abs(truth - 150.0).mean() / 255)
    assert numbers["model"]["perceptual"] < 0.5 * numbers["mean picture"]["perceptual"]
    assert "mean picture" in capsys.readouterr().out


def test_a_folder_without_results_of_pairs_is_refused(judged):
    folder, _ = judged
    (folder / "results" / "images" / "a_real_B.png").unlink()
    with pytest.raises(UserError, match="NAME_fake_B.png with NAME_real_B.png"):
        measure.main(["--results", str(folder / "results"), "--dataroot", str(folder / "pairs")])


def test_what_is_no_page_or_no_pairs_is_refused(judged):
    folder, truth = judged
    with pytest.raises(UserError, match="there is no page"):
        measure.main(["--results", str(folder), "--dataroot", str(folder / "pairs")])
    write(folder / "pairs" / "train" / "3.png", truth)  # a single picture: half of it has another shape
    with pytest.raises(UserError, match="no pair side by side"):
        measure.main(["--results", str(folder / "results"), "--dataroot", str(folder / "pairs")])


def test_results_of_many_sizes_are_measured(judged):
    folder, truth = judged
    for label in ("real_B", "fake_B"):
        write(folder / "results" / "images" / f"b_{label}.png", truth[:40, :30])
    words = ["--results", folder / "results", "--dataroot", folder / "pairs", "--output", folder / "out.json"]
    assert measure.main([*map(str, words)]) == 0
    assert json.loads((folder / "out.json").read_text())["model"]["L1"] == 0


@pytest.mark.parametrize("words", [["--epochs", "0"], ["--size", "100"], ["--train", "0"]])
def test_a_demo_that_cannot_work_draws_nothing(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        demo.main([*words, "--out-dir", str(tmp_path / "x")])
    assert end.value.code == 2 and capsys.readouterr().err.startswith("error: --epochs and --train")
    assert not (tmp_path / "x").exists()


def test_the_perceptual_distance_sees_what_pixels_do_not(rng):
    """A picture moved by a pixel is far in pixels and near in features; one blurred is the other way round."""
    from PIL import ImageFilter

    coarse = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).resize(
        (96, 96), Image.Resampling.NEAREST
    )
    picture = np.array(coarse)
    moved, blurred = np.roll(picture, 1, 1), np.array(coarse.filter(ImageFilter.GaussianBlur(3)))
    distance = PerceptualDistance()
    assert distance(picture, picture) == pytest.approx(0, abs=1e-6)
    assert distance(picture, moved) < 0.5 * distance(picture, blurred)
    assert distance(picture, moved) == pytest.approx(distance(moved, picture), rel=1e-5)


def test_figures_without_results(tmp_path):
    assert make_figures.main(["--out-dir", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"curve.png", "fields.jpg"}


def test_figures_of_results(made, tmp_path):
    results = str(made / "results" / "shapes" / "test_latest")
    words = ["--only", "facades", "losses", "--results", f"one={results}", f"two={results}", "--out-dir", str(tmp_path)]
    assert make_figures.main(words) == 0
    alone = ["--only", "facades", "shapes", "--results", results, "--stems", "0001", "--out-dir", str(tmp_path / "one")]
    assert make_figures.main(alone) == 0
    with Image.open(tmp_path / "one" / "facades.jpg") as one, Image.open(tmp_path / "one" / "shapes.jpg") as shapes:
        assert one.size == (8 + 3 * 136, 28 + 136) and shapes.size == (8 + 136, 8 + 3 * 136)
    with Image.open(tmp_path / "facades.jpg") as pairs, Image.open(tmp_path / "losses.jpg") as losses:
        assert pairs.size == (8 + 6 * 136, 28 + 3 * 136) and losses.size == (8 + 4 * 136, 28 + 4 * 136)


def test_a_figure_that_lacks_its_results_says_so(tmp_path):
    with pytest.raises(UserError, match="needs --results"):
        make_figures.main(["--only", "cycle", "--out-dir", str(tmp_path)])
    with pytest.raises(UserError, match="no results called"):
        make_figures.main(["--only", "cycle", "--results", str(tmp_path), "--out-dir", str(tmp_path)])
