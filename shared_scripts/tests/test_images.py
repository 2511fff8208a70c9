"""Pictures in and out: every mode, every kind of damage, atomic writing, lists and sheets."""

import io
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from shared_scripts.cli import UserError
from shared_scripts.images import (
    check_format,
    fit,
    grid,
    list_images,
    read_image,
    resize,
    scale_to_8_bits,
    write_image,
    write_small,
)

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (9, 11), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (9, 11), dtype=np.uint8)


def three(grey):
    return np.repeat(grey[..., None], 3, axis=2)


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # its own, about damaged metadata


def save(path, image, **options):
    image.save(path, **options)
    return path


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm"])
def test_rgb_is_read_as_it_is(tmp_path, ending):
    found = read_image(save(tmp_path / f"x.{ending}", Image.fromarray(RGB)))
    assert found.dtype == np.uint8 and found.flags.writeable
    np.testing.assert_array_equal(found, RGB)


def test_grey_is_three_channels(tmp_path):
    np.testing.assert_array_equal(read_image(save(tmp_path / "x.png", Image.fromarray(GREY))), three(GREY))


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_alpha_is_dropped(tmp_path, ending):
    alpha = np.maximum(ALPHA, 1)  # WebP forgets the colours under full transparency unless told to be exact
    image = Image.fromarray(np.dstack([RGB, alpha]))
    options = {"lossless": True, "exact": True} if ending == "webp" else {}
    np.testing.assert_array_equal(read_image(save(tmp_path / f"x.{ending}", image, **options)), RGB)


def test_grey_with_alpha(tmp_path):
    image = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])
    np.testing.assert_array_equal(read_image(save(tmp_path / "x.png", image)), three(GREY))


@pytest.mark.parametrize("transparency", [None, 1, bytes([0, 128, 255])])
def test_palettes_are_looked_up_transparent_or_not(tmp_path, transparency):
    indices = RNG.integers(0, 3, (9, 11), dtype=np.uint8)
    colours = np.array([[250, 10, 20], [30, 240, 50], [60, 70, 230]], np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette(colours.ravel().tolist())
    options = {} if transparency is None else {"transparency": transparency}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_image(save(tmp_path / "x.png", image, **options))
    np.testing.assert_array_equal(found, colours[indices])


@pytest.mark.parametrize("mode,key", [("L", 7), ("RGB", (1, 2, 3))])
def test_a_transparent_colour_changes_nothing(tmp_path, mode, key):
    pixels = GREY if mode == "L" else RGB
    found = read_image(save(tmp_path / "x.png", Image.fromarray(pixels), transparency=key))
    np.testing.assert_array_equal(found, three(GREY) if mode == "L" else RGB)


def test_one_bit_is_black_and_white(tmp_path):
    bits = RNG.random((9, 11)) > 0.5
    found = read_image(save(tmp_path / "x.png", Image.fromarray(bits)))
    np.testing.assert_array_equal(found, three(bits.astype(np.uint8) * 255))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_are_scaled(tmp_path, ending):
    values = np.array([[0, 256, 257, 514], [32768, 65280, 65534, 65535]], np.uint16)
    found = read_image(save(tmp_path / f"x.{ending}", Image.fromarray(values)))
    np.testing.assert_array_equal(found, three(np.array([[0, 0, 1, 2], [127, 254, 254, 255]], np.uint8)))


def test_floats_are_0_to_1_or_0_to_255():
    assert scale_to_8_bits(np.array([-1.0, 0.0, 0.5, 1.0])).tolist() == [0, 0, 127, 255]
    assert scale_to_8_bits(np.array([0.0, 1.0, 128.6, 300.0, np.nan])).tolist() == [0, 1, 128, 255, 0]


def test_a_float_tif(tmp_path):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    found = read_image(save(tmp_path / "x.tif", Image.fromarray(values)))
    np.testing.assert_array_equal(found, three((values * 255).astype(np.uint8)))


def test_cmyk(tmp_path):
    inks = RNG.integers(0, 256, (9, 11, 4), dtype=np.uint8)
    found = read_image(save(tmp_path / "x.tif", Image.fromarray(inks, "CMYK"))).astype(float)
    expected = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    assert np.abs(found - expected).max() <= 1


TURNED = {
    1: RGB, 2: RGB[:, ::-1], 3: RGB[::-1, ::-1], 4: RGB[::-1], 5: RGB.transpose(1, 0, 2), 6: np.rot90(RGB, -1),
    7: RGB[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(RGB, 1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation(tmp_path, orientation):
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(read_image(save(tmp_path / "x.png", image, exif=exif)), TURNED[orientation])


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (5, 4), colour) for colour in ("red", "lime", "blue")]
    save(tmp_path / "x.gif", frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(tmp_path / "x.gif"), np.full((4, 5, 3), [255, 0, 0]))


def test_a_windows_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    save(tmp_path / "folder/x.png", Image.fromarray(RGB))
    np.testing.assert_array_equal(read_image(r"folder\x.png"), RGB)


@pytest.mark.parametrize(
    "name,make,words",
    [
        ("missing.png", lambda path: None, "no file"),
        ("folder.png", lambda path: path.mkdir(), "folder"),
        ("empty.png", lambda path: path.touch(), "empty"),
        ("text.png", lambda path: path.write_text("words"), "not a picture"),
    ],
)
def test_a_file_that_is_no_picture_is_named(tmp_path, name, make, words):
    make(tmp_path / name)
    with pytest.raises(UserError, match=f"{name}.*{words}|{words}.*{name}"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("ending,kind", [("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF"), ("tif", "TIFF"),
                                         ("webp", "WEBP"), ("bmp", "BMP"), ("ppm", "PPM")])  # fmt: skip
def test_a_picture_cut_anywhere_is_read_or_refused(tmp_path, ending, kind):
    """Never another exception than UserError; and cut in the middle it is always refused."""
    with io.BytesIO() as file:
        Image.fromarray(RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(file, kind)
        whole = file.getvalue()
    path = tmp_path / f"x.{ending}"
    refused = set()
    cuts = sorted({int(len(whole) * share) for share in np.linspace(0, 0.99, 60)} | set(range(1, 60, 3)))
    for cut in cuts:
        path.write_bytes(whole[:cut])
        try:
            assert read_image(path).shape == (40, 50, 3)
        except UserError as problem:
            assert str(path) in str(problem)
            refused.add(cut)
    assert {cut for cut in cuts if cut < 0.8 * len(whole)} <= refused


@pytest.mark.parametrize(
    "ending,kind", [("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF"), ("tif", "TIFF"), ("webp", "WEBP")]
)
def test_a_picture_with_wrong_bytes_is_read_or_refused(tmp_path, ending, kind):
    with io.BytesIO() as file:
        image = Image.fromarray(RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8))
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(file, kind, **({} if kind == "GIF" else {"exif": exif}))
        whole = file.getvalue()
    path, rng = tmp_path / f"x.{ending}", np.random.default_rng(1)
    for _ in range(150):
        wrong = bytearray(whole)
        for at in rng.integers(0, min(len(wrong), 300), 3):
            wrong[at] = rng.integers(0, 256)
        path.write_bytes(wrong)
        try:
            read_image(path)
        except UserError as problem:
            assert str(path) in str(problem)


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "PNG"])
def test_what_is_written_is_read_back(tmp_path, ending):
    write_image(tmp_path / f"new/x.{ending}", RGB)
    np.testing.assert_array_equal(read_image(tmp_path / f"new/x.{ending}"), RGB)
    assert os.listdir(tmp_path / "new") == [f"x.{ending}"]


def test_jpeg_quality(tmp_path):
    for quality in (50, 95):
        write_image(tmp_path / f"{quality}.jpg", RGB, quality)
    Image.fromarray(RGB).save(tmp_path / "wanted.jpg", quality=95)
    write_image(tmp_path / "default.jpg", RGB)
    sizes = {path.stem: path.read_bytes() for path in tmp_path.glob("*.jpg")}
    assert sizes["default"] == sizes["95"] == sizes["wanted"] != sizes["50"]


@pytest.mark.parametrize("pixels", [RGB.astype(float), GREY, np.dstack([RGB, ALPHA])], ids=["float", "grey", "rgba"])
def test_only_rgb_bytes_are_written(tmp_path, pixels):
    with pytest.raises(ValueError, match="uint8"):
        write_image(tmp_path / "x.png", pixels)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["out", "out.doc", "out.png.txt", ".png"])
def test_an_unknown_ending_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=".jpg or .png"):
        check_format(tmp_path / name)
    with pytest.raises(UserError):
        write_image(tmp_path / name, RGB)
    assert os.listdir(tmp_path) == []


def test_a_picture_the_format_cannot_hold_is_refused_and_the_old_one_kept(tmp_path):
    write_image(tmp_path / "x.jpg", RGB)
    before = (tmp_path / "x.jpg").read_bytes()
    with pytest.raises(UserError, match="x.jpg"):
        write_image(tmp_path / "x.jpg", np.zeros((1, 70000, 3), np.uint8))  # a JPEG side is at most 65535
    assert (tmp_path / "x.jpg").read_bytes() == before and os.listdir(tmp_path) == ["x.jpg"]


# --- lists and sheets ---------------------------------------------------------------------------------------------


def test_pictures_of_a_folder_in_natural_order(tmp_path):
    for name in ["b10.png", "b9.JPG", "a.webp", ".hidden.png", "notes.txt", "c.gif"]:
        (tmp_path / name).touch()
    assert [path.name for path in list_images(tmp_path)] == ["a.webp", "b9.JPG", "b10.png", "c.gif"]


@pytest.mark.parametrize("name,words", [("missing", "no folder"), ("empty", "no pictures"), ("file.png", "no folder")])
def test_a_folder_without_pictures(tmp_path, name, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.png").touch()
    with pytest.raises(UserError, match=f"{words} .*{name}"):
        list_images(tmp_path / name)


@pytest.mark.parametrize("size", [(18, 22), (90, 7), (1, 1)])
def test_resize_takes_the_columns_first(size):
    """Whatever order this Pillow prefers: the rounding between the two passes depends on it."""
    columns = Image.fromarray(RGB).resize((size[1], RGB.shape[0]), Image.Resampling.BICUBIC)
    expected = np.array(columns.resize((size[1], size[0]), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(resize(RGB, *size), expected)
    assert resize(RGB, *size, Image.Resampling.BILINEAR).shape == (*size, 3)


def test_write_small_stays_below_its_limit(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    for limit in (30_000, 15_000):
        write_small(tmp_path / "a.jpg", noise, limit)
        assert 5_000 < (tmp_path / "a.jpg").stat().st_size <= limit


def test_fit_takes_the_centre():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 200
    np.testing.assert_array_equal(fit(pixels, 10, 10), np.full((10, 10, 3), 200))


def test_grid_places_pictures_and_leaves_gaps():
    rows = [[np.full((4, 6, 3), 10 * (3 * y + x), np.uint8) for x in range(3)] for y in range(2)]
    sheet = grid(rows, gap=2, background=99)
    assert sheet.shape == (2 + 2 * (4 + 2), 2 + 3 * (6 + 2), 3)
    for y in range(2):
        for x in range(3):
            np.testing.assert_array_equal(sheet[2 + 6 * y : 6 + 6 * y, 2 + 8 * x : 8 + 8 * x], rows[y][x])
    assert (sheet[:2] == 99).all() and (sheet[:, :2] == 99).all()


def test_grid_titles_are_written_above_their_columns():
    rows = [[np.full((20, 60, 3), 255, np.uint8)] * 2]
    plain, titled = grid(rows), grid(rows, titles=["", "one"])
    assert titled.shape[0] == plain.shape[0] + 20
    dark = (titled[:28].min(axis=2) < 128).any(axis=0).nonzero()[0]
    assert len(dark) and dark.min() > 8 + 60  # the second column alone


@pytest.mark.parametrize("width", [48, 64, 128])
def test_grid_titles_do_not_run_into_each_other(width):
    rows = [[np.full((20, width, 3), 255, np.uint8)] * 3]
    titled = grid(rows, titles=["Black_Hair", "Brown_Hair", "Blond_Hair"])
    dark = (titled[:28].min(axis=2) < 200).any(axis=0)
    for column in (1, 2):  # clean between two columns' titles
        between = 8 + column * (width + 8) - 4
        assert not dark[between - 1 : between + 1].any() and dark[between:].any()
    if width == 128:  # there, the font is as large as ever
        assert dark[8 + 10 : 8 + 118].sum() > 60


def test_grid_titles_of_rows_are_written_before_them():
    rows = [[np.full((20, 30, 3), 255, np.uint8)] * 2] * 2
    plain, titled = grid(rows), grid(rows, row_titles=["", "second"])
    assert titled.shape[0] == plain.shape[0]
    left = titled.shape[1] - plain.shape[1]
    np.testing.assert_array_equal(titled[:, left:], plain)
    dark = (titled[:, :left].min(axis=2) < 128).any(axis=1).nonzero()[0]
    assert len(dark) and dark.min() > 8 + 20  # beside the second row alone


def test_grid_rows_may_be_of_different_lengths():
    picture = np.zeros((4, 4, 3), np.uint8)
    assert grid([[picture], [picture, picture]], gap=1).shape == (11, 11, 3)
