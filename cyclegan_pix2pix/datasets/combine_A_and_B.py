"""Put pictures of two folders side by side: pix2pix's data sets, where A is the left half and B the right.

FOLD_A and FOLD_B have sub-folders of the same names (train, val, test, ...), in which partners have the same name, or
with --use_AB those of `1_A.jpg` and `1_B.jpg`:

    python datasets/combine_A_and_B.py --fold_A edges --fold_B photos --fold_AB datasets/edges2photos
"""

from __future__ import annotations

import sys
from pathlib import Path

from pairs import for_all, join_files, name_some

from shared_scripts.cli import ArgumentParser, UserError, run
from shared_scripts.files import natural_key, resolve_path
from shared_scripts.images import has_picture_name


def find_pairs(
    fold_a: Path, fold_b: Path, fold_ab: Path, limit: int, use_ab: bool
) -> tuple[list[tuple[Path, Path, Path]], list[Path]]:
    """The first `limit` pictures of one folder that have partners, as (A, B, AB), and the A's that have none."""
    found = sorted(
        (path for path in fold_a.iterdir() if has_picture_name(path)), key=lambda path: natural_key(path.name)
    )
    if use_ab:
        found = [path for path in found if path.stem.endswith("_A")]
    pairs, alone = [], []
    for path in found[:limit]:
        partner = f"{path.stem[:-2]}_B{path.suffix}" if use_ab else path.name
        if (fold_b / partner).is_file():
            pairs.append(
                (path, fold_b / partner, fold_ab / (f"{path.stem[:-2]}{path.suffix}" if use_ab else path.name))
            )
        else:
            alone.append(path)
    return pairs, alone


def find_splits(fold_a: Path, fold_b: Path, fold_ab: Path) -> list[str]:
    """The sub-folders of A, all of which B must have. UserError where that is not so, or a folder is named twice."""
    for folder in (fold_a, fold_b):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
        if fold_ab.resolve() == folder.resolve():
            raise UserError(f"--fold_AB is the folder of the originals, {folder}; the pairs need another one")
    splits = sorted(path.name for path in fold_a.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not splits:
        raise UserError(f"{fold_a} has no folders train, val or test in it; put its pictures into one")
    for split in splits:
        if not (fold_b / split).is_dir():
            raise UserError(f"{fold_a} has a folder {split}, and {fold_b} has none")
    return splits


def combine_folders(
    fold_a: Path,
    fold_b: Path,
    fold_ab: Path,
    limit: int = 1_000_000,
    use_ab: bool = False,
    processes: int | None = None,
) -> int:
    """Combine all sub-folders; the exit status: 1 where some pictures failed. UserError where there are no pairs."""
    tasks = []
    for split in find_splits(fold_a, fold_b, fold_ab):
        pairs, alone = find_pairs(fold_a / split, fold_b / split, fold_ab / split, limit, use_ab)
        print(f"{split}: {len(pairs)} pairs", flush=True)
        if alone:
            names = name_some([path.name for path in alone])
            print(f"note: {split}: {len(alone)} of A have no partner in B and are left out: {names}", file=sys.stderr)
        tasks += pairs
    if not tasks:
        how = "x_A.jpg and x_B.jpg" if use_ab else "the same name in both folders"
        raise UserError(f"there are no pairs in {fold_a} and {fold_b}; partners have {how}")
    return for_all(join_files, tasks, processes)


def parse_arguments(argv: list[str] | None):
    """The command line."""
    parser = ArgumentParser(description="Put pictures of two folders side by side, for pix2pix.")
    parser.add_argument("--fold_A", default="../dataset/50kshoes_edges", metavar="FOLDER", help="the left halves")
    parser.add_argument("--fold_B", default="../dataset/50kshoes_jpg", metavar="FOLDER", help="the right halves")
    parser.add_argument("--fold_AB", default="../dataset/test_AB", metavar="FOLDER", help="where the pairs go")
    parser.add_argument("--num_imgs", type=int, default=1_000_000, metavar="N", help="at most so many a sub-folder")
    parser.add_argument("--use_AB", action="store_true", help="partners are x_A.jpg and x_B.jpg, and become x.jpg")
    parser.add_argument("--no_multiprocessing", action="store_true", help="one picture after the other")
    options = parser.parse_args(argv)
    if options.num_imgs < 1:
        parser.error(f"--num_imgs must be at least 1, not {options.num_imgs}")
    return options


def main(argv: list[str] | None = None) -> int:
    options = parse_arguments(argv)
    folders = [resolve_path(folder) for folder in (options.fold_A, options.fold_B, options.fold_AB)]
    return combine_folders(*folders, options.num_imgs, options.use_AB, 1 if options.no_multiprocessing else None)


if __name__ == "__main__":
    run(main)
