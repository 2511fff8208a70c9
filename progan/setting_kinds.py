"""What kinds of value a setting takes: each is checked the same whether it stands in config.py or on the command line.

A kind's `check` gives the value as it is kept, or raises ValueError with what was expected. `read` makes a value of a
word on the command line, for `check` to look at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "none": None}


@dataclass(frozen=True)
class Kind:
    """`shown` stands for the value in --help."""

    shown: str
    check: Callable[[object], object]
    read: Callable[[str], object]


def scalar(text: str) -> object:
    """A word as a number, a truth value or None, where it is one; else as it is."""
    word = text.strip()
    if word.lower() in WORDS:
        return WORDS[word.lower()]
    for kind in (int, float):
        try:
            return kind(word) if len(word) < 40 and "_" not in word else text
        except ValueError:
            pass
    return text


def whole(low: int = 0, high: int = 2**31 - 1) -> Kind:
    """A whole number from `low` to `high`."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            raise ValueError("a whole number")
        return int(between(value, low, high))

    return Kind("N", check, scalar)


def number(low: float = 0.0, high: float = 1e12, open_end: bool = False) -> Kind:
    """A number from `low` to `high`; with `open_end`, below `high`."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError("a number")
        if open_end and value >= high:
            raise ValueError(f"a number below {high:g}")
        return between(value, low, high)

    return Kind("X", check, scalar)


def between(value: float, low: float, high: float) -> float:
    """The number, if it is in its range."""
    if value < low:
        raise ValueError(f"a number of at least {plain(low)}")
    if value > high:
        raise ValueError(f"a number of at most {plain(high)}")
    return value


def plain(value: float) -> str:
    """A limit in words: 4294967295, 1e-06."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def power_of_two(low: int = 4, high: int = 8192) -> Kind:
    """A resolution."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in powers:
            raise ValueError(f"a power of two from {low} to {high}")
        return int(value)

    powers = [2**level for level in range(1, 20) if low <= 2**level <= high]
    return Kind("PX", check, scalar)


def check_switch(value: object) -> bool:
    if value in (0, 1) and isinstance(value, (bool, int)):
        return bool(value)
    raise ValueError("True or False")


def check_text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise ValueError("a text in one line")
    return value


SWITCH = Kind("TRUE|FALSE", check_switch, scalar)
TEXT = Kind("TEXT", check_text, str)


def one_of(*choices: str) -> Kind:
    """One of a few words, in any case."""

    def check(value: object) -> str:
        found = {choice.lower(): choice for choice in choices}.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise ValueError(" or ".join(choices))
        return found

    return Kind("|".join(choices), check, str)


def function(*names: str) -> Kind:
    """The name of a function or class as the reference writes it, "module.name"; the name alone does, too."""

    def check(value: object) -> str:
        found = {name.rpartition(".")[2]: name for name in names}
        bare = value.rpartition(".")[2] if isinstance(value, str) else ""
        if bare not in found:
            raise ValueError(" or ".join(names))
        return found[bare]

    return Kind("NAME", check, str)


def maybe(kind: Kind) -> Kind:
    """Something, or None."""
    return Kind(
        kind.shown,
        lambda value: None if value is None else kind.check(value),
        lambda text: None if text.strip().lower() == "none" else kind.read(text),
    )


def either(kind: Kind, other: Kind) -> Kind:
    """Something, or else something else."""

    def check(value: object) -> object:
        try:
            return kind.check(value)
        except ValueError as problem:
            try:
                return other.check(value)
            except ValueError as second:
                raise ValueError(f"{problem}, or {second}") from None

    return Kind(f"{kind.shown}|{other.shown}", check, scalar)


def sequence(kind: Kind, size: int | None = None, shown: str = "A,B") -> Kind:
    """A list of so many values; on the command line with commas (or, of two, an x) between them."""

    def check(value: object) -> list:
        value = [value] if isinstance(value, str) and size is None else value
        if not isinstance(value, (list, tuple)) or (size is not None and len(value) != size) or not value:
            raise ValueError(f"{'a list of' if size is None else size} values such as {shown}")
        return [kind.check(part) for part in value]

    def read(text: str) -> list:
        words = text.strip("[]() ")
        if size == 2 and "," not in words:
            words = words.replace("x", ",")
        return [kind.read(word.strip()) for word in words.split(",")]

    return Kind(shown, check, read)


def rising(kind: Kind) -> Kind:
    """Two numbers, of which the second is larger."""
    pair = sequence(kind, 2)

    def check(value: object) -> list:
        low, high = pair.check(value)
        if not low < high:
            raise ValueError("two numbers, the lower one first")
        return [low, high]

    return Kind(pair.shown, check, pair.read)


def table(kind: Kind) -> Kind:
    """Values by resolution; on the command line as 4:128,8:128."""
    level = power_of_two(2, 2**16)

    def check(value: object) -> dict:
        if not isinstance(value, Mapping):
            raise ValueError("values by resolution such as {4: 128, 8: 64}, or 4:128,8:64 on the command line")
        return {level.check(key): kind.check(part) for key, part in value.items()}

    def read(text: str) -> object:
        found = {}
        for word in text.strip("{} ").replace(" ", "").split(","):
            key, colon, part = word.partition(":")
            if word and not colon:
                return text
            if word:
                found[level.read(key)] = kind.read(part)
        return found

    return Kind("PX:N,…", check, read)
