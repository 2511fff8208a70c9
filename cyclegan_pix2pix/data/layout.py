"""Where under --dataroot the pictures lie, and what to say where they do not."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.images import has_picture_name


def phase_folder(opt: argparse.Namespace, side: str = "") -> Path:
    """The folder of `opt.phase`: dataroot/train, or with side "A" dataroot/trainA. UserError where it is missing."""
    root = resolve_path(opt.dataroot)
    if root.is_file():
        advice = (
            "a single picture is translated by test.py --model test" if has_picture_name(root) else "unpack it first"
        )
        raise UserError(f"{root} is a file, not a folder (--dataroot); {advice}")
    if not opt.dataroot or not root.is_dir():
        raise UserError(f"there is no folder {opt.dataroot or repr('')} (--dataroot){download(opt, root.name)}")
    folder = root / f"{opt.phase}{side}"
    if folder.is_dir():
        return folder
    raise UserError(f"there is no folder {folder}: {needs(opt, root, side)}{suggestion(opt, root, side)}")


def download(opt: argparse.Namespace, name: str) -> str:
    """The script that fetches the data set of this name, if there is one: pairs, or two heaps."""
    scripts = ["download_cyclegan_dataset.sh", "download_pix2pix_dataset.sh"]
    for script in reversed(scripts) if opt.dataset_mode == "aligned" else scripts:
        path = Path(__file__).parent.parent / "datasets" / script
        if name and path.is_file() and re.search(rf"^known=.*\b{re.escape(name)}\b", path.read_text("utf-8"), re.M):
            return f"; get it with: bash datasets/{script} {name}"
    return ""


def needs(opt: argparse.Namespace, root: Path, side: str) -> str:
    """What a data set looks for."""
    if side:
        return f"--dataset_mode {opt.dataset_mode} takes pictures from {opt.phase}A and {opt.phase}B in {root}"
    return f"--dataset_mode {opt.dataset_mode} takes pictures from {opt.phase} in {root}"


def suggestion(opt: argparse.Namespace, root: Path, side: str) -> str:
    """What the folder looks made for instead."""
    if side and (root / opt.phase).is_dir():
        return f"; for pairs side by side, as in {opt.phase}, add --dataset_mode aligned or --model pix2pix"
    unpaired = (root / f"{opt.phase}A", root / f"{opt.phase}B")
    if not side and all(folder.is_dir() for folder in unpaired):
        return (
            f"; for unpaired pictures, as in {opt.phase}A and {opt.phase}B, add --dataset_mode unaligned or "
            "--model cycle_gan"
        )
    if side and not opt.isTrain and any(folder.is_dir() for folder in unpaired):
        there = next(folder for folder in unpaired if folder.is_dir())
        return f"; one side alone is translated with --model test --dataroot {there}"
    phases = [name for name in ("train", "val", "test") if (root / f"{name}{side}").is_dir()]
    if phases:
        return "; there is " + " and ".join(f"--phase {name}" for name in phases)
    if root.name in (opt.phase, f"{opt.phase}{side}"):
        return f"; --dataroot is the folder above: {root.parent}"
    if not opt.isTrain and any(has_picture_name(path) for path in root.iterdir()):
        return "; a folder of single pictures is translated with --model test"
    return ""
