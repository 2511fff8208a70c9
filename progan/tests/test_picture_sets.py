"""Folders and zips of pictures as data sets."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT
from PIL import Image

import picture_files
from datasets import open_dataset
from parallel import in_order
from picture_files import squared
from pyramid import pyramid
from shared_scripts.cli import UserError
from shared_scripts.testing import write_pictures, zip_bytes

PHOTOS = PROJECT.parent.parent / "shared" / "data" / "photos"


def png(colour=(1, 2, 3), size=(16, 16), mode="RGB", kind="png", **settings) -> bytes:
    """A picture file of one colour."""
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, kind, **settings)
    return stream.getvalue()


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def write_zip(path: Path, files: dict[str, bytes | str]) -> Path:
    """A zip with these files."""
    path.write_bytes(zip_bytes(files.items()))
    return path


@pytest.fixture(params=["folder", "zip"])
def collect(request, tmp_path):
    """`collect(files)`: a folder, and then a zip, with these files."""
    make = write if request.param == "folder" else write_zip
    return lambda files: make(tmp_path / ("mine" if request.param == "folder" else "mine.zip"), files)


def refused(words: str, path, **options) -> None:
    """Opening it is refused, in one line."""
    with pytest.raises(UserError, match=words) as problem:
        open_dataset(path, **options)
    assert "\n" not in str(problem.value)


# --- pictures -----------------------------------------------------------------------------------------------------


def test_squares_are_the_references_of_lsun(golden):
    arrays = golden("dataset_tool")
    for i in range(4):
        made = squared(arrays[f"lsun/in{i}"], 32).astype(int)
        assert np.abs(made - arrays["lsun/out_res32"][i]).max() <= 1


def test_three_ways_to_make_a_square():
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8], pixels[:, 8:] = 100, 200
    crop, pad, stretch = (squared(pixels, 8, fit) for fit in ("crop", "pad", "stretch"))
    np.testing.assert_array_equal(crop, pixels[:, 4:12].transpose(2, 0, 1))
    assert pad[:, 0].max() < 10 and pad[:, 3, 0].min() > 80 and pad[:, 3, 7].min() > 180
    assert set(np.unique(stretch[:, :, [0, 7]])) == {100, 200}
    assert squared(np.full((5, 5, 1), 7, np.uint8), 16).shape == (1, 16, 16)


def test_a_collection_at_all_resolutions(collect):
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 256, (16, 16, 3), np.uint8) for _ in range(3)]
    files = {}
    for number, picture in enumerate(pixels):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "png")
        files[f"{number}.png"] = stream.getvalue()
    dataset = open_dataset(collect({**files, "readme.txt": "x", ".hidden.png": b"x", "__MACOSX/0.png": b"x"}))
    assert (dataset.name, dataset.resolution, dataset.num_channels) == ("mine", 16, 3)
    assert len(dataset) == 3 and dataset.label_size == 0 and dataset.problems == []
    levels = pyramid(np.stack(pixels).transpose(0, 3, 1, 2))
    for level, expected in zip((4, 3, 2), levels, strict=True):
        np.testing.assert_array_equal(dataset.images(np.array([2, 0, 1]), level), expected[[2, 0, 1]])


def test_all_kinds_of_pictures(collect):
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    stream = io.BytesIO()
    palette.save(stream, "png")
    turned = Image.new("RGB", (20, 40), (10, 20, 30))
    turned.paste((0, 0, 0), (0, 0, 20, 10))  # black at the top, which the next line makes the right end
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg = io.BytesIO()
    turned.save(jpeg, "jpeg", exif=exif, quality=98)
    files = {
        "a.png": png((10, 20, 30)),
        "b.png": png((10, 20, 30, 0), mode="RGBA"),
        "c.png": stream.getvalue(),
        "d.png": png(25, mode="L"),
        "e.png": png(25 * 257, mode="I;16"),
        "f.jpg": png((10, 20, 30, 0), mode="CMYK", kind="jpeg"),
        "g.JPEG": jpeg.getvalue(),
        "h.gif": png(1, mode="1", kind="gif"),
        "i.webp": png((10, 20, 30), (33, 50), kind="webp", lossless=True),
    }
    dataset = open_dataset(collect(files))
    assert len(dataset) == 9 and dataset.problems == [] and dataset.num_channels == 3
    images = dataset.images(np.arange(9), 4)
    for number in (0, 1, 2, 8):
        assert (images[number] == np.array([10, 20, 30])[:, None, None]).all(), number
    assert (images[3:5] == 25).all()
    assert images[6][:, :, :10].min() > 5 and abs(int(images[6][2, 8, 4]) - 30) < 6


def test_grey_collections_have_one_channel(collect):
    files = {"a.png": png(9, mode="L"), "b.png": png((9, 0), mode="LA"), "c.png": png(9 * 257, mode="I;16")}
    path = collect(files)
    dataset = open_dataset(path)
    assert dataset.num_channels == 1 and (dataset.images(np.arange(3), 3) == 9).all()
    assert open_dataset(path, num_channels=3).images(np.arange(3), 2).shape == (3, 3, 4, 4)
    refused("1 or 3", path, num_channels=4)


def test_colour_pictures_can_be_made_grey(collect):
    assert (open_dataset(collect({"a.png": png((9, 9, 9))}), num_channels=1).images(np.zeros(1, int), 4) == 9).all()


@pytest.mark.parametrize(("size", "expected"), [((100, 70), 64), ((3, 9), 4), ((16, 16), 16)])
def test_the_resolution_follows_the_first_picture(size, expected, collect):
    path = collect({"a.png": png(size=size), "b.png": png(size=(300, 300))})
    assert open_dataset(path).resolution == expected
    assert open_dataset(path, resolution=32).resolution == 32
    refused("power of two", path, resolution=30)


def test_bad_pictures_are_left_out_and_named(collect, capsys):
    whole = png((5, 6, 7), (40, 40), kind="jpeg")
    files = {"0.png": b"", "1.png": b"no picture", "2.jpg": whole[: len(whole) // 2], "3.png": png((1, 1, 1))}
    dataset = open_dataset(collect({**files, "4.png": png()[:60], "5.png": png((2, 2, 2))}))
    assert len(dataset) == 2 and dataset.images(np.arange(2), 2)[:, 0, 0, 0].tolist() == [1, 2]
    assert [next(n for n in "01245" if f"{n}." in problem) for problem in dataset.problems] == list("0124")
    told = capsys.readouterr().err
    assert "4 of 6 pictures were left out" in told and "2.jpg is damaged or cut short" in told


def test_nothing_that_can_be_read(collect):
    refused("no picture .* can be read: .*0.png", collect({"0.png": b"x", "1.png": b""}))
    with pytest.raises(UserError, match="no picture"):
        open_dataset(collect({"0.png": b"x", "1.png": b""}), resolution=16)


def test_too_much_for_the_memory(collect):
    refused(r"GB .*create_from_images mine-set .*mine.* --resolution 16", collect({"a.png": png()}), memory_budget=1000)


# --- labels -------------------------------------------------------------------------------------------------------

FOUR = {f"00000/{name}.png": png((i, i, i)) for i, name in enumerate("abcd")}


def metadata(labels: dict) -> str:
    return json.dumps({"labels": [[f"00000/{name}.png", label] for name, label in labels.items()]})


def test_class_numbers_of_a_dataset_json(collect):
    path = collect({**FOUR, "dataset.json": metadata({"d": 0, "a": 2, "c": 2, "b": 4, "not there": 1})})
    dataset = open_dataset(path, max_label_size="full")
    assert dataset.label_size == 5 and dataset.labels.argmax(1).tolist() == [2, 4, 2, 0]
    assert dataset.labels.sum() == 4
    assert open_dataset(path, max_label_size=3).labels.tolist() == dataset.labels[:, :3].tolist()
    assert open_dataset(path).label_size == 0 and open_dataset(path, max_label_size="auto").label_size == 5


def test_vectors_of_a_dataset_json(collect):
    vectors = {"a": [0.5, 1], "b": [0, 2], "c": [3, -1], "d": [0, 0]}
    dataset = open_dataset(collect({**FOUR, "dataset.json": metadata(vectors)}), max_label_size="full")
    assert dataset.labels.tolist() == list(vectors.values())


def test_labels_follow_the_pictures_that_can_be_read(collect, capsys):
    files = {**FOUR, "00000/b.png": b"x", "dataset.json": metadata({"a": 0, "b": 1, "c": 2, "d": 3})}
    dataset = open_dataset(collect(files), max_label_size="full")
    assert dataset.labels.argmax(1).tolist() == [0, 2, 3] and dataset.label_size == 4


def test_folders_are_classes_only_when_labels_are_asked_for(collect):
    files = {"dog/1.png": png(), "cat/2.png": png(), "dog/deep/3.png": png()}
    path = collect(files)
    assert open_dataset(path, max_label_size="full").labels.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert open_dataset(path).label_size == 0 and open_dataset(path, max_label_size="auto").label_size == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (FOUR, "has no labels"),
        ({**FOUR, "x.png": png(), "y/z.png": png()}, "has no labels"),
        ({**FOUR, "dataset.json": '{"labels": null}'}, "has no labels"),
        ({**FOUR, "dataset.json": metadata({"a": 0, "b": 1})}, "no label for 2 of the pictures, 00000/c.png"),
        ({**FOUR, "dataset.json": "{"}, "not of the form"),
        ({**FOUR, "dataset.json": "[" * 100_000}, "not of the form"),
        ({**FOUR, "dataset.json": '{"labels": [1, 2]}'}, "not of the form"),
        ({**FOUR, "dataset.json": '{"labels": 3}'}, "not of the form"),
        ({**FOUR, "dataset.json": '["x"]'}, "not of the form"),
        ({**FOUR, "dataset.json": metadata({"a": 0, "b": 1, "c": -1, "d": 2})}, "whole numbers from 0"),
        ({**FOUR, "dataset.json": metadata({"a": 0, "b": [1], "c": 1, "d": 2})}, "whole numbers from 0"),
        ({**FOUR, "dataset.json": metadata({"a": [1], "b": [1, 2], "c": [3], "d": [2]})}, "of one length"),
        ({**FOUR, "dataset.json": metadata({"a": "x", "b": "y", "c": "z", "d": ""})}, "whole numbers from 0"),
        ({**FOUR, "dataset.json": metadata({"a": [float("nan")], "b": [1], "c": [3], "d": [2]})}, "of one length"),
        ({**FOUR, "dataset.json": metadata({"a": 10**12, "b": 1, "c": 3, "d": 2})}, "too many classes"),
    ],
)
def test_labels_that_cannot_be_used(files, words, collect):
    refused(words, collect(files), max_label_size="full")


# --- zips ---------------------------------------------------------------------------------------------------------


def test_a_zip_is_not_unpacked(tmp_path):
    path = write_zip(tmp_path / "mine.zip", {"../../evil.png": png(), "./abs.png": png(), "back\\slash.png": png()})
    assert len(open_dataset(path)) == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.zip"]


def test_damaged_zips(tmp_path):
    whole = write_zip(tmp_path / "whole.zip", {f"{i}.png": png((i, i, i)) for i in range(3)}).read_bytes()
    path = tmp_path / "mine.zip"
    for size in range(0, len(whole), 11):
        path.write_bytes(whole[:size])
        refused("damaged or no zip file", path)
    for place in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            assert 1 <= len(open_dataset(path, resolution=4)) <= 3
        except UserError as problem:
            assert "mine.zip" in str(problem)


def test_members_that_are_too_large_or_locked(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "mine.zip", {"a.png": png(), "b.png": bytes(1 << 20), "c.png": png()})
    monkeypatch.setattr(picture_files, "MAX_MEMBER", 1 << 19)
    dataset = open_dataset(path)
    assert len(dataset) == 2 and "b.png is too large (1048576 bytes)" in dataset.problems[0]
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 8
    content[place : place + 2] = struct.pack("<H", 1)  # encrypted, says the directory
    path.write_bytes(content)
    assert "a.png cannot be unpacked" in open_dataset(path).problems[0]


def test_a_picture_that_claims_to_be_huge(collect):
    bomb = bytearray(png())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    dataset = open_dataset(collect({"a.png": png(), "b.png": bytes(bomb)}))
    assert len(dataset) == 1 and "b.png" in dataset.problems[0]


def test_an_empty_zip(tmp_path):
    refused("no pictures in", write_zip(tmp_path / "mine.zip", {"a.txt": "x"}))
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    refused("no pictures in", tmp_path / "none.zip")
    refused("no label|label file is for TFRecords", tmp_path / "none.zip", label_file="x")


# --- folders ------------------------------------------------------------------------------------------------------


def test_links_that_lead_in_circles(tmp_path):
    folder = write_pictures(tmp_path / "mine" / "a", 2).parent
    try:
        (folder / "a" / "up").symlink_to(folder)
        (folder / "b").symlink_to(write_pictures(tmp_path / "elsewhere", 1, seed=9))
    except OSError:
        pytest.skip("no links here")
    assert len(open_dataset(folder)) == 3


def test_real_photographs():
    if not PHOTOS.is_dir():
        pytest.skip(f"{PHOTOS} is not there")
    found = picture_files.open_pictures(PHOTOS)
    found.names = found.names[:20]
    pixels = [squared(picture_files.load(found, name, 3), 64) for name in found.names]
    assert min(image.std() for image in pixels) > 5


def test_work_in_threads_keeps_its_order_and_stops_at_an_exception():
    assert list(in_order(lambda x: x * 2, range(50), threads=4)) == list(range(0, 100, 2))
    begun = []

    def fail_at_three(x):
        begun.append(x)
        if x == 3:
            raise UserError("three")
        return x

    with pytest.raises(UserError):
        list(in_order(fail_at_three, range(1000), threads=2))
    assert len(begun) < 20
