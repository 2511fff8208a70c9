"""Draw a data set of faces with CelebA's attributes, for people who have no CelebA.

python make_faces_dataset.py                  # 3000 faces in data/faces, with CelebA's attribute file
python make_faces_dataset.py --expressions    # data/faces_expressions: eight expressions in folders, as of RaFD
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from faces import ATTRIBUTES, EXPRESSIONS, VERSION, Face, attributes, draw, random_face
from shared_scripts.cli import ArgumentParser, StopBetweenSteps, UserError, run
from shared_scripts.files import atomic_write, check_writable, resolve_path
from shared_scripts.images import write_image

ATTRIBUTE_FILE = "list_attr_celeba.txt"
STAMP = "made_with.json"  # says with what settings a folder was made
COUNTS = {False: 3000, True: 60}  # the defaults: of all pictures, and with --expressions of each class
CELEBA_SIZE = (178, 218)
EXPRESSION_SIZE = (256, 256)


def face_number(seed: int, number: int) -> Face:
    """Face `number` of a set, which depends on nothing else: a larger set begins with the smaller one."""
    return random_face(np.random.default_rng([seed, number]))


def attribute_line(name: str, values: dict[str, bool]) -> str:
    """One picture's line as CelebA writes it: the file's name, and 1 or -1 for each attribute, right-aligned."""
    return name + "".join(" " + ("1" if value else "-1").rjust(2) for value in values.values())


def attribute_text(lines: list[str]) -> str:
    """The whole attribute file: how many pictures, the attributes' names, the pictures' lines."""
    return "\n".join([str(len(lines)), " ".join(ATTRIBUTES) + " ", *lines]) + "\n"


def write_pictures(folder: Path, pictures: Iterator[tuple[str, Face]], total: int, width: int, height: int) -> None:
    """Draw faces into files (name below the folder, face), and say how far that is.

    Ctrl-C is answered between two pictures: raised inside of some of NumPy's functions it would be lost.
    """
    with StopBetweenSteps() as stopping:
        for name, face in tqdm(pictures, total=total, desc="drawing", unit="face", disable=None):
            write_image(folder / name, draw(face, width, height))
            stopping.check()


def write_celeba(folder: Path, count: int, seed: int, ext: str) -> None:
    """FOLDER/images/000001.EXT and so on, 178 x 218, and last FOLDER/list_attr_celeba.txt."""
    lines = []

    def pictures() -> Iterator[tuple[str, Face]]:
        for number in range(1, count + 1):
            face, name = face_number(seed, number), f"{number:06d}.{ext}"
            lines.append(attribute_line(name, attributes(face)))
            yield name, face

    write_pictures(folder / "images", pictures(), count, *CELEBA_SIZE)
    write_text(folder / ATTRIBUTE_FILE, attribute_text(lines))


def expressed(seed: int, number: int, expression: str) -> Face:
    """Face `number` with an expression, without a hat, and facing the camera as RaFD's people do."""
    face = replace(face_number(seed, number), expression=expression, smiling=False, mouth_open=False, hat=False)
    return replace(face, shift=(0.3 * face.shift[0], 0.3 * face.shift[1]), turn=0.3 * face.turn)


def expression_pictures(count: int, seed: int, ext: str) -> Iterator[tuple[str, Face]]:
    """(name below the folder, face) of every picture. Each class has people of its own: there are no pairs."""
    test = count // 10
    for k, expression in enumerate(EXPRESSIONS):
        for i in range(1, count + 1):
            part, number = ("train", i) if i <= count - test else ("test", i - count + test)
            # From the class and the place in it alone, so that the number of pictures does not change who is in them.
            yield f"{part}/{expression}/{number:06d}.{ext}", expressed(seed, len(EXPRESSIONS) * i + k, expression)


def write_expressions(folder: Path, count: int, seed: int, ext: str) -> None:
    """FOLDER/train and test with a folder for each expression; a tenth of the pictures is to test with."""
    pictures = expression_pictures(count, seed, ext)
    write_pictures(folder, pictures, count * len(EXPRESSIONS), *EXPRESSION_SIZE)


def write_text(path: Path, text: str) -> None:
    """A text file that is whole or not there."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_dataset(
    folder: str | Path,
    count: int = 3000,
    seed: int = 1,
    ext: str = "jpg",
    expressions: bool = False,
    overwrite: bool = False,
) -> bool:
    """Write a set of drawn faces; False where exactly this set is there already.

    The attribute file, and that made_with.json calls the set complete, are written last. A set that was interrupted
    is drawn again from its beginning. Raises UserError where the numbers make no sense, where the
    folder holds another set or other pictures and `overwrite` is false, or where it cannot be written.
    """
    if count < 1:
        raise UserError(f"--count must be at least 1, not {count}")
    if seed < 0:
        raise UserError(f"--seed must not be negative, and is {seed}")
    if count > 999_999:
        raise UserError(f"--count must be at most 999999, not {count}: names have six digits")
    folder = Path(folder)
    settings = dict(version=VERSION, count=count, seed=seed, ext=ext, expressions=expressions)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another folder with --out")
    stamp_of(folder)  # refuses a folder that is not ours, whatever else is asked
    if not overwrite and is_there(folder, settings):
        return False
    check_writable(folder / STAMP)
    # First, so that the folder is known as ours, and as unfinished, wherever this is interrupted.
    write_text(folder / STAMP, json.dumps({**settings, "complete": False}) + "\n")
    clear(folder)
    (write_expressions if expressions else write_celeba)(folder, count, seed, ext)
    write_text(folder / STAMP, json.dumps({**settings, "complete": True}) + "\n")
    return True


def is_there(folder: Path, settings: dict) -> bool:
    """Whether the folder holds the whole set of these settings; UserError where it holds a finished other one."""
    found = stamp_of(folder)
    if found is None or not found.pop("complete", False):
        return False
    if found != settings:
        raise UserError(
            f"{folder} holds a set with other settings; add --overwrite, or choose another folder with --out"
        )
    expected = settings["count"] * (len(EXPRESSIONS) if settings["expressions"] else 1)
    count = sum(1 for _ in own_pictures(folder))
    if count < expected or not (settings["expressions"] or (folder / ATTRIBUTE_FILE).is_file()):
        raise UserError(f"{folder} has lost some of its files ({count} of {expected} pictures); add --overwrite")
    return True


def stamp_of(folder: Path) -> dict | None:
    """What made_with.json says; None for a new or empty folder. UserError where this script did not make the folder.

    Also with --overwrite: what looks like another set may be the real CelebA, which takes a day to download again.
    """
    if not folder.is_dir() or all(entry.name.startswith(".") for entry in folder.iterdir()):
        return None
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{folder} holds files that were not made here; choose another folder with --out")
    return found


def own_pictures(folder: Path) -> Iterator[Path]:
    """The pictures that an earlier run drew: by their names, so that nobody else's are counted or deleted."""
    places = ["images", *(f"{part}/{expression}" for part in ("train", "test") for expression in EXPRESSIONS)]
    for place in places:
        if (folder / place).is_dir():
            yield from (path for path in (folder / place).iterdir() if re.fullmatch(r"\d{6}\.(jpg|png)", path.name))


def clear(folder: Path) -> None:
    """Delete what an earlier run made: the attribute file first, so that it never names pictures that are gone."""
    try:
        (folder / ATTRIBUTE_FILE).unlink(missing_ok=True)
        for path in list(own_pictures(folder)):
            path.unlink()
        for part in ("images", "train", "test"):
            for below, _, _ in os.walk(folder / part, topdown=False):
                if not os.listdir(below):
                    os.rmdir(below)
    except OSError as problem:
        raise UserError(f"cannot delete the old pictures in {folder}: {problem.strerror or problem}") from problem


def next_commands(folder: Path, expressions: bool) -> str:
    """The command lines to go on with."""
    if expressions:
        common = f"--dataset RaFD --c_dim {len(EXPRESSIONS)} --rafd_crop_size {EXPRESSION_SIZE[0]} --rafd_image_dir"
        modes = [mode for mode in ("train", "test") if (folder / mode).is_dir()]  # a tenth of few is none
        return "\n".join(f"    python main.py --mode {mode} {common} {quoted(folder / mode)}" for mode in modes)
    images, lines = (quoted(folder / name) for name in ("images", ATTRIBUTE_FILE))
    paths = f"--celeba_image_dir {images} --attr_path {lines}"
    attrs = "--selected_attrs Black_Hair Blond_Hair Brown_Hair Male Young"
    return "\n".join(f"    python main.py --mode {mode} --dataset CelebA {paths} {attrs}" for mode in ("train", "test"))


def quoted(path: Path) -> str:
    """A path as it can be pasted into this system's command line: Windows' does not know single quotes."""
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))


def default_folder(expressions: bool) -> Path:
    """data/faces or data/faces_expressions in the project, as short as it can be written from here."""
    folder = Path(__file__).resolve().parent / "data" / ("faces_expressions" if expressions else "faces")
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def parse_arguments(argv: list[str] | None):
    """The command line."""
    parser = ArgumentParser(description="Draw a data set of faces: with CelebA's attributes, or with expressions.")
    parser.add_argument(
        "--out", metavar="FOLDER", help="the new folder (default: data/faces, or data/faces_expressions)"
    )
    parser.add_argument("--count", type=int, help="how many (default: 3000, or with --expressions 60 of each)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other faces")
    parser.add_argument("--ext", default="jpg", choices=["jpg", "png"], help="the pictures' format")
    parser.add_argument("--expressions", action="store_true", help="eight expressions in folders, as of RaFD, instead")
    parser.add_argument("--overwrite", action="store_true", help="replace another set that this script made")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    options = parse_arguments(argv)
    folder = default_folder(options.expressions) if options.out is None else resolve_path(options.out)
    count = COUNTS[options.expressions] if options.count is None else options.count
    new = write_dataset(folder, count, options.seed, options.ext, options.expressions, options.overwrite)
    each = " of each expression" if options.expressions else ""
    print(f"{folder}: {count} faces{each}" if new else f"{folder} is already here")
    print(f"Go on with:\n{next_commands(folder, options.expressions)}")


if __name__ == "__main__":
    run(main)
