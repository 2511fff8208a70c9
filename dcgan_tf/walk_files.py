"""What a --generation_mode is told: its flags and JSON files, read and checked before the first frame is made."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from functools import partial

from numpy.random import RandomState

from cuts import Pair, read_pairs
from film_script import find_base, locate_pairs
from json_input import Field, expect_object, list_of, number, read_fields, read_json, text, whole
from seeds import Seed, read_seed
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.progress import tell
from walks import WALKS, Cycle, Settings

HELP = {
    "input_seed_path": "starts from a vector: add --input_seed_path samples/RandGen_….json (mode 1 makes such files)",
    "interp_json": 'needs --interp_json with {"base_dir": folder, "data": [[start, end, frames], …]}',
    "sin_cycle_json": (
        'needs --sin_cycle_json with {"overall_length": frames, "data": '
        '[{"idx": 0, "framesPerCycle": 48, "phaseShift": 0}, …]}'
    ),
}
PAIR_FIELDS = (Field("base_dir", text, None), Field("data", read_pairs))


@dataclass(frozen=True)
class WalkFiles:
    """The files of a walk: the start, the pairs of mode 10 and the cycles of mode 14 with its number of frames."""

    start: Seed | None = None
    pairs: tuple[Pair, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    overall_length: int = 0

    def check_lengths(self, z_dim: int) -> None:
        """UserError where a file was made with a network of another z_dim."""
        ends = [seed for pair in self.pairs for seed in (pair.start, pair.end)]
        for seed in ends + ([self.start] if self.start else []):
            seed.check_length(z_dim)
        for i, cycle in enumerate(self.cycles):
            if cycle.dimension >= z_dim:
                raise UserError(
                    f"--sin_cycle_json: cycle {i + 1}: idx must be a whole number 0..{z_dim - 1} with this network, "
                    f"not {cycle.dimension}"
                )


def read_walk_files(flags: argparse.Namespace) -> WalkFiles:
    """Check the flags of --generation_mode and read its files. UserError for what is missing or wrong."""
    mode = flags.generation_mode
    if mode not in WALKS:
        raise UserError(f"there is no --generation_mode {mode}; there are {min(WALKS)}..{max(WALKS)}")
    needs = WALKS[mode].needs
    for flag in needs:
        if not getattr(flags, flag):
            raise UserError(f"--generation_mode {mode} {HELP[flag]}")
    if mode == 16:
        check_jumps(flags.max_jump_step, flags.min_jump_step)
    start = read_seed(str(flags.input_seed_path)) if "input_seed_path" in needs else None
    pairs = read_walk_pairs(flags.interp_json) if mode == 10 else ()
    cycles, length = read_cycles(flags.sin_cycle_json) if mode == 14 else ((), 0)
    return WalkFiles(start, pairs, cycles, length)


def check_jumps(largest: float, smallest: float | None) -> None:
    """UserError for sizes that no jump can have."""
    if not 0 < largest < float("inf"):
        raise UserError(f"--max_jump_step must be above 0, not {largest}")
    if smallest is not None and not 0 <= smallest <= largest:
        raise UserError(f"--min_jump_step must be 0..{largest} (--max_jump_step), not {smallest}")


def read_walk_pairs(name: str) -> tuple[Pair, ...]:
    """The pairs of --interp_json."""
    path = resolve_path(name)
    values = read_fields(expect_object(read_json(path), str(path)), PAIR_FIELDS, str(path), "--interp_json")
    folder = find_base(values["base_dir"], path)
    return locate_pairs(partial(read_seed, folder=folder), values["data"], f"{path}: data")


SINE_FIELDS = (Field("overall_length", whole(1)), Field("data", list_of("cycles")))
CYCLE_FIELDS = (
    Field("idx", whole(0)),
    Field("framesPerCycle", number(0, above=True)),
    Field("phaseShift", number(), 0.0),
)


def read_cycles(name: str) -> tuple[tuple[Cycle, ...], int]:
    """--sin_cycle_json: its cycles, and how many frames there are."""
    path = resolve_path(name)
    values = read_fields(expect_object(read_json(path), str(path)), SINE_FIELDS, str(path), "--sin_cycle_json")
    cycles = []
    for i, entry in enumerate(values["data"]):
        where = f"{path}: cycle {i + 1}"
        cycles.append(Cycle(*read_fields(expect_object(entry, where), CYCLE_FIELDS, where, "a cycle").values()))
    return tuple(cycles), values["overall_length"]


# --- settings -----------------------------------------------------------------------------------------------------


def choose_seed(flags: argparse.Namespace) -> int | None:
    """The seed of a walk: --walk_rand_seed, else --seed, else for modes that have it in their names one that is drawn
    and told."""
    if flags.walk_rand_seed is not None:
        return flags.walk_rand_seed
    if flags.seed is not None or not WALKS[flags.generation_mode].is_walk:
        return flags.seed
    seed = random.randint(0, 10000)
    tell(f"This walk can be had again with --walk_rand_seed {seed}")
    return seed


def make_settings(flags: argparse.Namespace, files: WalkFiles, z_dim: int, seed: int | None) -> Settings:
    """Everything a walk is made with.

    `seed` starts both generators, so that the walk repeats; with reference_exact only Python's, as there.
    """
    for_numbers = flags.seed if flags.reference_exact else seed
    return Settings(
        z_dim,
        RandomState(None if for_numbers is None else for_numbers % 2**32),
        random.Random(seed),
        None if files.start is None else files.start.values,
        flags.batch_size,
        flags.walk_num,
        flags.num_images,
        flags.max_jump_step,
        flags.min_jump_step,
        files.pairs,
        files.cycles,
        files.overall_length,
        flags.reference_exact,
        flags.z_dist,
    )
