"""Make an aligned data set of an unaligned one whose pictures are partners in their sorted order.

FOLDER/trainA and trainB become FOLDER/train/0000.jpg, 0001.jpg, ..., A left and B right; so do testA and testB:

    python datasets/make_dataset_aligned.py --dataset-path datasets/mine
"""

from __future__ import annotations

from pathlib import Path

from pairs import for_all, join_files

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import resolve_path
from shared_scripts.images import has_picture_name


def find_tasks(folder: Path, phase: str) -> list[tuple[Path, Path, Path]]:
    """(A, B, AB) for every pair of one phase. UserError where the two folders do not hold equally many pictures."""
    found = []
    for side in "AB":
        place = folder / f"{phase}{side}"
        if not place.is_dir():
            raise UserError(f"there is no folder {place}")
        found.append(sorted(path for path in place.iterdir() if has_picture_name(path)))
        if not found[-1]:
            raise UserError(f"there are no pictures in {place}")
    a, b = found
    if len(a) != len(b):
        raise UserError(
            f"{folder}: {phase}A has {len(a)} pictures and {phase}B has {len(b)}; partners need equally many"
        )
    return [(one, two, folder / phase / f"{i:04d}.jpg") for i, (one, two) in enumerate(zip(a, b, strict=True))]


def align_folder(folder: Path, processes: int | None = None) -> int:
    """Align train, and test where there is one; the exit status: 1 where some pictures failed."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    phases = ["train", "test"]
    if not (folder / "testA").exists() and not (folder / "testB").exists():
        print(f"{folder} has no testA and testB: only train is made")
        phases = ["train"]
    tasks = [task for phase in phases for task in find_tasks(folder, phase)]
    return for_all(join_files, tasks, processes)


def main(argv: list[str] | None = None) -> int:
    parser = ArgumentParser(description="Put trainA beside trainB and testA beside testB, in their sorted order.")
    parser.add_argument("--dataset-path", required=True, metavar="FOLDER", help="the folder with trainA, trainB, ...")
    return align_folder(resolve_path(parser.parse_args(argv).dataset_path))


if __name__ == "__main__":
    run(main)
