"""LSUN's databases, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared_scripts.cli import UserError, one_line


@contextmanager
def open_database(database: Path, advice: str = "get it again") -> Iterator[tuple[int, Iterator]]:
    """How many entries a database has, and the entries (key, picture file) in its order, as buffers.

    UserError, which ends in `advice`, where it is missing or damaged, also while it is read; or the package lmdb is.
    """
    if not (database / "data.mdb").is_file():
        raise UserError(f"there is no LMDB database {database} (a folder with data.mdb in it): {advice}")
    try:
        import lmdb
    except ImportError:
        raise UserError("reading LSUN's databases needs a package: pip install lmdb") from None
    try:
        with lmdb.open(str(database), readonly=True, lock=False, readahead=False, max_readers=1) as environment:
            with environment.begin(buffers=True) as transaction:
                yield environment.stat()["entries"], iter(transaction.cursor())
    except lmdb.Error as problem:
        raise UserError(f"{database} is damaged ({one_line(problem)}); {advice}") from problem
