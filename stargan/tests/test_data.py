"""Attribute files, splits, and pictures: the original's rows and pixels, and what is said of wrong ones."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import torch
from conftest import golden_file, load_golden
from PIL import Image

from attributes import count_test_pictures, read_attributes, split
from data import Preprocess, find_attribute_file, find_classes, open_celeba, open_classes, to_tensor
from shared_scripts.cli import UserError

TABLE = """3
Black_Hair Male  Smiling
a.png -1  1 -1
b.png  1 -1  1
c.png  1  1 -1
"""
NAMES = ("a.png", "b.png", "c.png")


def picture(path, size=(30, 40), value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value,) * 3).save(path)
    return path


@pytest.fixture
def table(tmp_path):
    (tmp_path / "list.txt").write_text(TABLE)
    return read_attributes(tmp_path / "list.txt")


# --- attribute files ----------------------------------------------------------------------------------------------


def test_labels_come_in_the_order_asked_for(table):
    assert table.names == ("Black_Hair", "Male", "Smiling")
    assert table.select(["Smiling", "Black_Hair"]) == [("a.png", [0, 0]), ("b.png", [1, 1]), ("c.png", [0, 1])]


def test_kaggles_csv_is_the_same(tmp_path, table):
    lines = [",".join(line.split()) for line in TABLE.splitlines()[1:]]
    (tmp_path / "kaggle.csv").write_text("image_id," + "\r\n".join(lines) + "\r\n")
    found = read_attributes(tmp_path / "kaggle.csv")
    assert (found.names, found.rows) == (table.names, table.rows)
    (tmp_path / "list_attr_celeba.csv").write_bytes((tmp_path / "kaggle.csv").read_bytes())
    assert find_attribute_file(tmp_path / "list_attr_celeba.txt").rows == table.rows  # the flag's default has .txt


@pytest.mark.parametrize("separator", [", ", ";", " ; ", "\t"])
def test_tables_as_other_programs_write_them(tmp_path, table, separator):
    lines = [separator.join(line.split()) for line in TABLE.splitlines()[1:]]
    (tmp_path / "other.csv").write_text("\n".join([f"image_id{separator}{lines[0]}", *lines[1:]]))
    found = read_attributes(tmp_path / "other.csv")
    assert (found.names, found.rows) == (table.names, table.rows)


def test_names_with_blanks_in_a_csv(tmp_path):
    (tmp_path / "mine.csv").write_text('file,wears glasses,happy\nmy photo.jpg,1,-1\n"a, b.jpg",-1,1\n')
    found = read_attributes(tmp_path / "mine.csv")
    assert found.select(["wears glasses"]) == [("my photo.jpg", [1]), ("a, b.jpg", [0])]


def test_the_count_in_the_first_line_may_be_missing(tmp_path, table):
    (tmp_path / "short.txt").write_text("\ufeff" + TABLE.partition("\n")[2], encoding="utf-8")
    assert read_attributes(tmp_path / "short.txt").rows == table.rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("12\n", "names no attributes"),
        ("1\nMale Smiling\na.png 1\n", "the row of a.png is not a file name and 2 values"),
        ("1\nMale Smiling\na.png 1 2\n", "the row of a.png"),
        ("1\nMale Smiling\na b.png 1 1\n", "the row of a is not"),
        ("a,b\n" + "x" * 200_000 + ",1\n", "is no CSV file"),
    ],
)
def test_a_wrong_attribute_file_is_told_in_one_line(tmp_path, text, words):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        read_attributes(tmp_path / "list.txt")
    assert "\n" not in str(caught.value) and "list.txt" in str(caught.value)


def test_no_text_and_no_file(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00\x80" * 9)
    with pytest.raises(UserError, match="is no text file"):
        read_attributes(tmp_path / "x.txt")
    with pytest.raises(UserError, match=r"there is no attribute file .*y\.txt; name it with --attr_path"):
        read_attributes(tmp_path / "y.txt")


def test_an_unknown_attribute_lists_all_in_order(table):
    with pytest.raises(
        UserError,
        match=r"no attribute 'Smilling' \(did you mean Smiling\?\); it has, in this order: Black_Hair Male Smiling$",
    ):
        table.select(["Smilling"])
    with pytest.raises(UserError, match="selected twice: Male Male"):
        table.select(["Male", "Male"])


def test_the_split_is_the_originals():
    golden = json.loads(golden_file("split.json").read_text())
    rows = read_attributes(golden_file("list_attr_small.txt")).select(golden["selected_attrs"])
    training, test = split(rows, count_test_pictures(len(rows), None, train=True))
    names = {"test": [name for name, _ in test], "train": [name for name, _ in training]}
    assert (len(test), len(training)) == (golden["n_test"], golden["n_train"]) == (1999, 41)
    assert names["test"][:10] == golden["test_first10"] and names["test"][-3:] == golden["test_last3"]
    assert names["train"][:10] == golden["train_first10"] and names["train"][-3:] == golden["train_last3"]
    assert hashlib.sha256("\n".join(names["test"]).encode()).hexdigest() == golden["sha256_of_newline_joined_test"]
    assert [labels for _, labels in test[:10]] == golden["test_labels_first10"]
    assert [labels for _, labels in training[:10]] == golden["train_labels_first10"]


def test_how_many_are_kept_for_testing():
    count = count_test_pictures
    assert count(2000, None, train=True) == count(300_000, None, train=True) == 1999
    assert count(1999, None, train=True) == 199 and count(5, None, train=True) == 1
    assert count(1999, None, train=True, reference_exact=True) == 1999  # which leaves nothing, as in the original
    assert count(5, None, train=False) == 1999  # all of them
    assert count(5, 2, train=False) == count(5000, 2, train=True) == 2


# --- CelebA -------------------------------------------------------------------------------------------------------


def celeba(folder, table, selected=("Male", "Smiling"), **how):
    settings = {"preprocess": Preprocess(30, 12), "train": True} | how
    return open_celeba(folder, table, list(selected), settings.pop("preprocess"), settings.pop("train"), **settings)


def test_pictures_have_their_labels(tmp_path, table):
    for number, name in enumerate(NAMES):
        picture(tmp_path / "images" / name, value=50 * number)
    training, test = (
        celeba(tmp_path / "images", table),
        celeba(tmp_path / "images", table, train=False, test_pictures=1),
    )
    assert (len(training), len(test), training.kept) == (2, 1, 1)
    assert {path.name for path in training.paths + test.paths} == {*NAMES}
    expected = {"a.png": [1, 0], "b.png": [0, 1], "c.png": [1, 0]}
    for path, item in zip(training.paths, (training[0], training[1]), strict=True):
        value = NAMES.index(path.name) * 50
        assert item["label"].tolist() == expected[path.name]
        assert item["x"].shape == (3, 12, 12) and torch.allclose(item["x"], torch.tensor(value / 127.5 - 1))


@pytest.mark.parametrize("inner", ["images", "img_align_celeba/img_align_celeba"])
def test_a_folder_one_level_too_high_is_found(tmp_path, table, inner, capsys):
    for name in NAMES:
        picture(tmp_path / "celeba" / inner / name)
    assert celeba(tmp_path / "celeba", table)[0]["x"].shape == (3, 12, 12)
    assert f"The pictures are in {tmp_path / 'celeba' / inner}" in capsys.readouterr().err


def test_folders_without_the_pictures(tmp_path, table):
    with pytest.raises(UserError, match="there is no folder .*nowhere.*download.sh celeba.*make_faces_dataset.py"):
        celeba(tmp_path / "nowhere", table)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty has no picture ..png, which the attribute file names"):
        celeba(tmp_path / "empty", table)


def test_a_missing_picture_is_named_when_it_is_met(tmp_path, table):
    picture(tmp_path / "images" / "a.png")
    dataset = celeba(tmp_path / "images", table, train=False)
    missing = next(number for number, path in enumerate(dataset.paths) if path.name == "b.png")
    with pytest.raises(UserError, match="there is no file .*b.png"):
        dataset[missing]


def test_a_list_written_on_windows(tmp_path):
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "list.txt").write_text("Male\nimages\\a.png 1\n")
    dataset = celeba(tmp_path, read_attributes(tmp_path / "list.txt"), ["Male"], train=False)
    assert dataset[0]["x"].shape[0] == 3


def test_too_few_rows(tmp_path, table, capsys):
    picture(tmp_path / "images" / "a.png")
    with pytest.raises(UserError, match="has 3 rows, and 1999 of them are for testing, so none is left"):
        celeba(tmp_path / "images", table, reference_exact=True)
    celeba(tmp_path / "images", table, test_pictures=2)
    assert "Of the 3 pictures 2 are kept for testing (--test_images), 1 are trained on." in capsys.readouterr().err


# --- folders ------------------------------------------------------------------------------------------------------


def test_classes_are_the_folders_in_the_order_of_their_names(tmp_path):
    for name in ("sad", "Angry", "happy"):
        picture(tmp_path / name / "2.png"), picture(tmp_path / name / "10.png")
    (tmp_path / ".cache").mkdir()
    root, names = find_classes(tmp_path, train=True)
    assert names == ["Angry", "happy", "sad"]
    dataset = open_classes(root, names, Preprocess(20, 8))
    assert [path.parent.name + path.stem for path in dataset.paths] == [
        "Angry2",
        "Angry10",
        "happy2",
        "happy10",
        "sad2",
        "sad10",
    ]
    assert [int(dataset[i]["label"]) for i in range(6)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("train", "expected"), [(True, "train"), (False, "test")])
def test_classes_called_train_and_test_are_none(tmp_path, capsys, train, expected):
    for part in ("train", "test"):
        for name in ("happy", "sad"):
            picture(tmp_path / part / name / "1.png")
    root, names = find_classes(tmp_path, train)
    assert root == tmp_path / expected and names == ["happy", "sad"]
    assert f"which are no classes: reading {root}" in capsys.readouterr().err


def test_wrong_folders_of_classes(tmp_path):
    with pytest.raises(UserError, match="there is no folder .*x.*--rafd_image_dir"):
        find_classes(tmp_path / "x", train=True)
    picture(tmp_path / "1.png")
    with pytest.raises(UserError, match="has no folders in it"):
        find_classes(tmp_path, train=True)
    (tmp_path / "happy").mkdir()
    with pytest.raises(UserError, match="no pictures in .*happy, which counts as a class"):
        open_classes(tmp_path, ["happy"], Preprocess(8, 8))


# --- preparing pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(6))
def test_pixels_are_the_originals(number):
    """Also of pictures smaller than the crop, and with odd sides."""
    golden = load_golden("preprocess")
    case = {key.split("/")[1]: value for key, value in golden.items() if key.startswith(f"case{number}/")}
    image = Image.fromarray(case["input_hwc_uint8"])
    current, old = (Preprocess(int(case["crop"]), int(case["image_size"]), old=old) for old in (False, True))
    assert np.array_equal(current.picture(image), case["current_u8"])
    assert np.array_equal(current.picture(image, mirrored=True), case["current_flipped_u8"])
    assert np.array_equal(old.picture(image), case["old_u8"])
    assert np.array_equal(old.picture(image, mirrored=True), case["old_u8"][:, ::-1])
    if "current_float_first2rows" in case:
        assert np.array_equal(to_tensor(current.picture(image))[:, :2].numpy(), case["current_float_first2rows"])


def test_every_second_picture_is_mirrored():
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4] = 255
    torch.manual_seed(0)
    flipped = [bool(Preprocess(8, 8, flip=True)(pixels)[0, 0, 0] < 0) for _ in range(200)]
    assert 70 < sum(flipped) < 130
    assert not any(Preprocess(8, 8)(pixels)[0, 0, 0] < 0 for _ in range(20))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_pictures_of_every_kind_are_read(tmp_path, mode):
    """The original crashes on grey ones and on those with transparency."""
    Image.new("RGB", (20, 20), (204, 204, 204)).convert(mode).save(tmp_path / ("x.tif" if mode == "CMYK" else "x.png"))
    (tmp_path / "c").mkdir()
    next(tmp_path.glob("x.*")).rename(tmp_path / "c" / next(tmp_path.glob("x.*")).name)
    item = open_classes(tmp_path, ["c"], Preprocess(20, 8))[0]
    assert item["x"].shape == (3, 8, 8) and float((item["x"] - (204 / 127.5 - 1)).abs().max()) < 0.03
