"""MNIST's idx files: arrays of unsigned bytes, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from shared_scripts.cli import UserError, one_line

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049  # how files begin: unsigned bytes in three dimensions, and in one
KINDS = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}


def find_idx(folder: Path, name: str) -> Path | None:
    """The file of a published name, plain or gzipped, or with the dot that some unpackers put before "idx"."""
    dotted = name.replace("-idx", ".idx")
    found = (folder / candidate for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"))
    return next((path for path in found if path.is_file()), None)


def read_idx(path: Path, kind: int, again: str = "get it again") -> np.ndarray:
    """(N, rows, columns) uint8 of images, (N,) of labels. UserError, which ends in `again`, where it is damaged."""
    data = read_bytes(path, again)
    dimensions = kind & 0xFF
    header = 4 + 4 * dimensions
    if len(data) < header or int.from_bytes(data[:4], "big") != kind:
        raise UserError(f"{path} is no file of MNIST {KINDS[kind]}: {again}")
    shape = [int(number) for number in np.frombuffer(data, ">u4", dimensions, offset=4)]
    if len(data) != header + math.prod(shape):
        short = "is cut short" if len(data) < header + math.prod(shape) else "is too long"
        raise UserError(f"{path} {short}: {len(data)} bytes instead of {header + math.prod(shape)}; {again}")
    if 0 in shape:
        raise UserError(f"{path} holds no {KINDS[kind]}: {again}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def read_bytes(path: Path, again: str) -> bytes:
    """What is in a file, unpacked if it is gzipped, whatever its name says."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise UserError(f"{path} is damaged or cut short ({one_line(problem)}); {again}") from problem
