"""The drawn data set: the geometry, the pictures' promises, the folders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import make_shapes_dataset as shapes
from shared_scripts.cli import UserError

SCRIPT = Path(shapes.__file__)


def scene(number: int) -> list[shapes.Shape]:
    return shapes.draw_scene(np.random.default_rng([7, number]))


def read(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- geometry -----------------------------------------------------------------------------------------------------


def test_signed_distance_of_a_square():
    """Against the box's closed formula: |max(q, 0)| + min(max(qx, qy), 0), q = |p| - half the side."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    y, x = np.mgrid[-2:2:41j, -2:2:37j]
    q = np.abs(np.stack([x, y])) - 1
    expected = np.hypot(*np.maximum(q, 0)) + np.minimum(q.max(0), 0)
    np.testing.assert_allclose(shapes.signed_distance(x, y, corners), expected, atol=1e-12)


@pytest.mark.parametrize("kind", shapes.CORNERS)
def test_inside_and_outside(kind):
    """The sign against the winding number, the distance against many points on the outline."""
    corners = shapes.CORNERS[kind]
    points = np.random.default_rng(0).uniform(-1.2, 1.2, (300, 2))
    distance = shapes.signed_distance(*points.T, corners)
    arms = corners[None] - points[:, None]
    angles = np.arctan2(arms[..., 1], arms[..., 0])
    turns = (np.diff(np.append(angles, angles[:, :1], axis=1)) + np.pi) % (2 * np.pi) - np.pi
    wound = np.abs(turns.sum(1)) > 3
    np.testing.assert_array_equal(distance < 0, wound)
    t = np.linspace(0, 1, 400)[:, None, None]
    outline = (corners + t * (np.roll(corners, -1, axis=0) - corners)).reshape(-1, 2)
    nearest = np.hypot(*(points[:, None] - outline[None]).transpose(2, 0, 1)).min(1)
    np.testing.assert_allclose(np.abs(distance), nearest, atol=3e-3)


def test_scenes_keep_their_rules():
    counts, kinds = set(), set()
    for number in range(100):
        found = scene(number)
        counts.add(len(found))
        for i, shape in enumerate(found):
            kinds.add(shape.kind)
            assert (shape.corners > 0.01).all() and (shape.corners < 0.96).all()
            assert np.hypot(*(shape.corners - shape.centre).T).max() <= shape.radius + 1e-9
            for other in found[:i]:
                assert np.hypot(*(shape.centre - other.centre)) > shape.radius + other.radius
    assert counts == {2, 3, 4, 5} and kinds == set(shapes.COLOURS)


# --- the pictures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 64, 130])
def test_a_pair(size):
    outline, filled = shapes.draw_pair(np.random.default_rng(3), size)
    for picture in (outline, filled):
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    assert (outline[0, 0] == 255).all() and outline.min() < 120


def at(picture: np.ndarray, point: np.ndarray) -> np.ndarray:
    x, y = (point * picture.shape[0]).astype(int)
    return picture[y, x].astype(int)


def test_the_kind_gives_the_colour_and_the_lamp_the_shade():
    for number in range(30):
        found = scene(number)
        outline, filled = shapes.paint(found, 128)
        for shape in found:
            middle = at(filled, shape.centre)
            colour = np.array(shapes.COLOURS[shape.kind])
            # the same hue: as far from grey in the same direction
            one, two = middle - middle.mean(), colour - colour.mean()
            assert one @ two / (np.linalg.norm(one) * np.linalg.norm(two)) > 0.97, (shape.kind, middle)
            assert (at(outline, shape.centre) == 255).all()
            near = at(filled, shape.centre + 0.2 * shape.radius * shapes.LIGHT)
            far = at(filled, shape.centre - 0.2 * shape.radius * shapes.LIGHT)
            assert near.sum() > far.sum() + 20


def test_the_lines_are_where_the_shapes_end():
    """Just inside every edge's middle the outline is dark, and outside it is white."""
    found = scene(1)
    outline, _ = shapes.paint(found, 256)
    for shape in found:
        following = np.roll(shape.corners, -1, axis=0)
        middles = (shape.corners + following) / 2
        normal = (following - shape.corners)[:, ::-1] * [1, -1]
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        for middle, out in zip(middles, normal, strict=True):
            sides = [at(outline, middle + way * 0.005 * out).sum() for way in (1, -1)]
            assert min(sides) < 250, shape.kind
            sides = [at(outline, middle + way * 0.012 * out).sum() for way in (1, -1)]
            assert max(sides) == 765, shape.kind


def test_a_shadow_falls_to_the_lower_right():
    shape = shapes.Shape("circle", np.array([0.5, 0.5]), 0.2, 0.5 + 0.2 * shapes.CORNERS["circle"])
    _, filled = shapes.paint([shape], 128)
    _, empty = shapes.paint([], 128)
    behind, before = 0.5 - 0.225 * shapes.LIGHT, 0.5 + 0.225 * shapes.LIGHT
    assert at(filled, behind).sum() < at(empty, behind).sum() - 60
    assert (at(filled, before) == at(empty, before)).all()


def test_the_same_at_every_size():
    """A picture of 128 pixels, halved, is the one of 64: the scene does not depend on the size."""
    large, small = (shapes.draw_pair(np.random.default_rng(5), size)[1].astype(float) for size in (128, 64))
    halved = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(halved - small).mean() < 0.5


# --- the data set -------------------------------------------------------------------------------------------------


def test_both_layouts(tmp_path):
    assert shapes.write_dataset(tmp_path / "set", size=32, train=3, test=2, seed=4)
    found = files(tmp_path / "set")
    names = [f"{part}/{i:04d}.png" for part in ("train", "trainA", "trainB") for i in (1, 2, 3)]
    names += [f"{part}/{i:04d}.png" for part in ("test", "testA", "testB") for i in (1, 2)]
    assert sorted(found) == sorted([".shapes.json", *names])
    pair = read(tmp_path / "set/train/0002.png")
    assert pair.shape == (32, 64, 3)
    np.testing.assert_array_equal(pair[:, :32], read(tmp_path / "set/trainA/0002.png"))
    for i in (1, 2):
        parts = [read(tmp_path / f"set/test{side}/{i:04d}.png") for side in "AB"]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), read(tmp_path / f"set/test/{i:04d}.png"))
    assert len(set(found.values()) - {found["trainA/0001.png"]}) == len(found) - 1, "no two pictures are the same"


def test_unaligned_halves_are_of_different_scenes(tmp_path):
    shapes.write_dataset(tmp_path / "set", size=32, train=4, test=1, seed=0)
    filled = {read(path)[:, 32:].tobytes() for path in (tmp_path / "set/train").glob("*.png")}
    others = {read(path).tobytes() for path in (tmp_path / "set/trainB").glob("*.png")}
    assert len(filled) == len(others) == 4 and not filled & others


@pytest.mark.parametrize("layout, folders", [("aligned", "test train"), ("unaligned", "testA testB trainA trainB")])
def test_one_layout_is_part_of_both(tmp_path, layout, folders):
    shapes.write_dataset(tmp_path / "both", size=16, train=2, test=1)
    shapes.write_dataset(tmp_path / "one", size=16, train=2, test=1, layout=layout)
    one, both = files(tmp_path / "one"), files(tmp_path / "both")
    del one[shapes.STAMP]
    assert sorted({name.split("/")[0] for name in one}) == folders.split()
    assert one == {name: both[name] for name in one}


def test_the_seed_decides(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        shapes.write_dataset(tmp_path / name, size=16, train=2, test=1, seed=seed)
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a == b and a.keys() == c.keys()
    assert not set(a.values()) & set(c.values())


def test_a_larger_set_begins_with_the_smaller(tmp_path):
    shapes.write_dataset(tmp_path / "small", size=16, train=1, test=1)
    shapes.write_dataset(tmp_path / "large", size=16, train=2, test=3)
    small, large = files(tmp_path / "small"), files(tmp_path / "large")
    del small[shapes.STAMP]
    assert small == {name: large[name] for name in small}


def test_the_pixels_of_a_seed_do_not_change():
    """Recorded once. Where drawing is meant to change, raise VERSION: sets on disk are then told from new ones."""
    outline, filled = shapes.draw_pair(np.random.default_rng([0, 0, 1]), 64)
    assert shapes.VERSION == 1
    np.testing.assert_allclose([outline.mean(), filled.mean()], RECORDED, atol=0.02)


RECORDED = [242.07723, 209.09521]


# --- the command line ---------------------------------------------------------------------------------------------


def run(*words, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, words)], cwd=cwd, capture_output=True, text=True)


def refused(result, *words: str) -> None:
    assert result.returncode == 2, result
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line


def test_from_the_command_line(tmp_path):
    words = ["--size", 16, "--train", 2, "--test", 1]
    (tmp_path / "datasets").mkdir()  # otherwise the set goes into the project's own
    result = run(*words, cwd=tmp_path)
    assert result.returncode == 0 and "2 to train with" in result.stdout, result
    folder = tmp_path / "datasets" / "shapes"
    before = files(folder)
    assert len(before) == 10 and json.loads(before[shapes.STAMP])["seed"] == 0
    result = run(*words, cwd=tmp_path)
    assert result.returncode == 0 and "is there already" in result.stdout
    refused(run(*words, "--seed", 1, cwd=tmp_path), "other settings", "shapes")
    assert files(folder) == before
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["shapes"], "nothing is left beside it"


def test_a_windows_path(tmp_path):
    assert run("--out", "my\\set", "--size", 16, "--train", 1, "--test", 0, cwd=tmp_path).returncode == 0
    assert len(files(tmp_path / "my/set" if (tmp_path / "my").is_dir() else tmp_path / "my\\set")) == 4


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(UserError, match="other files"):
        shapes.write_dataset(tmp_path / "mine", size=16, train=1, test=0)
    assert files(tmp_path / "mine") == {"a.txt": b"mine"}
    with pytest.raises(UserError, match="is a file"):
        shapes.write_dataset(tmp_path / "mine" / "a.txt", size=16, train=1, test=0)


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "new").mkdir()
    assert shapes.write_dataset(tmp_path / "new", size=16, train=1, test=0)
    assert len(files(tmp_path / "new")) == 4


def test_a_set_that_lacks_pictures_is_told(tmp_path):
    settings = dict(size=16, train=2, test=0, layout="aligned")
    shapes.write_dataset(tmp_path / "set", **settings)
    (tmp_path / "set/train/0001.png").unlink()
    with pytest.raises(UserError, match="1 of its 2"):
        shapes.write_dataset(tmp_path / "set", **settings)


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    """Stopped at the second picture: neither half a set nor a temporary folder."""
    drawn = iter([shapes.draw_pair(np.random.default_rng(0), 16)])
    monkeypatch.setattr(
        shapes, "draw_pair", lambda rng, size: next(drawn, None) or (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        shapes.write_dataset(tmp_path / "set", size=16, train=2, test=0, layout="aligned")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words, said",
    [
        (["--size", 8], "--size"),
        (["--size", "large"], "--size"),
        (["--train", 0], "--train"),
        (["--test", -1], "--test"),
        (["--seed", -1], "--seed"),
        (["--layout", "round"], "--layout"),
    ],
)
def test_numbers_that_make_no_sense(tmp_path, words, said):
    refused(run("--out", "set", *words, cwd=tmp_path), said)
    assert list(tmp_path.iterdir()) == []
