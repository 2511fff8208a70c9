#!/usr/bin/env python3
"""MS-SSIM between random pairs of a set's images: how little they vary (lower is better).

`python metrics/ms_ssim.py DIR` measures a folder. Wang et al. 2003 as Odena et al. 2017 use it for generators: five
scales whatever the size, images 1 and 2 are a pair, 3 and 4, and so on. Everything is computed in float64.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # the project: `metrics` is a folder of it

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shared_scripts.cli import ArgumentParser, UserError, positive, run

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
AT_ONCE = 2**21  # numbers in a batch's images that are worked on at once, so that they stay in the caches


def gaussian_window(size: int, sigma: float) -> Tensor:
    """(size,) float64 that sums to 1; the centre of an even one lies between two pixels."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    window = torch.exp(-(x**2) / (2 * sigma**2))
    return window / window.sum()


def blur(x: Tensor, window: Tensor) -> Tensor:
    """(..., H, W) filtered both ways where the window lies within the picture."""
    for axis in (-1, -2):
        count = x.shape[axis] - len(window) + 1
        taps = [x.narrow(axis, k, count) for k in range(len(window))]
        result = taps[0] * window[0]
        for tap, weight in zip(taps[1:], window[1:].tolist(), strict=True):
            result.add_(tap, alpha=weight)
        x = result
    return x


def ssim(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure part of each pair of images (N, C, H, W), float64 0..255: (N,) and (N,).

    The window is 11 pixels wide; in smaller images as wide as they are, and its sigma shrinks with it.
    """
    size = min(WINDOW, *a.shape[-2:])
    window = gaussian_window(size, SIGMA * size / WINDOW)
    mean_a, mean_b = blur(a, window), blur(b, window)
    product, squares = mean_a * mean_b, mean_a.square_().add_(mean_b.square_())
    covariance = blur(a * b, window).sub_(product)
    variances = blur(a.square() + b.square(), window).sub_(squares)  # only their sum is needed
    contrast = covariance.mul_(2).add_(C2).div_(variances.add_(C2))
    luminance = product.mul_(2).add_(C1).div_(squares.add_(C1))
    return (luminance * contrast).mean(dim=(1, 2, 3)), contrast.mean(dim=(1, 2, 3))


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """MS-SSIM of each pair of images (N, C, H, W), 0..255, sizes multiples of 16: (N,) float64."""
    a, b = a.double(), b.double()
    result = torch.ones(len(a), dtype=torch.float64)
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        similarity, contrast = ssim(a, b)
        last = scale == len(WEIGHTS) - 1
        result *= (similarity if last else contrast).clamp(min=0) ** weight
    return result


class MSSSIM:
    """The metric, fed with minibatches; `end` gives the mean over all pairs."""

    def __init__(self, resolution: int):
        if resolution < 16 or resolution % 16:
            raise UserError(f"MS-SSIM needs images of 16, 32, 64, … pixels, not {resolution}")
        self.total, self.pairs = 0.0, 0
        self.left: np.ndarray | None = None

    def names(self) -> list[str]:
        """The columns."""
        return ["MS-SSIM"]

    def formats(self) -> list[str]:
        """How the reference prints them."""
        return ["%-10.4f"]

    def begin(self, mode: str) -> None:
        """Start a set; of which kind makes no difference here."""
        self.total, self.pairs, self.left = 0.0, 0, None

    @torch.inference_mode()
    def feed(self, mode: str, images: np.ndarray) -> None:
        """Add images (N, C, resolution, resolution) uint8; the partner of an odd one comes with the next batch."""
        if self.left is not None:
            images = np.concatenate([self.left, images])
        even = len(images) // 2 * 2
        self.left = images[even:] if even < len(images) else None
        if not even:
            return
        first, second = (torch.from_numpy(np.ascontiguousarray(images[k:even:2])) for k in (0, 1))
        at_once = max(1, AT_ONCE // (8 * first[0].numel()))
        for a, b in zip(first.split(at_once), second.split(at_once), strict=True):
            self.total += float(ms_ssim(a, b).sum())
            self.pairs += len(a)

    def end(self, mode: str) -> list[float]:
        """The mean over the pairs; NaN where there was none."""
        return [self.total / self.pairs if self.pairs else float("nan")]


def main(argv: list[str] | None = None) -> int:
    """Measure a folder."""
    from metrics.folders import ImageFolder

    parser = ArgumentParser(
        prog="metrics/ms_ssim.py", description="How little the images of a folder vary: the MS-SSIM of random pairs."
    )
    parser.add_argument("dir", metavar="DIR", help="images, square, of 16, 32, 64, … pixels")
    parser.add_argument(
        "--num_images", type=positive, metavar="N", help="how many, of all at random (default: every one)"
    )
    parser.add_argument(
        "--seed", type=int, default=1000, help="of the order they are taken in; -1: as their names have it"
    )
    flags = parser.parse_args(argv)
    folder = ImageFolder(flags.dir)
    metric = MSSSIM(folder.resolution())
    if flags.seed >= 0:
        folder.shuffle(np.random.RandomState(flags.seed))
    count = folder.count(flags.num_images)
    if count < 2:
        raise UserError(f"{folder.path} has one image; MS-SSIM compares pairs")
    metric.begin("fakes")
    for images in folder.minibatches(count):
        metric.feed("fakes", images)
    print(f"MS-SSIM:  {metric.end('fakes')[0]:.4f}")
    return 0


if __name__ == "__main__":
    run(main)
