"""The drawn faces: what an attribute changes and what it leaves, who is the same person, and the data sets' files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import faces
import make_faces_dataset as make
from faces import ATTRIBUTES, EXPRESSIONS, Face, attributes, draw, random_face, with_attribute
from shared_scripts.cli import UserError

SCRIPT = Path(make.__file__)
HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
PLAIN = dict(bangs=False, eyeglasses=False, mouth_open=False, mustache=False, rosy_cheeks=False, smiling=False,
             earrings=False, hat=False, lipstick=False, young=True)  # fmt: skip


@cache
def somebody(number: int) -> Face:
    return random_face(np.random.default_rng([11, number]))


def upright(face: Face, **changes) -> Face:
    """The face where CelebA's average one is: then a pixel is a face unit, with (88.5, 111) between the eyes."""
    return replace(face, shift=(0.0, 0.0), scale=1.0, turn=0.0, brightness=0.0, contrast=1.0, **changes)


@cache
def picture(face: Face) -> np.ndarray:
    return draw(face).astype(int)


def units() -> tuple[np.ndarray, np.ndarray]:
    """x and y in face units of every pixel of an `upright` face, each (218, 178)."""
    y, x = np.mgrid[:218, :178]
    return x - 88.5, y - 111.0


def changed(one: Face, two: Face) -> np.ndarray:
    """(218, 178): the largest difference of each pixel's channels."""
    return np.abs(picture(one) - picture(two)).max(2)


def silhouette(face: Face) -> np.ndarray:
    """(218, 178): where there is any of the person; found by drawing them before a dark and before a light wall."""
    dark, light = (
        picture(replace(face, background_style=0, background_colours=((grey,) * 3,) * 2, noise=0.0))
        for grey in (40, 216)
    )
    return (light - dark).min(2) < 176 * face.contrast - 3


# --- the person ---------------------------------------------------------------------------------------------------


def test_the_generator_decides():
    one, two, other = (random_face(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == two and hash(one) == hash(two) and one != other
    np.testing.assert_array_equal(draw(one), draw(two))
    assert (draw(one) != draw(other)).mean() > 0.5


@pytest.mark.parametrize("size", [(178, 218), (178, 178), (96, 96), (256, 256), (300, 200), (16, 16)])
def test_any_size(size):
    pixels = draw(somebody(0), *size)
    assert pixels.shape == (size[1], size[0], 3) and pixels.dtype == np.uint8


def test_a_square_is_the_centre_crop():
    """As StarGAN crops CelebA; without the background, some kinds of which depend on the picture's height. Three rows
    at the cuts aside, where lines leave the picture."""
    for number in range(4):
        face = replace(somebody(number), background_style=0, noise=0.0)
        np.testing.assert_array_equal(draw(face, 178, 178)[3:-3], draw(face)[23:195])


def test_a_larger_picture_is_the_same_one():
    for number in range(3):
        face = replace(somebody(number), background_style=0, noise=0.0)
        large = Image.fromarray(draw(face, 356, 356)).reduce(2)
        assert np.abs(np.asarray(large, float) - draw(face, 178, 178)).mean() < 2


def test_the_eyes_are_where_celeba_has_them():
    """The pupils at (69, 111) and (108, 111); with a shift, a scale and a turn where those take them."""
    for number in range(3):
        face = upright(somebody(number), gaze=(0.0, 0.0), eyeglasses=False, light=-1.0)
        assert picture(face)[111, 69].max() < 60 and picture(face)[111, 108].max() < 60
        face = replace(face, shift=(4.0, -5.0), scale=1.08, turn=0.1)
        x, y = 1.08 * 19.5 * np.cos(0.1), 1.08 * 19.5 * np.sin(0.1)
        for way in (-1, 1):
            place = round(111 - 5 + way * y), round(88.5 + 4 + way * x)
            assert picture(face)[place].max() < 60, (number, way)


def test_the_pixels_of_a_seed_do_not_change():
    """Recorded once. Where drawing is meant to change, raise VERSION: sets on disk are then told from new ones."""
    assert faces.VERSION == 1
    found = [draw(random_face(np.random.default_rng([1, number]))).mean() for number in range(4)]
    np.testing.assert_allclose(found, RECORDED, atol=0.1)


RECORDED = [109.304, 169.858, 174.029, 141.902]


# --- the attributes -----------------------------------------------------------------------------------------------


@cache
def many() -> dict[str, np.ndarray]:
    found = [attributes(random_face(np.random.default_rng([5, number]))) for number in range(2000)]
    return {name: np.array([values[name] for values in found]) for name in ATTRIBUTES}


def test_names_are_celebas_in_its_order():
    assert list(ATTRIBUTES) == sorted(ATTRIBUTES) == list(attributes(somebody(0)))
    assert len(ATTRIBUTES) == 15 and {"Blond_Hair", "Gray_Hair", "Mouth_Slightly_Open", "Wearing_Lipstick"} < set(
        ATTRIBUTES
    )


@pytest.mark.parametrize(
    "name, rate",
    [
        ("Black_Hair", 0.25), ("Blond_Hair", 0.25), ("Brown_Hair", 0.25), ("Gray_Hair", 0.13), ("Eyeglasses", 0.4),
        ("Male", 0.5), ("Mustache", 0.225), ("Smiling", 0.5), ("Young", 0.55), ("Wearing_Hat", 0.08),
    ],
)  # fmt: skip
def test_base_rates(name, rate):
    """Within four standard deviations of 2000 draws."""
    assert abs(many()[name].mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / 2000)


def test_hair_colours_exclude_one_another():
    count = sum(many()[name].astype(int) for name in HAIR)
    assert set(count) == {0, 1}
    assert abs((count == 0).mean() - 0.12) < 0.03, "red hair has none of the four"


def test_a_mustache_needs_a_man():
    assert not (many()["Mustache"] & ~many()["Male"]).any()
    woman = with_attribute(with_attribute(somebody(0), "Male", True), "Mustache", True)
    woman = with_attribute(woman, "Male", False)
    assert not attributes(woman)["Mustache"]
    with pytest.raises(ValueError, match="Male"):
        with_attribute(woman, "Mustache", True)
    assert with_attribute(woman, "Mustache", False).male is False
    np.testing.assert_array_equal(picture(woman), picture(replace(woman, mustache=False)))
    women = [face for face in map(somebody, range(60)) if not face.male]
    assert not any(attributes(with_attribute(face, "Male", True))["Mustache"] for face in women)


def test_the_others_are_independent():
    names = [name for name in ATTRIBUTES if name != "Mustache"]
    found = np.corrcoef(np.array([many()[name] for name in names]))
    for i, one in enumerate(names):
        for j, two in enumerate(names[:i]):
            if not (one in HAIR and two in HAIR):
                assert abs(found[i, j]) < 0.09, (one, two)  # four standard deviations


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_attribute_changes_and_the_person_stays(name):
    for number in range(20):
        face = replace(somebody(number), male=True) if name == "Mustache" else somebody(number)
        before = attributes(face)
        for value in (True, False):
            other = with_attribute(face, name, value)
            after = attributes(other)
            assert after[name] is value
            may_change = {name} | (set(HAIR) if name in HAIR else {"Mustache"} if name == "Male" else set())
            assert {key for key in ATTRIBUTES if before[key] != after[key]} <= may_change
            fields_changed = [f.name for f in fields(Face) if getattr(face, f.name) != getattr(other, f.name)]
            assert len(fields_changed) == (before[name] != value), fields_changed
            if before[name] == value:
                assert other == face
            else:
                assert with_attribute(other, name, not value) == face or (name in HAIR and not before[name])


def test_unknown_attributes():
    with pytest.raises(ValueError, match="Bald.*Bangs"):
        with_attribute(somebody(0), "Bald", True)


# Where each may change the picture, in face units: (left, right, top, bottom), mirrored.
WHERE = {
    "Bangs": (0, 55, -75, 3),
    "Eyeglasses": (0, 58, -15, 20),
    "Mouth_Slightly_Open": (0, 32, 16, 66),
    "Mustache": (0, 34, 15, 66),
    "Rosy_Cheeks": (5, 50, 0, 45),
    "Smiling": (0, 32, 16, 66),
    "Wearing_Earrings": (32, 65, 0, 45),
    "Wearing_Hat": (0, 89, -111, 32),
    "Wearing_Lipstick": (0, 32, 22, 66),
    "Young": (0, 50, -42, 56),
}


@pytest.mark.parametrize("name", WHERE)
def test_an_attribute_stays_in_its_place(name):
    """Changed pixels only in the attribute's own region, the rest equal to the bit, and enough of them to be seen."""
    x, y = units()
    left, right, top, bottom = WHERE[name]
    inside = (np.abs(x) >= left) & (np.abs(x) <= right) & (y >= top) & (y <= bottom)
    for number in range(3):
        face = upright(somebody(number), male=True)
        one, two = (with_attribute(face, name, value) for value in (False, True))
        difference = changed(one, two)
        outside = difference[~inside]
        assert not outside.any(), (number, name, [v[(difference > 0) & ~inside] for v in (x, y)])
        assert (difference > 20).sum() > 40, (number, name)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_background_stays(name):
    face = somebody(ATTRIBUTES.index(name))  # another one for each
    face = replace(face, male=True) if name == "Mustache" else face
    other = with_attribute(face, name, not attributes(face)[name])
    background = ~(silhouette(face) | silhouette(other))
    assert background.mean() > 0.1
    assert not changed(face, other)[background].any()
    assert changed(face, other).any()


def test_smiling_leaves_the_eyes_and_all_above():
    """Wherever the head is, however it is turned."""
    for number in range(4):
        face = somebody(number)
        difference = changed(*(with_attribute(face, "Smiling", value) for value in (False, True)))
        assert not difference[: int(111 + face.shift[1] + 5)].any() and difference[120:].any()


@pytest.mark.parametrize("name", [*HAIR, None])
def test_hair_colour_leaves_the_mouth(name):
    """Without a mustache; the brows change with the hair, eyes, nose, mouth and clothes' middle do not."""
    x, y = units()
    for number in range(2):
        face = upright(somebody(number), mustache=False, hair_colour="black" if name != "Black_Hair" else "red")
        other = with_attribute(face, name, True) if name else replace(face, hair_colour="red")
        difference = changed(face, other)
        assert not difference[(np.abs(x) < 27) & (y > 20) & (y < 58)].any()
        assert (difference > 20).sum() > 1000, "a hat does not hide the hair's colour"


@pytest.mark.parametrize("hat", [False, True])
def test_hair_colours_can_be_told(hat):
    """The colour of the pixels that change with it, by rules that know nothing of how they were drawn."""
    for number in range(4):
        face = upright(somebody(number), mustache=False, hat=hat, light=0.5, hair_tone=(number % 4) / 3)
        shown = {name: replace(face, hair_colour=name) for name in ("black", "blond", "brown", "gray", "red")}
        where = changed(shown["black"], shown["blond"]) > 120
        assert where.sum() > 400
        for name, one in shown.items():
            r, g, b = np.median(picture(one)[where], axis=0)
            if max(r, g, b) < 70:
                found = "black"
            elif max(r, g, b) - min(r, g, b) < 40 and min(r, g, b) > 100:
                found = "gray"
            elif g > 145:
                found = "blond"
            else:
                found = "red" if r > 1.9 * g and r > 115 else "brown"
            assert found == name, (number, name, (r, g, b))


@pytest.mark.parametrize(
    "name, colour, many",
    [
        ("Eyeglasses", "glasses_colour", 220),
        ("Wearing_Earrings", "earring_colour", 50),
        ("Wearing_Hat", "hat_colour", 1500),
        ("Wearing_Lipstick", "lipstick_colour", 60),
    ],
)
def test_what_is_worn_is_there_where_the_attribute_is_set(name, colour, many):
    """Not the other way round, and in its own colour."""
    for number in range(3):
        face = upright(somebody(number), **PLAIN, background_style=0, background_colours=((0, 255, 0),) * 2)
        face = replace(face, **{colour: (20, 40, 240)})  # which nothing else is
        without, worn = (picture(with_attribute(face, name, value)) for value in (False, True))
        count = [(np.abs(pixels - getattr(face, colour)).max(2) < 40).sum() for pixels in (without, worn)]
        assert count[1] > count[0] + many, (number, count)


@pytest.mark.parametrize("name, value", [("Young", False), ("Mustache", True), ("Bangs", True)])
def test_lines_mustache_and_bangs_are_darker_than_skin(name, value):
    for number in range(3):
        face = upright(somebody(number), **{**PLAIN, "male": True, "hair_colour": "black", "skin": (242, 196, 160)})
        difference = picture(with_attribute(face, name, value)) - picture(with_attribute(face, name, not value))
        assert (difference.sum(2) < -60).sum() > 10 * (difference.sum(2) > 60).sum() + 40


def corner_lift(face: Face) -> float:
    """How much higher than its middle the mouth's ends are, in pixels: from where lipstick changes the picture."""
    x, y = units()
    lips = changed(replace(face, lipstick=False), replace(face, lipstick=True)) > 25
    across = np.abs(x[lips])
    ends, middle = across > 0.85 * across.max(), across < 0.25 * across.max()
    return y[lips][middle].mean() - y[lips][ends].mean()


@pytest.mark.parametrize("mouth_open", [False, True])
def test_a_smile_goes_up(mouth_open):
    for number in range(3):
        face = upright(somebody(number), **{**PLAIN, "mouth_open": mouth_open, "noise": 0.0})
        smiling, not_smiling = (corner_lift(with_attribute(face, "Smiling", value)) for value in (True, False))
        assert smiling > 4 and smiling > not_smiling + 4, number


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_shows_at_96_pixels(name):
    """After StarGAN's crop and reduction, what changes is at least so many pixels by more than a tenth of the range."""

    def small(face: Face) -> np.ndarray:
        crop = Image.fromarray(picture(face)[20:198].astype(np.uint8))
        return np.asarray(crop.resize((96, 96), Image.Resampling.BILINEAR), int)

    for number in range(3):
        face = upright(somebody(number), **{**PLAIN, "male": True})
        difference = np.abs(small(face) - small(with_attribute(face, name, not attributes(face)[name]))).max(2)
        assert (difference > 25).sum() >= (0 if attributes(face)[name] and name in HAIR else 14), (number, name)


# --- expressions --------------------------------------------------------------------------------------------------


def test_expressions_differ_and_only_in_the_face():
    x, y = units()
    for number in range(2):
        face = upright(somebody(number), **{**PLAIN, "male": True})
        shown = {name: replace(face, expression=name) for name in EXPRESSIONS}
        for one in shown:
            for two in list(shown)[: list(shown).index(one)]:
                difference = changed(shown[one], shown[two])
                assert (difference > 25).sum() > 60, (one, two)
                assert not difference[(np.abs(x) > 40) | (y > 70) | (y < -40)].any(), (one, two)


def test_expressions_mean_what_they_say():
    for number in range(2):
        face = upright(somebody(number), **{**PLAIN, "noise": 0.0})
        lift = {name: corner_lift(replace(face, expression=name)) for name in EXPRESSIONS}
        assert lift["happy"] > 4 > 0 > lift["sad"] and lift["happy"] == max(lift.values())
        x, y = units()
        white = {
            name: (picture(replace(face, expression=name)).min(2) > 215)[(np.abs(y) < 14) & (np.abs(x) < 33)].sum()
            for name in ("surprised", "neutral", "disgusted")
        }
        if max(face.skin) < 235:  # else some of the skin's lights are as white as eyes
            assert white["surprised"] > white["neutral"] > white["disgusted"]


# --- the data set -------------------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_celebas_format_to_the_letter(tmp_path):
    assert make.write_dataset(tmp_path / "set", count=4, seed=7)
    found = files(tmp_path / "set")
    assert sorted(found) == sorted([*(f"images/00000{i}.jpg" for i in (1, 2, 3, 4)), make.ATTRIBUTE_FILE, make.STAMP])
    text = found[make.ATTRIBUTE_FILE].decode()
    assert text.endswith("\n") and "\r" not in text
    count, names, *lines = text[:-1].split("\n")
    assert count == "4" and names.split() == list(ATTRIBUTES) and len(lines) == 4
    for number, line in enumerate(lines, 1):
        assert line.startswith(f"{number:06d}.jpg ") and len(line) == 10 + 3 * len(ATTRIBUTES)
        values = [line[10 + 3 * k : 13 + 3 * k] for k in range(len(ATTRIBUTES))]
        assert set(values) <= {" -1", "  1"}
        face = random_face(np.random.default_rng([7, number]))
        assert [value == "  1" for value in values] == list(attributes(face).values())
        with Image.open(tmp_path / "set" / "images" / f"{number:06d}.jpg") as image:
            assert image.size == (178, 218) and image.format == "JPEG" and image.mode == "RGB"
            assert np.abs(np.asarray(image, int) - picture(face)).mean() < 3


def test_png_keeps_every_pixel(tmp_path):
    make.write_dataset(tmp_path / "set", count=1, seed=7, ext="png")
    with Image.open(tmp_path / "set/images/000001.png") as image:
        np.testing.assert_array_equal(np.asarray(image), draw(random_face(np.random.default_rng([7, 1]))))
    assert "000001.png " in (tmp_path / "set" / make.ATTRIBUTE_FILE).read_text()


def test_the_seed_decides_to_the_byte_and_a_larger_set_begins_with_the_smaller(tmp_path):
    for name, count, seed in (("a", 2, 1), ("b", 3, 1), ("c", 2, 2)):
        make.write_dataset(tmp_path / name, count=count, seed=seed)
    a, b, c = (files(tmp_path / name) for name in "abc")
    assert a["images/000001.jpg"] == b["images/000001.jpg"] and a["images/000002.jpg"] == b["images/000002.jpg"]
    assert not set(a.values()) & set(c.values())
    make.write_dataset(tmp_path / "d", count=2, seed=1)
    assert files(tmp_path / "d") == a


def test_already_here_another_one_and_overwrite(tmp_path):
    folder = tmp_path / "set"
    make.write_dataset(folder, count=2, seed=1)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert make.write_dataset(folder, count=2, seed=1) is False
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    for other in (dict(count=3), dict(count=2, seed=2), dict(count=2, ext="png"), dict(count=1, expressions=True)):
        with pytest.raises(UserError, match="other settings.*--overwrite"):
            make.write_dataset(folder, **other)
    (folder / "images" / "mine.jpg").write_bytes(b"mine")
    assert make.write_dataset(folder, count=1, seed=2, ext="png", overwrite=True)
    assert sorted(files(folder)) == sorted(["images/000001.png", "images/mine.jpg", make.ATTRIBUTE_FILE, make.STAMP])


def test_a_set_that_lost_pictures_is_told(tmp_path):
    make.write_dataset(tmp_path / "set", count=2)
    (tmp_path / "set/images/000001.jpg").unlink()
    with pytest.raises(UserError, match="1 of 2"):
        make.write_dataset(tmp_path / "set", count=2)
    assert make.write_dataset(tmp_path / "set", count=2, overwrite=True)
    (tmp_path / "set" / make.ATTRIBUTE_FILE).unlink()
    with pytest.raises(UserError, match="lost"):
        make.write_dataset(tmp_path / "set", count=2)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("stamp", [None, "{", "[]"])
def test_what_was_not_made_here_is_never_touched(tmp_path, overwrite, stamp):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "000001.jpg").write_bytes(b"a real photograph")
    (tmp_path / make.ATTRIBUTE_FILE).write_text("202599\n")
    if stamp is not None:
        (tmp_path / make.STAMP).write_text(stamp)
    before = files(tmp_path)
    with pytest.raises(UserError, match="not made here"):
        make.write_dataset(tmp_path, count=1, overwrite=overwrite)
    assert files(tmp_path) == before


def test_an_interrupted_set_has_no_attribute_file_and_is_drawn_again(tmp_path, monkeypatch):
    def stopped(face: Face, width: int, height: int) -> np.ndarray:
        if face == make.face_number(1, 3):
            raise KeyboardInterrupt
        return draw(face, width, height)

    make.write_dataset(tmp_path / "whole", count=4, seed=1)
    make.write_dataset(tmp_path / "set", count=2, seed=9)  # whose attribute file must not outlive its pictures
    with monkeypatch.context() as patch:
        patch.setattr(make, "draw", stopped)
        with pytest.raises(KeyboardInterrupt):
            make.write_dataset(tmp_path / "set", count=4, seed=1, overwrite=True)
    assert sorted(files(tmp_path / "set")) == ["images/000001.jpg", "images/000002.jpg", make.STAMP]
    assert make.write_dataset(tmp_path / "set", count=4, seed=1)
    assert files(tmp_path / "set") == files(tmp_path / "whole")


def test_expressions_in_folders(tmp_path, monkeypatch):
    def quick(face: Face, width: int, height: int) -> np.ndarray:
        noise = np.random.default_rng([face.background_seed, list(EXPRESSIONS).index(face.expression)])
        return noise.integers(0, 256, (8, 8, 3), np.uint8)

    monkeypatch.setattr(make, "draw", quick)
    assert make.write_dataset(tmp_path / "set", count=10, seed=3, expressions=True)
    assert make.write_dataset(tmp_path / "set", count=10, seed=3, expressions=True) is False
    found = files(tmp_path / "set")
    expected = [f"train/{name}/{i:06d}.jpg" for name in EXPRESSIONS for i in range(1, 10)]
    expected += [f"test/{name}/000001.jpg" for name in EXPRESSIONS]
    assert sorted(found) == sorted([*expected, make.STAMP])
    assert len(set(found.values())) == len(found), "no two pictures are the same"
    assert list(EXPRESSIONS) == "angry contemptuous disgusted fearful happy neutral sad surprised".split()
    people = [face for _, face in make.expression_pictures(3, 3, "jpg")]
    assert {face.expression for face in people} == set(EXPRESSIONS) and len(
        {face.background_seed for face in people}
    ) == 24
    assert not any(face.smiling or face.mouth_open or face.hat for face in people)


# --- the command line ---------------------------------------------------------------------------------------------


def run(*words, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, words)], cwd=cwd, capture_output=True, text=True)


def test_from_the_command_line(tmp_path):
    result = run("--out", "my faces", "--count", 2, "--seed", 5, cwd=tmp_path)
    assert result.returncode == 0 and result.stderr == "", result
    assert "python main.py --mode train --dataset CelebA --celeba_image_dir 'my faces/images'" in result.stdout
    assert "--attr_path 'my faces/list_attr_celeba.txt'" in result.stdout
    make.write_dataset(tmp_path / "same", count=2, seed=5)
    assert files(tmp_path / "my faces") == files(tmp_path / "same"), "another process draws the same bytes"


def test_from_the_command_line_with_expressions(tmp_path, capsys):
    words = ["--out", str(tmp_path / "e"), "--count", "1", "--expressions"]
    make.main(words)
    said = capsys.readouterr().out
    assert "--dataset RaFD" in said and "--c_dim 8" in said and str(tmp_path / "e" / "train") in said
    with Image.open(tmp_path / "e" / "train" / "happy" / "000001.jpg") as image:
        assert image.size == (256, 256)
    make.main(words)
    assert "already here" in capsys.readouterr().out


def test_the_defaults():
    options = make.parse_arguments([])
    assert (options.out, options.count, options.seed, options.ext) == (None, None, 1, "jpg")
    assert make.COUNTS == {False: 3000, True: 60}
    for expressions, name in ((False, "faces"), (True, "faces_expressions")):
        assert make.default_folder(expressions).resolve() == SCRIPT.parent / "data" / name


@pytest.mark.parametrize(
    "words, said",
    [
        (["--count", "0"], "--count"),
        (["--count", "1000000"], "--count"),
        (["--count", "many"], "--count"),
        (["--seed", "-1"], "--seed"),
        (["--ext", "gif"], "--ext"),
        (["--out", "file.txt"], "is a file"),
        (["--out", "file.txt/below"], "file.txt"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    from shared_scripts import cli

    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("mine")
    words = words if "--out" in words else ["--out", "set", *words]
    with pytest.raises(SystemExit) as end:
        cli.run(lambda: make.main(words))
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and line.startswith("error: ") and said in line, line
    assert files(tmp_path) == {"file.txt": b"mine"}


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--out", "set", "--count", "5000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.time() + 30
    while not (tmp_path / "set" / "images" / "000002.jpg").exists() and time.time() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and said == "stopped by Ctrl-C\n"
    found = [path.name for path in (tmp_path / "set").rglob("*") if path.is_file()]
    assert make.ATTRIBUTE_FILE not in found and not [name for name in found if name.startswith(".")]
    assert json.loads((tmp_path / "set" / make.STAMP).read_text())["complete"] is False
