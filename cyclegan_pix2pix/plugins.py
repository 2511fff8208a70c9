"""Finding a class by a file's name: `--model cycle_gan` is CycleGANModel in models/cycle_gan_model.py."""

from __future__ import annotations

import importlib
from pathlib import Path

from shared_scripts.cli import UserError


def plugin_names(folder: Path, kind: str) -> list[str]:
    """The names there are, of files NAME_kind.py in `folder`, without base_kind.py."""
    found = (path.name.removesuffix(f"_{kind}.py") for path in folder.glob(f"*_{kind}.py"))
    return sorted(name for name in found if name != "base")


def find_plugin(package: str, folder: Path, kind: str, name: str, flag: str) -> type:
    """The class NAMEKIND of a package, in any case, without underscores. UserError with the names there are."""
    there = plugin_names(folder, kind)
    if name not in there:
        raise UserError(f"there is no {flag} {name!r}; choose from {', '.join(there)}")
    module = importlib.import_module(f"{package}.{name}_{kind}")
    wanted = f"{name.replace('_', '')}{kind}".lower()
    for title, found in vars(module).items():
        if title.lower() == wanted and isinstance(found, type):
            return found
    class_name = f"{name.replace('_', '').capitalize()}{kind.capitalize()}"
    raise UserError(f"{package}/{name}_{kind}.py has no class named {class_name}")
