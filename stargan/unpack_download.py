"""Put what download.sh fetched, or a person did, where main.py looks for it; or put Kaggle's list in CelebA's form.

    python unpack_download.py celeba ARCHIVE data/celeba
    python unpack_download.py models ARCHIVE stargan_celeba_128/models
    python unpack_download.py list list_attr_celeba.csv list_attr_celeba.txt

Whatever folders the archive has them in, pictures go to images/ there, the list of attributes beside it, and the two
networks into the folder itself. Nothing that is there is replaced. Standard library only, because downloads come before
installing; download.sh calls it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from shared_scripts.unpack import move_into_place, unpack  # noqa: E402

LIST = "list_attr_celeba.txt"
KAGGLES_LIST = "list_attr_celeba.csv"
NETWORKS = ("200000-G.ckpt", "200000-D.ckpt")
PICTURE = re.compile(r"[^.].*\.(jpg|jpeg|png)", re.IGNORECASE)  # ._000001.jpg is what macOS adds to its zips
CELEBAS_PICTURE = re.compile(r"\d{6}\.(jpg|png)")
BAD_ARCHIVE, CANNOT_PLACE, INCOMPLETE = 1, 2, 3  # exit statuses


class Problem(Exception):
    """What is wrong, in one line, and the exit status that says so."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


# --- the list of attributes ---------------------------------------------------------------------------------------


class Attributes(NamedTuple):
    """A list of attributes: their names, and for every picture its name and its -1 or 1 for each."""

    names: List[str]
    rows: List[List[str]]


def read_list(path: Path) -> Attributes:
    """Read CelebA's list_attr_celeba.txt or Kaggle's .csv. ValueError where it is neither."""
    lines = [line for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip()]
    if lines and "," in lines[0]:
        cells = [[cell.strip() for cell in line.split(",")] for line in lines]
        names, rows = cells[0][1:], cells[1:]
    else:
        names, rows = lines[1].split() if len(lines) > 1 else [], [line.split() for line in lines[2:]]
    if not names or not rows or any(len(row) != len(names) + 1 for row in rows):
        raise ValueError(f"{path} is no list of CelebA's attributes, or cut short: get it again")
    return Attributes(names, rows)


def write_list(path: Path, attributes: Attributes) -> None:
    """Write it in CelebA's form: how many there are, the names, then a line for each picture."""
    lines = [str(len(attributes.rows)), " ".join(attributes.names)]
    lines += [" ".join([name, *(value.rjust(2) for value in values)]) for name, *values in attributes.rows]
    part = path.with_name(f".{path.name}.part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, path)


# --- finding things in what was unpacked --------------------------------------------------------------------------


def fullest_folder(content: Path) -> Optional[Path]:
    """The folder with the most pictures, at any depth; None where there are no pictures."""
    counts = {Path(root): sum(bool(PICTURE.fullmatch(name)) for name in names) for root, _, names in os.walk(content)}
    best = max(counts, key=lambda folder: counts[folder])
    return best if counts[best] else None


def find_file(content: Path, *names: str) -> Optional[Path]:
    """A file of one of these names, at any depth, the first name's first; None where there is none."""
    found = {name: sorted(content.rglob(name), key=lambda path: len(path.parts)) for name in names}
    return next((path for name in names for path in found[name] if path.is_file()), None)


# --- putting them into their place --------------------------------------------------------------------------------


def arrange_celeba(archive: Path, content: Path, tree: Path, folder: Path) -> None:
    """Make `tree` what is to be added to `folder`: images/ and, where one is to be had, the list of attributes."""
    tree.mkdir()
    there = folder / LIST
    # A list may come with the pictures, or lie beside their archive, as people put it who fetched both.
    source = find_file(content, LIST, KAGGLES_LIST)
    if source is None and not there.exists():
        source = next((path for name in (LIST, KAGGLES_LIST) if (path := archive.parent / name).is_file()), None)
    if source:
        attributes = read_list(source)
        if not (there.is_file() and same_list(there, attributes)):
            if source.name == LIST:
                shutil.copyfile(source, tree / LIST)
            else:
                write_list(tree / LIST, attributes)
    elif there.is_file():
        attributes = read_list(there)
    else:
        attributes = None
    pictures = fullest_folder(content)
    if pictures is None or not is_celeba(pictures, attributes):
        raise Problem(BAD_ARCHIVE, f"{archive} does not hold CelebA's pictures (000001.jpg and so on): it is another file")
    pictures.rename(tree / "images")
    (tree / "images" / LIST).unlink() if (tree / "images" / LIST).is_file() else None


def same_list(path: Path, attributes: Attributes) -> bool:
    """Whether a file says the same, in whatever form."""
    try:
        return read_list(path) == attributes
    except ValueError:
        return False


def is_celeba(pictures: Path, attributes: Optional[Attributes]) -> bool:
    """Whether some of the pictures are the ones that the list names, or without a list, are named as CelebA's are."""
    names = os.listdir(pictures)
    if attributes is None:
        return any(CELEBAS_PICTURE.fullmatch(name) for name in names)
    return not {row[0] for row in attributes.rows}.isdisjoint(names)


def arrange_models(archive: Path, content: Path, tree: Path, folder: Path) -> None:
    """Make `tree` what is to be added to `folder`: the two networks."""
    tree.mkdir()
    for name in NETWORKS:
        found = find_file(content, name)
        if found is None:
            raise Problem(BAD_ARCHIVE, f"{archive} holds no {name}: it is not the authors' zip of networks")
        found.rename(tree / name)


def place(archive: Path, folder: Path, arrange) -> None:
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
            arrange(archive, corner / "content", corner / "tree", folder)
        except ValueError as problem:
            raise Problem(BAD_ARCHIVE, str(problem)) from None
        try:
            move_into_place(archive, corner / "tree", folder)
        except ValueError as problem:
            raise Problem(CANNOT_PLACE, str(problem)) from None
    finally:
        shutil.rmtree(corner, ignore_errors=True)
        for path in made:  # where nothing came of it
            try:
                path.rmdir()
            except OSError:
                break


def check_celeba(folder: Path) -> None:
    """Say what is there. Problem where the list is missing, or names pictures that are."""
    names = set(os.listdir(folder / "images"))
    print(f"{folder / 'images'}: {sum(bool(PICTURE.fullmatch(name)) for name in names)} pictures")
    if not (folder / LIST).is_file():
        raise Problem(INCOMPLETE, f"the pictures are here, but there is no {folder / LIST} that says what they show")
    rows = read_list(folder / LIST).rows
    missing = sum(row[0] not in names for row in rows)
    if missing:
        raise Problem(INCOMPLETE, f"{missing} of the {len(rows)} pictures that {folder / LIST} names are missing")


def main(words: List[str]) -> int:
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
    except Problem as problem:
        print(f"error: {' '.join(str(problem).split())}", file=sys.stderr)
        return problem.status
    except (ValueError, OSError) as problem:
        print(f"error: {' '.join(str(problem).split())}", file=sys.stderr)
        return CANNOT_PLACE
    except KeyboardInterrupt:
        print("stopped: run the same command again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
