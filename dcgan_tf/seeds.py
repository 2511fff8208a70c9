"""Side files: the latent vector of a picture, beside it under the same name, as a bare JSON array of numbers.

Random pictures are saved with such a file each. Films are then made of those that look good: their names are the
material that film scripts and walks are written with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from json_input import is_number, read_json, shown
from shared_scripts.cli import UserError
from shared_scripts.files import atomic_write, resolve_path


@dataclass(frozen=True)
class Seed:
    """A latent vector and the file it is from. `values`: (z_dim,) float64."""

    path: Path
    values: np.ndarray

    def check_length(self, z_dim: int, where: str = "") -> None:
        """UserError, beginning with `where`, if a network of this z_dim cannot take the vector."""
        if len(self.values) != z_dim:
            raise UserError(
                f"{where}{': ' if where else ''}{self.path} has {len(self.values)} numbers, but this network takes "
                f"{z_dim}; take a seed file that this network made"
            )


def find_seed(name: str, folder: Path | None = None) -> Path:
    """The side file of a name given with or without .json (or as the picture's, with .png), in `folder`."""
    path = name.removesuffix(".json" if name.endswith(".json") else ".png") + ".json"
    return resolve_path(path if folder is None else folder / path)


def read_seed(name: str, folder: Path | None = None) -> Seed:
    """Read a side file. UserError where it is missing, or is no array of numbers."""
    if folder is not None and not folder.is_dir():
        raise UserError(f"there is no folder {folder} with seed files (base_dir)")
    path = find_seed(name, folder)
    values = read_json(path, "seed file")
    if not isinstance(values, list) or not values:
        raise UserError(f"{path} is no seed file: expected a JSON array of numbers, not {shown(values)}")
    for i, value in enumerate(values):
        if not is_number(value):
            raise UserError(f"{path}: number {i + 1} is {shown(value)}; a seed file is an array of numbers")
    return Seed(path, np.array(values, np.float64))


def write_seed(path: Path, z: np.ndarray) -> None:
    """Write the side file of a vector (z_dim,). All digits are kept: the picture can be made again exactly."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(np.asarray(z, np.float64).tolist()))
