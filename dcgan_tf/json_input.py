"""Reading JSON that people write by hand: one clear line says what is wrong with it, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.progress import tell

LARGEST = 1e9  # numbers beyond are typing errors, and overflow in float32 sooner or later
REQUIRED = object()  # the default of a field that must be there


def read_json(path: Path, what: str = "file") -> object:
    """What a JSON file holds. UserError where there is no such `what`, or with the line where it is no JSON."""
    if not path.exists():
        raise UserError(f"there is no {what} {path}")
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a {what}")
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors begin files with a byte order mark
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise UserError(f"{path} is no text in UTF-8; save it as plain UTF-8 text") from problem
    if not text.strip():
        raise UserError(f"{path} is empty")
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise UserError(f"{path}: line {problem.lineno}: {explain(text, problem)}") from problem
    except (ValueError, RecursionError) as problem:  # numbers of thousands of digits, thousands of brackets
        raise UserError(f"{path} cannot be read as JSON ({problem})") from problem


def explain(text: str, problem: json.JSONDecodeError) -> str:
    """What is wrong at the place where the JSON cannot be read further."""
    before, after = text[: problem.pos].rstrip(), text[problem.pos :].lstrip()
    if re.match(r",\s*[]}]", after) or (before.endswith(",") and after[:1] in ("]", "}")):
        return "JSON allows no comma before a closing bracket; take it away"
    if after.startswith(("//", "/*", "#")):
        return "JSON has no comments; take it away"
    if not after:
        return "the file ends too early; is a bracket missing?"
    return f"this is no JSON ({problem.msg[:1].lower()}{problem.msg[1:]})"


def shown(value: object) -> str:
    """A value of the file in an error message, as the file has it, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- one value: each reader returns what was meant, or raises ValueError("must be ...") ---------------------------


def is_number(value: object) -> bool:
    """Whether a value is a number that can be computed with; true and false are numbers to Python only."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def number(low: float = -LARGEST, high: float = LARGEST, above: bool = False) -> Callable[[object], float]:
    """A reader of numbers low..high (`above`: low itself is none)."""
    bounds = [f"above {low:g}" if above else f"from {low:g}"] if low > -LARGEST else []
    bounds += [f"up to {high:g}"] if high < LARGEST else []

    def read(value: object) -> float:
        if not is_number(value) or not low <= value <= high or (above and value == low):
            raise ValueError(f"must be a number{''.join(' ' + bound for bound in bounds)}, not {shown(value)}")
        return float(value)

    return read


def whole(low: int, high: int | None = None) -> Callable[[object], int]:
    """A reader of whole numbers from low (to high, where given)."""
    bounds = f"from {low}" if high is None else f"{low}..{high}"

    def read(value: object) -> int:
        integral = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not integral or value < low or value > (LARGEST if high is None else high):
            raise ValueError(f"must be a whole number {bounds}, not {shown(value)}")
        return int(value)

    return read


def switch(value: object) -> bool:
    """true or false, with or without quotes."""
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}")
    return value


def text(value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'must be a text in "quotes", not {shown(value)}')
    return value


def list_of(what: str) -> Callable[[object], list]:
    """A reader of lists with something in them; `what` are those things."""

    def read(value: object) -> list:
        if not isinstance(value, list) or not value:
            raise ValueError(f"must be a list of {what}, not {shown(value)}")
        return value

    return read


# --- the fields of an object --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A field of a JSON object: its name, the reader of its value, its default, and other names it may come under."""

    name: str
    read: Callable[[object], object]
    default: object = REQUIRED
    other_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the first one first."""
        return (self.name, *self.other_names)


def read_fields(table: dict, fields: Iterable[Field], where: str, what: str = "this object") -> dict[str, object]:
    """The values of `fields` in a JSON object. What else is in it is told and ignored.

    null counts as absent. UserError, beginning with `where`, names the field that is missing or wrong.
    """
    values, taken = {}, set()
    for field in fields:
        present = [name for name in field.names if table.get(name) is not None]
        taken |= set(field.names) - set(present[1:])
        name = present[0] if present else field.name
        values[field.name] = read_field(field, table.get(name), where, name)
    if unknown := [name for name in table if name not in taken]:
        known = ", ".join(field.name for field in fields)
        tell(f"Warning: {where}: {', '.join(unknown)} ignored; {what} has {known or 'no fields'}.")
    return values


def read_field(field: Field, value: object, where: str, name: str) -> object:
    """One field's value, or its default where that is None."""
    if value is None:
        if field.default is REQUIRED:
            raise UserError(f"{where}: {name} is missing")
        return field.default
    try:
        return field.read(value)
    except ValueError as problem:
        raise UserError(f"{where}: {name} {problem}") from problem


def expect_object(value: object, where: str) -> dict:
    """`value` if it is a JSON object; UserError otherwise."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected an object in curly brackets, not {shown(value)}")
    return value
