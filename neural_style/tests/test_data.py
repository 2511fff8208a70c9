"""Pictures in, pictures out: sizes, resizing, the mean, noise and colours, to the pixel as the reference."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import data
from shared_scripts import images
from shared_scripts.images import read_image

MEAN = (123.68, 116.779, 103.939)


@pytest.mark.parametrize("index", range(7))
def test_resize_equals_the_reference(golden, index):
    file = golden("imresize.npz")
    size = json.loads(str(file["cases_json"]))[index]["size"]
    found = data.resize(file[f"in{index}"], tuple(size) if isinstance(size, list) else size)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, file[f"out{index}"])


def test_resize_never_loses_a_side():
    assert data.resize(np.zeros((3, 40, 3), np.uint8), 0.1).shape == (1, 4, 3)
    assert data.resize(np.zeros((3, 4, 3), np.uint8), 0.01).shape == (1, 1, 3)


def test_resize_cuts_off_what_is_outside_0_to_255():
    pixels = np.full((4, 4, 3), [-20.0, 99.9, 300.0])
    np.testing.assert_array_equal(data.resize(pixels, (2, 2)), np.full((2, 2, 3), [0, 99, 255]))


@pytest.mark.parametrize("index", range(60))
def test_sizes_of_content_and_style_equal_the_reference(golden, index):
    case = golden("geometry.json")["cases"][index]
    target = data.content_size(*case["content_hw"], case["width"])
    assert list(target) == case["target_hw"]
    style = np.zeros((*case["style_hw"], 3), np.uint8)
    scale = 1.0 if case["style_scale"] is None else case["style_scale"]
    assert list(data.resize_style(style, target[1], scale).shape[:2]) == case["style_out_hw"]


def test_a_style_loses_a_pixel_as_often_as_in_the_reference(golden):
    for width, target in golden("geometry.json")["one_pixel_short_examples"]:
        assert data.resize_style(np.zeros((4, width, 3), np.uint8), target).shape[1] == target - 1


def test_a_very_wide_content_keeps_one_row():
    assert data.content_size(2, 900, 100) == (1, 100)


def test_truncate_clips_and_cuts_off():
    assert images.truncate(np.array([-3.0, 0.99, 254.999, 255.0, 400.0])).tolist() == [0, 0, 254, 255, 255]


def test_preprocess_subtracts_the_mean_in_double_precision():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    found = data.preprocess(pixels, MEAN)
    assert found.dtype == torch.float32 and found.shape == (1, 3, 5, 4)
    expected = (pixels.astype(np.float64) - np.array(MEAN)).astype(np.float32)
    np.testing.assert_array_equal(found[0].permute(1, 2, 0).numpy(), expected)


def test_unprocess_undoes_preprocess_without_clipping():
    pixels = np.random.default_rng(0).normal(100, 200, (5, 4, 3))
    np.testing.assert_allclose(data.unprocess(data.preprocess(pixels, MEAN), MEAN), pixels, atol=1e-4)


def test_noise_of_a_seed_repeats_and_is_standard_normal():
    one, two, other = (data.gaussian_noise(90, 80, torch.Generator().manual_seed(seed)) for seed in (7, 7, 8))
    assert one.shape == (1, 3, 90, 80)
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert abs(one.mean()) < 0.05 and abs(one.std() - 1) < 0.05


@pytest.mark.parametrize("trace", ["stylize_pure_noise.npz", "stylize_three_styles_noise.npz"])
def test_start_picture_equals_the_reference(golden, trace):
    file = golden(trace)
    options = json.loads(str(file["options_json"]))
    noise = torch.from_numpy(file["noise_standard_normal"]).permute(0, 3, 1, 2)
    initial = data.preprocess(file["initial"], MEAN) if "initial" in file else None
    found = data.start_picture(initial, noise, options["initial_noiseblend"])
    np.testing.assert_allclose(found[0].permute(1, 2, 0), file["image_pre_trace"][0], atol=1e-4)


@pytest.fixture(params=["c0", "c1"])
def recoloured(request, golden):
    """A recorded run with a learning rate of 0: the start picture minus the mean, plus the mean, then recoloured."""
    file = golden("preserve_colors.npz")
    found = data.unprocess(data.preprocess(file[f"{request.param}/stylised"], MEAN), MEAN)
    return found, {name: file[f"{request.param}/{name}"] for name in ("content", "out_plain", "out_preserved")}


def test_a_picture_survives_the_optimisations_space(recoloured):
    found, recorded = recoloured
    np.testing.assert_allclose(found, recorded["out_plain"], rtol=0, atol=1e-4)


def test_preserve_colors_equals_the_reference(recoloured):
    found, recorded = recoloured
    np.testing.assert_array_equal(images.preserve_colors(recorded["content"], found), recorded["out_preserved"])


def test_preserve_colors_keeps_a_grey_contents_greyness():
    grey = np.full((6, 6, 3), 128, np.uint8)
    coloured = np.random.default_rng(0).uniform(0, 255, (6, 6, 3))
    found = images.preserve_colors(grey, coloured).astype(int)
    assert np.ptp(found, axis=2).max() <= 1  # Pillow's YCbCr rounds


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(golden, tmp_path):
    """`stored(name)` writes a file of imread.npz to the disk."""

    def write(name):
        path = tmp_path / name
        path.write_bytes(golden("imread.npz")[f"file_{name}"].tobytes())
        return path

    return write


@pytest.mark.parametrize("name", ["rgb.png", "l.png", "rgba.png"])
def test_reading_equals_the_reference_where_the_reference_is_right(golden, stored, name):
    np.testing.assert_array_equal(read_image(stored(name)), golden("imread.npz")[f"ref_{name}"])


def test_a_palette_is_looked_up(golden, stored):
    path = stored("p.png")
    with Image.open(path) as image:
        table = np.array(image.getpalette("RGB")).reshape(-1, 3)
    indices = golden("imread.npz")["ref_p.png"][..., 0].astype(int)  # the reference took these for grey values
    np.testing.assert_array_equal(read_image(path), table[indices])


def test_one_bit_pictures_are_black_and_white(golden, stored):
    bits = golden("imread.npz")["ref_one.png"]
    np.testing.assert_array_equal(read_image(stored("one.png")), bits * 255)


def test_sixteen_bits_are_scaled_to_eight(golden, stored):
    values = golden("imread.npz")["ref_i16.png"].astype(np.int64)
    assert values.max() > 255
    np.testing.assert_array_equal(read_image(stored("i16.png")), values * 255 // 65535)


def test_cmyk_loses_nothing(golden, stored):
    path = stored("cmyk.jpg")
    with Image.open(path) as image:
        inks = np.asarray(image).astype(np.float64)
    expected = (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255
    assert np.abs(read_image(path) - expected).max() <= 1  # Pillow computes in integers


def test_grey_with_alpha_becomes_three_channels(golden, stored):
    grey = golden("imread.npz")["ref_la.png"][..., :1]
    np.testing.assert_array_equal(read_image(stored("la.png")), np.repeat(grey, 3, axis=2))


def test_the_exif_orientation_is_applied(golden, stored):
    turned = np.rot90(golden("imread.npz")["ref_exif6.png"], -1)  # orientation 6: turn clockwise to see it upright
    np.testing.assert_array_equal(read_image(stored("exif6.png")), turned)
