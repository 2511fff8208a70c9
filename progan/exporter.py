"""Writing a data set: a TFRecord file for each resolution and a file of labels, the whole folder or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from pyramid import log2_of, pyramid
from shared_scripts.cli import UserError
from shared_scripts.files import current_umask, ensure_folder
from tfrecords import encode_records

BATCH_BYTES, BATCH_PICTURES = 4 << 20, 256  # so much waits in memory: scaling and checksums are faster in batches


def check_free(folder: Path) -> None:
    """UserError where a data set would take the place of something that is there."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} exists already and is not empty; choose another name, or move it away")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another name for the data set's folder")


class Exporter:
    """Writes pictures, all of one shape, into `folder`/NAME-r02.tfrecords and so on, NAME being the folder's.

    A context manager: the files are in a hidden folder beside it until the block ends well, and are removed where it
    does not. UserError where the folder is not empty, the disk refuses, or a picture does not fit.
    """

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self.name = self.folder.name
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self.waiting: list[np.ndarray] = []
        self.files: list = []  # from the largest resolution to the smallest

    def __enter__(self) -> Exporter:
        check_free(self.folder)
        parent = self.folder.parent
        ensure_folder(parent)
        try:
            self.temporary = Path(tempfile.mkdtemp(prefix=f".{self.name}.", suffix=".tmp", dir=parent))
            self.temporary.chmod(0o777 & ~current_umask())
        except OSError as problem:
            raise self._refused(problem) from problem
        return self

    def __exit__(self, kind, exception, traceback) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as problem:
            raise self._refused(problem) from problem
        finally:
            self._close()
            shutil.rmtree(self.temporary, ignore_errors=True)

    def add(self, image: np.ndarray) -> None:
        """The next picture: (channels, R, R) uint8, R a power of two. UserError where it is another shape."""
        if not self.shape:
            self._begin(image.shape)
        if image.shape != self.shape or image.dtype != np.uint8:
            raise UserError(f"picture {self.count} is {describe(image.shape)}, the first one {describe(self.shape)}")
        self.waiting.append(image)
        self.count += 1
        if len(self.waiting) * image.size >= BATCH_BYTES or len(self.waiting) == BATCH_PICTURES:
            self._write()

    def add_labels(self, labels: np.ndarray) -> None:
        """All pictures' labels, in their order: [n, label_size]."""
        if labels.ndim != 2 or len(labels) != self.count:
            raise UserError(f"there are {len(labels)} labels for {self.count} pictures")
        try:
            with open(self.temporary / f"{self.name}-rxx.labels", "wb") as file:
                np.save(file, labels.astype(np.float32))
        except OSError as problem:
            raise self._refused(problem) from problem

    def _begin(self, shape: tuple[int, ...]) -> None:
        """Open the files for pictures of a shape."""
        if len(shape) != 3 or shape[0] not in (1, 3) or shape[1] != shape[2]:
            raise UserError(f"pictures must be square, with 1 or 3 channels; these are {describe(shape)}")
        levels = log2_of(shape[1], "the pictures' resolution")
        self.shape = shape
        try:
            for level in range(levels, 1, -1):
                self.files.append(open(self.temporary / f"{self.name}-r{level:02d}.tfrecords", "wb"))
        except OSError as problem:
            raise self._refused(problem) from problem

    def _write(self) -> None:
        """Write the pictures that wait at all resolutions."""
        images, self.waiting = np.stack(self.waiting), []
        try:
            for file, level in zip(self.files, pyramid(images), strict=True):
                file.write(encode_records(level).data)
        except OSError as problem:
            raise self._refused(problem) from problem

    def _finish(self) -> None:
        if not self.count:
            raise UserError("there are no pictures; nothing was written")
        if self.waiting:
            self._write()
        for file in self.files:
            file.flush()
            os.fsync(file.fileno())
        self._close()
        if self.folder.is_dir():
            self.folder.rmdir()  # it is empty, or this is an error
        self.temporary.rename(self.folder)

    def _close(self) -> None:
        for file in self.files:
            try:
                file.close()
            except OSError:  # what could not be written before cannot be written now
                pass

    def _refused(self, problem: OSError) -> UserError:
        return UserError(f"cannot write {self.folder}: {problem.strerror or problem}")


def describe(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    if len(shape) != 3:
        return f"of shape {list(shape)}"
    return f"{shape[2]}x{shape[1]} with {shape[0]} channel{'s' if shape[0] > 1 else ''}"
