"""Where under --dataroot the pictures lie, and what to say where they do not."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.images import has_picture_name


def phase_folder(opt: argparse.Namespace, side: str = "") -> Path:
    """The folder of `opt.phase`: dataroot/train, or with side "A" dataroot/trainA. UserError where it is missing."""
    root = resolve_path(opt.dataroot)
    if root.is_file():
        raise UserError(
            f"{root} is a file, not a folder (--dataroot); a single picture is translated by test.py --model test"
        )
    if not root.is_dir():
        raise UserError(f"there is no folder {root} (--dataroot)")
    folder = root / f"{opt.phase}{side}"
    if folder.is_dir():
        return folder
    raise UserError(f"there is no folder {folder}: {needs(opt, root, side)}{suggestion(opt, root, side)}")


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
    if not opt.isTrain and any(has_picture_name(path) for path in root.iterdir()):
        return "; a folder of single pictures is translated with --model test"
    return ""
