"""Pixels, grids and GIFs, against the reference's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from pictures import gif_frames, gif_times, manifold_size, merge, save_gif, save_grid, save_picture, to_pixels, to_rgb
from shared_scripts.cli import UserError

KINDS = ["rgb", "gray", "rgba", "short"]  # short: five pictures in a grid of six


def squeezed(pixels: np.ndarray) -> np.ndarray:
    """As the reference has it: grey without a channel."""
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def differ(a: np.ndarray, b: np.ndarray) -> int:
    """The largest difference in grey levels."""
    assert a.shape == b.shape
    return np.abs(a.astype(int) - b.astype(int)).max()


@pytest.mark.parametrize("kind", KINDS)
def test_grids_match_the_reference(golden, tmp_path, kind):
    grids = golden("grids.npz")
    images, size = grids[f"{kind}/images"], tuple(grids[f"{kind}/size"])
    np.testing.assert_allclose(squeezed(merge((images + 1) / 2, size)), grids[f"{kind}/merged"], atol=1e-6)
    save_grid(tmp_path / "g.png", images, stretch=True, size=size)
    assert differ(np.asarray(Image.open(tmp_path / "g.png")), grids[f"{kind}/saved_uint8"]) <= 1
    save_grid(tmp_path / "g.png", images, size=size)
    expected = np.floor(grids[f"{kind}/merged"].astype(np.float64) * 255 + 0.5)
    assert differ(np.asarray(Image.open(tmp_path / "g.png")), expected) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_gif_frames_are_cut_off(golden, kind):
    grids = golden("grids.npz")
    frames = gif_frames(grids[f"{kind}/images"])
    assert differ(frames[0], grids[f"{kind}/gif_frame0"]) <= 1
    exact = (grids[f"{kind}/images"].astype(np.float64) + 1) / 2 * 255
    assert (frames <= exact + 1e-4).all() and (frames > exact - 1 - 1e-4).all()


def test_single_pictures_match_the_reference(golden):
    grids = golden("grids.npz")
    found = to_pixels(grids["rgb/images"][0], stretch=True)
    assert differ(found, grids["rgb/frame0_saved_uint8"]) <= 1
    found = to_pixels(grids["short/images"][0], stretch=True)  # its width is 3, which scipy took for the channels
    assert differ(found.swapaxes(1, 2), grids["short/frame0_saved_uint8"]) <= 1


def test_grid_sizes(golden):
    grids = golden("grids.npz")
    for n, (rows, columns) in zip(grids["manifold_n"], grids["manifold_carpedm20"], strict=True):
        found = manifold_size(int(n))
        if rows:
            assert found == (rows, columns)
        else:
            assert found[1] == math.ceil(math.sqrt(n)) and found[0] * found[1] >= n > (found[0] - 1) * found[1]


@pytest.mark.parametrize(
    ("values", "sigmoid", "expected"),
    [
        ([-1, 0, 1, 3, -3, np.nan], False, [0, 128, 255, 255, 0, 0]),
        ([0, 0.5, 1, 2, -1, np.nan], True, [0, 128, 255, 255, 0, 0]),
    ],
)
def test_fixed_levels(values, sigmoid, expected):
    """127.5 is rounded to the even 128; a network that came to nothing still gives a picture."""
    found = to_pixels(np.array(values, np.float32).reshape(1, 6, 1), sigmoid)
    assert found.dtype == np.uint8 and found.ravel().tolist() == expected


def test_stretch_is_of_the_whole_array():
    images = np.array([[-0.5, 0.0], [0.25, 0.5]], np.float32).reshape(2, 1, 2, 1)
    assert to_pixels(images, stretch=True).ravel().tolist() == [0, 128, 191, 255]
    assert to_pixels(np.full((2, 2, 3), 0.3), stretch=True).max() == 0  # flat: as scipy had it


def test_blank_cells_are_black(tmp_path):
    save_grid(tmp_path / "g.png", np.ones((3, 2, 2, 1), np.float32), sigmoid=True)
    assert np.asarray(Image.open(tmp_path / "g.png")).tolist() == [[255] * 4] * 2 + [[255, 255, 0, 0]] * 2
    with pytest.raises(ValueError, match="do not fit"):
        merge(np.ones((3, 2, 2, 1)), (1, 2))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_files_keep_their_channels(tmp_path, channels, mode):
    pixels = np.random.RandomState(0).randint(0, 256, (3, 5, channels)).astype(np.uint8)
    save_picture(tmp_path / "new" / "p.png", pixels)
    with Image.open(tmp_path / "new" / "p.png") as image:
        assert image.mode == mode and (np.asarray(image).reshape(pixels.shape) == pixels).all()
    assert (to_rgb(pixels) == (pixels[..., [0, 0, 0]] if channels == 1 else pixels[..., :3])).all()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file"):
        save_picture(tmp_path / "file" / "p.png", pixels)


@pytest.mark.parametrize(("n", "seconds", "shown"), [(1, 2, 1), (9, 2, 9), (64, 2, 64), (128, 8, 128), (256, 2, 100)])
def test_gif_times(n, seconds, shown):
    times = gif_times(n, seconds)
    assert len(times) == shown and sum(time for _, time in times) == seconds * 1000
    assert max(time for _, time in times) - min(time for _, time in times) <= 10
    assert times[0][0] == 0 and all(a < b < n for (a, _), (b, _) in zip(times, times[1:], strict=False))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gif_files(tmp_path, channels):
    levels = np.arange(9) * 28
    save_gif(
        tmp_path / "g.gif", np.ones((9, 4, 5, channels), np.uint8) * levels[:, None, None, None].astype(np.uint8), 2
    )
    with Image.open(tmp_path / "g.gif") as film:
        assert film.n_frames == 9 and film.size == (5, 4) and film.info["loop"] == 0
        seen, total = [], 0
        for k in range(9):
            film.seek(k)
            total += film.info["duration"]
            seen.append(film.convert("L").getpixel((2, 2)))
    assert total == 2000 and np.abs(np.array(seen) - levels).max() <= 2
