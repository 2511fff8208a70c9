#!/usr/bin/env python3
"""Your own photograph: `python translate.py --image me.jpg --set Blond_Hair Smiling`.

This script reads the flags; `run_translate.py` does the work, `alignment.py` finds the face.
"""

from __future__ import annotations

import argparse

from options import SMALLEST, split_names
from shared_scripts.cli import ArgumentParser, add_device_flags, add_switch, finite, positive, run


def make_parser() -> ArgumentParser:
    """The flags."""
    parser = ArgumentParser(prog="translate.py", description="Translate photographs with a trained generator.")
    group = parser.add_argument_group("what")
    add = group.add_argument
    add("--image", nargs="+", required=True, metavar="FILE", help="photographs, or folders of them")
    add("--set", nargs="+", default=[], metavar="NAME", help="what the face is to have, all of it at once")
    add("--clear", nargs="+", default=[], metavar="NAME", help="what it is to have no longer")
    add_switch(group, "--each", help="one result for each of --set and --clear, not one with all of it")
    add_switch(group, "--all", help="a result for every attribute the generator knows, and a sheet of them")
    add(
        "--have",
        nargs="*",
        metavar="NAME",
        help="what the face has now (default: the classifier or the discriminator beside the generator is asked)",
    )
    add("--strength", type=finite, default=1.0, metavar="X", help="0 leaves all as it is, 0.5 goes half the way")
    add("--slider", metavar="NAME", help="a film in which this comes and goes")
    add("--film_format", default="mp4", choices=("mp4", "gif"), help="of --slider")
    group = parser.add_argument_group("how")
    add = group.add_argument
    add(
        "--checkpoint",
        metavar="FILE",
        help="a generator's file of any age (default: the original's if it has been fetched, else ours of drawn faces)",
    )
    add(
        "--selected_attrs",
        nargs="+",
        metavar="NAME",
        help="what its labels mean, in order (default: labels.json beside it, else the original's five)",
    )
    add("--classes", nargs="+", metavar="NAME", help="likewise, of a generator that was trained on folders")
    add(
        "--align",
        default="auto",
        choices=("auto", "dlib", "centre", "none"),
        help="dlib finds the face; centre takes the middle; none: it is cut already; auto: what is possible",
    )
    add(
        "--celeba_crop_size",
        type=positive,
        metavar="PX",
        help="how much of the aligned 178 x 218 pixels is taken (default: as it was trained, else 178)",
    )
    add(
        "--image_size",
        type=positive,
        metavar="PX",
        help="what that is scaled to, a multiple of 4 (default: as it was trained)",
    )
    add_switch(group, "--paste_back", help="put the face back into the photograph, too")
    add("--output_dir", default="translated", metavar="DIR", help="where results go: NAME_Blond_Hair+Smiling.png")
    add_device_flags(group)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run with these flags (the command line's by default); returns the exit status."""
    parser = make_parser()
    flags: argparse.Namespace = parser.parse_args(argv)
    for name in ("set", "clear", "have", "selected_attrs", "classes"):
        if getattr(flags, name) is not None:
            setattr(flags, name, split_names(getattr(flags, name)))
    if not (flags.set or flags.clear or flags.all or flags.slider):
        parser.error("say what to do: --set NAME ..., --clear NAME ..., --all or --slider NAME")
    if flags.all and (flags.set or flags.clear):
        parser.error("--all is every attribute already: leave out --set and --clear, or --all")
    if flags.image_size and flags.image_size % 4:
        parser.error("--image_size must be a multiple of 4")
    if flags.image_size and flags.image_size < SMALLEST:
        parser.error(f"--image_size must be at least {SMALLEST}")
    from run_translate import translate

    return translate(flags)


if __name__ == "__main__":
    run(main)
