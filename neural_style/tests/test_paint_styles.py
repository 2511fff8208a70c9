"""The style pictures: repeatable, textured everywhere, small enough to ship; and their program."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paint_styles import MAX_BYTES, STYLES, main, paint, write_jpeg
from shared_scripts.cli import UserError

PROJECT = Path(__file__).resolve().parents[1]
SMALL = 96


@pytest.fixture(scope="module")
def small():
    """Every style once, small, with seed 0."""
    return {style: paint(style, SMALL) for style in STYLES}


def shipped(style):
    return PROJECT / "styles" / f"{style}.jpg"


def tiles(grey, size):
    """Standard deviations of the tiles of `size` pixels that a grey image (height, width) divides into."""
    rows, columns = (n // size for n in grey.shape)
    grid = grey[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return grid.transpose(0, 2, 1, 3).reshape(rows * columns, -1).std(1)


def flaws(image, fine):
    """What keeps a picture from being a style: a list of words, empty for a good one.

    `fine` is the deviation (of 255) that all but 1 % of the small tiles, 1/32 of the width, must reach.
    """
    pixels = np.asarray(image, np.float32)
    grey = pixels.mean(2)
    width = grey.shape[1]
    found = []
    if np.percentile(tiles(grey, width // 32), 1) < fine:
        found.append("flat spots")
    if tiles(grey, width // 10).min() < 7:
        found.append("flat areas")
    if np.subtract(*np.percentile(grey, [95, 5])) < 110:
        found.append("low contrast")
    if min(edge.std() for edge in (grey[0], grey[-1], grey[:, 0], grey[:, -1])) < 6:
        found.append("border")
    bins, counts = np.unique((pixels // 43).reshape(-1, 3), axis=0, return_counts=True)
    if np.sum(counts > 0.005 * grey.size) < 15:
        found.append("few colours")
    if (pixels.max(2) - pixels.min(2)).mean() < 25:
        found.append("grey")
    return found


@pytest.mark.parametrize("style", STYLES)
def test_painted_picture_is_rgb_of_the_size_asked_for_and_has_no_flaw(small, style):
    assert small[style].mode == "RGB"
    assert small[style].size == (SMALL, round(SMALL * 0.8))
    assert np.asarray(small[style]).dtype == np.uint8
    assert flaws(small[style], fine=2.5) == []


def tampered(kind, image):
    pixels = np.asarray(image).copy()
    h, w = pixels.shape[:2]
    if kind == "flat areas":
        pixels[h // 4 : h * 3 // 4, w // 4 : w // 2] = 128
    elif kind == "flat spots":  # 3 % of the picture, in spots as large as a brush
        spots = np.random.default_rng(0).random((h // (w // 32) + 1, 33)) < 0.03
        pixels[np.kron(spots, np.ones((w // 32, w // 32), bool))[:h, :w]] = 90
    elif kind == "low contrast":
        pixels = pixels // 2 + 64
    elif kind == "border":
        pixels[0] = pixels[-1] = 240
    elif kind == "few colours":
        pixels = np.where(pixels.mean(2, keepdims=True) > 110, (250, 200, 90), (10, 30, 90)).astype(np.uint8)
    elif kind == "grey":
        pixels[:] = pixels.mean(2, keepdims=True)
    return Image.fromarray(pixels)


FLAWS = ["flat areas", "flat spots", "low contrast", "border", "few colours", "grey"]


@pytest.mark.parametrize("kind", FLAWS)
def test_the_measure_sees_each_flaw(kind):
    with Image.open(shipped("pointillist")) as image:
        assert kind in flaws(tampered(kind, image), fine=5)


@pytest.mark.parametrize("style", STYLES)
def test_same_seed_same_picture_other_seed_another(small, style):
    first = np.asarray(small[style], np.int16)
    assert np.array_equal(first, np.asarray(paint(style, SMALL, seed=0)))
    other = np.asarray(paint(style, SMALL, seed=1), np.int16)
    assert np.abs(first - other).mean() > 5


@pytest.mark.parametrize("style", STYLES)
def test_shipped_picture_is_whole_small_and_without_flaw(style):
    assert shipped(style).stat().st_size <= 150_000
    with Image.open(shipped(style)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 512))
        assert flaws(image, fine=5) == []


@pytest.mark.parametrize("style", STYLES)
def test_shipped_picture_is_what_the_program_paints_at_any_size(small, style):
    def coarse(image):
        return np.asarray(image.resize((40, 32), Image.Resampling.BOX), np.float32).ravel()

    with Image.open(shipped(style)) as image:
        assert np.corrcoef(coarse(image), coarse(small[style]))[0, 1] > 0.84  # another seed reaches 0.77


def test_nothing_ships_that_is_not_painted():
    assert {path.stem for path in (PROJECT / "styles").glob("*.jpg")} == set(STYLES)


def test_jpeg_quality_gives_way_until_the_file_fits(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (512, 640, 3), dtype=np.uint8)  # the worst to compress
    size = write_jpeg(Image.fromarray(noise), tmp_path / "noise.jpg")
    assert size == (tmp_path / "noise.jpg").stat().st_size <= MAX_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["noise.jpg"]


def test_command_line_paints_into_a_new_folder_then_refuses_and_overwrites_on_request(tmp_path):
    folder = tmp_path / "deep" / "folder"
    flags = ["--styles", "stained_glass", "pointillist", "--size", "64", "--out-dir", str(folder)]
    command = [sys.executable, str(PROJECT / "paint_styles.py"), *flags]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["pointillist.jpg", "stained_glass.jpg"]
    with Image.open(folder / "stained_glass.jpg") as image:
        assert image.size == (64, 51)

    (folder / "stained_glass.jpg").unlink()
    (folder / "pointillist.jpg").write_bytes(b"mine")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "pointillist.jpg" in done.stderr and "--overwrite" in done.stderr
    assert (folder / "pointillist.jpg").read_bytes() == b"mine"
    assert not (folder / "stained_glass.jpg").exists()  # refused before anything was painted

    main([*flags, "--overwrite"])
    with Image.open(folder / "pointillist.jpg") as image:
        image.load()


def test_unknown_style_is_an_error_that_names_the_known_ones(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--styles", "fresco", "--out-dir", str(tmp_path / "new")])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "fresco" in message and "woodblock_wave" in message
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("flags", [["--size", "10"], ["--size", "99999"], ["--seed", "-1"]])
def test_size_and_seed_out_of_range_are_errors(tmp_path, flags):
    with pytest.raises(UserError, match=flags[0]):
        main([*flags, "--out-dir", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_help_shows_every_default(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "(default: 640)" in text and "(default: 0)" in text and "styles)" in text
    assert f"(default: {list(STYLES)})" in text
