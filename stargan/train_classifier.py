#!/usr/bin/env python3
"""Train a classifier of attributes on real pictures, to judge translations by: see `measure.py`.

`python train_classifier.py --celeba_image_dir data/faces/images --attr_path data/faces/list_attr_celeba.txt`
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from options import ATTRIBUTES, split_names
from shared_scripts.cli import ArgumentParser, positive, run
from shared_scripts.files import check_writable, resolve_path
from shared_scripts.memory import keep_memory

if TYPE_CHECKING:
    from data import LabelledPictures


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(prog="train_classifier.py", description="Train a classifier of attributes.")
    add = parser.add_argument
    add("--celeba_image_dir", default="data/celeba/images", metavar="DIR", help="the pictures")
    add(
        "--attr_path", default="data/celeba/list_attr_celeba.txt", metavar="FILE", help="their attributes, .txt or .csv"
    )
    add("--selected_attrs", nargs="+", default=list(ATTRIBUTES), metavar="NAME", help="the attributes to learn")
    add("--celeba_crop_size", type=positive, default=178, metavar="PX", help="how much is cut out of the pictures")
    add("--image_size", type=positive, default=80, metavar="PX", help="what that is scaled to")
    add("--test_images", type=positive, metavar="N", help="how many pictures are kept for testing")
    add("--epochs", type=positive, default=8, metavar="N", help="passes over the pictures")
    add("--seed", type=int, default=1, help="makes a run repeatable")
    add("--output", default="classifier.safetensors", metavar="FILE", help="where the classifier goes")
    flags = parser.parse_args(argv)
    if flags.image_size < 32:
        parser.error("--image_size must be at least 32")
    flags.selected_attrs = split_names(flags.selected_attrs)
    output = resolve_path(flags.output)
    check_writable(output)
    from classifier import AttributeClassifier, fit, judge, save_classifier
    from shared_scripts.devices import seed_everything

    keep_memory()
    seed_everything(flags.seed)
    training, test = (open_pictures(flags, train) for train in (True, False))
    classifier = fit(AttributeClassifier(flags.selected_attrs, flags.image_size), training, flags.epochs)
    print(f"Right about {len(test):,} pictures it has not seen:\n{judge(classifier, test).table()}")
    save_classifier(output, classifier)
    print(f"wrote {output}")
    return 0


def open_pictures(flags: argparse.Namespace, train: bool) -> LabelledPictures:
    """The training or the test pictures."""
    from attributes import count_test_pictures
    from data import Preprocess, find_attribute_file, open_celeba

    preprocess = Preprocess(flags.celeba_crop_size, flags.image_size, flip=train)
    table = find_attribute_file(flags.attr_path)
    kept = count_test_pictures(len(table.rows), flags.test_images, train=True)
    return open_celeba(flags.celeba_image_dir, table, flags.selected_attrs, preprocess, train, kept)


if __name__ == "__main__":
    run(main)
