"""Data sets as the trainer sees them: TFRecord folders and zeros. Folders and zips are in test_picture_sets.py."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from conftest import golden_file

from datasets import SyntheticDataset, open_dataset, open_levels
from exporter import Exporter
from pyramid import largest_power, log2_of, pyramid
from shared_scripts.cli import UserError
from tfrecords import encode_records


@pytest.fixture
def copy(tmp_path):
    """`copy(name)`: a recorded data set that may be damaged."""
    return lambda name: shutil.copytree(golden_file(f"datasets/{name}"), tmp_path / name)


def refused(words: str, path, **options) -> None:
    """Opening it is refused, in one line."""
    with pytest.raises(UserError, match=words) as problem:
        open_dataset(path, **options)
    assert "\n" not in str(problem.value)


# --- the pyramid --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "top"), [("tinyrgb", 4), ("tinygray", 5)])
def test_the_pyramid_is_the_references(name, top, golden):
    arrays = golden("dataset_tool")
    for lod, level in enumerate(pyramid(arrays[f"{name}/images"][arrays[f"{name}/order"]])):
        np.testing.assert_array_equal(level, arrays[f"{name}/lod{lod}"])
    assert lod == top - 2


def test_the_pyramid_rounds_each_level_on_its_own_and_halves_to_even():
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, 0, :2] = 1, 1  # mean 0.5, to 0; a mean of such means would stay 0
    image[0, :2, 2:4] = [[2, 2], [1, 1]]  # 1.5, to 2
    levels = pyramid(image)
    assert levels[1][0, 0, :2].tolist() == [0, 2] and levels[1].dtype == np.uint8
    image[0, :4, :4] = [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]]
    assert pyramid(image)[1][0, :2, :2].tolist() == [[0, 0], [0, 1]]


def test_sizes():
    assert [largest_power(side) for side in (1, 4, 7, 100, 1024, 9999)] == [4, 4, 4, 64, 1024, 1024]
    assert log2_of(1024, "x") == 10
    for wrong in (0, 2, 3, 48, -4):
        with pytest.raises(UserError, match="power of two"):
            log2_of(wrong, "the resolution")


# --- TFRecord folders ---------------------------------------------------------------------------------------------


def test_a_recorded_data_set(golden):
    arrays = golden("dataset_tool")
    dataset = open_dataset(golden_file("datasets/tinyrgb"), max_label_size="full")
    assert (dataset.name, dataset.resolution, dataset.num_channels, dataset.label_size) == ("tinyrgb", 16, 3, 5)
    assert len(dataset) == 14 and dataset.dynamic_range == (0, 255) and dataset.problems == []
    np.testing.assert_array_equal(dataset.labels, arrays["tinyrgb/read_labels"])
    assert dataset.labels.dtype == np.float32
    for level in (2, 3, 4):
        images = dataset.images(np.array([13, 0, 0, 7]), level)
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images, arrays[f"tinyrgb/lod{4 - level}"][[13, 0, 0, 7]])


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (1, 1), (3, 3), (9, 5), ("full", 5), ("auto", 5)])
def test_how_much_of_the_labels_is_used(size, expected, golden):
    dataset = open_dataset(golden_file("datasets/tinyrgb"), max_label_size=size)
    assert dataset.label_size == expected
    np.testing.assert_array_equal(dataset.labels, golden("dataset_tool")["tinyrgb/read_labels"][:, :expected])


def test_without_labels():
    for size in (0, "auto"):
        assert open_dataset(golden_file("datasets/tinygray"), max_label_size=size).labels.shape == (9, 0)
    refused("max_label_size to 0", golden_file("datasets/tinygray"), max_label_size="full")
    for wrong in (-1, "all", 1.5, None):
        refused("max_label_size must be", golden_file("datasets/tinygray"), max_label_size=wrong)


def test_a_lower_resolution_than_is_there():
    dataset = open_dataset(golden_file("datasets/tinygray"), resolution=8)
    assert dataset.resolution == 8
    with pytest.raises(IndexError):
        dataset.images(np.zeros(1, int), 4)
    refused("up to 32x32, not 64", golden_file("datasets/tinygray"), resolution=64)
    refused("power of two", golden_file("datasets/tinygray"), resolution=24)


def test_numbers_out_of_range():
    dataset = open_dataset(golden_file("datasets/tinygray"))
    for numbers in ([-1], [9], [0, 100]):
        with pytest.raises(IndexError):
            dataset.images(np.array(numbers), 2)
    assert dataset.images(np.array([], int), 3).shape == (0, 1, 8, 8)


def test_a_folder_may_be_renamed_and_named_in_any_way(copy, tmp_path, monkeypatch):
    renamed = copy("tinyrgb").rename(tmp_path / "other name.v2")
    assert open_dataset(f"{renamed}/").name == "other name.v2"
    monkeypatch.chdir(renamed)
    assert open_dataset(".", max_label_size=1).name == "other name.v2"
    monkeypatch.chdir(tmp_path)
    assert len(open_dataset(".\\other name.v2")) == 14


def test_several_data_sets_in_a_folder(copy):
    folder = copy("tinyrgb")
    for path in golden_file("datasets/tinygray").iterdir():
        shutil.copy(path, folder)
    assert open_dataset(folder).num_channels == 3  # those with the folder's name
    renamed = folder.rename(folder.with_name("both"))
    refused("several data sets", renamed)


def test_missing_levels_are_named(copy):
    folder = copy("tinygray")
    (folder / "tinygray-r03.tfrecords").unlink()
    refused(r"8x8 \(-r03", folder)
    (folder / "tinygray-r02.tfrecords").unlink()
    refused(r"4x4 \(-r02.tfrecords\), 8x8 \(-r03", folder)


def test_levels_that_do_not_belong_together(copy):
    folder = copy("tinyrgb")
    path = folder / "tinyrgb-r03.tfrecords"
    whole = path.read_bytes()
    path.write_bytes(whole[: 10 * 247])
    refused("has 10 pictures, but .* 14", folder)
    path.write_bytes(encode_records(np.zeros((14, 1, 8, 8), np.uint8)).tobytes())
    refused("1 channels, but .* 3", folder)
    path.write_bytes(encode_records(np.zeros((14, 3, 4, 4), np.uint8)).tobytes())
    refused("both have pictures of 4x4", folder)
    path.write_bytes(whole[:-1])
    refused("record 13 .*cut short", folder)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((3, 8, 4), "4x8; they must be square"),
        ((3, 6, 6), "power of two"),
        ((4, 8, 8), "4 channels"),
        ((3, 2, 2), "2x2"),
    ],
)
def test_pictures_of_the_wrong_shape(shape, words, copy):
    folder = copy("tinyrgb")
    (folder / "tinyrgb-r03.tfrecords").write_bytes(encode_records(np.zeros((14, *shape), np.uint8)).tobytes())
    refused(words, folder)


def test_damage_is_found_when_it_is_read(copy):
    folder = copy("tinyrgb")
    path = folder / "tinyrgb-r04.tfrecords"
    content = bytearray(path.read_bytes())
    content[5 * 823 + 400] ^= 1
    path.write_bytes(content)
    dataset = open_dataset(folder)
    dataset.images(np.array([0, 4, 6]), 4)
    for _ in range(2):
        with pytest.raises(UserError, match="r04.tfrecords, record 5 .*checksum"):
            dataset.images(np.array([4, 5, 6]), 4)


def test_label_files(copy, tmp_path):
    folder = copy("tinyrgb")
    other = np.arange(28).reshape(14, 2)
    np.save(folder / "other.npy", other)
    np.save(tmp_path / "elsewhere.npy", other + 1)
    inside = open_dataset(folder, label_file="other.npy", max_label_size="full")
    np.testing.assert_array_equal(inside.labels, other)
    outside = open_dataset(folder, label_file=tmp_path / "elsewhere.npy", max_label_size="full")
    np.testing.assert_array_equal(outside.labels, other + 1)
    refused("no label file", folder, label_file="missing.npy", max_label_size="full")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros((13, 5)), "13 labels, but there are 14"),
        (np.zeros(14), "no table"),
        (np.full((14, 2), np.nan), "nan or inf"),
        (np.full((14, 2), "x"), "no table"),
        (np.full((14, 2), None), "damaged or no file of labels"),  # a pickle, which is not read
    ],
)
def test_labels_that_cannot_be_used(labels, words, copy):
    folder = copy("tinyrgb")
    with open(folder / "tinyrgb-rxx.labels", "wb") as file:
        np.save(file, labels)
    refused(words, folder, max_label_size=1)
    open_dataset(folder)  # nobody asked for labels


def test_label_files_that_are_damaged(copy):
    folder = copy("tinyrgb")
    path = folder / "tinyrgb-rxx.labels"
    whole = path.read_bytes()
    for size in range(0, len(whole), 9):
        path.write_bytes(whole[:size])
        refused("tinyrgb-rxx.labels is damaged", folder, max_label_size="full")
    path.write_bytes(whole.replace(b"(14, 5)", b"(9999999999, 5)").replace(b"       ", b"", 1))
    refused("rxx.labels", folder, max_label_size="full")


def test_paths_that_are_no_data_sets(tmp_path):
    refused("there is no data set", tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    refused("empty is empty", tmp_path / "empty")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    refused("no pictures in", tmp_path / "texts")
    refused("name the folder", golden_file("datasets/tinyrgb/tinyrgb-r02.tfrecords"))
    (tmp_path / "a.h5").write_bytes(b"x")
    refused("create_from_hdf5", tmp_path / "a.h5")
    refused("name one of them: .*tinygray, tinyrgb", golden_file("datasets"))
    with pytest.raises(UserError, match="no .tfrecords files"):
        open_levels(tmp_path / "empty")


def test_more_pictures_than_the_reference_could_see(tmp_path):
    """It paired them with a table of 2^20 labels where there are none; here only counting could go wrong."""
    with Exporter(tmp_path / "few") as exporter:
        exporter.add(np.ones((1, 4, 4), np.uint8))
    path = tmp_path / "few" / "few-r02.tfrecords"
    path.write_bytes(path.read_bytes() * (2**20 + 5))
    dataset = open_dataset(tmp_path / "few")
    assert len(dataset) == 2**20 + 5 and dataset.images(np.array([2**20 + 4]), 2).all()


# --- zeros --------------------------------------------------------------------------------------------------------


def test_nothing_but_zeros():
    dataset = SyntheticDataset(resolution=64, num_channels=1, label_size=7)
    assert (dataset.name, dataset.resolution, dataset.num_channels, dataset.label_size) == ("syn64", 64, 1, 7)
    assert dataset.images(np.array([0, len(dataset) - 1]), 6).shape == (2, 1, 64, 64)
    assert not dataset.images(np.arange(3), 2).any() and not dataset.labels.any()
    assert SyntheticDataset().name == "syn1024rgb"
    with pytest.raises(UserError, match="power of two"):
        SyntheticDataset(resolution=100)
