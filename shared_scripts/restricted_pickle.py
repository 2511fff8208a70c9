"""Reading pickles that somebody else made, without running anything in them.

A pickle is a program for a small stack machine, and may ask for any function there is. Python's own machine can be told
which names to hand out, but still trusts the rest: nine bytes make it fill all memory (a high memo number), deep tuples
as keys crash it, and numpy's own constructors take object arrays, which are pickles again. So here is a machine that
knows only the instructions plain data need, checks every length against the file, and builds arrays of numbers itself.
"""

from __future__ import annotations

import codecs
import io
import os
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from shared_scripts.cli import UserError
from shared_scripts.pickled_arrays import NUMPY, Damaged, check_key, fill_array, fill_dtype, printable

__all__ = ["NUMPY", "Damaged", "load_restricted", "printable"]

MAX_STEPS = 5_000_000  # instructions; CIFAR-100, the longest of the files we know, takes 300,000
MAX_DEPTH = 50  # containers in containers


def load_restricted(
    source: str | os.PathLike | BinaryIO,
    classes: Mapping[tuple[str, str], object] | None = None,
    encoding: str = "latin1",
) -> Any:
    """The object in a pickle of any protocol: containers, numbers, texts, arrays of numbers, and what `classes` admits.

    `source` is a path, or a binary file, read from where it stands. `classes` says what the names in the pickle stand
    for, {(module, name): object}, and is `NUMPY` by default: a function is called with arguments out of the file, so it
    must check them; a class is made without arguments and given its state by its `__setstate__`. No other name is ever
    looked up. `encoding` is for the texts of Python 2 (or "bytes": they stay bytes).
    Raises UserError, in one line that names the file, where it asks for anything else, is damaged, or is no pickle.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise UserError(f"there is no file {path}")
        with open(path, "rb") as file:
            return run(file, str(path), classes, encoding)
    return run(source, str(getattr(source, "name", "the file")), classes, encoding)


def run(file: BinaryIO, name: str, classes: Mapping[tuple[str, str], object] | None, encoding: str) -> Any:
    """The object in an open file."""
    try:
        result = Machine(file, NUMPY if classes is None else classes, encoding).run()
        check_depth(result)
    except UserError as problem:
        raise UserError(f"{name} {problem}") from None
    except OSError:
        raise
    except MemoryError:
        raise UserError(f"not enough memory to read {name}") from None
    except Exception as problem:  # wrong bytes lead to errors of a dozen kinds
        why = printable(str(problem)) if isinstance(problem, Damaged) else "it makes no sense"
        raise UserError(f"{name} is damaged or no pickle ({why})") from None
    return result


def check_depth(root: object) -> None:
    """Whoever walks through the object may do so by recursion: it is neither a loop nor absurdly deep."""
    level = [root]
    for _ in range(MAX_DEPTH):
        level = list({id(child): child for node in level for child in children(node)}.values())
        if not level:
            return
    raise Damaged("containers in containers without end")


def children(node: object) -> list:
    """What is directly in an object and may itself hold something."""
    if isinstance(node, dict):
        found = node.values()  # keys hold nothing
    elif isinstance(node, (list, tuple)):
        found = node
    else:
        found = getattr(node, "__dict__", {}).values() if not callable(node) else ()
    return [child for child in found if type(child) not in LEAVES]


LEAVES = (str, bytes, int, float, bool, type(None), np.ndarray, np.dtype)


# ---- the machine ----------------------------------------------------------------------------------------------------


class Machine:
    """A stack, a memo, and a file of instructions."""

    def __init__(self, file: BinaryIO, classes: Mapping[tuple[str, str], object], encoding: str):
        self.file, self.left = sized(file)
        self.budget = 2 * self.left  # how much may be made out of what is in the file
        self.classes, self.encoding = classes, encoding
        self.admitted = {id(thing) for thing in classes.values()}
        self.stack: list = []
        self.marks: list[int] = []  # where on the stack the open containers begin
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        """Follow the instructions until STOP; returns what then lies on the stack."""
        for _ in range(MAX_STEPS):
            code = self.read(1)
            if code == pickle.STOP:
                return self.stack.pop()
            step = STEPS.get(code)
            if step is None:
                self.refuse_step(code)
            step(self)
        raise Damaged("it does not end")

    # -- the file

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if not 0 <= size <= self.left:
            raise Damaged("it ends too early")
        self.left -= size
        data = self.file.read(size)
        if len(data) != size:
            raise Damaged("it ends too early")
        return data

    def number(self, form: str) -> Any:
        """A number in the form that `struct` calls so."""
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        """A line without its end."""
        line = self.file.readline(self.left)
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise Damaged("it ends too early")
        return line[:-1]

    # -- the stack

    def push(self, value: object) -> None:
        self.stack.append(value)

    def since_mark(self) -> list:
        """What was pushed since the last mark; taken off."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def top(self, kinds: tuple[type, ...]) -> Any:
        """The container that the next items go into."""
        if type(self.stack[-1]) not in kinds:
            raise Damaged("items for what is no container")
        return self.stack[-1]

    def push_tuple(self, size: int) -> None:
        """The last items as one."""
        if len(self.stack) < size:
            raise Damaged("a tuple of nothing")
        items = tuple(self.stack[-size:])
        del self.stack[-size:]
        self.push(items)

    def append(self, items: list) -> None:
        self.top((list,)).extend(items)

    def set_items(self, items: list) -> None:
        """Keys and values in turn."""
        target = self.top((dict, OrderedDict))
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[check_key(key)] = value

    def new_dict(self) -> None:
        """A dict of what was pushed since the last mark."""
        items = self.since_mark()
        self.push({})
        self.set_items(items)

    def pop_items(self, count: int) -> list:
        """The last items, taken off."""
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def memoize(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise Damaged("a reference to nothing")
        self.push(self.memo[index])

    def text(self, data: bytes) -> str | bytes:
        """A text of Python 2, which does not tell what its bytes mean."""
        return data if self.encoding == "bytes" else data.decode(self.encoding)

    # -- names, and what is made by them

    def find(self, module: object, name: object) -> None:
        """Push what stands for a name; nothing is imported."""
        if type(module) is not str or type(name) is not str:
            raise Damaged("a name that is no text")
        if (module, name) not in self.classes:
            raise UserError(
                f"asks for {printable(f'{module}.{name}')}: only plain data are read, and nothing in a file is run"
            )
        self.push(self.classes[module, name])

    def spend(self, values: tuple) -> None:
        """Count what a function or a state copies: a few bytes could ask for copies of a long text without end."""
        self.budget -= sum(len(value) for value in values if isinstance(value, (str, bytes, list, tuple)))
        if self.budget < 0:
            raise Damaged("the same contents again and again")

    def reduce(self) -> None:
        """Call an admitted function."""
        function, arguments = self.pop_items(2)
        if id(function) not in self.admitted or isinstance(function, type) or not callable(function):
            raise Damaged("a call of what is no function")
        if type(arguments) is not tuple:
            raise Damaged("a call without arguments")
        self.spend(arguments)
        self.push(function(*arguments))

    def new_object(self) -> None:
        """Make an object of an admitted class, without arguments."""
        kind, arguments = self.pop_items(2)
        if id(kind) not in self.admitted or not isinstance(kind, type) or arguments != ():
            raise Damaged("an object of what is no class")
        self.push(kind.__new__(kind))

    def build(self) -> None:
        """Give an object its state."""
        target, state = self.stack[-2], self.stack.pop()
        self.spend(state if isinstance(state, tuple) else ())
        if type(target) is np.ndarray:
            fill_array(target, state)
        elif isinstance(target, np.dtype):
            fill_dtype(target, state)
        elif id(type(target)) in self.admitted:
            target.__setstate__(state)
        else:
            raise Damaged("a state for what takes none")

    def refuse_step(self, code: bytes) -> None:
        """Instructions that plain data do not need."""
        if code == pickle.INST:  # an object of Python 2; say of which class
            self.find(self.line().decode("latin1"), self.line().decode("latin1"))
        if code in REFUSED:
            raise UserError(f"has the pickle instruction {REFUSED[code]}: only plain data are read")
        raise Damaged(f"the byte {code[0]} is no instruction")


def sized(file: BinaryIO) -> tuple[BinaryIO, int]:
    """The file and how many bytes it still has; what comes through a pipe is read first."""
    try:
        here = file.tell()
        size = file.seek(0, os.SEEK_END) - here
        file.seek(here)
    except OSError:
        data = file.read()
        return io.BytesIO(data), len(data)
    return file, size


def quoted(line: bytes) -> bytes:
    """A text as protocol 0 writes it: in quotes, with backslashes."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise Damaged("a text without quotes")
    return codecs.escape_decode(line[1:-1])[0]


def whole_number(line: bytes) -> int | bool:
    """A number as protocol 0 writes it; 00 and 01 are its False and True, and an L marks the long ones of Python 2."""
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > 100:
        raise Damaged("an absurd number")
    return int(line.removesuffix(b"L"))


def decimal(line: bytes) -> float:
    """A broken number as protocol 0 writes it."""
    if len(line) > 100:
        raise Damaged("an absurd number")
    return float(line)


REFUSED = {
    getattr(pickle, name): name
    for name in (
        "INST", "OBJ", "NEWOBJ_EX", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "DUP", "POP", "POP_MARK", "LONG4",
        "EMPTY_SET", "ADDITEMS", "FROZENSET", "BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER",
    )
}  # fmt: skip

STEPS: dict[bytes, Callable[[Machine], object]] = {
    pickle.PROTO: lambda m: m.read(1),
    pickle.FRAME: lambda m: m.read(8),  # how far to read ahead; not needed
    pickle.MARK: lambda m: m.marks.append(len(m.stack)),
    pickle.NONE: lambda m: m.push(None),
    pickle.NEWTRUE: lambda m: m.push(True),
    pickle.NEWFALSE: lambda m: m.push(False),
    # numbers
    pickle.INT: lambda m: m.push(whole_number(m.line())),
    pickle.LONG: lambda m: m.push(whole_number(m.line())),
    pickle.FLOAT: lambda m: m.push(decimal(m.line())),
    pickle.BININT: lambda m: m.push(m.number("<i")),
    pickle.BININT1: lambda m: m.push(m.read(1)[0]),
    pickle.BININT2: lambda m: m.push(m.number("<H")),
    pickle.LONG1: lambda m: m.push(int.from_bytes(m.read(m.read(1)[0]), "little", signed=True)),
    pickle.BINFLOAT: lambda m: m.push(m.number(">d")),
    # texts and bytes
    pickle.STRING: lambda m: m.push(m.text(quoted(m.line()))),
    pickle.BINSTRING: lambda m: m.push(m.text(m.read(m.number("<i")))),
    pickle.SHORT_BINSTRING: lambda m: m.push(m.text(m.read(m.read(1)[0]))),
    pickle.UNICODE: lambda m: m.push(m.line().decode("raw-unicode-escape")),
    pickle.BINUNICODE: lambda m: m.push(m.read(m.number("<I")).decode("utf-8", "surrogatepass")),
    pickle.SHORT_BINUNICODE: lambda m: m.push(m.read(m.read(1)[0]).decode("utf-8", "surrogatepass")),
    pickle.BINUNICODE8: lambda m: m.push(m.read(m.number("<Q")).decode("utf-8", "surrogatepass")),
    pickle.BINBYTES: lambda m: m.push(m.read(m.number("<I"))),
    pickle.SHORT_BINBYTES: lambda m: m.push(m.read(m.read(1)[0])),
    pickle.BINBYTES8: lambda m: m.push(m.read(m.number("<Q"))),
    # containers
    pickle.EMPTY_TUPLE: lambda m: m.push(()),
    pickle.TUPLE: lambda m: m.push(tuple(m.since_mark())),
    pickle.TUPLE1: lambda m: m.push_tuple(1),
    pickle.TUPLE2: lambda m: m.push_tuple(2),
    pickle.TUPLE3: lambda m: m.push_tuple(3),
    pickle.EMPTY_LIST: lambda m: m.push([]),
    pickle.LIST: lambda m: m.push(m.since_mark()),
    pickle.APPEND: lambda m: m.append(m.pop_items(1)),
    pickle.APPENDS: lambda m: m.append(m.since_mark()),
    pickle.EMPTY_DICT: lambda m: m.push({}),
    pickle.DICT: Machine.new_dict,
    pickle.SETITEM: lambda m: m.set_items(m.pop_items(2)),
    pickle.SETITEMS: lambda m: m.set_items(m.since_mark()),
    # the memo
    pickle.PUT: lambda m: m.memoize(whole_number(m.line())),
    pickle.BINPUT: lambda m: m.memoize(m.read(1)[0]),
    pickle.LONG_BINPUT: lambda m: m.memoize(m.number("<I")),
    pickle.MEMOIZE: lambda m: m.memoize(len(m.memo)),
    pickle.GET: lambda m: m.recall(whole_number(m.line())),
    pickle.BINGET: lambda m: m.recall(m.read(1)[0]),
    pickle.LONG_BINGET: lambda m: m.recall(m.number("<I")),
    # names and objects
    pickle.GLOBAL: lambda m: m.find(m.line().decode("utf-8"), m.line().decode("utf-8")),
    pickle.STACK_GLOBAL: lambda m: m.find(*m.pop_items(2)),
    pickle.REDUCE: Machine.reduce,
    pickle.NEWOBJ: Machine.new_object,
    pickle.BUILD: Machine.build,
}
