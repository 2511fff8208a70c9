"""Fetch data sets: python download.py mnist celebA lsun"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from hashlib import md5
from pathlib import Path

from lsun import export
from mnist import IMAGES_MAGIC, LABELS_MAGIC, PARTS, file_name, read_idx
from shared_scripts.cli import ArgumentParser, RunError, UserError, one_line, run
from shared_scripts.files import ensure_folder, resolve_path
from shared_scripts.images import has_picture_name
from shared_scripts.progress import tell
from shared_scripts.tf1 import first_line
from shared_scripts.unpack import unpack

SCRIPT = Path(__file__).resolve().parent.parent / "shared_scripts" / "download.sh"
MNIST_MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")
MNIST_MD5 = {  # of the .gz
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}
CELEBA_ID, CELEBA_MD5 = "0B7EVK8r0v71pZjFTYXZWM3FlRnM", "00d2c5bc6d35e252742224ab0c1e8fcb"
CELEBA_PICTURES = 202_599
CELEBA_PAGE = f"https://drive.google.com/uc?id={CELEBA_ID}"
LSUN_HOSTS = ("https://dl.yf.io/lsun/scenes", "http://dl.yf.io/lsun/scenes")


# --- one file -----------------------------------------------------------------------------------------------------


def find_bash() -> str | None:
    """A bash that understands this system's paths: on Windows Git's, not the one of the Linux in Windows."""
    if os.name != "nt":
        return shutil.which("bash")
    git = shutil.which("git")
    inside = [Path(git).parent.parent / "bin" / "bash.exe"] if git else []
    found = [path for path in inside if path.is_file()] + [Path(path) for path in [shutil.which("bash")] if path]
    return next((str(path) for path in found if "system32" not in str(path).lower()), None)


def fetch(target: Path, addresses: list[str], checksum: str | None = None) -> None:
    """Download a file from the first address that has it; resumed, checked (MD5), whole or not there.

    RunError where that fails (download.sh has said why), UserError where there is no bash to do it.
    """
    bash = find_bash()
    if bash is None:
        raise UserError(f"there is no bash here to download with: fetch {addresses[0]} by hand and save it as {target}")
    checks = ["--md5", checksum] if checksum else ["--min-bytes", "1000"]
    words = [*checks, "--", target.absolute().as_posix(), *addresses]
    if subprocess.run([bash, SCRIPT.as_posix(), *words], check=False).returncode:
        raise RunError(f"{target.name} could not be downloaded, see above")


def unpacked(archive: Path, folder: Path) -> int:
    """Unpack safely; the number of files. UserError where the archive is damaged or hostile."""
    tell(f"unpacking {archive} into {folder}")
    try:
        return unpack(archive, folder)
    except ValueError as problem:
        raise UserError(str(problem)) from problem


# --- MNIST --------------------------------------------------------------------------------------------------------


def download_mnist(data_dir: Path) -> None:
    """Fetch the four idx files into data_dir/mnist, un-gzipped. What is there and whole stays."""
    folder = data_dir / "mnist"
    kinds = {file_name(part, kind): kind for part in PARTS for kind in (IMAGES_MAGIC, LABELS_MAGIC)}
    missing = [name for name, kind in kinds.items() if not is_whole(folder / name, kind)]
    if not missing:
        print("Found MNIST - skip")
        return
    for name in missing:
        archive = folder / f"{name}.gz"
        fetch(archive, [f"{mirror}/{archive.name}" for mirror in MNIST_MIRRORS], MNIST_MD5[name])
        (folder / name).unlink(missing_ok=True)  # what there is, is damaged
        unpacked(archive, folder)
        archive.unlink()


def is_whole(path: Path, kind: int) -> bool:
    """Whether an idx file is there and complete."""
    try:
        return path.is_file() and len(read_idx(path, kind)) > 0
    except UserError:
        return False


# --- CelebA -------------------------------------------------------------------------------------------------------


def download_celeba(data_dir: Path) -> None:
    """Fetch the aligned CelebA and unpack it as data_dir/celebA. A zip that somebody put into data_dir is used.

    A folder with fewer pictures than CelebA has is moved aside, nothing in it is lost.
    """
    folder, archive = data_dir / "celebA", data_dir / "img_align_celeba.zip"
    count = count_pictures(folder)
    if count >= CELEBA_PICTURES:
        print("Found Celeb-A - skip")
        return
    own = archive.is_file()  # what a person fetched is not ours to delete
    if not own:
        fetch_from_drive(archive)
    check_celeba(archive)
    scratch = data_dir / ".celebA.unpacking"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        unpacked(archive, scratch)
        move_aside(folder, count)
        picture_folder(scratch).rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not own:
        archive.unlink()
    print(f"{folder}: {count_pictures(folder)} pictures")


def count_pictures(folder: Path) -> int:
    """How many picture files lie in a folder; 0 where it is missing."""
    return sum(has_picture_name(path) for path in folder.iterdir()) if folder.is_dir() else 0


def move_aside(folder: Path, count: int) -> None:
    """Make way for a whole folder: an empty one goes, another gets a new name."""
    if not folder.exists():
        return
    if not any(folder.iterdir()):
        folder.rmdir()
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.incomplete{number}")).exists():
        number += 1
    folder.rename(aside)
    tell(f"{folder} had {count} of {CELEBA_PICTURES} pictures: it is now {aside}")


def picture_folder(folder: Path) -> Path:
    """The folder in there that holds the pictures. UserError where there is none."""
    for root, _, names in os.walk(folder):
        if any(has_picture_name(Path(name)) for name in names):
            return Path(root)
    raise UserError("the zip holds no pictures: it is not img_align_celeba.zip; delete it and run this again")


def fetch_from_drive(archive: Path) -> None:
    """Get the zip from Google Drive with gdown. UserError, saying what to do instead, where Drive does not give it."""
    try:
        import gdown
    except ImportError:
        raise UserError(f"CelebA comes from Google Drive: pip install gdown, or {by_hand(archive)}") from None
    ensure_folder(archive.parent)
    part = archive.with_name(f"{archive.name}.part")
    try:
        gdown.download(id=CELEBA_ID, output=str(part), resume=True)
    except Exception as problem:  # requests', gdown's own of several versions, or the disk's
        reason = first_line(problem).rstrip(" .:")
        raise UserError(f"Google Drive does not give CelebA out ({reason}): {by_hand(archive)}") from problem
    if not part.is_file():
        raise UserError(f"Google Drive does not give CelebA out: {by_hand(archive)}")
    if is_web_page(part):
        part.unlink()
        raise UserError(
            f"Google Drive answers with a web page, not the file: too many people fetch it today; {by_hand(archive)}"
        )
    part.rename(archive)


def by_hand(archive: Path) -> str:
    """How a person gets the zip."""
    return f"get it with a browser from {CELEBA_PAGE}, save it as {archive}, then run this again"


def is_web_page(path: Path) -> bool:
    """Whether a file begins like HTML."""
    with open(path, "rb") as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<!--"))


def check_celeba(archive: Path) -> None:
    """UserError where the zip is not CelebA. Another packing of all its pictures will do, and that is said."""
    if is_web_page(archive):
        raise UserError(
            f"{archive} is a web page (of Google Drive's quota?), not the zip: delete it; {by_hand(archive)}"
        )
    if not zipfile.is_zipfile(archive):
        raise UserError(f"{archive} is no zip, or cut short: delete it; {by_hand(archive)}")
    if file_md5(archive) == CELEBA_MD5:
        return
    with zipfile.ZipFile(archive) as file:
        count = sum(name.lower().endswith((".jpg", ".png")) for name in file.namelist())
    if count < CELEBA_PICTURES:
        raise UserError(
            f"{archive} is not the published file (wrong MD5) and holds {count} pictures instead of {CELEBA_PICTURES}: "
            f"delete it; {by_hand(archive)}"
        )
    tell(f"{archive} is not the published file, but holds {count} pictures: using it")


def file_md5(path: Path) -> str:
    """A file's MD5, in hexadecimal digits."""
    digest = md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# --- LSUN ---------------------------------------------------------------------------------------------------------


def download_lsun(data_dir: Path, category: str, sets: list[str]) -> None:
    """Fetch a category's databases into data_dir/lsun, unpacked: CATEGORY_train_lmdb and so on."""
    folder = data_dir / "lsun"
    for name in database_names(category, sets):
        if (folder / name / "data.mdb").is_file() and (folder / name / "data.mdb").stat().st_size:
            print(f"Found LSUN {name} - skip")
            continue
        if name == "bedroom_train_lmdb":
            tell("the training set of LSUN's bedrooms is 43 GB, and twice that while it is unpacked")
        archive = folder / f"{name}.zip"
        fetch(archive, [f"{host}/{archive.name}" for host in LSUN_HOSTS])
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)  # without a data.mdb, or with an empty one
        unpacked(archive, folder)
        archive.unlink()


def database_names(category: str, sets: list[str]) -> list[str]:
    """The databases' published names; the test set is one for all categories."""
    return ["test_lmdb" if part == "test" else f"{category}_{part}_lmdb" for part in sets]


def export_lsun(data_dir: Path, category: str, sets: list[str], limit: int | None) -> None:
    """Write the databases' pictures as files that can be trained on, and say how."""
    for name in database_names(category, sets):
        dataset = f"lsun_{name.removesuffix('_lmdb')}"
        count, ending = export(data_dir / "lsun" / name, data_dir / dataset, limit)
        print(f"{data_dir / dataset}: {count} pictures")
        print(f"train on them with: python main.py --train --dataset {dataset} --input_fname_pattern '*{ending}'")


# --- the command line ---------------------------------------------------------------------------------------------


def parse(arguments: list[str] | None) -> object:
    """The command line's words."""
    parser = ArgumentParser(prog="download.py", description="Fetch data sets: MNIST, CelebA, LSUN.")
    known = {"mnist": "mnist", "celeba": "celebA", "lsun": "lsun"}
    parser.add_argument(
        "datasets",
        metavar="DATASET",
        nargs="+",
        type=lambda word: known.get(word.lower().replace("-", ""), word),
        choices=list(known.values()),
        help="one or more of mnist, celebA, lsun",
    )
    parser.add_argument("--data_dir", "--data-dir", default="./data", help="where the data sets' folders are made")
    parser.add_argument("--category", default="bedroom", help="of LSUN: bedroom, church_outdoor, kitchen, tower ...")
    parser.add_argument(
        "--set",
        dest="sets",
        nargs="+",
        default=["train", "val", "test"],
        choices=["train", "val", "test"],
        help="of LSUN: which parts",
    )
    parser.add_argument(  # no add_switch: it would take the data set after it for its value
        "--export-lsun",
        "--export_lsun",
        action="store_true",
        help="write LSUN's pictures as files, which training needs; wants the package lmdb",
    )
    parser.add_argument("--limit", type=int, help="with --export-lsun: at most so many pictures of each part")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Fetch what is asked for, one data set after the other; exit status 1 or 2 where one failed."""
    options = parse(arguments)
    data_dir = resolve_path(options.data_dir)
    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit is at least 1, not {options.limit}")
    steps = {
        "mnist": lambda: download_mnist(data_dir),
        "celebA": lambda: download_celeba(data_dir),
        "lsun": lambda: download_lsun(data_dir, options.category, options.sets),
    }
    wanted = [steps[name] for name in dict.fromkeys(options.datasets)]
    if options.export_lsun:
        wanted.append(lambda: export_lsun(data_dir, options.category, options.sets, options.limit))
    status = 0
    for step in wanted:
        try:
            sys.stdout.flush()  # bash writes to the same place
            step()
        except UserError as problem:  # the others may still work
            tell(f"error: {one_line(problem)}")
            status = status or (1 if isinstance(problem, RunError) else 2)
    return status


if __name__ == "__main__":
    run(main)
