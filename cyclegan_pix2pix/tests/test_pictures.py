"""Reading: every kind of file with every number of bands, and lists of folders."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures import list_pictures, read_picture
from shared_scripts.cli import UserError

FILES = Path(__file__).parent / "golden" / "images"
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (9, 11), dtype=np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


# --- ordinary pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [path.name for path in sorted(FILES.iterdir()) if path.name != "gray16.png"])
def test_rgb_equals_the_original(golden, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_picture(FILES / name, 3)
    difference = np.abs(found.astype(int) - golden("image_modes")[f"{name}:rgb"])
    assert found.dtype == np.uint8 and difference.max() <= (2 if name == "cmyk.jpg" else 0)


def test_sixteen_bits_are_scaled_and_rounded(golden):
    expected = golden("image_modes")["suggested_gray16_scaled_NOT_REFERENCE"]
    np.testing.assert_array_equal(read_picture(FILES / "gray16.png", 3), np.dstack([expected] * 3))
    np.testing.assert_array_equal(read_picture(FILES / "gray16.png", 1)[..., 0], expected)


def test_floats_are_scaled_and_rounded(tmp_path):
    values = np.array([[-0.5, 0.0, 0.499, 0.501, 1.0]], np.float32)
    found = read_picture(save(tmp_path / "x.tif", values), 3)
    assert found[0, :, 0].tolist() == [0, 0, 127, 128, 255]


def test_grey_is_pillows_of_the_rgb(tmp_path):
    path = save(tmp_path / "x.png", RGB)
    found = read_picture(path, 1)
    assert found.shape == (9, 11, 1)
    weights = np.array([19595, 38470, 7471])  # ITU-R 601 in 16 bits
    np.testing.assert_array_equal(found[..., 0], (RGB.astype(np.int64) @ weights + 32768) >> 16)


def test_grey_is_the_same_for_a_picture_with_alpha():
    rgb = Image.fromarray(read_picture(FILES / "rgba.png", 3))
    np.testing.assert_array_equal(read_picture(FILES / "rgba.png", 1)[..., 0], np.array(rgb.convert("L")))


def test_alpha_over_a_colour(tmp_path):
    path = save(tmp_path / "x.png", np.dstack([RGB, ALPHA]))
    part = ALPHA[..., None] / 255
    for alpha, colour in (("white", (255, 255, 255)), ("#ff8800", (255, 136, 0))):
        expected = RGB * part + np.array(colour) * (1 - part)
        assert np.abs(read_picture(path, 3, alpha) - expected).max() <= 1
    np.testing.assert_array_equal(read_picture(path, 3), RGB)


def test_a_transparent_palette_entry_over_a_colour(golden):
    over = read_picture(FILES / "palette_trns.png", 3, "#010203")
    with Image.open(FILES / "palette_trns.png") as image:
        alpha = np.array(image.convert("RGBA"))[..., 3]
    assert (alpha == 0).any() and (alpha == 255).any()
    np.testing.assert_array_equal(over[alpha == 0], np.full(((alpha == 0).sum(), 3), [1, 2, 3]))
    np.testing.assert_array_equal(over[alpha == 255], golden("image_modes")["palette_trns.png:rgb"][alpha == 255])


def test_odd_metadata_is_no_reason_to_warn(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\1\x12")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "x.jpg", 3, auto_rotate=True).shape == RGB.shape


def test_alpha_leaves_opaque_pictures_alone(tmp_path):
    np.testing.assert_array_equal(read_picture(save(tmp_path / "x.png", RGB), 3, "red"), RGB)


def test_a_background_is_never_transparent_itself(tmp_path):
    path = save(tmp_path / "x.png", np.full((3, 3, 4), [0, 0, 0, 51], np.uint8))
    assert (read_picture(path, 3, "#ffffff00") == 204).all()


def test_an_unknown_colour(tmp_path):
    path = save(tmp_path / "x.png", np.dstack([RGB, ALPHA]))
    with pytest.raises(UserError, match="--alpha takes a colour.*'blurple'"):
        read_picture(path, 3, "blurple")


def test_rgba(tmp_path):
    both = np.dstack([RGB, ALPHA])
    np.testing.assert_array_equal(read_picture(save(tmp_path / "x.png", both), 4), both)
    np.testing.assert_array_equal(read_picture(save(tmp_path / "x.tif", both), 4), both)
    opaque = np.dstack([RGB, np.full((9, 11), 255, np.uint8)])
    np.testing.assert_array_equal(read_picture(save(tmp_path / "y.png", RGB), 4), opaque)
    Image.fromarray(RGB).quantize(256).save(tmp_path / "palette.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "palette.tif", 4), opaque)


def test_sixteen_bits_as_rgba(golden):
    found = read_picture(FILES / "gray16.png", 4)
    grey = golden("image_modes")["suggested_gray16_scaled_NOT_REFERENCE"]
    np.testing.assert_array_equal(found, np.dstack([grey, grey, grey, np.full_like(grey, 255)]))


def test_orientation_only_when_asked(tmp_path):
    image, path = Image.fromarray(RGB), tmp_path / "x.png"
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    np.testing.assert_array_equal(read_picture(path, 3), RGB)
    np.testing.assert_array_equal(read_picture(path, 3, auto_rotate=True), np.rot90(RGB, -1))


def test_a_windows_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "folder/x.png", RGB)
    np.testing.assert_array_equal(read_picture(r"folder\x.png", 3), RGB)


def damaged_png(path):
    path.write_bytes(save(path, RGB).read_bytes()[:150])


@pytest.mark.parametrize("channels", [1, 3, 4, 2])
@pytest.mark.parametrize(
    "name,make,words",
    [
        ("a.png", lambda path: None, "there is no file"),
        ("b.png", lambda path: path.write_bytes(b""), "is empty"),
        ("c.png", lambda path: path.write_text("words"), "not a picture"),
        ("d.png", lambda path: path.mkdir(), "is a folder"),
        ("e.png", damaged_png, "damaged or cut short"),
        ("f.tif", lambda path: path.write_text("words"), "not a picture"),
        ("g.tif", lambda path: None, "there is no file"),
        ("k.tif", lambda path: path.write_bytes(b"II*\0words words"), "not a picture|damaged"),
        ("h.npy", lambda path: None, "there is no file"),
        ("i.npy", lambda path: path.write_text("words"), "damaged or no array"),
        ("j.npz", lambda path: path.write_bytes(b"PK\3\4 and no more"), "damaged or no array"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, caplog, channels, name, make, words):
    make(tmp_path / name)
    with pytest.raises(UserError, match=words) as caught, warnings.catch_warnings():
        warnings.simplefilter("error")
        read_picture(tmp_path / name, channels)
    assert caplog.text == "" and name in str(caught.value) and "\n" not in str(caught.value)


# --- bands --------------------------------------------------------------------------------------------------------

BANDS = RNG.integers(0, 65536, (7, 9, 5), dtype=np.uint16)


@pytest.mark.parametrize("first", [False, True], ids=["HWn", "nHW"])
@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_arrays(tmp_path, ending, dtype, first):
    unit = BANDS / 65535
    array = unit.astype(dtype) if np.issubdtype(dtype, np.floating) else (unit * np.iinfo(dtype).max).astype(dtype)
    expected = array / (np.iinfo(dtype).max if array.dtype.kind == "u" else 1)
    path = tmp_path / f"x.{ending}"
    saved = np.moveaxis(array, 2, 0) if first else array
    np.save(path, saved) if ending == "npy" else np.savez_compressed(path, saved)
    found = read_picture(path, 5)
    assert found.dtype == np.float32 and found.shape == (7, 9, 5)
    np.testing.assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 1), (1, 7, 9)])
def test_an_array_of_one_band(tmp_path, shape):
    np.save(tmp_path / "x.npy", BANDS[..., 0].reshape(shape))
    np.testing.assert_allclose(read_picture(tmp_path / "x.npy", 1)[..., 0], BANDS[..., 0] / 65535, atol=1e-7)


def test_a_tiff_of_many_frames(tmp_path):
    frames = [Image.fromarray(BANDS[..., i]) for i in range(5)]
    frames[0].save(tmp_path / "x.tif", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_picture(tmp_path / "x.tif", 5), BANDS / 65535, atol=1e-7)


def test_a_compressed_tiff_of_four_frames(tmp_path):
    """tifffile alone does not know LZW; and four frames are bands, not RGBA."""
    frames = [Image.fromarray((BANDS[..., i] // 257).astype(np.uint8)) for i in range(4)]
    frames[0].save(tmp_path / "x.tif", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    found = read_picture(tmp_path / "x.tif", 4)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, BANDS[..., :4] // 257 / 255, atol=1e-7)


@pytest.mark.parametrize("layout", ["contig", "separate"])
@pytest.mark.parametrize("channels", [2, 4, 5])
def test_a_tiff_of_many_samples(tmp_path, layout, channels):
    tifffile = pytest.importorskip("tifffile")
    bands = BANDS[..., :channels]
    saved = bands if layout == "contig" else np.moveaxis(bands, 2, 0)
    tifffile.imwrite(tmp_path / "x.tif", saved, photometric="minisblack", planarconfig=layout)
    np.testing.assert_allclose(read_picture(tmp_path / "x.tif", channels), bands / 65535, atol=1e-7)


def test_grey_with_alpha_is_two_bands(tmp_path):
    save(tmp_path / "x.png", np.dstack([RGB[..., 0], ALPHA]))
    np.testing.assert_allclose(read_picture(tmp_path / "x.png", 2), np.dstack([RGB[..., 0], ALPHA]) / 255, atol=1e-7)


@pytest.mark.parametrize("flag", ["--input_nc", "--output_nc"])
def test_another_number_of_bands(tmp_path, flag):
    np.save(tmp_path / "x.npy", BANDS)
    with pytest.raises(UserError, match=f"x.npy has 5 bands, but {flag} asks for 6; give {flag} 5"):
        read_picture(tmp_path / "x.npy", 6, flag=flag)
    save(tmp_path / "y.png", RGB)
    with pytest.raises(UserError, match=f"y.png has 3 bands, but {flag} asks for 6"):
        read_picture(tmp_path / "y.png", 6, flag=flag)
    save(tmp_path / "z.tif", RGB[..., 0])
    with pytest.raises(UserError, match="z.tif has 1 band, but"):
        read_picture(tmp_path / "z.tif", 5)


@pytest.mark.parametrize(
    "array,words",
    [
        (BANDS.astype(np.int32), "holds int32 numbers"),
        (BANDS.astype(np.float32), "holds values from .* scale them to 0..1"),
        (np.full((4, 4, 5), -0.1), "holds values from -0.1"),
        (np.full((4, 4, 5), np.nan), "holds values from nan"),
        (np.zeros((2, 3, 4, 5)), "shape"),
        (np.zeros((0, 4, 5)), "shape"),
        (np.array([{}]), "damaged or no array of numbers"),
    ],
)
def test_arrays_that_are_no_pictures(tmp_path, array, words):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(UserError, match=words):
        read_picture(tmp_path / "x.npy", 5)


def test_an_npz_of_several_arrays(tmp_path):
    np.savez(tmp_path / "x.npz", a=BANDS, b=BANDS)
    with pytest.raises(UserError, match="holds 2 arrays"):
        read_picture(tmp_path / "x.npz", 5)


# --- folders ------------------------------------------------------------------------------------------------------


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_list_is_sorted_then_cut(tmp_path):
    touch(tmp_path, "b/2.PNG", "a.jpg", "c.WebP", "b/10.jpeg", "b.Tif", "notes.txt", "d.npy")
    expected = [str(tmp_path / name) for name in ("a.jpg", "b.Tif", "b/10.jpeg", "b/2.PNG", "c.WebP")]
    assert list_pictures(tmp_path) == expected
    assert list_pictures(str(tmp_path), 2) == expected[:2]
    assert list_pictures(tmp_path, float("inf")) == list_pictures(tmp_path, 99) == expected


def test_hidden_files_and_folders_are_left_out(tmp_path):
    touch(tmp_path, "a.jpg", "._a.jpg", ".cache/b.jpg")
    assert list_pictures(tmp_path) == [str(tmp_path / "a.jpg")]


def test_linked_folders_are_followed_but_not_round_in_circles(tmp_path):
    touch(tmp_path, "elsewhere/x.jpg", "root/a.jpg")
    os.symlink(tmp_path / "elsewhere", tmp_path / "root/linked")
    os.symlink(tmp_path / "root", tmp_path / "root/loop")
    os.symlink(tmp_path / "nothing.jpg", tmp_path / "root/dangling.jpg")
    assert list_pictures(tmp_path / "root") == [str(tmp_path / "root" / name) for name in ("a.jpg", "linked/x.jpg")]


def test_arrays_count_with_many_bands_or_alone(tmp_path):
    touch(tmp_path, "both/a.jpg", "both/b.npy", "alone/c.NPZ")
    assert [Path(path).name for path in list_pictures(tmp_path / "both", channels=5)] == ["a.jpg", "b.npy"]
    assert [Path(path).name for path in list_pictures(tmp_path / "both", channels=1)] == ["a.jpg"]
    assert [Path(path).name for path in list_pictures(tmp_path / "alone", channels=1)] == ["c.NPZ"]


def test_folders_without_pictures(tmp_path):
    touch(tmp_path, "file.jpg", "words/notes.txt")
    with pytest.raises(UserError, match="no folder .*missing"):
        list_pictures(tmp_path / "missing")
    with pytest.raises(UserError, match="no pictures in .*words.*looked for .*jpg"):
        list_pictures(tmp_path / "words")
    with pytest.raises(UserError, match="is a file, not a folder"):
        list_pictures(tmp_path / "file.jpg")
