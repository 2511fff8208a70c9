"""The demo, the shipped styles and the walkthrough's figures."""

import json

import numpy as np
import pytest
from PIL import Image

import demo
import make_figures
from legacy import load_checkpoint
from networks import initial_weights
from stylizer import Stylizer

STYLES = {"starry_night", "the_scream", "udnie", "wave"}


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image.convert("RGB")).astype(int)


@pytest.fixture
def small_photo(tmp_path):
    """A photograph small enough to be painted at once."""
    from shared_scripts.samples import sample_photo

    path = tmp_path / "photo.png"
    Image.fromarray(sample_photo("china")).resize((96, 64)).save(path)
    return path


def test_the_demo_paints_all_styles_and_a_sheet(small_photo, tmp_path, capsys):
    out = tmp_path / "demo"
    assert demo.main(["--photo", str(small_photo), "--out-dir", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"photo_sheet.jpg", *(f"photo_{name}.png" for name in STYLES)}
    pictures = [pixels_of(out / f"photo_{name}.png") for name in STYLES]
    assert all(picture.shape == (64, 96, 3) for picture in pictures)
    for i in range(4):
        for j in range(i):
            assert np.abs(pictures[i] - pictures[j]).mean() > 10
    assert pixels_of(out / "photo_sheet.jpg").shape[1] > 5 * 96
    assert "photo_sheet.jpg" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(STYLES))
def test_shipped_styles(name):
    folder = demo.HERE / "ckpts" / name
    found = load_checkpoint(folder)
    assert found.adam is None and len(found.weights) == 48
    assert sum(path.stat().st_size for path in folder.iterdir()) < 7_000_000
    record = json.loads((folder / "training.json").read_text())
    assert record["command"].startswith("python style.py") and record["seconds"] > 0
    assert record["losses"]["total"] == pytest.approx(sum(record["losses"][k] for k in ("style", "content", "tv")))
    first, *rest = (folder / "losses.csv").read_text().splitlines()
    assert first == "step,total,style,content,tv" and len(rest) > 100


def test_a_shipped_style_keeps_the_scene(small_photo):
    """The painted picture has the photograph's edges: far more than an untrained network's has."""
    photo = pixels_of(small_photo).astype(np.uint8)

    def edges(picture):
        grey = picture.mean(2)
        return np.abs(np.diff(grey, axis=1))[:-1] + np.abs(np.diff(grey, axis=0))[:, :-1]

    def likeness(weights):
        painted = Stylizer(weights, "cpu", "float32")(photo[None])[0]
        return np.corrcoef(edges(photo).ravel(), edges(painted).ravel())[0, 1]

    assert likeness(load_checkpoint(demo.HERE / "ckpts" / "wave").weights) > likeness(initial_weights(1)) + 0.1


def test_figures(tmp_path, capsys):
    assert make_figures.main(["--only", "curve", "contrast", "--out-dir", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"curve.png", "contrast.jpg"}
    assert all(path.stat().st_size <= 150_000 for path in tmp_path.iterdir())
    assert capsys.readouterr().out.count("wrote ") == 2


def test_the_growth_needs_a_training(tmp_path):
    from shared_scripts.cli import UserError

    with pytest.raises(UserError, match="--training"):
        make_figures.main(["--only", "growth", "--training", str(tmp_path), "--out-dir", str(tmp_path / "out")])
    for i, step in enumerate((150, 300, 450, 600)):
        Image.new("RGB", (30, 20), (50 * i,) * 3).save(tmp_path / f"0_{step}.png")
    make_figures.main(["--only", "growth", "--training", str(tmp_path), "--out-dir", str(tmp_path / "out")])
    sheet = pixels_of(tmp_path / "out" / "growth.jpg")
    assert sheet[150, 300].max() < 10 < sheet[150, 500].min()  # in the order they were made


def test_the_race_needs_the_painting(tmp_path):
    from shared_scripts.cli import UserError

    with pytest.raises(UserError, match="--painting"):
        make_figures.main(["--only", "race", "--out-dir", str(tmp_path)])
