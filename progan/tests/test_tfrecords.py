"""TFRecord files: checksums, protobuf's wire format, the recorded data sets to the byte, and damage of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import golden_file

import tfrecords
from checksum import POLYNOMIAL, crc32c, masked_crc32c, skip_zeros
from shared_scripts.cli import UserError
from tfrecords import Damaged, TFRecordFile, encode_example, encode_records, field, parse_example, varint

NUMBERS = np.arange(14)


def plain_crc32c(data: bytes) -> int:
    """The checksum bit by bit, as its definition has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record(payload: bytes) -> bytes:
    """A record with any payload."""

    def summed(data: bytes) -> bytes:
        return data + int(masked_crc32c(np.frombuffer(data, np.uint8)[None])[0]).to_bytes(4, "little")

    return summed(len(payload).to_bytes(8, "little")) + summed(payload)


def example(shape, data: bytes, unpacked: bool = False, reverse: bool = False, extra: bytes = b"") -> bytes:
    """A payload laid out in unusual but valid ways."""
    numbers = [varint(value & (1 << 64) - 1) for value in shape]
    integers = b"".join(b"\x08" + number for number in numbers) if unpacked else field(1, b"".join(numbers))
    entries = [
        field(1, b"shape") + field(2, field(3, integers)),
        field(1, b"data") + field(2, field(1, field(1, data))),
    ]
    return field(1, extra + b"".join(field(1, entry) for entry in (reversed(entries) if reverse else entries)))


@pytest.fixture
def write(tmp_path):
    """`write(records…)`: a file with these records, as bytes."""

    def write_file(*records: bytes):
        path = tmp_path / "set-r02.tfrecords"
        path.write_bytes(b"".join(records))
        return path

    return write_file


def rgb(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, 4, 4), np.uint8)


# --- checksums ----------------------------------------------------------------------------------------------------


def test_checksums_are_those_of_the_standard():
    """RFC 3720, appendix B.4, and the polynomial's check value."""
    known = {bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E, b"123456789": 0xE3069283}
    for data, expected in known.items():
        assert crc32c(np.frombuffer(data, np.uint8)[None])[0] == expected


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 1000, 3127])
@pytest.mark.parametrize("count", [1, 3])
def test_checksums_of_every_length_and_of_several_at_once(length, count):
    rows = np.random.default_rng(length).integers(0, 256, (count, length), np.uint8)
    assert crc32c(rows).tolist() == [plain_crc32c(row.tobytes()) for row in rows]


def test_checksums_of_long_strings_join_their_parts():
    row = np.random.default_rng(0).integers(0, 256, (1, 300_001), np.uint8)
    start = skip_zeros(crc32c(row[:, :200_000]), 100_001)
    assert start ^ crc32c(row[:, 200_000:]) == crc32c(row)


# --- protobuf -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "extra", [b"", field(7, b"unknown"), field(1, field(1, b"label") + field(2, field(3, b""))), b"\x50\x07"]
)
def test_examples_may_be_laid_out_in_any_way(unpacked, reverse, extra):
    image = rgb()
    payload = example(image.shape, image.tobytes(), unpacked, reverse, extra)
    shape, (start, end) = parse_example(payload)
    assert shape == image.shape and payload[start:end] == image.tobytes()


def test_the_plain_layout_is_the_references():
    assert encode_example((3, 4, 4), bytes(48)) == example((3, 4, 4), bytes(48))
    assert parse_example(encode_example((1, 1024, 1024), bytes(1 << 20)))[0] == (1, 1024, 1024)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no shape"),
        (example((3, 4), bytes(12)), "its shape is"),
        (example((3, -4, 4), bytes(48)), r"its shape is \[3, -4, 4\]"),
        (example((0, 4, 4), b""), "its shape is"),
        (example((3, 4, 4), bytes(47)), "47 bytes of pixels"),
        (example((1 << 40, 1 << 40, 1 << 40), bytes(48)), "48 bytes of pixels"),
        (field(1, field(1, field(1, b"shape"))), "no shape"),
        (b"\x0a\xff", "cut short"),
        (b"\x0a\x05abc", "cut short"),
        (b"\x0b", "unknown kind"),
        (b"\xff" * 9 + b"\x7f", "64 bits"),
        (b"\xff" * 11, "64 bits"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "cut short"),
    ],
)
def test_payloads_that_are_no_pictures(payload, words, write):
    with pytest.raises(Damaged, match=words):
        parse_example(payload)
    path = write(record(payload))
    with pytest.raises(UserError, match=f"{path.name}, record 0 .*{words}"):
        TFRecordFile(path)


def test_random_payloads_are_refused_and_nothing_else():
    rng, whole = np.random.default_rng(0), encode_example((3, 4, 4), bytes(48))
    for _ in range(3000):
        payload = bytearray(whole) if rng.random() < 0.7 else bytearray(rng.bytes(rng.integers(0, 60)))
        for place in rng.integers(0, max(len(payload), 1), 3):
            payload[place : place + 1] = rng.bytes(1)
        try:
            shape, (start, end) = parse_example(bytes(payload[: rng.integers(1, 90)]))
            assert end - start == np.prod(shape)
        except Damaged:
            pass


# --- the recorded data sets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "top"), [("tinyrgb", 4), ("tinygray", 5)])
def test_recorded_files_are_read_and_written_to_the_byte(name, top, golden):
    arrays = golden("dataset_tool")
    for level in range(2, top + 1):
        path = golden_file(f"datasets/{name}/{name}-r{level:02d}.tfrecords")
        file = TFRecordFile(path)
        images = file.read(np.arange(len(file)))
        np.testing.assert_array_equal(images, arrays[f"{name}/lod{top - level}"])
        assert encode_records(images).tobytes() == path.read_bytes()
        np.testing.assert_array_equal(file.read(np.array([5, 0, 5])), images[[5, 0, 5]])
        assert file.read(np.array([], int)).shape == (0, *file.shape)


def test_a_recorded_file_with_its_features_the_other_way_round(golden):
    for level in (2, 3, 4):
        file = TFRecordFile(golden_file(f"datasets/oddwire/oddwire-r{level:02d}.tfrecords"))
        expected = golden("dataset_tool")[f"tinyrgb/lod{4 - level}"][:5]
        np.testing.assert_array_equal(file.read(np.arange(5)), expected)


def test_the_sizes_that_the_references_readme_names():
    for resolution, size in ((4, 98), (8, 247), (16, 823), (32, 3127)):
        assert encode_records(np.zeros((2, 3, resolution, resolution), np.uint8)).shape == (2, size)


# --- other layouts ------------------------------------------------------------------------------------------------


def test_records_of_different_lengths(write):
    images = [rgb(seed) for seed in range(6)]
    extras = [b"", field(9, b"x"), b"", field(9, b"long" * 50), b"", field(9, b"yz")]
    path = write(*(record(example((3, 4, 4), i.tobytes(), extra=e)) for i, e in zip(images, extras, strict=True)))
    file = TFRecordFile(path)
    assert len(file) == 6 and file.rows is None
    np.testing.assert_array_equal(file.read(np.array([5, 1, 3])), [images[5], images[1], images[3]])
    assert file.read(np.array([], int)).shape == (0, 3, 4, 4)


def test_records_of_one_length_with_their_features_in_different_orders(write):
    images = [rgb(seed) for seed in range(4)]
    path = write(*(record(example((3, 4, 4), image.tobytes(), reverse=i % 2)) for i, image in enumerate(images)))
    file = TFRecordFile(path)
    assert file.rows is not None
    np.testing.assert_array_equal(file.read(np.arange(4)), images)


@pytest.mark.parametrize("shape", [(1, 4, 12), (12, 4, 1), (3, 2, 8)])
def test_records_of_different_shapes(shape, write):
    path = write(record(example((3, 4, 4), bytes(48))), record(example(shape, bytes(48))))
    with pytest.raises(UserError, match="record 1 .*the first record's"):
        TFRecordFile(path).read(np.arange(2))


def test_a_long_file_is_opened_without_reading_it_all(tmp_path, monkeypatch):
    path = tmp_path / "big.tfrecords"
    path.write_bytes(encode_records(np.zeros((1, 3, 4, 4), np.uint8)).tobytes() * 50_000)
    looked_at = []
    plain = tfrecords.masked_crc32c
    monkeypatch.setattr(tfrecords, "masked_crc32c", lambda rows: (looked_at.append(rows.size), plain(rows))[1])
    file = TFRecordFile(path)
    assert len(file) == 50_000 and sum(looked_at) < 1000
    file.read(np.array([49_999, 7]))
    before = sum(looked_at)
    file.read(np.array([7, 49_999]))
    assert sum(looked_at) == before  # checksums are compared once


# --- damage -------------------------------------------------------------------------------------------------------


def read_all(path) -> int:
    file = TFRecordFile(path)
    file.read(np.arange(len(file)))
    return len(file)


def test_files_that_were_cut_short_anywhere(write):
    whole = golden_file("datasets/tinyrgb/tinyrgb-r02.tfrecords").read_bytes()
    for size in range(0, len(whole), 7):
        path = write(whole[:size])
        if size % 98 == 0 and size:
            assert read_all(path) == size // 98
            continue
        with pytest.raises(UserError, match=path.name) as problem:
            read_all(path)
        assert "cut short" in str(problem.value) or "empty" in str(problem.value)
        assert size == 0 or f"record {size // 98} " in str(problem.value)


def test_a_flipped_bit_anywhere(write):
    whole = golden_file("datasets/tinyrgb/tinyrgb-r02.tfrecords").read_bytes()[: 3 * 98]
    for place in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path = write(bytes(damaged))
        with pytest.raises(UserError, match=f"{path.name}, record {place // 98} "):
            read_all(path)


def test_a_flipped_bit_in_records_of_different_lengths(write):
    lengths = [b"", field(9, b"x"), b"", field(9, b"more")]
    records = [record(example((3, 4, 4), rgb().tobytes(), extra=extra)) for extra in lengths]
    whole, ends = b"".join(records), np.cumsum([len(part) for part in records])
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path = write(bytes(damaged))
        with pytest.raises(UserError, match=f"{path.name}, record {np.searchsorted(ends, place, 'right')} "):
            read_all(path)


def test_absurd_lengths(write):
    for length in (1 << 40, (1 << 64) - 1):
        header = length.to_bytes(8, "little")
        checked = header + int(masked_crc32c(np.frombuffer(header, np.uint8)[None])[0]).to_bytes(4, "little")
        with pytest.raises(UserError, match="record 0 .*cut short"):
            TFRecordFile(write(checked + bytes(100)))
        with pytest.raises(UserError, match="record 1 .*cut short"):
            TFRecordFile(write(record(example((3, 4, 4), bytes(48))), checked + bytes(100)))


def test_files_of_another_kind(write, tmp_path):
    for content in (b"PK\x03\x04" + bytes(200), b"<html>not found</html>" * 9, bytes(500)):
        with pytest.raises(UserError, match="no TFRecord file"):
            TFRecordFile(write(content))
    with pytest.raises(UserError, match="cannot be read"):
        TFRecordFile(tmp_path / "missing.tfrecords")
    (tmp_path / "folder.tfrecords").mkdir()
    with pytest.raises(UserError, match="folder.tfrecords"):
        TFRecordFile(tmp_path / "folder.tfrecords")
