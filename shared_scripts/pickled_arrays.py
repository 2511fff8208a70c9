"""What stands for numpy's names, and a few others, when `restricted_pickle` reads a pickle.

A pickled array is a call of numpy's `_reconstruct` and a state. numpy's own functions take object arrays, which hold
pickles again, and records with metadata; these take numbers only, and check every size against the contents.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict

import numpy as np

from shared_scripts.cli import UserError


class Damaged(Exception):
    """The bytes are no whole pickle."""


def printable(text: str) -> str:
    """Text out of a file that is safe to show: short, in one line, without a terminal's control characters."""
    text = " ".join(text.split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 80 else f"{text[:77]}..."


ARRAY = object()  # stands for numpy.ndarray, which a pickle only ever passes to `reconstruct`


def reconstruct(kind: object, shape: object, code: object) -> np.ndarray:
    """An array that has still to get its contents."""
    if kind is not ARRAY or type(shape) is not tuple or shape != (0,) or code not in (b"b", "b"):
        raise Damaged("an array of an unknown kind")
    return np.ndarray((0,), np.int8)


def fill_array(array: np.ndarray, state: object) -> None:
    """Give it its contents: (version, shape, dtype, whether Fortran's order, bytes)."""
    if not isinstance(state, tuple) or len(state) not in (4, 5) or array.shape != (0,):
        raise Damaged("an array without contents")
    shape, dtype, fortran, data = state[-4:]
    sizes = isinstance(shape, tuple) and len(shape) <= 32 and all(type(n) is int and 0 <= n < 2**40 for n in shape)
    data = as_bytes(data)
    if not sizes or not isinstance(dtype, np.dtype) or math.prod(shape) * dtype.itemsize != len(data):
        raise Damaged("an array whose size and contents differ")
    array.__setstate__((1, shape, np.dtype(dtype.str), fortran is True or fortran == 1, data))


def make_dtype(code: object, align: object = False, copy: object = False) -> np.dtype:
    """A number format such as "f4". Object arrays, which could hold anything, and records are refused."""
    if isinstance(code, bytes):
        code = code.decode("latin1")
    if not isinstance(code, str) or not re.fullmatch(r"[biufc]\d{1,2}", code):
        raise UserError(f"holds arrays of {printable(str(code))!r}, which are not numbers, and not read")
    return np.dtype(code, False, True)  # a copy: the order of the bytes is set in it


def fill_dtype(dtype: np.dtype, state: object) -> None:
    """Set the order of the bytes; the rest of the state is for records and metadata."""
    order = state[1] if isinstance(state, tuple) and len(state) in (8, 9) else None
    order = order.decode("latin1") if isinstance(order, bytes) else order
    if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
        raise Damaged("a number format of an unknown kind")
    dtype.__setstate__((3, order, None, None, None, -1, -1, 0))


def make_scalar(dtype: object, data: object) -> np.generic:
    """One number."""
    data = as_bytes(data)
    if not isinstance(dtype, np.dtype) or len(data) != dtype.itemsize:
        raise Damaged("a number whose size and contents differ")
    return np.frombuffer(data, dtype)[0]


def as_bytes(data: object) -> bytes:
    """The contents of an array; Python 2 wrote them as a text."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes):
        raise Damaged("an array of objects")
    return data


def encode(text: object, encoding: object = "latin1") -> bytes:
    """How bytes look in protocols 0 to 2."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Damaged("bytes in an unknown form")
    return text.encode("latin1")


def ordered_dict(pairs: object = ()) -> OrderedDict:
    """A dict as Python 2 wrote it: a list of pairs."""
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs):
        raise Damaged("a dict without pairs")
    return OrderedDict((check_key(key), value) for key, value in pairs)


def check_key(key: object) -> object:
    """Keys are texts or small numbers: others take long to hash, or crash Python by their depth."""
    if type(key) in (str, bytes) or (type(key) in (int, bool) and abs(key) < 2**63):
        return key
    raise Damaged("a key that is neither text nor number")


NUMPY: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): reconstruct,  # numpy's name for it since 2.0
    ("numpy.core.multiarray", "scalar"): make_scalar,
    ("numpy._core.multiarray", "scalar"): make_scalar,
    ("numpy", "ndarray"): ARRAY,
    ("numpy", "dtype"): make_dtype,
    ("_codecs", "encode"): encode,
    ("collections", "OrderedDict"): ordered_dict,
}
