"""Film scripts: the JSON file of --gen_json, read and checked whole before the first frame is made.

    {"trained_model": "DCGAN.model-183502", "base_dir": "samples/seeds", "rand_seed": 7,
     "data": [{"mode_num": 1, "interp_data": [["RandGen_00003", "RandGen_00017", 48]]}, ...]}

What the modes are and which fields they have is in `cuts.MODES`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from cuts import MODES, Cut, Pair, count
from json_input import Field, expect_object, list_of, read_fields, read_json, shown, switch, text, whole
from labels import LABELS
from seeds import Seed, read_seed
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.progress import tell

LARGEST_SEED = 2**32 - 1  # what RandomState takes


@dataclass(frozen=True)
class Film:
    """A film script that has been read. `document` is the JSON as it was, `rand_seed` what the film is made with."""

    path: Path
    document: dict
    rand_seed: int
    cuts: tuple[Cut, ...]
    trained_model: str | None = None
    reference_exact: bool | None = None
    label: int | None = None

    @property
    def stem(self) -> str:
        """The file name up to its first dot, which frames are named after."""
        return self.path.name.split(".")[0]

    def frames(self, z_dim: int) -> int:
        """How many frames the film has with a network of this z_dim."""
        return sum(count(cut, z_dim) for cut in self.cuts)

    def check_lengths(self, z_dim: int) -> None:
        """UserError where a seed file was made with a network of another z_dim."""
        for cut in self.cuts:
            where = place(self.path, cut.number, cut.mode)
            if cut.start:
                cut.start.check_length(z_dim, where)
            for i, pair in enumerate(cut.pairs):
                for seed in (pair.start, pair.end):
                    seed.check_length(z_dim, f"{where}, pair {i + 1}")

    def with_label(self, label: int | None) -> Film:
        """The film with `label`, or else its own, in every cut that names none."""
        label = self.label if label is None else label
        cuts = (cut if cut.label is not None else replace(cut, label=label) for cut in self.cuts)
        return replace(self, cuts=tuple(cuts))

    def kept(self) -> bytes:
        """The script as it is kept beside the frames: with the rand_seed that was drawn for it, else byte for byte."""
        if self.document.get("rand_seed") is not None:
            return self.path.read_bytes()
        return json.dumps({**self.document, "rand_seed": self.rand_seed}, indent=4, ensure_ascii=False).encode()


def place(path: Path, number: int, mode: int | str | None = None) -> str:
    """How an error message names a cut."""
    return f"{path}: cut {number}" + ("" if mode is None else f" (mode {mode})")


# --- reading ------------------------------------------------------------------------------------------------------


def read_film(path: Path, seed: int | None = None) -> Film:
    """Read a film script and the seed files it names.

    Without a rand_seed in it, `seed` is taken; without that too one is drawn, and told. UserError, one line, names the
    cut and the field of what is missing, unknown or wrong.
    """
    document = read_json(path, "film script")
    if not isinstance(document, dict):
        raise UserError(f'{path} is no film script: expected {{"data": [cuts]}}, not {shown(document)}')
    values = read_fields(document, FILM_FIELDS, str(path), "a film script")
    find = cache(partial(read_seed, folder=find_base(values["base_dir"], path)))  # a seed is often named many times
    cuts = tuple(read_cut(cut, i + 1, path, find) for i, cut in enumerate(values["data"]))
    rand_seed = values["rand_seed"]
    if rand_seed is None:
        rand_seed = random.randrange(LARGEST_SEED) if seed is None else seed % LARGEST_SEED
        tell(f'{path} has no rand_seed; this film is made with "rand_seed": {rand_seed}')
    return Film(path, document, rand_seed, cuts, values["trained_model"], values["reference_exact"], values["label"])


def read_label(value: object) -> int | tuple[int, int]:
    """The label of a cut: a digit, or [from, to]."""
    try:
        if isinstance(value, list) and len(value) == 2:
            return tuple(whole(0, LABELS - 1)(label) for label in value)
        return whole(0, LABELS - 1)(value)
    except ValueError:
        raise ValueError(f"must be a digit 0..{LABELS - 1}, or [from, to], not {shown(value)}") from None


FILM_FIELDS = (
    Field("trained_model", text, None),
    Field("base_dir", text, None),
    Field("rand_seed", whole(0, LARGEST_SEED), None),
    Field("reference_exact", switch, None),
    Field("label", whole(0, LABELS - 1), None),
    Field("data", list_of("cuts")),
)


def find_base(folder: str | None, script: Path) -> Path:
    """The folder of the seed files: as seen from the current folder, or from the script's, where it lies by default.

    Whether it exists is left open: a film of random pictures needs none.
    """
    if folder is None:
        return script.parent
    here = resolve_path(folder)
    beside = resolve_path(script.parent / folder)
    return beside if beside.is_dir() and not here.is_dir() else here


def read_cut(value: object, number: int, path: Path, find: Callable[[str], Seed]) -> Cut:
    """One entry of data; `find` reads a seed by its name."""
    table = expect_object(value, place(path, number))
    mode = read_mode(table.get("mode_num"), place(path, number))
    where = place(path, number, mode)
    fields = (Field("mode_num", lambda value: value), *MODES[mode].fields, Field("label", read_label, None))
    values = read_fields(table, fields, where, f"mode {mode}")
    del values["mode_num"]
    label, names = values.pop("label"), values.pop("interp_data", ())
    start = values.pop("start_image", None)
    start = locate(find, start, f"{where}: start_image") if start else None
    return Cut(number, mode, values, locate_pairs(find, names, where), start, label)


def read_mode(value: object, where: str) -> int | str:
    """The mode a mode_num means: 1 and "1" alike. UserError lists those there are."""
    modes = {str(mode).lower(): mode for mode in MODES}
    if value is None:
        raise UserError(f"{where}: mode_num is missing")
    name = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip().lower()
    if isinstance(value, bool) or name not in modes:
        raise UserError(f"{where}: there is no mode_num {shown(value)}; there are {', '.join(map(str, MODES))}")
    return modes[name]


def locate_pairs(find: Callable[[str], Seed], names: Iterable[tuple], where: str) -> tuple[Pair, ...]:
    """The pairs that (start, end, frames) name."""
    return tuple(
        Pair(*(locate(find, name, f"{where}, pair {i + 1}") for name in ends), frames)
        for i, (*ends, frames) in enumerate(names)
    )


def locate(find: Callable[[str], Seed], name: str, where: str) -> Seed:
    """A seed; what is wrong with its file is said with the place that names it."""
    try:
        return find(name)
    except UserError as problem:
        raise UserError(f"{where}: {problem}") from problem
