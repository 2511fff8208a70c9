"""Pickles from strangers: plain data are read as Python reads them, anything else is refused, and nothing runs."""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import pickletools
import random
import struct
import subprocess
import sys
import time
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest

from shared_scripts.cli import UserError
from shared_scripts.restricted_pickle import MAX_DEPTH, NUMPY, load_restricted

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ARRAY_PROTOCOLS = range(5)  # numpy has another way for protocol 5, which no data set uses


def load(data: bytes, **kwargs):
    return load_restricted(io.BytesIO(data), **kwargs)


def refusal(data: bytes, **kwargs) -> str:
    """What is said of bytes that are not read; always one line."""
    with pytest.raises(UserError) as caught:
        load(data, **kwargs)
    text = str(caught.value)
    assert text.startswith("the file ") and "\n" not in text and text.isprintable() and len(text) < 300
    return text


# ---- what is read ---------------------------------------------------------------------------------------------------

PLAIN = [
    None, True, False, 0, 1, -1, 255, 256, 65536, -(2**31), 2**31, 2**70, -(2**70), 1.5, -0.0, float("inf"), 1e-300,
    "", "a", "ä\n'\"\\ \ud800 \U0001f600", "x" * 300, [], [1], [1, 2], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {},
    {"a": 1}, {"a": [1, {"b": (2, None)}], 3: "c", True: 0}, list(range(3000)), {str(i): i for i in range(3000)},
    OrderedDict(b=1, a=2),
]  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_are_read_as_python_reads_them(protocol):
    for value in [*PLAIN, PLAIN]:
        found = load(pickle.dumps(value, protocol))
        assert found == value and type(found) is type(value) and repr(found) == repr(value)
    if protocol:
        assert load(pickle.dumps([b"\0\xff", b"x" * 300], protocol)) == [b"\0\xff", b"x" * 300]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_occurs_twice_is_one_object(protocol):
    part = [1]
    found = load(pickle.dumps({"a": part, "b": part}, protocol))
    assert found["a"] is found["b"]


@pytest.mark.parametrize("protocol", ARRAY_PROTOCOLS)
@pytest.mark.parametrize("code", ["<f4", ">f4", "f2", "f8", "u1", "i1", "<i8", ">i2", "u4", "?", "c8"])
def test_arrays_and_numbers_of_numpy(protocol, code):
    rng = np.random.default_rng(0)
    for shape in [(), (3,), (2, 3), (2, 1, 5, 4), (400, 5)]:
        array = np.array(rng.random(shape) * 100).astype(code)
        data = pickle.dumps([array, array.T, array.reshape(-1)[:1][0]], protocol)
        found = load(data)
        assert found[0].dtype == pickle.loads(data)[0].dtype and found[0].shape == shape and found[0].flags.writeable
        assert np.array_equal(found[0], array) and np.array_equal(found[1], array.T)
        assert found[2] == array.reshape(-1)[0] and found[2].dtype == array.dtype.newbyteorder("=")
    assert np.dtype("f4").isnative  # numpy's own formats were left alone


def test_the_order_of_bytes_is_an_arrays_own(tmp_path):
    big = np.arange(3, dtype=">f4")
    small = big.astype("<f4")
    found = load(pickle.dumps([big, small, big], 2))
    assert [array.tolist() for array in found] == [[0, 1, 2]] * 3


def test_both_of_numpys_names():
    for module in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        data = pickle.dumps([np.arange(3.0), np.float32(2)], 2)
        data = data.replace(b"numpy._core.multiarray", module).replace(b"numpy.core.multiarray", module)
        assert load(data)[0].tolist() == [0, 1, 2] and load(data)[1] == 2


def test_python_2_strings():
    data = b"\x80\x02]q\x01(U\x03a\xe4bq\x02T\x02\x00\x00\x00\xffxS'q\\xe4'\nK\x01I01\nL12L\ne."
    assert load(data) == ["aäb", "ÿx", "qä", 1, True, 12]
    assert load(data, encoding="bytes") == [b"a\xe4b", b"\xffx", b"q\xe4", 1, True, 12]


def test_classes_of_ones_own():
    class Network:
        def __setstate__(self, state):
            self.state = state

    data = b"\x80\x04\x8c\x06tfutil\x8c\x07Network\x93)\x81}\x8c\x01aK\x01sb."
    assert load(data, classes={("tfutil", "Network"): Network}).state == {"a": 1}
    assert "asks for tfutil.Network" in refusal(data)


def test_a_file_is_read_from_where_it_stands(tmp_path):
    (tmp_path / "two.pkl").write_bytes(pickle.dumps([1]) + pickle.dumps([2]))
    with open(tmp_path / "two.pkl", "rb") as file:
        assert [load_restricted(file), load_restricted(file)] == [[1], [2]]
    assert load_restricted(tmp_path / "two.pkl") == [1] == load_restricted(str(tmp_path / "two.pkl"))


@pytest.mark.skipif(os.name != "posix", reason="a pipe")
def test_what_comes_through_a_pipe():
    with subprocess.Popen([sys.executable, "-c", "print('I1\\n.', end='')"], stdout=subprocess.PIPE) as process:
        assert load_restricted(process.stdout) == 1


def test_random_data_of_every_protocol():
    rng = random.Random(0)

    def make(depth: int) -> object:
        kinds = 4 if depth == 0 else 8
        kind = rng.randrange(kinds)
        if kind < 4:
            return [rng.getrandbits(rng.randrange(1, 80)), rng.random(), "é" * rng.randrange(400), None][kind]
        parts = [make(depth - 1) for _ in range(rng.randrange(6))]
        return [parts, tuple(parts), {i: part for i, part in enumerate(parts)}, {str(p)[:9]: p for p in parts}][
            kind - 4
        ]

    for i in range(200):
        value = make(4)
        assert load(pickle.dumps(value, i % 6)) == value


def test_it_is_fast(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [rng.random((3, 3, 512, 512), np.float32) for _ in range(5)]
    (tmp_path / "big.pkl").write_bytes(pickle.dumps(arrays, 4))  # 47 MB
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        found = load_restricted(tmp_path / "big.pkl")
        seconds.append(time.perf_counter() - start)
    assert np.array_equal(found[4], arrays[4]) and min(seconds) < 0.1


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"there is no file .*x\.pkl"):
        load_restricted(tmp_path / "x.pkl")


def test_the_file_and_what_it_asks_for_are_named(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(UserError, match=r"x\.pkl asks for posix\.system: only plain data are read, and nothing in a "):
        load_restricted(tmp_path / "x.pkl")


def test_names_are_shown_without_control_characters():
    text = refusal(b"c\x1b[31mposix\nsys\rtem" + b"x" * 1000 + b"\n.")
    assert "asks for ?[31mposix.sys tem" in text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cut_off_anywhere(protocol):
    whole = pickle.dumps([{"a": [1, 2.5, "text"], "b": (None, "x" * 300, 2**40)}], protocol)
    for size in range(len(whole)):
        assert "is damaged or no pickle" in refusal(whole[:size])


def test_changed_anywhere():
    """Any byte may be wrong: either the data are different, or one line says so. Nothing else happens."""
    whole = pickle.dumps([{"a": [1, 2.5, "text"]}, np.arange(3, dtype="f4"), np.float32(2)], 2)
    rng = random.Random(0)
    for _ in range(1500):
        changed = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(whole))] = rng.randrange(256)
        try:
            load(bytes(changed))
        except UserError as problem:
            assert str(problem).isprintable()


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"hello world\n", b"PK\x03\x04rest", b"\x89PNG\r\n", b"\x80", b"\x80\x02", b"{}", b"(", b"N" * 100],
)
def test_no_pickle_at_all(data):
    assert "is damaged or no pickle" in refusal(data) or "has the pickle instruction" in refusal(data)


INSTRUCTIONS = {
    "INST": b"(iposix\nsystem\n.",
    "OBJ": b"(cposix\nsystem\no.",
    "NEWOBJ_EX": b"\x80\x04N)}\x92.",
    "PERSID": b"Pname\n.",
    "BINPERSID": b"\x80\x02NQ.",
    "EXT1": b"\x80\x02\x82\xf0.",
    "EXT2": b"\x80\x02\x83\xf0\x00.",
    "EXT4": b"\x80\x02\x84\xf0\x00\x00\x00.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
    "READONLY_BUFFER": b"\x80\x05N\x98.",
    "LONG4": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
    "EMPTY_SET": b"\x80\x04\x8f.",
    "DUP": b"N2.",
    "POP": b"NN0.",
}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_instructions_that_plain_data_do_not_need(name):
    assert (
        "posix.system" in refusal(INSTRUCTIONS[name])
        if name in ("INST", "OBJ")
        else name in refusal(INSTRUCTIONS[name])
    )


def test_what_somebody_registered_for_short_is_not_looked_up():
    """Python's own reader takes what it once found from a cache, without asking whether that is allowed."""
    copyreg.add_extension("posix", "system", 240)
    copyreg._extension_cache[240] = os.system
    try:
        assert "EXT1" in refusal(INSTRUCTIONS["EXT1"] + b"(S'true'\ntR.")
    finally:
        copyreg.remove_extension("posix", "system", 240)
        copyreg._extension_cache.pop(240, None)


def stack_global(module: str, name: str) -> bytes:
    return b"".join(b"\x8c" + bytes([len(t)]) + t.encode() for t in (module, name)) + b"\x93"


RECONSTRUCT, SCALAR = (
    stack_global("numpy.core.multiarray", "_reconstruct"),
    stack_global("numpy.core.multiarray", "scalar"),
)
NDARRAY, DTYPE = stack_global("numpy", "ndarray"), stack_global("numpy", "dtype")
ENCODE, ORDERED = stack_global("_codecs", "encode"), stack_global("collections", "OrderedDict")
F4 = DTYPE + b"\x8c\x02f4\x89\x88\x87R"
EMPTY = RECONSTRUCT + NDARRAY + b"K\0\x85C\x01b\x87R"
SHAPE3 = b"K\x03\x85"
TWELVE = b"C\x0c" + bytes(12)
WRONG = {
    "a dotted name": stack_global("numpy", "core.multiarray.scalar") + b".",
    "a dotted module": stack_global("numpy.core", "multiarray.scalar") + b".",
    "through a class": stack_global("numpy", "ndarray.tofile") + b".",
    "a name that is a number": b"K\x01K\x02\x93.",
    "an object array": DTYPE + b"\x8c\x02O8\x89\x88\x87R.",
    "an object array by another name": DTYPE + b"\x8c\x01O\x85R.",
    "a record": DTYPE + b"\x8c\x03V16\x89\x88\x87R.",
    "fields": DTYPE + b"]\x8c\x01a\x8c\x01O\x86a\x85R.",
    "a text array": DTYPE + b"\x8c\x02U4\x89\x88\x87R.",
    "fields in the state": F4 + b"(K\x03\x8c\x01<N\x8c\x01a\x85}NNK\0t" + b"b.",
    "metadata": F4 + b"(K\x04\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t" + b"b" + F4 + b"]b.",
    "an array of a subclass": RECONSTRUCT + stack_global("numpy", "memmap") + b"K\0\x85C\x01b\x87R.",
    "an array of a function": RECONSTRUCT + ENCODE + b"K\0\x85C\x01b\x87R.",
    "an array of a strange size": RECONSTRUCT + NDARRAY + b"K\x09\x85C\x01b\x87R.",
    "an array of objects": RECONSTRUCT + NDARRAY + b"K\0\x85C\x01O\x87R.",
    "more elements than contents": EMPTY + b"(K\x01J\xff\xff\xff\x7f\x85" + F4 + b"\x89" + TWELVE + b"tb.",
    "fewer elements than contents": EMPTY + b"(K\x01K\x01\x85" + F4 + b"\x89" + TWELVE + b"tb.",
    "a negative size": EMPTY + b"(K\x01J\xff\xff\xff\xffJ\xfd\xff\xff\xff\x86" + F4 + b"\x89" + TWELVE + b"tb.",
    "sizes that overflow": EMPTY
    + b"(K\x01"
    + b"\x8a\x09"
    + bytes(8)
    + b"\x01"
    + b"\x85"
    + F4
    + b"\x89"
    + TWELVE
    + b"tb.",
    "too many dimensions": EMPTY + b"(K\x01(" + b"K\x01" * 70 + b"t" + F4 + b"\x89C\x04" + bytes(4) + b"tb.",
    "contents in a list": EMPTY + b"(K\x01" + SHAPE3 + F4 + b"\x89](K\x01K\x02K\x03etb.",
    "no number format": EMPTY + b"(K\x01" + SHAPE3 + b"N\x89" + TWELVE + b"tb.",
    "a state that is a dict": EMPTY + b"}b.",
    "filled twice": EMPTY + (b"(K\x01" + SHAPE3 + F4 + b"\x89" + TWELVE + b"tb") * 2 + b".",
    "a number of objects": SCALAR + DTYPE + b"\x8c\x02O8\x89\x88\x87RC\x04N.NN\x86R.",
    "a number without a format": SCALAR + b"NC\x04aaaa\x86R.",
    "a number of the wrong size": SCALAR + F4 + b"C\x05aaaaa\x86R.",
    "another encoding": ENCODE + b"\x8c\x03abc\x8c\x06base64\x86R.",
    "a call of data": b"]\x85R.",
    "a call of an array": EMPTY + b")R.",
    "a call of numpy.ndarray": NDARRAY + b"K\x09\x85\x85R.",
    "a call with a list": ENCODE + b"]R.",
    "an object of a function": ENCODE + b")\x81.",
    "an object with arguments": DTYPE + b"\x8c\x02f4\x85\x81.",
    "a state for a list": b"]}b.",
    "a state for a function": ENCODE + b"}\x8c\x08__code__Nsb.",
    "a state for a dict": ORDERED + b")R}\x8c\x09__class__Nsb.",
    "items into an array": EMPTY + b"K\0K\x01s.",
    "items into a function": ENCODE + b"K\0K\x01s.",
    "onto a tuple": b")K\x01a.",
    "onto an array": EMPTY + b"K\x01a.",
    "a value too few": b"}(K\x01K\x02K\x03u.",
    "a tuple as key": b"})K\x01s.",
    "an array as key": b"}" + EMPTY + b"K\x01s.",
    "a huge number as key": b"}\x8a\xff" + b"\x01" * 255 + b"K\x01s.",
    "a dict of no pairs": ORDERED + b"](K\x01e\x85R.",
    "a reference to nothing": b"h\x05.",
    "the wrong number of quotes": b"S'abc\n.",
    "an absurd number": b"I" + b"9" * 5000 + b"\n.",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused(name):
    refusal(b"\x80\x04" + WRONG[name])


def test_the_pieces_above_are_right_but_for_what_is_wrong():
    array = EMPTY + b"(K\x01" + SHAPE3 + F4 + b"\x89" + TWELVE + b"tb."
    assert load(b"\x80\x04" + array).tolist() == [0, 0, 0]
    assert load(b"\x80\x04" + SCALAR + F4 + b"C\x04\0\0\x80?\x86R.") == 1


# ---- bombs ----------------------------------------------------------------------------------------------------------

PAIR = b"(" + b"K\x01K\x02\x86" * 10_000 + b"l\x94"
BOMBS = {
    "high places in the memo": b"N" + pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1),
    "bytes without end": pickle.BINBYTES8 + struct.pack("<Q", 2**62) + b"abc.",
    "a text without end": pickle.BINUNICODE8 + struct.pack("<Q", 2**40) + b"abc.",
    "a text of 4 GB": pickle.BINUNICODE + struct.pack("<I", 2**32 - 1) + b"abc.",
    "a negative size": pickle.BINSTRING + struct.pack("<i", -5) + b"abc.",
    "a frame without end": pickle.FRAME + struct.pack("<Q", 2**63) + pickle.BINGET + b"\x01.",
    "a text again and again": b"X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"\x94]("
    + (ENCODE + b"h\0\x85R") * 2000 + b"e.",
    "pairs again and again": PAIR + b"](" + (ORDERED + b"h\0\x85R") * 2000 + b"e.",
    "lists in lists": b"]" * 40_000 + b"a" * 39_999 + b".",
    "tuples in tuples": b")" + b"\x85" * 40_000 + b".",
    "a list in itself": b"]\x94h\0a.",
    "dicts in dicts": b"}" + b"K\0}" * 30_000 + b"s" * 30_000 + b".",
    "tuples in tuples as key": b"})" + b"\x85" * 40_000 + b"Ns.",
    "marks without end": b"(" * 40_000 + b".",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name):
    tracemalloc.start()
    refusal(b"\x80\x04" + BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * 2**20


def test_depth_that_is_still_read():
    value: list = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert load(pickle.dumps(value)) == value
    refusal(pickle.dumps([value]))


def test_names_that_stand_for_something_are_few():
    assert {f"{module}.{name}" for module, name in NUMPY} == {
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar", "numpy.ndarray", "numpy.dtype", "_codecs.encode", "collections.OrderedDict",
    }  # fmt: skip


def test_every_instruction_is_either_read_or_refused_by_name():
    from shared_scripts.restricted_pickle import REFUSED, STEPS

    known = {code.code.encode("latin1") for code in pickletools.opcodes}
    assert STEPS.keys() | REFUSED.keys() | {pickle.STOP} == known and not STEPS.keys() & REFUSED.keys()
