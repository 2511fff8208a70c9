"""dataset_tool.py from its command line: making, extracting and comparing data sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import golden_file
from PIL import Image

import dataset_commands
from dataset_display import Viewer, caption
from dataset_tool import build_parser, main
from datasets import open_dataset
from exporter import Exporter
from shared_scripts.cli import UserError, run
from shared_scripts.testing import write_pictures, zip_bytes

RGB = golden_file("datasets/tinyrgb")
GREY = golden_file("datasets/tinygray")


@pytest.fixture
def tool(capsys):
    """`tool(arguments…)`: the exit status, what was printed, and what was said on stderr."""

    def call(*arguments) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            run(lambda: main([str(argument) for argument in arguments]))
        return end.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def refused(tool):
    """`refused(words, arguments…)`: it ends with status 2 and one line of error."""

    def call(words: str, *arguments) -> None:
        status, _, told = tool(*arguments)
        errors = [line for line in told.splitlines() if line.startswith("error:")]
        assert status == 2 and len(errors) == 1 and "Traceback" not in told and words in errors[0], told

    return call


def listing(folder: Path) -> list[str]:
    """All files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def save(path: Path, *colour: int, size=(16, 16), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour if len(colour) > 1 else colour[0]).save(path)


# --- extract and create_from_images -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [RGB, GREY])
def test_extracted_pictures_become_the_same_data_set_again(source, tool, tmp_path):
    assert tool("extract", source, tmp_path / "out", "--export_labels", "1")[0] == 0
    assert listing(tmp_path / "out")[-1] == f"img{len(open_dataset(source)) - 1:08d}.png"
    again = tmp_path / source.name
    status, printed, _ = tool("create_from_images", again, tmp_path / "out", "--shuffle", 0)
    assert status == 0 and f"Added {len(open_dataset(source))} images" in printed
    assert listing(again) == listing(source)
    for path in source.glob("*.tfrecords"):
        assert (again / path.name).read_bytes() == path.read_bytes()
    assert tool("compare", again, source)[0] == 0


def test_the_recorded_order_of_pictures(golden, tool, tmp_path):
    arrays = golden("dataset_tool")
    (tmp_path / "in").mkdir()
    for number, image in enumerate(arrays["from_images/in"]):
        Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / "in" / f"{number}.png")
    assert tool("create_from_images", tmp_path / "set", tmp_path / "in")[0] == 0
    images = open_dataset(tmp_path / "set").images(np.arange(7), 4)
    np.testing.assert_array_equal(images, arrays["from_images/out_lod0"])


def test_the_command_lines_of_the_readme(tool, tmp_path):
    """Any pictures, from a zip, with the old tool's name of the command, into a folder that is there but empty."""
    save(tmp_path / "in" / "cat" / "a.png", 1, 2, 3, size=(50, 20))
    save(tmp_path / "in" / "dog" / "b.png", 4, 5, 6, 7, size=(9, 30), mode="RGBA")
    files = [(path.relative_to(tmp_path / "in").as_posix(), path.read_bytes()) for path in tmp_path.rglob("*.png")]
    (tmp_path / "in.zip").write_bytes(zip_bytes(files))
    (tmp_path / "set").mkdir()
    for source in ("in", "in.zip"):
        target = tmp_path / ("set" if source == "in" else "set2")
        arguments = ("create_custom", target, tmp_path / source, "--resolution", 8, "--labels", 1, "--fit", "stretch")
        assert tool(*arguments)[0] == 0
        dataset = open_dataset(target, max_label_size="full")
        assert dataset.resolution == 8 and sorted(dataset.labels.tolist()) == [[0, 1], [1, 0]]
        first = dataset.labels.argmax(1).argmin()
        assert (dataset.images(np.array([first]), 3) == np.array([1, 2, 3])[:, None, None]).all()
    assert tool("compare", tmp_path / "set", tmp_path / "set2")[0] == 0
    assert tool("create_custom", tmp_path / "none", tmp_path / "in", "--fit", "crop", "--export_labels", 0)[0] == 0
    assert open_dataset(tmp_path / "none", max_label_size="auto").resolution == 16


def test_odd_pictures_are_named_with_what_helps(refused, tool, tmp_path):
    folder = tmp_path / "in"
    save(folder / "1.png", 1, 2, 3)
    for colour, size, mode, words in [
        ((9,), (16, 16), "L", "--channels 3 (or 1) converts all"),
        ((1, 2, 3), (32, 32), "RGB", "2.png is 32x32 with 3 channels, the first picture 16x16"),
        ((1, 2, 3), (16, 17), "RGB", "2.png is 16x17; pictures must be square, and a power of two: --resolution 16"),
        ((1, 2, 3, 4), (16, 16), "RGBA", "2.png is neither grey nor RGB (RGBA); --channels 3"),
        ((1,), (16, 16), "P", "(P); --channels 3"),
    ]:
        save(folder / "2.png", *colour, size=size, mode=mode)
        refused(words, "create_from_images", tmp_path / "set", folder)
        assert not (tmp_path / "set").exists() and listing(tmp_path)[0] == "in"
        status, _, told = tool("create_from_images", tmp_path / "some", folder, "--skip_bad")
        assert status == 1 and "2.png" in told and "1 of 2 pictures were left out" in told
        assert len(open_dataset(tmp_path / "some")) == 1
        for path in (tmp_path / "some").iterdir():
            path.unlink()
    (folder / "2.png").write_bytes(b"no picture")
    refused("2.png is not a picture", "create_from_images", tmp_path / "set", folder, "--resolution", 8)
    save(folder / "2.png", 5, mode="L")
    assert tool("create_from_images", tmp_path / "set", folder, "--channels", 1)[0] == 0
    assert open_dataset(tmp_path / "set").num_channels == 1


def test_a_bad_first_picture(refused, tool, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.png").write_bytes(b"")
    refused("none of the 1 pictures", "create_from_images", tmp_path / "set", tmp_path / "in", "--skip_bad")
    save(tmp_path / "in" / "1.png", 1, 2, 3)
    refused("--skip_bad leaves it out", "create_from_images", tmp_path / "set", tmp_path / "in")
    assert tool("create_from_images", tmp_path / "set", tmp_path / "in", "--skip_bad")[0] == 1


def test_labels_of_pictures_that_are_left_out(tool, tmp_path):
    for name in "abc":
        save(tmp_path / "in" / f"{name}.png", 1, 2, 3)
    (tmp_path / "in" / "b.png").write_bytes(b"x")
    (tmp_path / "in" / "dataset.json").write_text(json.dumps({"labels": [["a.png", 0], ["b.png", 1], ["c.png", 2]]}))
    assert tool("create_from_images", tmp_path / "set", tmp_path / "in", "--skip_bad", "--shuffle", 0)[0] == 1
    assert open_dataset(tmp_path / "set", max_label_size="full").labels.argmax(1).tolist() == [0, 2]


def test_a_range_of_pictures(tool, refused, tmp_path):
    assert tool("extract", RGB, tmp_path / "out", "--start", 2, "--stop", 9, "--step", 3)[0] == 0
    assert listing(tmp_path / "out") == ["img00000002.png", "img00000005.png", "img00000008.png"]
    refused("img00000002.png exists already", "extract", RGB, tmp_path / "out")
    refused("leave none", "extract", RGB, tmp_path / "out", "--start", 14)
    assert tool("extract", RGB, tmp_path / "out", "--start", 9)[0] == 0 and len(listing(tmp_path / "out")) == 8


def test_labels_are_extracted_as_stylegan_has_them(tool, tmp_path):
    with Exporter(tmp_path / "set") as exporter:
        exporter.add(np.zeros((1, 4, 4), np.uint8))
        exporter.add_labels(np.array([[0.5, 2]]))
    assert tool("extract", tmp_path / "set", tmp_path / "out", "--export_labels", 1)[0] == 0
    entries = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert entries == {"labels": [["img00000000.png", [0.5, 2]]]}


# --- compare, inspect, display ------------------------------------------------------------------------------------


def test_comparing(tool, tmp_path):
    status, printed, _ = tool("compare", RGB, RGB)
    assert status == 0 and "Identical images: 14 / 14\nIdentical labels: 14 / 14\n" in printed
    images, labels = open_dataset(RGB).images(np.arange(14), 4), np.zeros((14, 5), np.float32)
    labels[:, 0] = 1
    with Exporter(tmp_path / "set") as exporter:
        for number, image in enumerate(images):
            exporter.add(image ^ np.uint8(number == 3))
        exporter.add_labels(labels)
    status, printed, _ = tool("compare", tmp_path / "set", RGB)
    assert status == 1 and "Identical images: 13 / 14" in printed and "labels: 14" not in printed
    status, printed, _ = tool("compare", tmp_path / "set", tmp_path / "set", "--ignore_labels", 1)
    assert status == 0 and "labels" not in printed
    status, printed, _ = tool("compare", RGB, GREY)
    assert status == 1 and "channels differs: 3 and 1" in printed
    with Exporter(tmp_path / "less") as exporter:
        for image in images[:9]:
            exporter.add(image)
    status, printed, _ = tool("compare", RGB, tmp_path / "less", "--ignore_labels", 1)
    assert status == 1 and "images differs: 14 and 9" in printed and "Identical images: 9 / 14" in printed


def test_inspecting(tool, refused, tmp_path):
    status, printed, _ = tool("inspect", RGB, "--check")
    assert status == 0 and "14 RGB pictures, label size 5" in printed and "tinyrgb-r03.tfrecords" in printed
    damaged = tmp_path / "set"
    damaged.mkdir()
    for path in RGB.iterdir():
        content = bytearray(path.read_bytes())
        content[-9] ^= "r03" in path.name
        (damaged / path.name).write_bytes(content)
    assert tool("inspect", damaged)[0] == 0
    refused("r03.tfrecords, record 13", "inspect", damaged, "--check")
    assert tool("inspect", write_pictures(tmp_path / "pictures", 2), "--check")[0] == 0


def test_displaying(capsys, monkeypatch):
    from matplotlib.backend_bases import KeyEvent
    from matplotlib.figure import Figure

    for source, text in ((RGB, "label = 3"), (GREY, "idx = 0")):
        dataset, closed = open_dataset(source, max_label_size="auto"), []
        monkeypatch.setattr(Viewer, "close", lambda viewer, closed=closed: closed.append(True))
        figure = Figure()
        Viewer(dataset, range(3), figure)
        keys = (" ", "x", "enter", "enter")
        for key in keys:
            assert not closed
            figure.canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", figure.canvas, key))
        assert closed and text in figure.axes[0].get_title() + caption(dataset, 0)
        assert len(capsys.readouterr().out.splitlines()) == 3
        figure.canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", figure.canvas, "escape"))
        assert len(closed) == 2


def test_displaying_where_there_is_no_screen(refused, monkeypatch):
    pytest.importorskip("matplotlib").use("agg", force=True)
    refused("extract writes the pictures as files", "display", RGB)


# --- what must not be lost, and what must not be half ----------------------------------------------------------------


def test_what_is_there_is_kept(refused, tmp_path):
    pictures = write_pictures(tmp_path / "in", 2, (8, 8))
    taken = tmp_path / "set"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    refused("is not empty; choose another name", "create_from_images", taken, pictures)
    refused("is a file", "create_from_images", taken / "mine.txt", pictures)
    refused("is not empty", "create_mnist", taken, tmp_path)
    refused("cannot create the folder", "create_from_images", taken / "mine.txt" / "set", pictures)
    assert listing(taken) == ["mine.txt"]


def test_an_export_that_is_stopped_leaves_nothing(tool, tmp_path, monkeypatch):
    pictures = write_pictures(tmp_path / "in", 9, (8, 8))
    before, add = listing(tmp_path), Exporter.add

    def stop(exporter, image):
        add(exporter, image)
        assert any(path.name.startswith(".set.") for path in tmp_path.iterdir())  # nothing under the final name
        if exporter.count == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Exporter, "add", stop)
    assert tool("create_from_images", tmp_path / "set", pictures)[0] == 130
    assert listing(tmp_path) == before


def test_a_full_disk(refused, tmp_path, full_disk):
    pictures = write_pictures(tmp_path / "in", 30, (32, 32))
    before = listing(tmp_path)
    for size in (0, 100, 50_000):
        with full_disk(size):
            refused(f"cannot write {tmp_path / 'set'}", "create_from_images", tmp_path / "set", pictures)
        assert listing(tmp_path) == before
    with full_disk(20):
        refused("img0000000", "extract", RGB, tmp_path / "out")
    assert listing(tmp_path / "out") == []


def test_exports_that_make_no_sense(tmp_path):
    with pytest.raises(UserError, match="no pictures"):
        with Exporter(tmp_path / "set"):
            pass
    with pytest.raises(UserError, match="picture 1 is 4x4 with 3 channels, the first one 4x4 with 1 channel"):
        with Exporter(tmp_path / "set") as exporter:
            exporter.add(np.zeros((1, 4, 4), np.uint8))
            exporter.add(np.zeros((3, 4, 4), np.uint8))
    for shape in ((2, 4, 4), (1, 4, 8), (4, 4)):
        with pytest.raises(UserError, match="must be square, with 1 or 3 channels"):
            with Exporter(tmp_path / "set") as exporter:
                exporter.add(np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match="3 labels for 1 pictures"):
        with Exporter(tmp_path / "set") as exporter:
            exporter.add(np.zeros((1, 4, 4), np.uint8))
            exporter.add_labels(np.zeros((3, 2)))
    assert listing(tmp_path) == []


# --- the command line ---------------------------------------------------------------------------------------------


def test_help(tool):
    status, printed, _ = tool()
    assert status == 0 and "create_celebahq (create_celeba_hq)" in printed
    names = build_parser()._subparsers._group_actions[0].choices
    assert {"display", "extract", "compare", "create_mnist", "create_mnistrgb", "create_cifar10", "create_cifar100",
            "create_svhn", "create_lsun", "create_celeba", "create_celebahq", "create_from_images", "create_from_hdf5",
            "inspect", "create_mnist_rgb", "create_celeba_hq", "create_custom"} == set(names)  # fmt: skip
    for name in names:
        status, printed, _ = tool(name, "--help")
        assert status == 0 and "usage: dataset_tool.py" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "invalid choice"),
        (["extract", "a"], "required: output_dir"),
        (["create_from_images", "a", "b", "--resolution", "100"], "power of two"),
        (["create_from_images", "a", "b", "--channels", "4"], "invalid choice"),
        (["create_from_images", "a", "missing"], "there is no folder or file missing"),
        (["create_lsun", "a", "b", "--max_images", "0"], "above 0"),
        (["inspect", "missing"], "there is no data set missing"),
        (["compare", str(RGB), "missing"], "there is no data set missing"),
    ],
)
def test_wrong_command_lines(arguments, words, tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, told = tool(*arguments)
    assert status == 2 and words in told and told.count("\n") == 1 and listing(tmp_path) == []


def test_reading_in_parts_is_reading_all(monkeypatch):
    monkeypatch.setattr(dataset_commands, "BATCH_BYTES", 3 * 256 * 5)
    dataset = open_dataset(RGB)
    parts = list(dataset_commands.batches(dataset, np.arange(14)))
    assert [len(numbers) for numbers, _ in parts] == [5, 5, 4]
    np.testing.assert_array_equal(np.concatenate([images for _, images in parts]), dataset.images(np.arange(14), 4))
