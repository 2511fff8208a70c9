"""Folders, files of every kind, the transform against the reference's, and batches."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data
from data import Pictures, find_pictures, folder_mode, picture_mode, read_picture, transform
from shared_scripts.cli import UserError

RNG = np.random.RandomState(5)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def noise(*shape: int) -> np.ndarray:
    return RNG.randint(0, 256, shape).astype(np.uint8)


# --- finding ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path) -> Path:
    """A data folder with some data sets; only the names matter."""
    names = "faces/p10.jpg faces/p9.jpg faces/p2.JPG faces/._p1.jpg faces/q.png classes/b/2.png classes/a/10.png"
    for (
        name
    ) in f"{names} classes/a/9.png celebA/1.jpg empty/inner/.x words/a.txt lsun/bedroom_val_lmdb/data.mdb".split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "faces" / "folder.jpg").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("dataset", "pattern", "expected"),
    [
        ("faces", "*.jpg", ["p9.jpg", "p10.jpg"]),
        ("faces", "p*", ["p2.JPG", "p9.jpg", "p10.jpg"]),
        ("classes", "*.png", ["a/9.png", "a/10.png", "b/2.png"]),
        ("classes", "a\\*.png", ["a/9.png", "a/10.png"]),
        ("classes\\a", "*.png", ["9.png", "10.png"]),
    ],
)
def test_found_in_natural_order(shelf, dataset, pattern, expected):
    found = find_pictures(shelf, dataset, pattern)
    assert [path.relative_to(shelf / dataset.replace("\\", "/")).as_posix() for path in found] == expected


@pytest.mark.parametrize(
    ("dataset", "pattern", "words"),
    [
        ("celeba", "*.jpg", ["did you mean --dataset celebA?"]),
        ("facse", "*.jpg", ["did you mean --dataset faces?"]),
        ("xyz", "*.jpg", ["'xyz'", "there are: celebA, classes, empty, faces, lsun, words"]),
        ("mnist", "*.jpg", ["download.py mnist"]),
        ("classes", "*.jpg", ["'*.jpg'", ".png (3)", "--input_fname_pattern '*.png'"]),
        ("faces", "Persona-*", [".jpg (2)", "'Persona-*'", "--input_fname_pattern '*.jpg'"]),
        ("empty", "*", ["there are no files in", "empty"]),
        ("words", "*.jpg", [".txt (1)", "--input_fname_pattern"]),
        ("lsun", "*.jpg", ["databases", "--export-lsun"]),
    ],
)
def test_nothing_found(shelf, dataset, pattern, words):
    with pytest.raises(UserError) as caught:
        find_pictures(shelf, dataset, pattern)
    for word in words:
        assert word in str(caught.value), caught.value
    assert "\n" not in str(caught.value)


def test_no_data_folder(tmp_path):
    with pytest.raises(UserError, match="no folder .*nowhere.*download.py celebA"):
        find_pictures(tmp_path / "nowhere", "celebA")


# --- reading ------------------------------------------------------------------------------------------------------

COLOURS = noise(6, 8, 4)
GREY16 = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1300


@pytest.fixture
def zoo(tmp_path) -> dict[str, Path]:
    """One picture of each kind."""
    rgb = COLOURS[..., :3]
    return {
        "rgb": save(tmp_path / "rgb.png", rgb),
        "rgba": save(tmp_path / "rgba.png", COLOURS),
        "grey": save(tmp_path / "grey.png", COLOURS[..., 0]),
        "bits": save(tmp_path / "bits.png", COLOURS[..., 0], "1"),
        "la": save(tmp_path / "la.png", COLOURS, "LA"),
        "palette": save(tmp_path / "palette.png", rgb, "P"),
        "seen_through": save(tmp_path / "seen_through.png", rgb, "P", transparency=0),
        "cmyk": save(tmp_path / "cmyk.jpg", rgb, "CMYK"),
        "deep": save(tmp_path / "deep.png", GREY16),
    }


def test_channels_of_every_kind(zoo):
    found = {name: picture_mode(path) for name, path in zoo.items()}
    expected = {
        "rgb": 3,
        "rgba": 4,
        "grey": 1,
        "bits": 1,
        "la": 4,
        "palette": 3,
        "seen_through": 4,
        "cmyk": 3,
        "deep": 1,
    }
    assert found == expected


def test_every_kind_becomes_what_is_wanted(zoo):
    for path in zoo.values():
        for channels in (1, 3, 4):
            picture = read_picture(path, channels)
            assert picture.shape == (6, 8, channels) and picture.dtype == (np.float32 if channels == 1 else np.uint8)
    assert (read_picture(zoo["rgba"], 4) == COLOURS).all() and (read_picture(zoo["rgba"], 3) == COLOURS[..., :3]).all()
    assert (read_picture(zoo["grey"], 1)[..., 0] == COLOURS[..., 0]).all()
    assert (read_picture(zoo["deep"], 1)[..., 0] == GREY16 // 257).all()
    opaque = read_picture(zoo["deep"], 4)
    assert (opaque[..., 3] == 255).all() and (opaque[..., 0] == GREY16 // 257).all()


def test_grey_is_the_reference_s(golden, tmp_path):
    recorded = golden("image_transform.npz")
    path = save(tmp_path / "p.png", recorded["flatten/image"])
    np.testing.assert_allclose(read_picture(path, 1)[..., 0], recorded["flatten/gray"], atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_turned_photographs_are_upright(tmp_path, channels):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    path = save(tmp_path / "p.png", COLOURS if channels == 4 else COLOURS[..., :3], exif=exif)
    found = read_picture(path, channels)
    assert found.shape == (8, 6, channels)
    if channels > 1:
        assert (found == np.rot90(COLOURS[..., :channels], -1)).all()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0" + bytes(50)])
def test_what_is_no_picture(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    for read in (picture_mode, lambda path: read_picture(path, 4), lambda path: read_picture(path, 1)):
        with pytest.raises(UserError, match=r"a\.jpg"):
            read(tmp_path / "a.jpg")
    good = save(tmp_path / "b.png", COLOURS)
    assert folder_mode([tmp_path / "a.jpg", good]) == 4
    with pytest.raises(UserError, match=r"a\.jpg"):
        folder_mode([tmp_path / "a.jpg"])


# --- the transform ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", range(7))
@pytest.mark.parametrize("stretch", [False, True])
def test_transform_matches_the_reference(golden, case, stretch):
    recorded = golden("image_transform.npz")
    meta = {key: value for key, value in json.loads(str(recorded["meta"]))[case].items() if key != "image"}
    image = recorded[f"{case}/image"]
    found = transform(image if image.ndim == 3 else image[..., None], **meta, stretch=stretch)
    expected = recorded[f"{case}/transform" if stretch else f"{case}/transform_nostretch"]
    assert found.dtype == np.float32 and found.shape == (*expected.shape[:2], image.shape[2] if image.ndim == 3 else 1)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-6)


def test_crop_is_the_middle():
    image = np.arange(7 * 9).reshape(7, 9, 1).astype(np.uint8)
    found = transform(image, 4, 6, 4, 6, crop=True)
    np.testing.assert_allclose(found, image[2:6, 2:8] / 127.5 - 1, atol=1e-6)  # 1.5 goes to the even 2
    grey = np.full((2, 2, 1), 99.6, np.float32)
    np.testing.assert_allclose(transform(grey, 2, 2, 1, 1), 100 / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("size", [(10, 8), (8, 10)])
def test_crop_beyond_the_picture(tmp_path, size):
    path = save(tmp_path / "small.png", noise(9, 9, 3))
    with pytest.raises(UserError, match=rf"small.png is 9x9.* crop of {size[1]}x{size[0]}.*--input_height") as caught:
        transform(read_picture(path, 3), *size, 4, 4, crop=True, name=path)
    assert "\n" not in str(caught.value)
    transform(read_picture(path, 3), *size, 4, 4)  # squeezed it may be


# --- batches ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path) -> list[Path]:
    """Ten pictures of one grey each, 0, 20 ... 180."""
    return [save(tmp_path / f"{i}.png", np.full((6, 6, 3), 20 * i, np.uint8)) for i in range(10)]


def numbers(batch: np.ndarray) -> list[int]:
    """Which pictures of the folder a batch holds."""
    return np.rint((batch[:, 0, 0, 0] + 1) * 127.5 / 20).astype(int).tolist()


def make(paths, **options) -> Pictures:
    return Pictures(paths, 3, 6, 6, 4, 5, **options)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("cache", [0, 200, 1 << 20])
def test_batches_come_in_order_from_anywhere(folder, threads, cache):
    pictures = make(folder, threads=threads, cache=cache)
    order = np.random.RandomState(1).permutation(10)
    for _ in range(2):
        for start in range(5):
            found = list(pictures.batches(order, 3, start))
            assert [numbers(batch) for batch in found] == order[:9].reshape(3, 3)[start:].tolist()
            assert all(batch.shape == (3, 4, 5, 3) and batch.dtype == np.float32 for batch in found)
    assert len(pictures) == 10 and len(pictures.kept) <= cache // 60
    np.testing.assert_allclose(pictures.read([7])[0], 140 / 127.5 - 1, atol=1e-6)


def test_what_is_kept_is_not_read_again(folder):
    pictures = make(folder, cache=5 * 60)
    pictures.read(range(10))
    for path in folder[:5]:
        path.unlink()
    assert numbers(pictures.read([4, 0, 9])) == [4, 0, 9] and not pictures.broken
    assert max(len(make(folder, cache=0).kept), len(pictures.kept)) == 5


def test_reading_ahead_ends_with_the_loop(folder):
    before = threading.active_count()
    batches = make(folder, threads=2).batches(range(10), 1)
    next(batches)
    batches.close()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(10)
    assert threading.active_count() == before


def test_bad_pictures_are_named_once_and_replaced(folder, capsys):
    folder[3].write_bytes(b"not a picture")
    folder[4].write_bytes(b"")
    save(folder[9], np.zeros((3, 3, 3), np.uint8))
    expected = [0, 1, 2, 5, 5, 5, 6, 7, 8, 0]
    for order in (range(10), range(9, -1, -1)):
        pictures = make(folder, crop=True)
        for _ in range(2):
            found = [numbers(batch) for batch in pictures.batches(order, 5)]
            assert sum(found, []) == [expected[i] for i in order]
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 3 and sorted(pictures.broken) == [3, 4, 9]
        assert all(sum(f"{i}.png" in line for line in said) == 1 for i in (3, 4, 9))
        assert "3x3" in "".join(said)


def test_many_bad_pictures_are_not_all_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "NAMED", 2)
    monkeypatch.setattr(data, "PATIENCE", 8)
    paths = [tmp_path / f"{i}.png" for i in range(9)]
    save(paths[8], noise(6, 6, 3))
    pictures = make(paths)
    assert pictures.read([1]).shape == (1, 4, 5, 3)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and "no longer named" in said[2]
    with pytest.raises(UserError, match=r"none of 8 pictures in a row.*0\.png"):
        pictures.read([0])


def test_too_few_pictures_for_a_batch(folder):
    with pytest.raises(UserError, match="size is less than the configured batch_size: 10.*--batch_size 16"):
        make(folder).batches(range(10), 16)
    with pytest.raises(UserError, match="none of 2 pictures"):
        make([folder[0].with_name("x"), folder[0].with_name("y")]).read([1])


def test_mixed_folders_become_one_kind(zoo):
    pictures = Pictures(list(zoo.values()), picture_mode(zoo["grey"]), 4, 4, 4, 4, crop=True, stretch=True)
    batch = pictures.read(range(len(zoo)))
    assert batch.shape == (len(zoo), 4, 4, 1) and not pictures.broken
    assert (batch.min((1, 2, 3)) == -1).all() and (batch.max((1, 2, 3)) == 1).all()
