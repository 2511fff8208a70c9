"""Training state on disk: saved whole or not at all, read without executing anything, the old ones cleared away."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, natural_key, read_safetensors


def save_state(path: str | Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers, strings and containers of these, atomically (a crash leaves the old file whole)."""
    with atomic_write(Path(path)) as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as problem:  # what torch makes of a full disk
            raise UserError(f"cannot write {path}: is the disk full? ({problem})") from problem


def load_state(path: str | Path, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read what `save_state` wrote, onto the CPU. Nothing in the file is executed: `weights_only` admits data alone.

    Raises UserError where the file is missing, damaged, holds code, or lacks one of `keys`.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats; what matters is said below
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        raise UserError(f"{path} is no saved state, or holds code, which is never run") from problem
    except Exception as problem:  # torch raises a dozen kinds for damaged files
        raise UserError(f"{path} is damaged or no saved state") from problem
    missing = [key for key in keys if not isinstance(state, dict) or key not in state]
    if missing:
        raise UserError(f"{path} is another program's file: it has no {', '.join(missing)}")
    return state


def load_tensors(path: str | Path) -> dict[str, torch.Tensor]:
    """A file of named tensors: safetensors, or a state_dict saved by torch (.pt, .pth), read without executing it.

    Raises UserError where the file is missing, damaged, or anything else.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        return load_safetensors(path)
    state = load_state(path)
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise UserError(f"{path} does not hold named tensors (a state_dict)")
    return state


def load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a .safetensors file; UserError where it is missing or damaged."""
    from safetensors.torch import load_file

    return read_safetensors(path, load_file)


def save_safetensors(path: str | Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None):
    """Write named tensors atomically as safetensors, with a few words about them."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with atomic_write(Path(path)) as temporary:
        try:
            save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata=metadata)
        except SafetensorError as problem:  # its name for a full disk or a folder that takes no files
            raise UserError(f"cannot write {path}: {problem}") from problem


def latest(folder: str | Path, pattern: str = "*.pt") -> Path | None:
    """The checkpoint with the highest number in its name, or None where there is none."""
    found = sorted(Path(folder).glob(pattern), key=lambda path: natural_key(path.name))
    return found[-1] if found else None


def keep_newest(folder: str | Path, keep: int, pattern: str = "*.pt") -> None:
    """Delete all but the `keep` checkpoints with the highest numbers (at least one stays)."""
    found = sorted(Path(folder).glob(pattern), key=lambda path: natural_key(path.name))
    for path in found[: -max(1, keep)]:
        path.unlink(missing_ok=True)
