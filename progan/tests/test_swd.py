"""Sliced Wasserstein distance."""

from __future__ import annotations

import runpy
import sys

import numpy as np
import pytest
import scipy.ndimage
import torch
from conftest import PROJECT

from metrics import fast_sort
from metrics import sliced_wasserstein as swd
from metrics.sliced_wasserstein import Patches, SlicedWasserstein
from shared_scripts.cli import UserError
from shared_scripts.testing import write_pictures


@pytest.fixture
def recorded(golden) -> dict:
    return golden("metric_swd")


def measure(metric, mode: str, images: np.ndarray, minibatch: int) -> list[float]:
    metric.begin(mode)
    for begin in range(0, len(images), minibatch):
        metric.feed(mode, images[begin : begin + minibatch])
    return metric.end(mode)


def noise(count: int, size: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (count, 3, size, size)).astype(np.uint8)


# --- as recorded --------------------------------------------------------------------------------------------------


def test_the_distances_are_the_recorded_ones(recorded):
    metric = SlicedWasserstein(32, np.random.RandomState(int(recorded["np_random_seed"])))
    assert metric.names() == eval(str(recorded["names"])) and metric.formats() == eval(str(recorded["formats"]))
    for name, mode, images in (
        ("reals_vs_reals", "reals", "real_images"),
        ("reals2_as_fakes", "fakes", "real_images"),
        ("fakes_result", "fakes", "fake_images"),
    ):
        found = measure(metric, mode, recorded[images], int(recorded["minibatch"]))
        np.testing.assert_allclose(found, recorded[name], rtol=1e-5, err_msg=name)


def test_pyramids_are_the_recorded_ones(recorded):
    source = torch.from_numpy(recorded["fake_images"])
    assert np.array_equal(swd.blur_down(source[:1].float()), recorded["pyr_down"])
    assert np.array_equal(swd.blur_up(source[:1, :, :16, :16].float()), recorded["pyr_up"])
    source = torch.from_numpy(recorded["real_images"][:2])
    pyramid = swd.laplacian_pyramid(source, 2)
    for k, level in enumerate(pyramid):
        np.testing.assert_allclose(level, recorded[f"pyramid{k}"], atol=1e-4)
    np.testing.assert_allclose(swd.collapse_pyramid(pyramid), recorded["reconstructed"], atol=1e-4)


def test_patches_are_the_recorded_ones(recorded):
    rng = np.random.RandomState(int(recorded["desc_seed"]))
    images = recorded["real_images"][:2].astype(np.float32)
    assert np.array_equal(swd.random_patches(images, rng, count=5), recorded["desc"])
    patches = Patches()
    patches.add(recorded["desc"][:4])
    patches.add(recorded["desc"][4:])
    np.testing.assert_allclose(torch.cat(list(patches.chunks())), recorded["desc_final"], atol=1e-6)


class Points:
    """Plain points in the place of patches."""

    def __init__(self, points: np.ndarray):
        self.points, self.count, self.shape = torch.from_numpy(points), len(points), points.shape[1:]

    def projections(self, directions: torch.Tensor) -> torch.Tensor:
        return swd.sort_rows((self.points @ directions).T.contiguous())


def test_the_plain_distance_is_the_recorded_one(recorded):
    rng = np.random.RandomState(int(recorded["sw_seed"]))
    found = swd.sliced_wasserstein(Points(recorded["sw_A"]), Points(recorded["sw_B"]), rng)
    assert found == pytest.approx(float(recorded["sw_val"]), rel=1e-5)


# --- as it is defined ---------------------------------------------------------------------------------------------


def test_the_filters_are_scipys():
    x = np.random.RandomState(0).rand(1, 1, 12, 12).astype(np.float32)
    row = np.array([1, 4, 6, 4, 1]) / 16
    kernel = np.outer(row, row)
    down = scipy.ndimage.convolve(x[0, 0], kernel, mode="mirror")[::2, ::2]
    np.testing.assert_allclose(swd.blur_down(torch.from_numpy(x))[0, 0], down, atol=1e-6)
    spread = np.zeros((24, 24))
    spread[::2, ::2] = x[0, 0]
    up = scipy.ndimage.convolve(spread, kernel * 4, mode="mirror")
    np.testing.assert_allclose(swd.blur_up(torch.from_numpy(x))[0, 0], up, atol=1e-6)


def test_a_set_has_no_distance_to_itself_and_more_to_a_stranger():
    def against(images):
        metric = SlicedWasserstein(16, np.random.RandomState(0))
        assert measure(metric, "reals", noise(8), 8) == [0, 0]
        metric.rng = np.random.RandomState(0)  # the same places and directions
        return measure(metric, "fakes", images, 8)[-1]

    smooth = noise(8).repeat(2, axis=2)[:, :, :16]
    assert against(noise(8)) == 0
    assert 0 < against(noise(8, seed=1)) < against(smooth)


def test_shifted_points_are_as_far_apart_as_they_were_shifted():
    points = np.random.RandomState(0).randn(500, 2).astype(np.float32)
    found = swd.sliced_wasserstein(Points(points), Points(points + np.float32([3, 4])), np.random.RandomState(1))
    assert found == pytest.approx(5 * 2 / np.pi, rel=0.1)  # the mean of |5 cos|


def test_what_is_on_disk_and_done_in_parts_gives_the_same(monkeypatch):
    def both():
        metric = SlicedWasserstein(16, np.random.RandomState(5))
        measure(metric, "reals", noise(6), 4)
        return measure(metric, "fakes", noise(6, seed=1), 4)

    expected = both()
    monkeypatch.setattr(swd, "IN_MEMORY", 1000)
    monkeypatch.setattr(swd, "PROJECTED", 4 * 128 * 6 * 50)
    monkeypatch.setattr(swd, "CHUNK", 100)
    np.testing.assert_allclose(both(), expected, rtol=1e-5)


def test_constant_images_are_no_catastrophe():
    metric = SlicedWasserstein(16, np.random.RandomState(0))
    measure(metric, "reals", noise(4), 4)
    assert np.isnan(measure(metric, "fakes", np.full((4, 3, 16, 16), 7, np.uint8), 4)).any()


def test_a_full_disk_is_told(full_disk, monkeypatch):
    monkeypatch.setattr(swd, "IN_MEMORY", 1000)
    metric = SlicedWasserstein(16, np.random.RandomState(0))
    metric.begin("reals")
    with full_disk(5000), pytest.raises(UserError, match="TMPDIR"):
        metric.feed("reals", noise(4))


def test_sets_of_other_sizes_are_refused():
    metric = SlicedWasserstein(16, np.random.RandomState(0))
    measure(metric, "reals", noise(4), 4)
    with pytest.raises(UserError, match="not 4 and 3"):
        measure(metric, "fakes", noise(3), 4)
    for size in (8, 24):
        with pytest.raises(UserError, match=f"not {size}"):
            SlicedWasserstein(size, np.random.RandomState(0))


# --- the script ---------------------------------------------------------------------------------------------------


def test_two_folders_are_compared(tmp_path, capsys, monkeypatch):
    folders = [str(write_pictures(tmp_path / name, count, (16, 16), seed=3)) for name, count in (("a", 5), ("b", 6))]
    script = PROJECT / "metrics/sliced_wasserstein.py"
    monkeypatch.setattr(sys, "path", [str(script.parent), *sys.path])
    monkeypatch.setattr(sys, "argv", [str(script), *folders])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["SWDx1e3_16", "SWDx1e3_avg"]
    values = [float(line.split()[1]) for line in out.splitlines()]
    assert values[0] == values[1] > 0  # the same images, other patches


@pytest.mark.parametrize(
    "sizes, flags, words",
    [
        (((16, 16), (32, 32)), [], "b/0.png is 32x32"),
        (((16, 12), (16, 12)), [], "square"),
        (((16, 16), (16, 16)), ["--num_images", "7"], "only 4 images"),
    ],
)
def test_folders_that_cannot_be_compared_are_told(tmp_path, sizes, flags, words):
    folders = [str(write_pictures(tmp_path / name, 4, size)) for name, size in zip("ab", sizes, strict=True)]
    with pytest.raises(UserError, match=words):
        swd.main([*folders, *flags])


def test_numpy_is_told_to_sort_with_avx2_only_where_that_helps(monkeypatch):
    monkeypatch.delenv("NPY_DISABLE_CPU_FEATURES", raising=False)
    fast_sort.prefer_avx2()  # too late: numpy is there
    assert "NPY_DISABLE_CPU_FEATURES" not in fast_sort.os.environ
    monkeypatch.setattr(fast_sort, "sys", type(sys)("sys"))
    fast_sort.sys.modules = {}
    for amd in (False, True):
        monkeypatch.setattr(fast_sort, "is_amd", lambda amd=amd: amd)
        fast_sort.prefer_avx2()
        assert ("NPY_DISABLE_CPU_FEATURES" in fast_sort.os.environ) == amd
    monkeypatch.delenv("NPY_DISABLE_CPU_FEATURES")
