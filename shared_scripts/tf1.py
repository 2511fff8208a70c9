"""Finding and reading checkpoints as TensorFlow wrote them from 2016 on: one file (V1), or an index and its data (V2).

A checkpoint is named by any of its files, by the prefix they share, or by the folder they lie in. Both formats hold
tensors only; nothing in them is executed.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from shared_scripts.cli import UserError
from shared_scripts.files import natural_key, resolve_path

MAGIC = bytes.fromhex("57fb808b247547db")  # the last eight bytes of a V1 file, and of a V2 index
PART = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
STATE_LINE = re.compile(r'^\s*model_checkpoint_path:\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
# How the files begin that people take for checkpoints
OTHER_FILES = {
    b"\x89HDF": "a Keras .h5 file",
    b"PK\x03\x04": "a zip archive (a PyTorch or .keras file, perhaps)",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    **{b"\x80" + bytes([protocol]): "an old PyTorch or pickle file" for protocol in (2, 3, 4, 5)},
    b"version https://git-lfs": "a Git LFS pointer ('git lfs pull' fetches the file itself)",
}
PATTERN = set("*?[") | ({"\\"} if os.sep == "/" else set())  # what TensorFlow takes for a pattern in a path


# --- finding ------------------------------------------------------------------------------------------------------


def find_checkpoint(text: str | os.PathLike, usual_name: str = "") -> Path:
    """What a person meant by --checkpoint, as a V1 file or a V2 prefix. UserError where there is nothing.

    In a folder with several kinds of checkpoints the one called `usual_name` is meant.

    `ckpts/wave`, `ckpts/wave.ckpt`, `checkpoints/`, `fns.ckpt`, `fns.ckpt.index` are all understood.
    """
    path = resolve_path(text)
    if not present(path):  # the published styles were files, the shipped ones are folders, and people copy commands
        without = path.with_suffix("") if path.suffix == ".ckpt" else path.with_name(path.name + ".ckpt")
        path = without if present(without) else path
    if path.is_dir():
        return find_in_folder(path, usual_name)
    prefix = strip(path) if path.name else path
    if prefix != path and present(prefix):
        return prefix
    if prefix != path and path.is_file():
        raise UserError(f"{path} is one part of a checkpoint; {prefix.name}.index and its data must lie beside it")
    if not present(path):
        raise UserError(f"Checkpoint not found! There is no {path}, neither a file nor a folder")
    return path


def present(path: Path) -> bool:
    """Whether a V1 file, a folder or the index of a V2 checkpoint has this name."""
    return path.exists() or index_of(path).is_file() or (bool(PART.search(path.name)) and present(strip(path)))


def strip(path: Path) -> Path:
    """The prefix of one of a V2 checkpoint's files."""
    return path.with_name(PART.sub("", path.name))


def index_of(prefix: Path) -> Path:
    """The index file of a V2 checkpoint."""
    return prefix.with_name(prefix.name + ".index")


def find_in_folder(folder: Path, usual_name: str = "") -> Path:
    """The checkpoint a folder's state file names, else the one that lies there.

    State files hold the path as it was when it was written. In a folder that was copied or moved the name alone counts;
    elsewhere is looked only where this folder has no checkpoint of its own.
    """
    written = written_path(folder / "checkpoint")
    if written and holds(folder / written.name):
        return folder / written.name
    found = list_checkpoints(folder)
    if not found and written and holds(folder / written):
        return folder / written
    if not found:
        raise UserError(f"Checkpoint not found! The folder {folder} has no checkpoint in it")
    kinds = {re.sub(r"\d+", "", path.name) for path in found}
    if len(kinds) > 1 and folder / usual_name not in found:
        names = ", ".join(sorted(path.name for path in found)[:6])
        raise UserError(f"the folder {folder} has several checkpoints; name one of them: {names}")
    return max(found, key=lambda path: (path.name == usual_name, natural_key(path.name)))


def written_path(state: Path) -> Path | None:
    """What a state file says is the latest checkpoint; None where there is no such file, or it says nothing."""
    line = STATE_LINE.search(state.read_text(encoding="utf-8", errors="replace")) if state.is_file() else None
    written = Path(line[1].replace("\\\\", "/").replace("\\", "/")) if line else Path()
    return written if written.name else None


def holds(prefix: Path) -> bool:
    """Whether there is a V1 file or a V2 index of this name."""
    return prefix.is_file() or index_of(prefix).is_file()


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, each as a V1 file or a V2 prefix, in natural order of their names.

    Hidden files are saves that were killed half-way, or what macOS leaves beside files on foreign disks.
    """
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    v2 = {strip(path) for path in files if path.suffix == ".index"}
    v1 = {path for path in files if has_magic(path) and not PART.search(path.name)}
    return sorted(v1 | v2, key=lambda path: natural_key(path.name))


# --- reading ------------------------------------------------------------------------------------------------------


class Reader:
    """The tensors of an open checkpoint: `shapes` by name, and `tensor(name)`."""

    def __init__(self, reader):
        self.reader = reader
        self.shapes = {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}

    def tensor(self, name: str) -> np.ndarray:
        """A tensor of any type, as it is."""
        return np.asarray(self.reader.get_tensor(name))

    def floats(self, name: str) -> np.ndarray:
        """A tensor as float32, half-precision ones included."""
        return self.tensor(name).astype(np.float32)


@contextmanager
def open_checkpoint(prefix: Path) -> Iterator[Reader]:
    """Read from a V1 file or a V2 prefix. UserError, naming what the file is, where it is no whole checkpoint."""
    import tensorflow as tf

    check_kind(prefix)
    try:
        with plain_path(prefix) as plain:
            yield Reader(tf.train.load_checkpoint(str(plain)))
    except (tf.errors.OpError, ValueError, RuntimeError, LookupError) as problem:  # IndexError: the data file is cut
        raise UserError(f"{prefix} is damaged or cut short; get it again ({first_line(problem)})") from problem


@contextmanager
def plain_path(prefix: Path) -> Iterator[Path]:
    """The checkpoint by a path TensorFlow does not take for a pattern, as it does `my [old] styles`: there, a copy."""
    if not PATTERN & set(str(prefix)):
        yield prefix
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows keeps open files
        for path in prefix.parent.iterdir():
            if path.is_file() and strip(path) == prefix and path.suffix != ".meta":
                shutil.copy(path, Path(folder, path.name.replace(prefix.name, "copy", 1)))
        yield Path(folder, "copy")


def check_kind(prefix: Path) -> None:
    """UserError that says what the file is, where it is not a checkpoint."""
    file = index_of(prefix) if index_of(prefix).is_file() else prefix
    size = file.stat().st_size
    if size == 0:
        raise UserError(f"{file} is empty; get it again")
    with open(file, "rb") as opened:
        head = opened.read(4096)
    if head.lstrip()[:1] == b"<":
        raise UserError(f"{file} is a web page, not a checkpoint: its download went wrong; get it again by browser")
    for start, what in OTHER_FILES.items():
        if head.startswith(start):
            raise UserError(f"{file} is {what}, not a TensorFlow checkpoint")
    if has_magic(file):
        return
    if is_graph(file):
        raise UserError(
            f"{file} is a .meta file under another name: it describes the graph and holds no weights; what is needed "
            "is the .index and .data-00000-of-00001 beside it"
        )
    raise UserError(f"{file} is no TensorFlow checkpoint, or cut short: its closing mark is missing; get it again")


def has_magic(path: Path) -> bool:
    """Whether a file ends as a V1 checkpoint or a V2 index does."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() < len(MAGIC):
                return False
            file.seek(-len(MAGIC), os.SEEK_END)
            return file.read() == MAGIC
    except OSError:
        return False


def is_graph(path: Path) -> bool:
    """Whether a file looks like TensorFlow 1's graph description: a protocol buffer that names operations."""
    with open(path, "rb") as file:
        content = file.read(1 << 20)
    return content[:1] == b"\n" and sum(word in content for word in (b"Const", b"Conv2D", b"Variable", b"NoOp")) >= 2


def check_network(prefix: Path, held: dict[str, tuple[int, ...]], shapes: dict[str, tuple[int, ...]]) -> None:
    """UserError where the tensors are another network's."""
    missing = [name for name in shapes if name not in held]
    if missing:
        first = ", ".join(sorted(held, key=natural_key)[:3]) or "nothing"
        raise UserError(
            f"{prefix} is another network's checkpoint: {len(missing)} of this one's {len(shapes)} tensors are missing "
            f"({missing[0]} …); it holds {first} …"
        )
    for name, shape in shapes.items():
        if held[name] != shape:
            raise UserError(f"{prefix} is another network's checkpoint: {name} is {held[name]}, not {shape}")


def check_finite(prefix: Path, tensors: dict[str, np.ndarray]) -> None:
    """UserError where a weight is no number."""
    bad = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    if bad:
        raise UserError(f"{prefix} holds numbers that are not finite ({bad[0]}): its training had gone wrong")


def first_line(problem: BaseException) -> str:
    """The beginning of an error message that may be a page long, without TensorFlow's own names for what failed."""
    text = re.sub(r"\{\{.*?\}\}| \[Op:\w+\]", "", str(problem)).strip()
    return (text.splitlines() or [type(problem).__name__])[0][:160]
