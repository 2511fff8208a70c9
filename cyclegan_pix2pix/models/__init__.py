"""The models, one file each: `--model NAME` is the class `NameModel` in models/NAME_model.py.

To add one, copy template_model.py: a file in this folder is all that is needed.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from shared_scripts.cli import UserError


def model_names() -> list[str]:
    """The values that --model takes."""
    found = (path.name.removesuffix("_model.py") for path in Path(__file__).parent.glob("*_model.py"))
    return sorted(name for name in found if name != "base")


def find_model(name: str) -> type:
    """The class behind a --model. UserError where there is none, with those that are there."""
    if name not in model_names():
        raise UserError(f"there is no --model {name!r}; choose from {', '.join(model_names())}")
    module = importlib.import_module(f"models.{name}_model")
    wanted = f"{name.replace('_', '')}model"
    for title, found in vars(module).items():
        if title.lower() == wanted and isinstance(found, type):
            return found
    raise UserError(f"models/{name}_model.py has no class named {name.replace('_', '').capitalize()}Model")
