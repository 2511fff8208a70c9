"""Put what download.sh fetched, or a person did, where main.py looks for it; or put Kaggle's list in CelebA's form.

    python unpack_download.py celeba ARCHIVE data/celeba
    python unpack_download.py models ARCHIVE stargan_celeba_128/models
    python unpack_download.py list list_attr_celeba.csv list_attr_celeba.txt

Whatever folders the archive has them in, pictures go to images/ there, the list of attributes beside it, and the two
networks into the folder itself. Nothing that is there is replaced. download.sh calls this with any Python, before
anything is installed: so no module that is imported here may import more than the standard library.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from attributes import AttributeTable, read_attributes  # noqa: E402
from shared_scripts.cli import UserError, one_line  # noqa: E402
from shared_scripts.files import atomic_write  # noqa: E402
from shared_scripts.unpack import move_into_place, unpack  # noqa: E402

LIST, KAGGLES_LIST = "list_attr_celeba.txt", "list_attr_celeba.csv"
NETWORKS = ("200000-G.ckpt", "200000-D.ckpt")
PICTURE = re.compile(r"[^.].*\.(jpg|jpeg|png)", re.IGNORECASE)  # ._000001.jpg is what macOS adds to its zips
CELEBAS_PICTURE = re.compile(r"\d{6}\.(jpg|png)")
BAD_ARCHIVE, CANNOT_PLACE, INCOMPLETE = 1, 2, 3  # exit statuses


class Problem(UserError):
    """What is wrong, in one line, and the exit status that says so."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


# --- the list of attributes ---------------------------------------------------------------------------------------


def read_list(path: Path, archive: Path | None = None) -> AttributeTable:
    """Read a list of attributes, maybe one that was in an archive. Problem where it is none."""
    try:
        table = read_attributes(path)
        if not table.rows:
            raise UserError(f"{path} names no pictures")
    except UserError as problem:
        if archive is None:
            raise Problem(CANNOT_PLACE, str(problem)) from None
        raise Problem(BAD_ARCHIVE, f"in {archive}: {str(problem).replace(str(path), path.name)}") from None
    return table


def write_list(path: Path, table: AttributeTable) -> None:
    """Write it in CelebA's form: how many pictures there are, the attributes' names, then a line for each picture."""
    lines = [str(len(table.rows)), " ".join(table.names)]
    lines += [f"{row.name} {' '.join(' 1' if has else '-1' for has in row.has)}" for row in table.rows]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def same_list(path: Path, table: AttributeTable) -> bool:
    """Whether a file says the same, in whatever form."""
    try:
        other = read_attributes(path)
    except UserError:
        return False
    return (other.names, other.rows) == (table.names, table.rows)


# --- CelebA -------------------------------------------------------------------------------------------------------


def arrange_celeba(archive: Path, content: Path, tree: Path, folder: Path) -> None:
    """Make `tree` what is to be added to `folder`: images/ and, where one is to be had, the list of attributes."""
    table = take_list(archive, content, tree, folder)
    pictures = fullest_folder(content)
    if pictures is None or not is_celeba(pictures, table):
        raise Problem(BAD_ARCHIVE, f"{archive} does not hold CelebA's pictures (000001.jpg and so on)")
    pictures.rename(tree / "images")


def take_list(archive: Path, content: Path, tree: Path, folder: Path) -> AttributeTable | None:
    """Put the list into `tree`, unless `folder` has it; what it says, or None where there is no list.

    It may come with the pictures, or lie beside their archive, where people have it who fetched both by hand.
    """
    there, inside = folder / LIST, find_file(content, LIST, KAGGLES_LIST)
    if inside is None and there.is_file():
        return read_list(there)
    beside = [path for path in (archive.parent / LIST, archive.parent / KAGGLES_LIST) if path.is_file()]
    source = inside or next(iter(beside), None)
    if source is None:
        return None
    table = read_list(source, archive if inside else None)
    if not same_list(there, table):
        if source.name == LIST:
            shutil.copyfile(source, tree / LIST)
        else:
            write_list(tree / LIST, table)
    if inside:
        inside.unlink()  # it may lie among the pictures
    return table


def fullest_folder(content: Path) -> Path | None:
    """The folder with the most pictures, at any depth; None where there are no pictures."""
    counts = {Path(root): sum(map(is_picture, names)) for root, _, names in os.walk(content)}
    best = max(counts, key=lambda folder: counts[folder])
    return best if counts[best] else None


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name."""
    return bool(PICTURE.fullmatch(name))


def is_celeba(pictures: Path, table: AttributeTable | None) -> bool:
    """Whether some of the pictures are the ones that the list names, or without a list, are named as CelebA's are."""
    names = os.listdir(pictures)
    if table is None:
        return any(CELEBAS_PICTURE.fullmatch(name) for name in names)
    return not {row.name for row in table.rows}.isdisjoint(names)


def check_celeba(folder: Path) -> None:
    """Say what is there. Problem where the list is missing, or names pictures that are."""
    names = set(os.listdir(folder / "images"))
    print(f"{folder / 'images'}: {sum(map(is_picture, names))} pictures")
    if not (folder / LIST).is_file():
        raise Problem(INCOMPLETE, f"the pictures are here, but there is no {folder / LIST}, which says what they show")
    rows = read_list(folder / LIST).rows
    missing = sum(row.name not in names for row in rows)
    if missing:
        raise Problem(INCOMPLETE, f"{missing} of the {len(rows)} pictures that {folder / LIST} names are missing")


# --- the two networks ---------------------------------------------------------------------------------------------


def arrange_models(archive: Path, content: Path, tree: Path, folder: Path) -> None:
    """Make `tree` what is to be added to `folder`: the two networks."""
    for name in NETWORKS:
        found = find_file(content, name)
        if found is None:
            raise Problem(BAD_ARCHIVE, f"{archive} holds no {name}: it is not the authors' zip of networks")
        found.rename(tree / name)


def find_file(content: Path, *names: str) -> Path | None:
    """A file of one of these names, at any depth, the first name's first; None where there is none."""
    found = [path for name in names for path in sorted(content.rglob(name)) if path.is_file()]
    return found[0] if found else None


# --- unpacking ----------------------------------------------------------------------------------------------------


def place(archive: Path, folder: Path, arrange: Callable[[Path, Path, Path, Path], None]) -> None:
    """Unpack safely in a corner of `folder`, arrange, and only then move what is new to its place."""
    if not archive.is_file():
        raise Problem(CANNOT_PLACE, f"there is no file {archive}")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    corner = folder / ".unpacking"
    shutil.rmtree(corner, ignore_errors=True)  # of a run that was killed
    print(f"unpacking {archive}", flush=True)
    try:
        try:
            unpack(archive, corner / "content")
        except ValueError as problem:
            raise Problem(BAD_ARCHIVE, str(problem)) from None
        (corner / "tree").mkdir()
        arrange(archive, corner / "content", corner / "tree", folder)
        move_into_place(archive, corner / "tree", folder)
    finally:
        shutil.rmtree(corner, ignore_errors=True)
        remove_empty(made)


def remove_empty(folders: list[Path]) -> None:
    """Remove folders, the innermost first, up to one in which something is."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def main(words: list[str]) -> int:
    """Do what the three words say; the exit status: 0, or one of those above after one `error:` line."""
    kind, source, target = words[0], Path(words[1]), Path(words[2])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show must not end the run
    try:
        if kind == "list":
            write_list(target, read_list(source))
            print(f"{target} is made of {source}")
        elif kind == "celeba":
            place(source, target, arrange_celeba)
            check_celeba(target)
        else:
            place(source, target, arrange_models)
    except (ValueError, OSError, UserError) as problem:
        print(f"error: {one_line(problem)}", file=sys.stderr)
        return getattr(problem, "status", CANNOT_PLACE)
    except KeyboardInterrupt:
        print("stopped: run the same command again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
