"""The --visualize options: latents against the reference's, and the files."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
from PIL import Image

from shared_scripts.cli import UserError
from visualize import SHORT_STAMP, latents_of, merged_film, visualize

RECORDED = ["faces/opt0", "faces/opt1", "faces/opt2", "faces/opt3", "faces/opt4", "mnist/opt1", "mnist/opt2"]


class Painter:
    """A sampler that paints the latent's numbers, and for a label its brightness; it notes what it was asked."""

    def __init__(self, z_dim=3, y_dim=0, channels=3, sigmoid=False):
        self.z_dim, self.y_dim, self.height, self.width = z_dim, y_dim, 2, z_dim
        self.channels, self.sigmoid, self.asked = channels, sigmoid, []

    def __call__(self, z, y=None):
        self.asked.append((z, y))
        images = np.zeros((len(z), 2, self.z_dim, self.channels), np.float32)
        images[:, 0] = z[:, :, None]
        if y is not None:
            images[:, 1] = (y.argmax(1) / 10)[:, None, None]
        return images


@pytest.mark.parametrize("name", RECORDED)
def test_latents_match_the_reference(golden, name):
    recorded = golden("visualize_options.npz")
    meta = json.loads(str(recorded["meta"]))
    rng, python_rng = np.random.RandomState(meta["numpy_seed"]), random.Random(meta["python_seed"])
    y_dim = 10 if name.startswith("mnist") else 0
    found = list(latents_of(int(name[-1]), meta["batch_size"], meta["z_dim"], y_dim, rng, python_rng))
    z = np.stack([latents.z for latents in found])
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, recorded[f"{name}/z"], atol=1e-6)
    files = [re.sub(r".*/|\|.*", "", text) for text in recorded[f"{name}/names"] if not text.startswith("EXC")]
    endings = ".png" if int(name[-1]) < 2 else ".gif"
    stems = [latents.stem for latents in found]
    stems = [stem.replace("test", "test_YYYYMMDDHHMMSS") if name[-1] == "0" else stem for stem in stems]
    assert [stem + endings for stem in stems] == files
    if y_dim:
        assert (np.stack([latents.labels for latents in found]) == recorded[f"{name}/y"]).all()


@pytest.mark.parametrize("option", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("batch", "y_dim", "channels"), [(5, 0, 3), (9, 10, 1)])
def test_files(tmp_path, option, batch, y_dim, channels):
    painter = Painter(4, y_dim, channels)
    paths = visualize(painter, option, tmp_path, batch, np.random.RandomState(0), random.Random(0))
    names = [path.name for path in paths]
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    if option == 0:
        assert re.fullmatch(r"test_\d{4}(-\d\d){5}\.png", names[0]) and len(names) == 1
    elif option == 1:
        assert names == [f"test_arange_{d}.png" for d in range(4)]
    elif option == 2:
        rolls = random.Random(0)
        assert names == list(dict.fromkeys(f"test_gif_{rolls.randint(0, 3)}.gif" for _ in range(4)))
    else:
        assert names == [f"test_gif_{d}.gif" for d in range(4)] + ["test_gif_merged.gif"] * (option == 4)
    for path in paths:
        with Image.open(path) as image:
            merged = path.stem == "test_gif_merged"
            assert image.size == ((12, 6) if option < 2 else (8, 4) if merged else (4, 2))
            if path.suffix == ".png":
                assert image.mode == ("L" if channels == 1 else "RGB")
    for _, y in painter.asked:
        assert y is None if not y_dim else y.shape == (batch, 10) and (y.sum(1) == 1).all()
        if y_dim and option in (3, 4):
            assert (y == y[0]).all()


def test_what_is_in_a_grid(tmp_path):
    painter = Painter(3)
    visualize(painter, 1, tmp_path, 4, np.random.RandomState(0))
    grid = np.asarray(Image.open(tmp_path / "test_arange_1.png"))
    z = painter.asked[1][0]
    assert z[:, 1].tolist() == [0, 0.25, 0.5, 0.75]
    assert (grid[2, :3, 0] == np.rint((z[2] + 1) * 127.5)).all()  # the third picture begins the second row
    assert grid.shape == (4, 6, 3)


@pytest.mark.parametrize("batch", [5, 70])
def test_the_merged_film_goes_there_and_back(tmp_path, batch):
    visualize(Painter(3), 4, tmp_path, batch)
    with Image.open(tmp_path / "test_gif_merged.gif") as film:
        total, seen = 0, []
        for k in range(film.n_frames):
            film.seek(k)
            total += film.info["duration"]
            seen.append(film.convert("L").getpixel((0, 0)))
    assert total == 8000
    shown = min(batch, 64)
    assert seen[0] == seen[-1] == 127 and max(seen) == int((1 + (shown - 1) / batch) / 2 * 255)


def test_merged_film_is_a_grid_of_the_dimensions():
    films = np.arange(3 * 2).reshape(3, 2, 1, 1, 1).astype(np.uint8)  # dimension, frame
    film = merged_film(films)
    assert film[..., 0].tolist() == [[[0, 2], [4, 0]], [[1, 3], [5, 0]], [[1, 3], [5, 0]], [[0, 2], [4, 0]]]


def test_single_pictures(tmp_path):
    painter = Painter(3, sigmoid=True)
    paths = visualize(painter, 0, tmp_path, 12, samples="single", stamp=SHORT_STAMP)
    assert [re.fullmatch(r"test_\d{14}_(\d+)\.png", path.name)[1] for path in paths] == [f"{i:03d}" for i in range(12)]
    expected = np.clip(np.rint(painter.asked[0][0][5] * 255), 0, 255)
    assert (np.asarray(Image.open(paths[5]))[0, :, 0] == expected).all()
    films = visualize(painter, 3, tmp_path, 2, samples="single")
    assert [path.name for path in films[:3]] == ["test_gif_0_000.png", "test_gif_0_001.png", "test_gif_0.gif"]


def test_stretch_fills_the_range(tmp_path):
    paths = visualize(Painter(3), 0, tmp_path, 4, stretch=True)
    pixels = np.asarray(Image.open(paths[0]))
    assert pixels.min() == 0 and pixels.max() == 255
    pixels = np.asarray(Image.open(visualize(Painter(3), 0, tmp_path, 4)[0]))
    assert pixels.min() > 60 and pixels.max() < 195  # 0.5 on either side of grey


def test_no_such_option(tmp_path):
    with pytest.raises(UserError, match="0 to 4, not 5"):
        visualize(Painter(), 5, tmp_path / "new", 4)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", [0, 1, 2, 3, 4])
def test_one_label_for_all(tmp_path, option):
    """The latents are what they are without it."""
    usual, threes = Painter(3, 10, 1, True), Painter(3, 10, 1, True)
    for painter, label in ((usual, None), (threes, 3)):
        visualize(painter, option, tmp_path, 4, np.random.RandomState(0), random.Random(0), label=label)
    assert all((y == np.eye(10)[3]).all() for _, y in threes.asked)
    for (z, _), (expected, _) in zip(threes.asked, usual.asked, strict=True):
        np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize(("label", "y_dim", "words"), [(3, 0, "no labels"), (10, 10, "the labels 0 to 9")])
def test_labels_the_network_does_not_know(tmp_path, label, y_dim, words):
    with pytest.raises(UserError, match=f"--label {label}: this network knows {words}"):
        visualize(Painter(3, y_dim), 1, tmp_path / "new", 4, label=label)
    assert not (tmp_path / "new").exists()
