"""Writing networks in the reference's own format, so that its tools, and the many others made for it, read them.

A file is one pickle of (G, D, Gs), each an object of the class `tfutil.Network`, which does not exist here. So the
instructions are written one by one; there are few, and arrays go to the disk without being copied.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shared_scripts.files import atomic_write
from stored import StoredNetwork

ARRAYS = "numpy.core.multiarray"  # numpy's own name for it until 2.0, which later versions still understand
STUB = (
    "# These weights were trained in PyTorch, and this file has no code to build the network in TensorFlow.\n"
    "# To use it with the original tools, put the text of their networks.py in this place.\n"
    'raise NotImplementedError("this network was trained in PyTorch; its file holds weights, no TensorFlow code")\n'
)


def write_pickle(path: str | Path, G: StoredNetwork | None, D: StoredNetwork | None, Gs: StoredNetwork | None) -> None:
    """Write (G, D, Gs) as the reference's training does, atomically. What is None is written as None.

    The code to build a network in TensorFlow is what its file had (`build_module_src`), else a text that says it is
    not there. UserError where the disk or the folder refuses.
    """
    with atomic_write(Path(path)) as temporary, open(temporary, "wb") as file:
        writer = Writer(file)
        file.write(pickle.PROTO + b"\x04")
        for network in (G, D, Gs):
            writer.network(network)
        file.write(pickle.TUPLE3 + pickle.STOP)


class Writer:
    """Writes values as instructions of protocol 4."""

    def __init__(self, file: BinaryIO):
        self.file = file

    def network(self, network: StoredNetwork | None) -> None:
        """An object of the class tfutil.Network and its state."""
        if network is None:
            return self.value(None)
        self.name("tfutil", "Network")
        self.file.write(pickle.EMPTY_TUPLE + pickle.NEWOBJ)
        self.value(
            {
                "version": 2,
                "name": network.name,
                "static_kwargs": network.static_kwargs or network.options,
                "build_module_src": network.build_module_src or STUB,
                "build_func_name": f"{network.kind}_paper",
                "variables": [
                    (name, np.float32(value) if name == "lod" else value) for name, value in network.variables.items()
                ],
            }
        )
        self.file.write(pickle.BUILD)

    def value(self, value: object) -> None:
        """Anything that a state holds."""
        if value is None or isinstance(value, bool):
            self.file.write({None: pickle.NONE, True: pickle.NEWTRUE, False: pickle.NEWFALSE}[value])
        elif isinstance(value, np.floating):
            self.scalar(value)
        elif isinstance(value, np.ndarray):
            self.array(value)
        elif isinstance(value, int):
            self.integer(value)
        elif isinstance(value, float):
            self.file.write(pickle.BINFLOAT + struct.pack(">d", value))
        elif isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
            self.file.write(pickle.BINUNICODE + struct.pack("<I", len(data)) + data)
        elif isinstance(value, dict):
            self.file.write(pickle.EMPTY_DICT + pickle.MARK)
            self.all([part for item in value.items() for part in item])
            self.file.write(pickle.SETITEMS)
        elif isinstance(value, list):
            self.file.write(pickle.EMPTY_LIST + pickle.MARK)
            self.all(value)
            self.file.write(pickle.APPENDS)
        elif isinstance(value, tuple):
            self.file.write(pickle.MARK)
            self.all(value)
            self.file.write(pickle.TUPLE)
        else:
            raise TypeError(f"a network holds no {type(value).__name__}")

    def all(self, values: Sequence[object]) -> None:
        for value in values:
            self.value(value)

    def integer(self, value: int) -> None:
        """A whole number, of the size it needs."""
        if 0 <= value < 256:
            self.file.write(pickle.BININT1 + bytes([value]))
        elif -(2**31) <= value < 2**31:
            self.file.write(pickle.BININT + struct.pack("<i", value))
        else:
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self.file.write(pickle.LONG1 + bytes([len(data)]) + data)

    def name(self, module: str, name: str) -> None:
        """The name of a class or function."""
        self.value(module)
        self.value(name)
        self.file.write(pickle.STACK_GLOBAL)

    def data(self, array: np.ndarray) -> None:
        """An array's contents."""
        size = array.nbytes
        self.file.write(
            pickle.BINBYTES + struct.pack("<I", size) if size < 2**32 else pickle.BINBYTES8 + struct.pack("<Q", size)
        )
        self.file.write(array.reshape(-1).view(np.uint8).data)

    def float32(self) -> None:
        """The number format."""
        self.name("numpy", "dtype")
        self.value(("f4", False, True))
        self.file.write(pickle.REDUCE)
        self.value((3, "<", None, None, None, -1, -1, 0))
        self.file.write(pickle.BUILD)

    def scalar(self, value: np.floating) -> None:
        """One number, as numpy pickles its own."""
        self.name(ARRAYS, "scalar")
        self.float32()
        self.data(np.array([value], "<f4"))
        self.file.write(pickle.TUPLE2 + pickle.REDUCE)

    def array(self, array: np.ndarray) -> None:
        """An array, as numpy pickles it: an empty one, then its state."""
        self.name(ARRAYS, "_reconstruct")
        self.name("numpy", "ndarray")
        self.value((0,))
        self.file.write(pickle.SHORT_BINBYTES + b"\x01b" + pickle.TUPLE3 + pickle.REDUCE)
        self.file.write(pickle.MARK)
        self.all([1, array.shape])
        self.float32()
        self.value(False)
        self.data(np.ascontiguousarray(array, "<f4"))
        self.file.write(pickle.TUPLE + pickle.BUILD)
