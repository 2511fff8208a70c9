"""Paths as people type them, and files that are either whole or not there."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared_scripts.cli import UserError


def resolve_path(text: str | os.PathLike) -> Path:
    r"""The path a person meant.

    Command lines copied from Windows carry backslashes. Where ``text`` names nothing as it stands, the same path
    with forward slashes is meant: ``contents\cat.jpg`` works on Linux, while a Linux file that really has a
    backslash in its name is still found.
    """
    path = expand_home(Path(text))
    if "\\" in str(text) and not path.exists():
        path = expand_home(Path(str(text).replace("\\", "/")))
    return path


def expand_home(path: Path) -> Path:
    """`~/cat.jpg` in the home folder; a name that only begins with a tilde stays as it is."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def file_name(text: str) -> str:
    r"""A word as the name of a file or folder that every system can have, and that stays in its folder.

    Words out of a data set, or out of a file that somebody else made, may hold anything: `../x`, `a/b`, `Age: 20?`.
    """
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", text).rstrip(". ")
    if not name or re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, re.IGNORECASE):  # Windows' devices
        return f"_{name}"
    return name


def natural_key(path: str | os.PathLike) -> list:
    """Sort key that puts ``frame9`` before ``frame10``."""
    parts = re.split(r"(\d+)", str(path))  # words at the even places, numbers at the odd ones
    return [(int(part), "") if i % 2 else (-1, part.lower()) for i, part in enumerate(parts) if part]


def ensure_folder(folder: Path) -> None:
    """Create ``folder`` and its parents; UserError where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(f"cannot create the folder {folder}: {problem.strerror or problem}") from problem


def check_writable(path: Path, overwrite: bool = True) -> None:
    """Find out before a long run whether ``path`` can be written in the end, without touching what is there.

    Creates the folder where it is missing. Raises UserError where ``path`` is a folder, where it exists and
    ``overwrite`` is false, or where its folder refuses new files.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise UserError(f"{path} exists already; add --overwrite to replace it, or choose another name")
    ensure_folder(path.parent)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as problem:
        raise UserError(f"cannot write into the folder {path.parent}: {problem.strerror or problem}") from problem
    if path.exists() and not os.access(path, os.W_OK):
        raise UserError(f"{path} is write-protected")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` to write to; it takes the name ``path`` only when the block succeeds.

    The temporary name keeps the suffix, since many libraries choose the format by it. Whoever looks at ``path``
    sees the old file or the new one, never half of one. Raises UserError where the disk or the folder refuses.
    """
    path = Path(path)
    ensure_folder(path.parent)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        temporary.chmod(0o666 & ~current_umask())  # some libraries make their files private
        with open(temporary, "rb+") as written:  # on the disk before the rename, or a power cut leaves an empty file
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as problem:
        raise UserError(f"cannot write {path}: {problem.strerror or problem}") from problem
    finally:
        temporary.unlink(missing_ok=True)


def read_safetensors(path: Path, load: Callable) -> dict:
    """The tensors of a .safetensors file by `load`, the `load_file` of safetensors.numpy or safetensors.torch.

    UserError where it is missing or damaged.
    """
    from safetensors import SafetensorError

    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        return load(path)
    except (SafetensorError, ValueError) as problem:
        raise UserError(f"{path} is damaged or no safetensors file ({problem})") from problem


def current_umask() -> int:
    """The permission bits new files do not get; the system has no call that only reads it."""
    umask = os.umask(0o022)
    os.umask(umask)
    return umask
