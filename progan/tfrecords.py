"""TFRecord files of pictures, as ProGAN's exporter wrote them: written to the byte, read at random places.

A file is a row of records: uint64 length, masked CRC-32C of those 8 bytes, payload, masked CRC-32C of the payload.
A payload is a protobuf message tf.train.Example with two features: `shape` (three integers: channels, height, width)
and `data` (the pixels, uint8). Everything is little-endian.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from checksum import masked_crc32c
from shared_scripts.cli import UserError

HEADER, FOOTER = 12, 4  # bytes before and after a payload
SAMPLES = 1024  # so many records' lengths are looked at before a file counts as one of records of one length
ADVICE = "copy the data set again, or make it anew with dataset_tool.py"


class Damaged(ValueError):
    """A payload is no picture; the message says why."""


# --- protobuf's wire format ---------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    """A number from 0 on, seven bits a byte, the lowest first."""
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def field(number: int, content: bytes) -> bytes:
    """A field of bytes, or of a message within the message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def encode_example(shape: tuple[int, int, int], data: bytes) -> bytes:
    """The payload of a picture."""
    integers = field(3, field(1, b"".join(map(varint, shape))))
    pixels = field(1, field(1, data))
    entries = [field(1, b"shape") + field(2, integers), field(1, b"data") + field(2, pixels)]
    return field(1, b"".join(field(1, entry) for entry in entries))


def read_varint(payload: bytes, position: int, end: int) -> tuple[int, int]:
    """The number at a position, below 2^64, and the position after it. Damaged where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            raise Damaged("a number is cut short")
        byte = payload[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, position
    raise Damaged("a number has more than 64 bits")


def fields(payload: bytes, start: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """The fields of the message in payload[start:end]: their numbers, with an integer or the (start, end) of bytes."""
    position = start
    while position < end:
        tag, position = read_varint(payload, position, end)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = read_varint(payload, position, end)
            yield number, value
            continue
        if kind == 2:
            size, position = read_varint(payload, position, end)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise Damaged(f"a field has the unknown kind {kind}")
        if size > end - position:
            raise Damaged("a field is cut short")
        yield number, (position, position + size)
        position += size


def spans(payload: bytes, span: tuple[int, int], number: int) -> Iterator[tuple[int, int]]:
    """Where the fields of bytes with a number are in the message in a span."""
    return (value for found, value in fields(payload, *span) if found == number and isinstance(value, tuple))


def read_integers(payload: bytes, span: tuple[int, int]) -> list[int]:
    """The integers of a Feature, whether packed into one field or each in its own."""
    result = []
    for integers in spans(payload, span, 3):
        for number, value in fields(payload, *integers):
            if number == 1 and isinstance(value, int):
                result.append(value)
            elif number == 1:
                position, end = value
                while position < end:
                    integer, position = read_varint(payload, position, end)
                    result.append(integer)
    return [value - (1 << 64) if value >> 63 else value for value in result]


def parse_example(payload: bytes) -> tuple[tuple[int, int, int], tuple[int, int]]:
    """A picture's shape (channels, height, width), and where its pixels begin and end in the payload.

    The features may come in any order, with others between them. Damaged where it is none.
    """
    features: dict[bytes, tuple[int, int]] = {}
    for message in spans(payload, (0, len(payload)), 1):
        for entry in spans(payload, message, 1):
            key = b"".join(bytes(payload[slice(*span)]) for span in spans(payload, entry, 1))
            for value in spans(payload, entry, 2):
                features[key] = value
    for name in ("shape", "data"):
        if name.encode() not in features:
            raise Damaged(f"it has no {name}")
    shape = tuple(read_integers(payload, features[b"shape"]))
    data = [found for values in spans(payload, features[b"data"], 1) for found in spans(payload, values, 1)]
    if len(shape) != 3 or min(shape) < 1:
        raise Damaged(f"its shape is {list(shape)} instead of channels, height, width")
    if len(data) != 1 or data[0][1] - data[0][0] != math.prod(shape):
        size = sum(end - start for start, end in data)
        raise Damaged(f"it has {size} bytes of pixels, a picture of shape {list(shape)} has {math.prod(shape)}")
    return shape, data[0]


# --- reading ------------------------------------------------------------------------------------------------------


def to_integers(rows: np.ndarray, kind: str) -> np.ndarray:
    """Little-endian numbers, one from each row of bytes."""
    return np.ascontiguousarray(rows).view(kind)[:, 0]


class TFRecordFile:
    """The pictures of a file, all of one `shape` (channels, height, width); `len` is how many there are.

    Opening reads little: records of one length are found by counting. Checksums are compared when a record is first
    read. UserError, naming the file and the record (counted from 0), where something is damaged.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
            if size == 0:
                raise UserError(f"{self.path} is empty; {ADVICE}")
            self.bytes = np.memmap(self.path, np.uint8, "r")
        except (OSError, ValueError) as problem:
            raise UserError(f"{self.path} cannot be read: {problem}") from problem
        first = self._record_size()
        self.rows: np.ndarray | None = self.bytes[: size // first * first].reshape(-1, first)  # of equal records
        self.starts = np.arange(0, size, first) if self._are_alike(size, first) else self._walk()
        self.checked = np.zeros(len(self.starts), bool)
        payload = self._payload(0)
        self.shape, self.span = self._parse(0, payload)
        self.head, self.tail = payload[: self.span[0]], payload[self.span[1] :]

    def __len__(self) -> int:
        return len(self.starts)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """[N, channels, height, width] uint8: the pictures of these numbers."""
        indices = np.asarray(indices, np.int64)
        if self.rows is None:
            return np.stack([self._read_one(i) for i in indices]) if len(indices) else self._nothing()
        rows = self.rows[indices]
        self._check(indices, rows)
        start, end = (HEADER + place for place in self.span)
        pixels = rows[:, start:end].reshape(-1, *self.shape)
        usual = (rows[:, HEADER:start] == self.head).all(1) & (rows[:, end:-FOOTER] == self.tail).all(1)
        for i in np.flatnonzero(~usual):  # whole, but with its features at other places
            pixels[i] = self._read_one(indices[i])
        return pixels

    def _nothing(self) -> np.ndarray:
        return np.empty((0, *self.shape), np.uint8)

    def _error(self, number: int, words: str) -> UserError:
        return UserError(f"{self.path}, record {number} (counted from 0): {words}; {ADVICE}")

    def _record_size(self) -> int:
        """The first record's length, once its header is known to be whole."""
        if len(self.bytes) < HEADER:
            raise self._error(0, f"the file is cut short ({len(self.bytes)} bytes)")
        self._check_headers(np.zeros(1, np.int64))
        size = self._length(0) + HEADER + FOOTER
        if size > len(self.bytes):
            raise self._error(0, "it is cut short")
        return size

    def _length(self, start: int) -> int:
        return int.from_bytes(self.bytes[start : start + 8].tobytes(), "little")

    def _are_alike(self, size: int, first: int) -> bool:
        """Whether all records have the first one's length."""
        if size % first:
            return False
        some = np.unique(np.linspace(0, size // first - 1, SAMPLES).astype(np.int64))
        return bool((self.rows[some, :HEADER] == self.rows[0, :HEADER]).all())

    def _walk(self) -> np.ndarray:
        """Where the records begin, found one after another: they have different lengths, or the file is damaged."""
        self.rows = None
        starts, position, end = [], 0, len(self.bytes)
        while position + HEADER <= end:
            starts.append(position)
            position += HEADER + self._length(position) + FOOTER
        self._check_headers(np.array(starts))
        if position != end:
            number = len(starts) - (position > end)
            raise self._error(number, "the file is cut short within it")
        return np.array(starts)

    def _check_headers(self, starts: np.ndarray) -> None:
        """UserError where a length's checksum is wrong."""
        headers = self.bytes[starts[:, None] + np.arange(HEADER)]
        wrong = masked_crc32c(headers[:, :8]) != to_integers(headers[:, 8:], "<u4")
        if wrong.any():
            raise self._error(int(wrong.argmax()), "its header is damaged, or this is no TFRecord file")

    def _check(self, indices: np.ndarray, rows: np.ndarray) -> None:
        """Compare the lengths and checksums of whole records, of equal length, that were not read before."""
        new = ~self.checked[indices]
        if not new.any():
            return
        numbers, rows = indices[new], rows[new]
        if self.rows is not None:
            other = (rows[:, :HEADER] != self.rows[0, :HEADER]).any(1)
            if other.any():
                raise self._error(int(numbers[other.argmax()]), "its header is damaged")
        wrong = masked_crc32c(rows[:, HEADER:-FOOTER]) != to_integers(rows[:, -FOOTER:], "<u4")
        if wrong.any():
            raise self._error(int(numbers[wrong.argmax()]), "it is damaged (its checksum is wrong)")
        self.checked[numbers] = True

    def _payload(self, number: int) -> np.ndarray:
        """A record's payload, checked."""
        start = int(self.starts[number])
        record = self.bytes[start : start + HEADER + self._length(start) + FOOTER]
        self._check(np.array([number]), record[None])
        return np.array(record[HEADER:-FOOTER])

    def _parse(self, number: int, payload: np.ndarray) -> tuple[tuple[int, int, int], tuple[int, int]]:
        try:
            return parse_example(payload.tobytes())
        except Damaged as problem:
            raise self._error(number, str(problem)) from problem

    def _read_one(self, number: int) -> np.ndarray:
        """A picture whose record may be laid out in any way."""
        payload = self._payload(number)
        shape, (start, end) = self._parse(number, payload)
        if shape != self.shape:
            raise self._error(number, f"its shape is {list(shape)}, the first record's {list(self.shape)}")
        return payload[start:end].reshape(shape)


# --- writing ------------------------------------------------------------------------------------------------------


def encode_records(images: np.ndarray) -> np.ndarray:
    """[N, bytes] uint8: the records of [N, channels, height, width] uint8 pictures."""
    count, size = len(images), math.prod(images.shape[1:])
    head = np.frombuffer(encode_example(images.shape[1:], bytes(size))[:-size], np.uint8)
    length = np.frombuffer((len(head) + size).to_bytes(8, "little"), np.uint8)
    records = np.empty((count, HEADER + len(head) + size + FOOTER), np.uint8)
    records[:, :8] = length
    records[:, 8:HEADER] = as_bytes(masked_crc32c(length[None]))
    records[:, HEADER : HEADER + len(head)] = head
    records[:, HEADER + len(head) : -FOOTER] = images.reshape(count, size)
    records[:, -FOOTER:] = as_bytes(masked_crc32c(records[:, HEADER:-FOOTER]))
    return records


def as_bytes(checksums: np.ndarray) -> np.ndarray:
    """[N] uint32 as [N, 4] little-endian bytes."""
    return checksums.astype("<u4")[:, None].view(np.uint8)
