"""Writing checkpoints that the original programs can read, whole or not at all.

`NAME.index` and `NAME.data-00000-of-00001` (V2), or one file `NAME` (V1), with TensorFlow 1's names; beside them the
text file `checkpoint` that names them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, ensure_folder
from shared_scripts.tf1 import first_line

DATA = ".data-00000-of-00001"
PARTS = (DATA, ".index")


def save_checkpoint(
    prefix: Path, tensors: dict[str, np.ndarray], single_file: bool = False, older: Sequence[str] = ()
) -> None:
    """Write named tensors as `prefix` in format V2, or as one V1 file, and the state file beside them.

    The state file names this checkpoint as the latest, and the `older` ones of the folder. UserError where the disk or
    the folder refuses; the old checkpoint is whole then.
    """
    (save_v1 if single_file else save_v2)(Path(prefix), tensors)
    with atomic_write(prefix.with_name("checkpoint")) as temporary:
        names = (*older, prefix.name)
        lines = [f'model_checkpoint_path: "{prefix.name}"', *(f'all_model_checkpoint_paths: "{n}"' for n in names)]
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def save_v1(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """One file. The parts of an older V2 checkpoint of that name are taken away: readers would prefer them."""
    import tensorflow as tf

    with atomic_write(path) as temporary, disk_errors(path):
        tf.raw_ops.Save(filename=str(temporary), tensor_names=list(tensors), data=list(tensors.values()))
    for part in reversed(PARTS):  # the index first: without it the new file is read, whatever else is left
        path.with_name(path.name + part).unlink(missing_ok=True)


def save_v2(prefix: Path, tensors: dict[str, np.ndarray]) -> None:
    """Two files, written under another name first. The data takes its place before the index: see `finish_save`."""
    import tensorflow as tf

    ensure_folder(prefix.parent)
    pending = pending_prefix(prefix)
    try:
        with disk_errors(prefix):
            tf.raw_ops.SaveV2(
                prefix=str(pending),
                tensor_names=list(tensors),
                shape_and_slices=[""] * len(tensors),
                tensors=list(tensors.values()),
            )
        for part in PARTS:  # on the disk before they take their names, or a power cut leaves empty files
            with open(pending.with_name(pending.name + part), "rb+") as written:
                os.fsync(written.fileno())
    except BaseException:
        discard(prefix)
        raise
    move(prefix)


def pending_prefix(prefix: Path) -> Path:
    """Where a checkpoint is written before it takes its name."""
    return prefix.with_name(f".{prefix.name}.pending")


def move(prefix: Path) -> None:
    """Let the pending files take their names. On Windows a file cannot be replaced while another program reads it:
    wait a little for that to end."""
    pending = pending_prefix(prefix)
    for part in PARTS:
        for patience in (0.1, 0.3, 1.0, 3.0, None):
            try:
                (pending.parent / (pending.name + part)).replace(prefix.with_name(prefix.name + part))
                break
            except PermissionError as problem:
                if patience is None:
                    raise UserError(f"cannot write {prefix}{part}: {problem.strerror or problem}") from problem
                time.sleep(patience)


def discard(prefix: Path) -> None:
    """Remove the files of saves that did not get far: this module's, and `atomic_write`'s."""
    for pattern in (f"{pending_prefix(prefix).name}*", f".{prefix.stem}.*.tmp{prefix.suffix}*"):
        for path in prefix.parent.glob(pattern):
            path.unlink(missing_ok=True)


def finish_save(prefix: Path) -> None:
    """Clear up after a process that was killed while it saved.

    Two files cannot be renamed in one step. If the data had been moved and the index not, the new checkpoint is whole
    but for that: move it too. If neither had been, the old checkpoint is whole, and the new one is thrown away.
    """
    pending = pending_prefix(prefix)
    data, index = (pending.with_name(pending.name + part) for part in PARTS)
    if index.is_file() and not data.exists():
        index.replace(prefix.with_name(prefix.name + ".index"))
    discard(prefix)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """TensorFlow's words for a full disk, or a folder that takes no files, as a UserError."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as problem:
        reason = str(problem).rpartition("; ")[2]  # it begins with the temporary file's path, of any length
        raise UserError(f"cannot write {path}: {first_line(reason)}") from problem
