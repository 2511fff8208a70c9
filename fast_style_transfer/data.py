"""Pictures in and out, and the stream of training batches. Pictures are (H, W, 3) uint8 RGB."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from shared_scripts import images
from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write
from shared_scripts.images import check_format, fit, read_image

TRAINING_SIZE = 256
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def save_image(path: Path, pixels: np.ndarray, quality: int = 75) -> None:
    """Write (H, W, 3) values 0..255 by the name's ending; 75 is the reference's JPEG quality."""
    check_format(path)
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, pixels.size)  # large JPEGs need the buffer
    with atomic_write(path) as temporary:
        Image.fromarray(images.truncate(pixels)).save(temporary, quality=quality)


def limit_size(pixels: np.ndarray, longest: int | None) -> np.ndarray:
    """Shrink so that the longer side is at most `longest` pixels; smaller pictures and None leave it alone."""
    height, width = limited_size(*pixels.shape[:2], longest)
    if (height, width) == pixels.shape[:2]:
        return pixels
    return images.resize(pixels, height, width, Image.Resampling.LANCZOS)


def limited_size(height: int, width: int, longest: int | None) -> tuple[int, int]:
    """(height, width) with the longer side at most `longest`, the aspect kept."""
    if longest is None or max(height, width) <= longest:
        return height, width
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def training_picture(pixels: np.ndarray, resize: str = "bicubic", size: int = TRAINING_SIZE) -> np.ndarray:
    """(size, size, 3): stretched with the filter `bicubic` (today's reference) or `bilinear` (2016's), or the middle
    square (`crop`)."""
    if resize == "crop":
        return fit(pixels, size, size)
    return images.resize(pixels, size, size, FILTERS[resize])


def preserve_colors(content: np.ndarray, painted: np.ndarray) -> np.ndarray:
    """The painted brightness with the content's colours, (H, W, 3) uint8.

    Where the painted picture is a little larger (--reference-size), the content's last row and column are repeated.
    """
    missing = [(0, larger - smaller) for larger, smaller in zip(painted.shape, content.shape, strict=True)]
    return images.preserve_colors(np.pad(content, missing, mode="edge"), painted)


class TrainingPictures:
    """The pictures of a folder as batches for a network, in an order that any run can enter anywhere.

    The order is that of the names, the same in every epoch, as the reference takes what the system lists; with
    `shuffle_seed`, each epoch has its own. What does not fill a batch at the end of an epoch is left out. In place of a
    file that cannot be read comes the next that can, and its name is remembered in `skipped`.
    """

    def __init__(self, paths: list[Path], batch: int, resize: str = "bicubic", shuffle_seed: int | None = None):
        if len(paths) < batch:
            raise UserError(
                f"{len(paths)} training pictures are fewer than the batch of {batch}; "
                "give --train-path a folder with more, or a smaller --batch-size"
            )
        self.paths, self.batch, self.resize, self.shuffle_seed = paths, batch, resize, shuffle_seed
        self.skipped: dict[Path, str] = {}
        self.lock = threading.Lock()

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return len(self.paths) // self.batch

    def order(self, epoch: int) -> np.ndarray:
        """The positions of an epoch's pictures."""
        positions = np.arange(len(self.paths))
        if self.shuffle_seed is not None:
            np.random.default_rng((self.shuffle_seed % 2**32, epoch)).shuffle(positions)
        return positions[: self.batches * self.batch]

    def read(self, position: int) -> np.ndarray:
        """The picture at a position, or the first readable one after it. UserError where there is none at all."""
        for i in range(len(self.paths)):
            path = self.paths[(position + i) % len(self.paths)]
            if path in self.skipped:
                continue
            try:
                return training_picture(read_image(path), self.resize)
            except UserError as problem:
                with self.lock:
                    self.skipped[path] = str(problem)
        raise UserError(
            f"none of the {len(self.paths)} training pictures can be read: {next(iter(self.skipped.values()))}"
        )

    def dataset(self, step: int = 0):
        """A tf.data.Dataset of (batch, 256, 256, 3) uint8 without end that begins at the batch number `step`.

        Pictures are read and resized on other threads while the network works on the batch before.
        """
        import tensorflow as tf

        def positions():
            epoch, first = divmod(step, self.batches)
            while True:
                yield from self.order(epoch)[first * self.batch :]
                epoch, first = epoch + 1, 0

        def read(position):
            return tf.ensure_shape(tf.numpy_function(self.read, [position], tf.uint8), [TRAINING_SIZE] * 2 + [3])

        numbers = tf.data.Dataset.from_generator(positions, output_signature=tf.TensorSpec([], tf.int64))
        pictures = numbers.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return pictures.batch(self.batch, drop_remainder=True).prefetch(2)
