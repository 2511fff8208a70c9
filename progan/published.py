"""The networks that the authors of the paper published: what they are called, and where they are here."""

from __future__ import annotations

import re
from pathlib import Path

from presets import LSUN
from shared_scripts.cli import UserError

HERE = Path(__file__).resolve().parent
FACES = "karras2018iclr-celebahq-1024x1024.pkl"


def published_file(name: str) -> str | None:
    """The file name of a published network by a name such as `celebahq`, `celebahq-1024`, `lsun-airplane` or
    `lsun-airplane-256x256`, or by the file name. None where it is none."""
    match = re.fullmatch(r"(?:karras2018iclr-)?(celebahq|lsun-([a-z]+))(?:-(\d+)(?:x(\d+))?)?(?:\.pkl)?", name.lower())
    if not match:
        return None
    what, category, *sides = match.groups()
    size = 256 if category else 1024
    if not {None, str(size)}.issuperset(sides) or category not in (None, *LSUN):
        return None
    return f"karras2018iclr-{what}-{size}x{size}.pkl"


def find_published(given: str) -> Path | None:
    """The file of a published network: in the folder that `given` names, the current one, or this project's.

    None where `given` is no published network. UserError, saying how to get it, where it is not here.
    """
    folder, name = given.replace("\\", "/").rpartition("/")[::2]
    file = published_file(name)
    if file is None or (folder and name != file):
        return None
    for place in (Path(folder), Path(), HERE):
        if (place / file).is_file():
            return place / file
    word = file.removeprefix("karras2018iclr-").removesuffix(".pkl")
    raise UserError(f"{file} is not here; get it with: bash {script()} {word}")


def script() -> str:
    """The command's script, from where the user stands."""
    path = HERE / "scripts" / "download_network.sh"
    try:
        path = path.relative_to(Path.cwd())
    except ValueError:
        pass
    text = path.as_posix()
    return f"'{text}'" if " " in text else text
