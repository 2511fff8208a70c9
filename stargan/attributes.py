"""CelebA's attribute file: which of some attributes each picture has. As a text file, or as the CSV that Kaggle has."""

from __future__ import annotations

import csv
import difflib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path

TEST_PICTURES = 1999  # the reference's: its test is i + 1 < 2000
SHUFFLE_SEED = 1234


@dataclass(frozen=True)
class Row:
    """A picture's file name, and which of the table's attributes it has."""

    name: str
    has: tuple[bool, ...]


@dataclass(frozen=True)
class AttributeTable:
    """What an attribute file says: the attributes' names in the file's order, and a row a picture."""

    path: Path
    names: tuple[str, ...]
    rows: tuple[Row, ...]

    def columns(self, selected: Sequence[str]) -> list[int]:
        """Where the selected attributes stand. UserError, listing all names, where one is not there or given twice."""
        for name in selected:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1, 0.6)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise UserError(f"{self.path} has no attribute {name!r}{hint}; it has, in this order: {self.listing()}")
        if len(set(selected)) != len(selected):
            raise UserError(f"an attribute is selected twice: {' '.join(selected)}")
        return [self.names.index(name) for name in selected]

    def listing(self) -> str:
        """All names in one line."""
        return " ".join(self.names)

    def select(self, selected: Sequence[str]) -> list[tuple[str, list[float]]]:
        """(file name, the labels 0 or 1 in the order of `selected`) of every row."""
        places = self.columns(selected)
        return [(row.name, [float(row.has[place]) for place in places]) for row in self.rows]


def read_attributes(path: str | Path) -> AttributeTable:
    """Read list_attr_celeba.txt or .csv. UserError naming file and line where something is wrong.

    An attribute is there exactly where the file says 1. Names with blanks in them need a CSV.
    """
    path = resolve_path(path)
    if not path.is_file():
        raise UserError(
            f"there is no attribute file {path}; name it with --attr_path, fetch CelebA with "
            "'bash download.sh celeba', or draw faces with 'python make_faces_dataset.py'"
        )
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as problem:
        raise UserError(f"{path} is no text file") from problem
    if not lines:
        raise UserError(f"{path} is empty")
    separator = next((sign for sign in ",;" if sign in lines[0]), None)  # a semicolon where the comma is the decimal's
    words = split_lines(path, lines, separator)
    if len(words[0]) == 1 and words[0][0].isdigit():  # how many rows there are: nothing that could not be counted
        words = words[1:]
    elif separator or words[0][0].lower() == "image_id":
        words[0] = words[0][1:]  # the head of the files' column
    if not words or not words[0]:
        raise UserError(f"{path} names no attributes: its second line should, as in CelebA's list_attr_celeba.txt")
    return AttributeTable(path, tuple(words[0]), tuple(to_row(path, words[0], row) for row in words[1:]))


def split_lines(path: Path, lines: list[str], separator: str | None) -> list[list[str]]:
    """The words of each line, between separators or else between blanks. UserError where they cannot be told."""
    if separator is None:
        return [line.split() for line in lines]
    try:
        return [[word.strip() for word in row] for row in csv.reader(lines, delimiter=separator, skipinitialspace=True)]
    except csv.Error as problem:
        raise UserError(f"{path} is no CSV file ({problem})") from problem


def to_row(path: Path, names: list[str], words: list[str]) -> Row:
    """One row. UserError where it has not one value an attribute, all of them 1, -1 or 0."""
    if len(words) != len(names) + 1 or not {*words[1:]} <= {"1", "-1", "0"}:
        raise UserError(
            f"{path}: the row of {words[0]} is not a file name and {len(names)} values of 1 or -1 "
            f"(there are {len(words) - 1} values)"
        )
    return Row(words[0], tuple(word == "1" for word in words[1:]))


def split(rows: Sequence, test_pictures: int = TEST_PICTURES) -> tuple[list, list]:
    """(training rows, test rows): shuffled as the reference shuffles them, the first ones are the test's."""
    shuffled = list(rows)
    random.Random(SHUFFLE_SEED).shuffle(shuffled)
    return shuffled[test_pictures:], shuffled[:test_pictures]


def count_test_pictures(rows: int, asked: int | None, train: bool, reference_exact: bool = False) -> int:
    """How many pictures are for testing: 1999, as in the reference, or what was asked.

    With fewer than 2000 rows the reference tests on all and trains on none. To train, a tenth is kept then (unless
    `reference_exact`); to test, all are taken unless asked otherwise.
    """
    if asked is not None:
        return asked
    if train and not reference_exact and rows <= TEST_PICTURES:
        return max(1, rows // 10)
    return TEST_PICTURES
