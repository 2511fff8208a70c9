"""From network outputs to pictures, and latents."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import pictures
from shared_scripts.cli import UserError


@pytest.fixture
def misc(golden) -> dict:
    return golden("misc")


@pytest.fixture
def recorded(misc) -> dict:
    return json.loads(str(misc["meta"]))


def test_grids_are_the_recorded_ones(misc):
    for name, size in (("grid_auto", None), ("grid_3x2", (3, 2)), ("grid_5x2", (5, 2))):
        assert np.array_equal(pictures.image_grid(misc["grid_in"], size), misc[name])


def test_what_has_no_cell_is_left_out(misc):
    assert np.array_equal(pictures.image_grid(misc["grid_in"], (2, 1)), np.concatenate(misc["grid_in"][:2], axis=2))
    assert pictures.grid_shape(1) == pictures.grid_shape(0) == (1, 1) and pictures.grid_shape(7) == (3, 3)


def test_pixels_are_the_recorded_ones(misc):
    assert np.array_equal(pictures.to_pixels(misc["grid_auto"], (-1, 1)), misc["pil_m11"])
    assert np.array_equal(pictures.to_pixels(misc["grid_in"][0, 0], (-1, 1)), misc["pil_gray"])
    assert np.array_equal(pictures.to_pixels(misc["grid_in"][0, :1], (-1, 1)), misc["pil_gray"])
    assert np.array_equal(pictures.to_pixels(misc["grid_in"][1] * 100 + 100), misc["pil_255"])
    assert pictures.to_rgb(misc["pil_gray"]).shape == (8, 8, 3)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        pictures.to_pixels(np.zeros((2, 4, 4)))


def test_ranges(misc):
    x = np.arange(256, dtype=np.float32)
    np.testing.assert_allclose(pictures.adjust_range(x, (0, 255), (-1, 1)), misc["adr_0_255_to_m1_1"], atol=1e-6)
    assert pictures.adjust_range(x, (0, 255), (0, 255)) is x


def test_halves_are_rounded_to_even(misc):
    assert np.array_equal(pictures.to_uint8(misc["half_in"].reshape(1, 1, 8, 8)).ravel(), misc["uint8_from_net"])


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_shrinking_averages_before_rounding(kind):
    images = np.random.RandomState(0).randn(2, 3, 8, 8).astype(np.float32)
    mean = (images * 127.5 + 127.5).reshape(2, 3, 4, 2, 4, 2).mean(axis=(3, 5))
    assert np.array_equal(pictures.to_uint8(kind(images), shrink=2), np.clip(np.rint(mean), 0, 255).astype(np.uint8))
    with pytest.raises(ValueError, match="cannot be shrunk by 3"):
        pictures.to_uint8(kind(images), shrink=3)


@pytest.mark.parametrize("channels", [1, 3])
def test_sheets_are_written(tmp_path, misc, channels):
    images = misc["grid_in"][:, :channels]
    pictures.save_grid(tmp_path / "a.png", torch.from_numpy(images), size=(3, 2))
    written = np.asarray(Image.open(tmp_path / "a.png"))
    assert np.array_equal(written, misc["pil_m11"] if channels == 3 else misc["pil_m11"][..., 0])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_sizes_of_sheets(recorded):
    for name, expected in recorded["grid_sizes"].items():
        size, resolution = name.split("/")
        assert pictures.snapshot_grid_size(size, int(resolution)) == tuple(expected)
    assert pictures.snapshot_grid_size("8x6", 64) == pictures.snapshot_grid_size([8, 6], 4) == (8, 6)
    for wrong in ("8k", "0x3", (1, 2, 3)):
        with pytest.raises(UserError, match="columns x rows"):
            pictures.snapshot_grid_size(wrong, 64)


def test_latents_are_the_recorded_ones(misc):
    rng = np.random.RandomState(1000)
    for name in ("fake_latents_seed1000_png0", "fake_latents_seed1000_png1"):
        assert np.array_equal(pictures.random_latents(2, 512, rng), misc[name])


def test_the_walk_is_the_recorded_one(misc, recorded):
    about = recorded["interp"]
    walk = pictures.interpolation_latents(
        about["num_frames"],
        int(np.prod(about["grid_size"])),
        about["latent_size"],
        about["smoothing_sec"],
        about["mp4_fps"],
        about["random_seed"],
    )
    assert walk.dtype == np.float32
    np.testing.assert_allclose(walk, misc["interp"], atol=1e-6)


def test_the_walk_is_smooth_and_closed():
    walk = pictures.interpolation_latents(90, 1, 64, smoothing_sec=0.5, fps=20, seed=3)
    steps = np.linalg.norm(np.roll(walk, -1, axis=0) - walk, axis=2)
    assert steps.max() < 0.15 * np.linalg.norm(walk, axis=2).min()
    assert np.mean(walk**2) == pytest.approx(1, abs=1e-5)


def test_mirrored_images_are_the_recorded_ones(misc, recorded):
    rng = np.random.RandomState(recorded["apply_mirror_seed"])
    before = misc["apply_mirror_in"].copy()
    assert np.array_equal(pictures.mirror_randomly(misc["apply_mirror_in"], rng), misc["apply_mirror_out"])
    assert np.array_equal(before, misc["apply_mirror_in"])


def test_zoom_repeats_pixels():
    x = np.arange(6).reshape(2, 3)
    assert np.array_equal(pictures.zoom(x, 2), np.kron(x, np.ones((2, 2), int)))
    assert pictures.zoom(x, 1) is x
