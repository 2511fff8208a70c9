#!/usr/bin/env python3
"""Sliced Wasserstein distance between two sets of images, at every level of their Laplacian pyramids.

`python metrics/sliced_wasserstein.py DIR1 DIR2` compares two folders. The distance of Karras et al. 2018, section 5:
patches of 7x7 pixels around random places, 128 an image, are points in 147 dimensions; along random directions the two
clouds are sorted and compared. Lower is better; the reference gives it times 1000.

Memory: what a set's patches take beyond `IN_MEMORY` bytes a level lies in temporary files (16,384 images: 1.2 GB a
level). Comparing holds two matrices of `PROJECTED` bytes at most.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # the project: `metrics` is a folder of it

from metrics.fast_sort import prefer_avx2

prefer_avx2()

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402

from shared_scripts.cli import ArgumentParser, UserError, positive, run  # noqa: E402
from shared_scripts.devices import pick_device  # noqa: E402

PATCH, PATCHES = 7, 128  # pixels a side; patches of one image at one level
REPEATS, DIRECTIONS = 4, 128  # of the directions to compare along: how often they are drawn, how many at once
SMALLEST = 16  # the pyramid's last level
SCALE = 1e3
IN_MEMORY = 2**28
PROJECTED = 2**30
CHUNK = 2**15  # patches that are worked on at once: about as much as a processor's caches hold


# --- pyramids -----------------------------------------------------------------------------------------------------


def levels_of(resolution: int) -> list[int]:
    """The sizes of the pyramid's levels: the resolution, its half, and so on down to 16."""
    sizes = []
    while resolution >= SMALLEST:
        sizes.append(resolution)
        resolution //= 2
    return sizes


def blur_down(x: Tensor) -> Tensor:
    """(N, C, H, W) at half the size: the binomial filter [1, 4, 6, 4, 1] / 16 both ways, edges mirrored, every other
    pixel."""
    for axis in (3, 2):
        x = F.pad(x, (2, 2, 0, 0) if axis == 3 else (0, 0, 2, 2), mode="reflect")
        taps = [x.narrow(axis, k, x.shape[axis] - 4) for k in range(5)]
        taps = [tap[..., ::2] if axis == 3 else tap[..., ::2, :] for tap in taps]
        x = (taps[0] + taps[4] + 4 * (taps[1] + taps[3]) + 6 * taps[2]) / 16
    return x


def blur_up(x: Tensor) -> Tensor:
    """(N, C, H, W) at twice the size: zeros between the pixels, then the same filter times 4.

    Of its five taps only three, or two, meet pixels that are not zero. Mirrored edges of the image with the zeros are
    here the second pixel before the first one, and the last one again behind the last.
    """
    for axis in (3, 2):
        n = x.shape[axis]
        before, behind = x.narrow(axis, 1, 1), x.narrow(axis, n - 1, 1)
        padded = torch.cat([before, x, behind], axis)
        left, right = padded.narrow(axis, 0, n), padded.narrow(axis, 2, n)
        even, odd = (left + right + 6 * x) / 8, (x + right) / 2
        x = torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)
    return x


def laplacian_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """Images (N, C, H, W), uint8 or 0..255, as float32 details of every size; the last level is the blurred image."""
    pyramid = [x.float()]
    for _ in range(1, levels):
        pyramid.append(blur_down(pyramid[-1]))
        pyramid[-2] = pyramid[-2] - blur_up(pyramid[-1])
    return pyramid


def collapse_pyramid(pyramid: list[Tensor]) -> Tensor:
    """The images that `laplacian_pyramid` took apart."""
    x = pyramid[-1]
    for level in pyramid[-2::-1]:
        x = blur_up(x) + level
    return x


# --- patches ------------------------------------------------------------------------------------------------------


def random_patches(images: np.ndarray, rng: np.random.RandomState, size: int = PATCH, count: int = PATCHES):
    """`count` patches of each image (N, C, H, W): (N * count, C, size, size), their second last axis running along x.

    All x of the centres are drawn first, then all y, as in the reference; its patches are transposed, too.
    """
    number, channels, height, width = images.shape
    half = size // 2
    x = rng.randint(half, width - half, size=(number * count, 1, 1, 1))
    y = rng.randint(half, height - half, size=(number * count, 1, 1, 1))
    which, channel, dx, dy = np.ogrid[: number * count, :channels, -half : half + 1, -half : half + 1]
    where = ((which // count * channels + channel) * height + y + dy) * width + x + dx
    return np.ascontiguousarray(images).ravel()[where]


class Patches:
    """The patches of one set at one level, added batch by batch, with what normalising them needs.

    They are normalised channel by channel, to mean 0 and standard deviation 1 over the whole set.
    """

    def __init__(self):
        self.file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)
        self.count, self.shape = 0, (0, 0, 0)
        self.sum = self.squares = 0.0

    def add(self, patches: np.ndarray) -> None:
        """(N, C, size, size) float32. UserError where the disk is full."""
        self.shape = patches.shape[1:]
        self.count += len(patches)
        self.sum = self.sum + patches.sum(axis=(0, 2, 3), dtype=np.float64)
        self.squares = self.squares + np.einsum("ncxy,ncxy->c", patches, patches, dtype=np.float64)
        try:
            self.file.write(patches.tobytes())
        except OSError as problem:
            raise UserError(
                f"no room for temporary files in {tempfile.gettempdir()} ({problem.strerror}); "
                "name a folder with more by the environment variable TMPDIR, or take fewer images"
            ) from problem

    def chunks(self) -> Iterator[Tensor]:
        """The normalised patches, as (at most CHUNK, C * size * size) float32."""
        pixels = self.shape[1] * self.shape[2]
        mean = self.sum / (self.count * pixels)
        deviation = np.sqrt(np.maximum(self.squares / (self.count * pixels) - mean**2, 0))
        mean, deviation = (
            torch.from_numpy(value.astype(np.float32)).repeat_interleave(pixels) for value in (mean, deviation)
        )
        self.file.seek(0)
        size = 4 * len(mean) * CHUNK
        while block := self.file.read(size):
            yield (torch.frombuffer(bytearray(block), dtype=torch.float32).view(-1, len(mean)) - mean) / deviation

    def projections(self, directions: Tensor) -> Tensor:
        """Where the patches lie along directions (dimensions, D), sorted: (D, count) float32, on the same device."""
        found = torch.empty(directions.shape[1], self.count, device=directions.device)
        begin = 0
        for chunk in self.chunks():
            found[:, begin : begin + len(chunk)] = directions.T @ chunk.to(directions.device).T
            begin += len(chunk)
        return sort_rows(found)


def sort_rows(rows: Tensor) -> Tensor:
    """Each row in ascending order; on a CPU in place, by numpy, which is several times faster there than torch."""
    if rows.device.type != "cpu":
        return rows.sort(dim=1).values
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(np.ndarray.sort, rows.numpy()))
    return rows


def sliced_wasserstein(a: Patches, b: Patches, rng: np.random.RandomState, device: torch.device | str = "cpu") -> float:
    """The mean distance of two sets of as many patches along REPEATS times DIRECTIONS random directions."""
    if a.count != b.count:
        raise ValueError(f"the sets must be equally large, not {a.count} and {b.count}")
    dimensions = int(np.prod(a.shape))
    found = []
    for _ in range(REPEATS):
        directions = rng.randn(dimensions, DIRECTIONS)
        directions /= np.sqrt(np.sum(np.square(directions), axis=0, keepdims=True))
        if a is b:
            found.append(0.0)  # the directions are drawn all the same: what is drawn next must not depend on this
            continue
        directions = torch.from_numpy(directions.astype(np.float32)).to(device)
        limit = PROJECTED if directions.device.type == "cpu" else PROJECTED // 4  # torch's sort needs as much again
        at_once = max(1, min(DIRECTIONS, limit // (4 * max(a.count, 1))))
        for some in directions.split(at_once, dim=1):
            apart = a.projections(some)
            apart -= b.projections(some)
            found += apart.abs_().mean(dim=1).tolist()
    return float(np.mean(found))


# --- the metric ---------------------------------------------------------------------------------------------------


class SlicedWasserstein:
    """The metric, fed with minibatches; `end` gives SWD x 1000 of each level, largest first, and their mean."""

    def __init__(self, resolution: int, rng: np.random.RandomState, device: torch.device | str = "cpu"):
        self.sizes = levels_of(resolution)
        if not self.sizes or resolution & (resolution - 1):
            raise UserError(f"SWD needs square images of 16, 32, 64, … pixels, not {resolution}")
        self.rng, self.device = rng, device
        self.reals: list[Patches] = []
        self.patches: list[Patches] = []

    def names(self) -> list[str]:
        """The columns."""
        return [f"SWDx1e3_{size}" for size in (*self.sizes, "avg")]

    def formats(self) -> list[str]:
        """How the reference prints them."""
        return ["%-13.4f"] * (len(self.sizes) + 1)

    def begin(self, mode: str) -> None:
        """Start a set: 'reals' (or 'warmup') to compare with later, or 'fakes' to be compared."""
        self.patches = [Patches() for _ in self.sizes]

    @torch.inference_mode()
    def feed(self, mode: str, images: np.ndarray) -> None:
        """Add images (N, 3, resolution, resolution) uint8."""
        pyramid = laplacian_pyramid(torch.from_numpy(np.ascontiguousarray(images)), len(self.sizes))
        for patches, level in zip(self.patches, pyramid, strict=True):
            patches.add(random_patches(level.numpy(), self.rng))

    @torch.inference_mode()
    def end(self, mode: str) -> list[float]:
        """The distances of the set to the real one; 0 for the real one itself. UserError where their sizes differ."""
        if mode != "fakes":
            self.reals = self.patches
        elif self.reals[0].count != self.patches[0].count:
            counts = [patches[0].count // PATCHES for patches in (self.reals, self.patches)]
            raise UserError(f"SWD compares sets of as many images, not {counts[0]} and {counts[1]}")
        pairs = zip(self.reals, self.patches, strict=True)
        found = [sliced_wasserstein(a, b, self.rng, self.device) * SCALE for a, b in pairs]
        self.patches = []
        return [*found, float(np.mean(found))]


# --- the script ---------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Compare two folders."""
    from metrics.folders import ImageFolder

    parser = ArgumentParser(prog="metrics/sliced_wasserstein.py", description="SWD between two folders of images.")
    parser.add_argument("dir1", metavar="DIR1", help="images, square, of 16, 32, 64, … pixels")
    parser.add_argument("dir2", metavar="DIR2", help="images of the same size")
    parser.add_argument(
        "--num_images", type=positive, metavar="N", help="use the first N of each (default: as many as both have)"
    )
    parser.add_argument("--seed", type=int, default=1000, help="of the patches and directions")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]|mps", help="where to compare")
    flags = parser.parse_args(argv)
    folders = [ImageFolder(path) for path in (flags.dir1, flags.dir2)]
    folders[1].must_match(folders[0])
    smaller = min(folders, key=len)
    count = smaller.count(flags.num_images)
    metric = SlicedWasserstein(folders[0].resolution(), np.random.RandomState(flags.seed), pick_device(flags.device))
    for folder, mode in zip(folders, ("reals", "fakes"), strict=True):
        metric.begin(mode)
        for images in folder.minibatches(count):
            metric.feed(mode, images)
        found = metric.end(mode)
    for name, value in zip(metric.names(), found, strict=True):
        print(f"{name + ':':<14}{value:.4f}")
    return 0


if __name__ == "__main__":
    run(main)
