"""The models, one file each: `--model NAME` is the class `NameModel` in models/NAME_model.py.

To add one, copy template_model.py: a file in this folder is all that is needed.
"""

from __future__ import annotations

from pathlib import Path

from plugins import find_plugin, plugin_names

HERE = Path(__file__).parent


def model_names() -> list[str]:
    """The values that --model takes."""
    return plugin_names(HERE, "model")


def find_model(name: str) -> type:
    """The class behind a --model. UserError where there is none, with those that are there."""
    return find_plugin("models", HERE, "model", name, "--model")
