"""Run folders: `results/003-pgan-celeba`, one a training, numbered; and the snapshots in them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.files import ensure_folder, file_name, resolve_path

NUMBERED = re.compile(r"\.?(\d+)-")  # with a dot: a number that is being given to a run right now
NETWORK_FILES = (".pkl", ".safetensors", ".pth", ".pt")
FINAL = "network-final.pkl"
SHOWN = 12  # how many names an error lists


# --- runs ---------------------------------------------------------------------------------------------------------


def create_run(result_dir: str | Path, desc: str) -> Path:
    """A new folder `NNN-desc` in `result_dir`, numbered one above the highest number there.

    Two processes that come at the same moment get different numbers: each first makes a folder `.NNN-claim`, which
    only one of them can, and gives it its real name when it is sure that nobody was faster. UserError where the folder
    cannot be made.
    """
    result_dir = resolve_path(result_dir)
    ensure_folder(result_dir)
    desc = file_name(desc)
    while True:
        number = next_number(result_dir)
        claim = result_dir / f".{number:03d}-claim"
        try:
            claim.mkdir()
        except FileExistsError:
            continue
        except OSError as problem:
            raise UserError(f"cannot create a folder in {result_dir}: {problem.strerror or problem}") from problem
        if next_number(result_dir, without=claim.name) <= number:
            return rename_claim(claim, result_dir / f"{number:03d}-{desc}")
        claim.rmdir()  # somebody took the number between our look and our claim


def rename_claim(claim: Path, folder: Path) -> Path:
    """Give a claim its real name, which may be too long: UserError then, and the number is free again."""
    try:
        return claim.rename(folder)
    except OSError as problem:
        claim.rmdir()
        raise UserError(f"cannot create {folder}: {problem.strerror or problem}") from problem


def next_number(result_dir: Path, without: str = "") -> int:
    """One above the highest number that a name in `result_dir` begins with; 0 where there is none."""
    matches = (NUMBERED.match(name) for name in os.listdir(result_dir) if name != without)
    return max((int(match[1]) + 1 for match in matches if match), default=0)


def locate_run(result_dir: str | Path, run_id: int | str | Path) -> Path:
    """The folder of a run: given by its path, its number (3 or '3' or '003'), or the beginning of its name.

    Searched in `result_dir`, then in its folders `results` and `networks`. UserError where there is none such, or
    several.
    """
    if not isinstance(run_id, int) and str(run_id) and resolve_path(run_id).is_dir():
        return resolve_path(run_id)
    result_dir = resolve_path(result_dir)
    folders = [folder for folder in (result_dir, result_dir / "results", result_dir / "networks") if folder.is_dir()]
    prefix = f"{int(run_id):03d}" if str(run_id).isdecimal() else str(run_id)
    for folder in folders:
        if not prefix:
            break
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        found = [name for name in names if name == prefix]
        found = found or [name for name in names if name.startswith(f"{prefix}-")]
        if not prefix.isdecimal():
            found = found or [name for name in names if name.startswith(prefix)]
        if len(found) == 1:
            return folder / found[0]
        if found:
            raise UserError(f"run {run_id} may be any of {listing(found)} in {folder}; give the folder")
    raise UserError(f"there is no run {run_id!r} in {result_dir}; {known_runs(folders)}")


def known_runs(folders: list[Path]) -> str:
    """What an error says of the runs that there are."""
    names = sorted(path.name for folder in folders for path in folder.iterdir() if path.is_dir() and is_run(path))
    return f"there are {listing(names)}" if names else "there are no runs at all (--result_dir says where they are)"


def is_run(folder: Path) -> bool:
    """Whether a folder's name is a run's."""
    return NUMBERED.match(folder.name) is not None and not folder.name.startswith(".")


def listing(names: list[str]) -> str:
    """The first of some names, for an error."""
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# --- snapshots ----------------------------------------------------------------------------------------------------


def list_snapshots(run: str | Path, include_final: bool = True) -> list[Path]:
    """The network files of a run: network-snapshot-NNNNNN.pkl by their number, then network-final.pkl."""
    run = Path(run)
    found = [path for path in run.glob("network-snapshot-*.pkl") if kimg_of(path) is not None]
    found.sort(key=lambda path: (kimg_of(path), path.name))
    return found + ([run / FINAL] if include_final and (run / FINAL).is_file() else [])


def locate_snapshot(
    run: int | str | Path, snapshot: int | str | Path | None = None, result_dir: str | Path = "results"
) -> Path:
    """A network file: of a run (see `locate_run`) the latest, or the one of `snapshot` kimg, or 'final'.

    A network file given as `run` or as `snapshot` is the answer itself. UserError where there is none such.
    """
    for direct in (snapshot, run):
        if is_network_file(direct):
            path = resolve_path(direct)
            if not path.is_file():
                raise UserError(f"there is no file {path}")
            return path
    folder = locate_run(result_dir, run)
    found = list_snapshots(folder)
    if not found:
        raise UserError(f"there are no network-snapshot-*.pkl in {folder}")
    if snapshot is None or snapshot == "":
        return found[-1]
    names = ["final" if kimg_of(path) is None else str(kimg_of(path)) for path in found]
    wanted = str(int(snapshot)) if str(snapshot).isdecimal() else str(snapshot)
    if wanted not in names:
        raise UserError(f"{folder} has no snapshot {snapshot}; it has {listing(names)}")
    return found[names.index(wanted)]


def is_network_file(given: object) -> bool:
    """Whether something is the path of a network file, by its ending."""
    return isinstance(given, str | Path) and Path(given).suffix.lower() in NETWORK_FILES


def kimg_of(path: str | Path) -> int | None:
    """The kimg in a snapshot's name: network-snapshot-001234.pkl is 1234. None for network-final and other names."""
    match = re.search(r"snapshot-(\d+)$", Path(path).stem)
    return int(match[1]) if match else None


def id_string(path: str | Path) -> str:
    """What the reference calls files made from a network: the path's last two parts, joined by a hyphen.

    Without `..`, which would make a hidden file of it.
    """
    text = str(path).replace("\\", "/")
    for ending in NETWORK_FILES:
        text = text.removesuffix(ending)
    return "-".join(part for part in text.split("/")[-2:] if part not in ("", ".", ".."))
