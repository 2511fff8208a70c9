"""MS-SSIM."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from metrics import ms_ssim as module
from metrics.ms_ssim import C1, C2, MSSSIM, WEIGHTS, gaussian_window, ms_ssim, ssim
from shared_scripts.cli import UserError
from shared_scripts.images import read_image
from shared_scripts.testing import write_pictures


def measure(images: np.ndarray, minibatch: int = 100) -> float:
    metric = MSSSIM(images.shape[2])
    metric.begin("fakes")
    for begin in range(0, len(images), minibatch):
        metric.feed("fakes", images[begin : begin + minibatch])
    return metric.end("fakes")[0]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_it_is_the_recorded_one(golden, number):
    recorded = golden("metric_msssim")
    images = recorded[f"images{number}"]
    assert measure(images) == pytest.approx(float(recorded[f"api{number}"]), abs=1e-6)
    first, second = torch.from_numpy(images[::2]), torch.from_numpy(images[1::2])
    assert float(ms_ssim(first, second).mean()) == pytest.approx(float(recorded[f"msssim{number}"]), abs=1e-6)
    for found, name in zip(ssim(first.double(), second.double()), ("ssim", "cs"), strict=True):
        np.testing.assert_allclose(found, recorded[f"{name}{number}"], atol=1e-6)


def test_windows_are_the_recorded_ones(golden):
    recorded = golden("metric_msssim")
    for size, name in ((11, "gauss11_1.5"), (8, "gauss8"), (4, "gauss4")):
        window = gaussian_window(size, 1.5 * size / 11)
        np.testing.assert_allclose(torch.outer(window, window), recorded[name], atol=1e-12)


def noise(count: int, size: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.RandomState(seed).randint(0, 256, (count, 3, size, size)).astype(np.uint8)


def test_equal_images_are_equal_and_others_are_less():
    images = noise(6)
    assert measure(images.repeat(2, axis=0)) == pytest.approx(1, abs=1e-12)
    assert measure(images) < 0.1
    nearly = np.stack([images, images // 2 + 60], 1).reshape(12, 3, 32, 32)
    assert 0.3 < measure(nearly) < 1


def test_ssim_is_the_formula():
    a, b = (noise(1, 16, seed)[:, :1].astype(float) for seed in (0, 1))
    window = gaussian_window(11, 1.5).numpy()
    kernel = np.outer(window, window)

    def mean(x):
        return convolve2d(x, kernel, "valid")

    x, y = a[0, 0], b[0, 0]
    covariance = mean(x * y) - mean(x) * mean(y)
    variances = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    contrast = (2 * covariance + C2) / (variances[0] + variances[1] + C2)
    luminance = (2 * mean(x) * mean(y) + C1) / (mean(x) ** 2 + mean(y) ** 2 + C1)
    found = ssim(torch.from_numpy(a), torch.from_numpy(b))
    assert found[0].item() == pytest.approx((luminance * contrast).mean(), abs=1e-10)
    assert found[1].item() == pytest.approx(contrast.mean(), abs=1e-10)


def test_plain_images_differ_in_luminance_only_at_the_last_scale():
    dark, light = (torch.full((1, 3, 32, 32), value, dtype=torch.float64) for value in (50.0, 100.0))
    luminance = (2 * 50 * 100 + C1) / (50**2 + 100**2 + C1)
    assert ms_ssim(dark, light).item() == pytest.approx(luminance ** WEIGHTS[-1], abs=1e-9)


def test_minibatches_make_no_difference_odd_ones_neither(monkeypatch):
    images = noise(10)
    expected = measure(images)
    assert measure(images, 4) == measure(images, 3) == measure(images, 1) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    assert measure(images) == pytest.approx(expected, abs=1e-12)
    assert math.isnan(measure(images[:1]))


def test_a_folder_is_measured(tmp_path, capsys):
    folder = write_pictures(tmp_path / "a", 5, (128, 128))

    def run(*flags: str) -> float:
        assert module.main([str(folder), *flags]) == 0
        return float(capsys.readouterr().out.removeprefix("MS-SSIM:"))

    assert 0 < run() < 0.1
    pair = np.stack([read_image(folder / f"{k}.png").transpose(2, 0, 1) for k in range(2)])
    assert run("--seed", "-1", "--num_images", "2") == pytest.approx(measure(pair), abs=1e-4)


@pytest.mark.parametrize(
    "count, size, words", [(1, 32, "one image"), (4, 24, "not 24"), (4, 8, "not 8"), (0, 16, "no folder")]
)
def test_a_folder_that_cannot_be_measured_is_told(tmp_path, count, size, words):
    if count:
        write_pictures(tmp_path / "a", count, (size, size))
    with pytest.raises(UserError, match=words):
        module.main([str(tmp_path / "a")])
