"""Unpack a downloaded archive without trusting it.

An archive names the files it wants to create. A hostile one names `../../.bashrc`, `/etc/passwd`, or first a
link and then a file behind that link. So every member is looked at before anything is written; one bad member
refuses the whole archive. A good one goes into a temporary folder beside the target, and moves to its place
only when it is complete.

Standard library only, because the download scripts run before anything is installed:

    python3 unpack.py archive.tar.gz folder
"""

from __future__ import annotations

import argparse
import bz2
import filecmp
import gzip
import lzma
import os
import re
import shutil
import stat
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

# What a damaged archive makes the standard library raise, from zip, tar and the three compressors.
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)

COMPRESSIONS = {
    b"\x1f\x8b": ("gz", gzip.open),
    b"BZh": ("bz2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
TAR_NAMES = re.compile(r"\.(tar|tar\.\w+|tgz|tbz2?|txz)$", re.IGNORECASE)


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str]) -> int:
    """Unpack a zip, a tar (plain, gz, bz2 or xz) or a single compressed file into a folder.

    The kind is read from the file's first bytes, not from its name. The folder and its parents are created.
    Where the folder exists already, the new files join the old ones; a file that is there with the same
    content is left alone.

    Returns the number of files. Raises ValueError, with a one-line message, when the archive is damaged,
    encrypted or of an unknown kind, when a member would leave the folder (absolute, a drive letter, `..`) or
    is a link or a device, or when the folder holds a different file under a member's name. In all these cases
    nothing was written. OSError (no such archive, disk full) passes through.
    """
    return _unpack(Path(archive), Path(os.path.abspath(folder)), stamp=False)


def is_unpacked(archive: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Whether `main` already unpacked exactly this archive (its size and time) into the folder."""
    try:
        return _stamp_path(Path(archive), Path(folder)).read_text(encoding="ascii") == _stamp(Path(archive))
    except (OSError, ValueError):
        return False


def _unpack(archive: Path, folder: Path, stamp: bool) -> int:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{_one_line(folder)} is a file, not a folder: give another folder to unpack into")
    # The last step must be a rename on one disk: so beside the target, or inside it where it exists (it may
    # be a mounted disk). The inner folder gets the user's usual permissions; mkdtemp's own are private.
    home = folder if folder.is_dir() else folder.parent
    home.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".unpacking-", suffix=".tmp", dir=home))
    try:
        content = scratch / "content"
        content.mkdir()
        try:
            count = _extract(archive, content)
        except (*DAMAGED, OSError) as problem:
            # bz2 says «Invalid data stream» with a bare OSError; one from the system carries a number.
            if isinstance(problem, OSError) and problem.errno is not None:
                raise
            raise ValueError(
                f"{_one_line(archive)} is damaged ({_one_line(problem)}): delete it, get it again"
            ) from None
        except NotImplementedError as problem:
            raise ValueError(f"{_one_line(archive)} needs another unpacker: {_one_line(problem)}") from None
        if stamp:
            _stamp_path(archive, content).write_text(_stamp(archive), encoding="ascii")
        move_into_place(archive, content, folder, own=_stamp_path(archive, folder) if stamp else None)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return count


def _extract(archive: Path, content: Path) -> int:
    with archive.open("rb") as stream:
        head = stream.read(6)
    # zipfile.is_zipfile would say yes to a tar whose last member is a zip; the first bytes are clear.
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _extract_zip(archive, content)
    for magic, (suffix, opener) in COMPRESSIONS.items():
        if head.startswith(magic):
            with opener(archive, "rb") as stream:
                if _is_tar(stream) or TAR_NAMES.search(archive.name):
                    return _extract_tar(archive, content)
            return _extract_single(archive, suffix, opener, content)
    with archive.open("rb") as stream:
        if _is_tar(stream):
            return _extract_tar(archive, content)
    raise ValueError(
        f"{_one_line(archive)} is not an archive: zip, tar, tar.gz, tar.bz2, tar.xz, gz, bz2, xz are known"
    )


def _is_tar(stream) -> bool:
    """Whether an uncompressed stream begins with a tar header (its checksum is what decides)."""
    try:
        tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _extract_zip(archive: Path, content: Path) -> int:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            # orig_filename: the name before zipfile cut it at a NUL or turned its slashes.
            for name in (member.orig_filename, member.filename):
                _refuse_outside(archive, name)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                what = "a symbolic link" if kind == stat.S_IFLNK else "no ordinary file"
                raise ValueError(f"{_one_line(archive)} is refused: its member {member.filename!r} is {what}")
            if member.flag_bits & 1:
                raise ValueError(f"{_one_line(archive)} is encrypted: unpack it by hand with its password")
            # Some Windows programs write backslashes; they mean folders.
            member.filename = member.filename.replace("\\", "/")
        for member in members:
            file.extract(member, content)
    return sum(not member.is_dir() for member in members)


def _extract_tar(archive: Path, content: Path) -> int:
    with tarfile.open(archive) as file:
        members = file.getmembers()
        _refuse_cut(file)
        for member in members:
            _refuse_outside(archive, member.name)
            if not (member.isfile() or member.isdir()):
                links = {tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a hard link"}
                what = links.get(member.type, "a device or another special file")
                raise ValueError(f"{_one_line(archive)} is refused: its member {member.name!r} is {what}")
            # An archive decides neither the owner nor set-user-id: only whether a file may be run.
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.uid = os.getuid() if hasattr(os, "getuid") else 0
            member.gid = os.getgid() if hasattr(os, "getgid") else 0
            member.uname = member.gname = ""
        # Python's own fence, a second one behind ours; the oldest 3.10 and 3.11 do not have it.
        fence = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        file.extractall(content, members=members, **fence)
    return sum(member.isfile() for member in members)


def _refuse_cut(file: tarfile.TarFile) -> None:
    """Raise ReadError where the list of members ended at something else than the archive's end.

    tarfile takes a broken header after the first for the end, and so would silently unpack half. Reading on
    to the end also makes gzip compare its checksum.
    """
    stream = file.fileobj
    stream.seek(file.offset)
    if stream.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise tarfile.ReadError(f"no member begins at byte {file.offset}")
    while stream.read(1 << 20):
        pass


def _extract_single(archive: Path, suffix: str, opener, content: Path) -> int:
    name = archive.name[: -len(suffix) - 1] if archive.name.lower().endswith("." + suffix) else archive.name
    with opener(archive, "rb") as source, (content / (name or "content")).open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return 1


def _refuse_outside(archive: Path, name: str) -> None:
    """Raise ValueError when a member's name leads out of the folder, on this system or on another."""
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise ValueError(f"{_one_line(archive)} is refused: its member {name!r} has an absolute path")
    if ".." in re.split(r"[/\\]", name):
        raise ValueError(f"{_one_line(archive)} is refused: its member {name!r} leads out of the folder")


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            yield Path(root, name)


def move_into_place(archive: Path, content: Path, folder: Path, own: Path | None = None) -> None:
    """Make the finished temporary folder the target, or add its files to a target that exists.

    Args:
        archive: what error messages name.
        own: the one file that may be replaced by a different one (the stamp of an earlier archive).

    Raises ValueError, and moves nothing, where another file is there under a name that is to be given.
    """
    if not folder.exists():
        content.rename(folder)
        return
    moves, taken = [], []
    for source in _files(content):
        target = folder / source.relative_to(content)
        if target == own or not os.path.lexists(target):
            moves.append((source, target))
        elif not (target.is_file() and filecmp.cmp(source, target, shallow=False)):
            taken.append(target)
    folders = [Path(root) for root, _, _ in os.walk(content)]
    for path in folders:
        target = folder / path.relative_to(content)
        if os.path.lexists(target) and not target.is_dir():
            taken.append(target)
    if taken:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise ValueError(
            f"{_one_line(archive)} is not unpacked: {_one_line(taken[0])}{more} already exists and differs; "
            "move it away, then run the same command again"
        )
    for path in folders:
        (folder / path.relative_to(content)).mkdir(exist_ok=True)
    # The stamp goes last: it says that all the others are there.
    for source, target in sorted(moves, key=lambda move: move[1] == own):
        os.replace(source, target)


def _stamp_path(archive: Path, folder: Path) -> Path:
    return folder / f".{archive.name}.unpacked"


def _stamp(archive: Path) -> str:
    status = archive.stat()
    return f"{status.st_size} {status.st_mtime_ns}\n"


def _one_line(thing: object) -> str:
    return " ".join(str(thing).splitlines())


def main(arguments: list[str] | None = None) -> int:
    """Unpack from the command line; the exit status: 0, or 1 after one `error:` line."""
    parser = argparse.ArgumentParser(
        description="Unpack a zip, tar, tar.gz, tar.bz2, tar.xz, or a single gz, bz2 or xz file, safely: an "
        "archive with a link, an absolute path or a .. in it is refused as a whole."
    )
    parser.add_argument("archive", help="the downloaded file")
    parser.add_argument("folder", help="where its content goes (created where missing)")
    parser.add_argument("--once", action="store_true", help="do nothing when this very archive was unpacked there")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show must not end the run
    archive, folder = Path(options.archive), Path(os.path.abspath(options.folder))
    if options.once and is_unpacked(archive, folder):
        print(f"{options.folder} already holds what is in {options.archive}")
        return 0
    print(f"unpacking {options.archive} into {options.folder}", flush=True)
    try:
        count = _unpack(archive, folder, stamp=options.once)
    except (ValueError, OSError) as problem:
        print(f"error: {_one_line(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped: run the same command again", file=sys.stderr)
        return 130
    print(f"{options.folder}: {count} file{'s' if count != 1 else ''} unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
