"""Fetch the papers' data sets from Python: `GetData("cyclegan").get("./datasets", "maps")`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from shared_scripts.cli import RunError, UserError
from shared_scripts.files import resolve_path

SCRIPTS = Path(__file__).resolve().parent.parent / "datasets"


class GetData:
    """The data sets of one paper; the bash scripts in datasets/ know what there is and where.

    Args:
        technique: "cyclegan" or "pix2pix".
        verbose: show the progress.
    """

    def __init__(self, technique: str = "cyclegan", verbose: bool = True):
        if technique.lower() not in ("cyclegan", "pix2pix"):
            raise UserError(f"there are data sets of cyclegan and pix2pix, not of {technique!r}")
        self.script = SCRIPTS / f"download_{technique.lower()}_dataset.sh"
        self.verbose = verbose

    def names(self) -> list[str]:
        """The data sets that can be fetched. (Of cityscapes the script only says how to get it.)"""
        return sorted(set(self._run("--names", show=False).split()) - {"cityscapes"})

    def get(self, save_path: str | Path, dataset: str | None = None) -> str:
        """Fetch a data set into the folder `save_path`; the absolute path of its own folder in there.

        Without `dataset` a list is printed and a number asked for. What is there already is not fetched again. Raises
        UserError for a name that is not known, RunError where the download fails.
        """
        known = self.names()
        name = ask(known) if dataset is None else dataset.removesuffix(".zip").removesuffix(".tar.gz")
        if name not in known:
            raise UserError(f"there is no {name!r} to fetch: there are {', '.join(known)}")
        folder = resolve_path(save_path).absolute()
        self._run("--to", str(folder), name, show=self.verbose)
        return str(folder / name)

    def _run(self, *words: str, show: bool) -> str:
        """Run the script; what it prints, unless that is shown. RunError with its last words where it fails."""
        bash = shutil.which("bash")
        if bash is None:
            raise UserError("the download needs bash; on Windows it comes with Git")
        kind = None if show else subprocess.PIPE
        done = subprocess.run([bash, self.script.as_posix(), *words], stdout=kind, stderr=kind, text=True)
        if done.returncode:
            said = (done.stderr or "").strip().splitlines() or [f"{self.script.name} failed; see above"]
            raise RunError(said[-1].removeprefix("error: "))
        return done.stdout or ""


def ask(names: list[str]) -> str:
    """Let the person at the keyboard choose by number."""
    print("Options:")
    for number, name in enumerate(names):
        print(f"{number}: {name}")
    answer = input("The number of the data set to fetch: ").strip()
    if not answer.isdigit() or int(answer) >= len(names):
        raise UserError(f"{answer!r} is not a number from 0 to {len(names) - 1}")
    return names[int(answer)]
