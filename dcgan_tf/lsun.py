"""LSUN's databases as picture files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shared_scripts.files import ensure_folder
from shared_scripts.lsun import open_database
from shared_scripts.progress import Progress

SHARD = 10_000  # files a folder: millions in one make many systems crawl
MAGICS = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"RIFF", ".webp"))


def export(database: Path, folder: Path, limit: int | None = None) -> tuple[int, str]:
    """Write an LMDB's pictures, byte for byte, as folder/0000/KEY.webp (or .jpg); how many, and their ending.

    A folder of files appears when it is whole, so a run that was stopped goes on where it was. `limit`: at most so
    many. UserError where the database is missing or damaged, or the package lmdb is.
    """
    with open_database(database, "fetch it with python download.py lsun") as (entries, found):
        total = min(entries, limit or 1 << 62)
        return total, write_shards(islice(found, total), total, folder)


def write_shards(entries: Iterator[tuple], total: int, folder: Path) -> str:
    """Write (key, value) pairs in folders of `SHARD`; the first file's ending."""
    ending = ""
    with Progress(total) as progress:
        for number in range((total + SHARD - 1) // SHARD):
            shard = folder / f"{number:04d}"
            count = min(SHARD, total - number * SHARD)
            done = shard.is_dir() and sum(1 for _ in shard.iterdir()) == count
            part = folder / f".{number:04d}.part"
            if not done:
                shutil.rmtree(part, ignore_errors=True)
                ensure_folder(part)
            for key, value in islice(entries, count):
                ending = ending or ending_of(value)
                if not done:
                    (part / f"{file_stem(bytes(key))}{ending_of(value)}").write_bytes(value)
                progress.update()
            if not done:
                shutil.rmtree(shard, ignore_errors=True)  # of a run with a lower limit
                part.rename(shard)
    return ending


def ending_of(value) -> str:
    """The file ending of a picture's bytes."""
    head = bytes(value[:4])
    return next((ending for magic, ending in MAGICS if head.startswith(magic)), ".webp")


def file_stem(key: bytes) -> str:
    """A key as a file name: LSUN's are hexadecimal; whatever else is in one becomes so."""
    text = key.decode("ascii", "replace")
    return text if re.fullmatch(r"[\w-]+", text, re.ASCII) else key.hex()
