#!/usr/bin/env python3
"""Train a classifier of attributes on real pictures, to judge translations by: see `measure.py`.

`python train_classifier.py --celeba_image_dir data/faces/images --attr_path data/faces/list_attr_celeba.txt`
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from classifier import AttributeClassifier, Scores, save_classifier
from data import LabelledPictures, Preprocess, find_attribute_file, open_celeba
from losses import attribute_loss
from options import ATTRIBUTES
from shared_scripts.cli import ArgumentParser, UserError, positive, run
from shared_scripts.devices import seed_everything
from shared_scripts.files import check_writable, resolve_path
from shared_scripts.memory import keep_memory

BATCH = 64


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
    output = resolve_path(flags.output)
    check_writable(output)
    keep_memory()
    seed_everything(flags.seed)
    training, test = (open_pictures(flags, train) for train in (True, False))
    classifier = fit(AttributeClassifier(flags.selected_attrs, flags.image_size), training, flags.epochs)
    print(f"Right about {len(test):,} pictures it has not seen:\n{judge(classifier, test).table()}")
    save_classifier(output, classifier)
    print(f"wrote {output}")
    return 0


def open_pictures(flags, train: bool) -> LabelledPictures:
    """The training or the test pictures."""
    preprocess = Preprocess(flags.celeba_crop_size, flags.image_size, flip=train)
    table = find_attribute_file(flags.attr_path)
    kept = flags.test_images or (None if len(table.rows) > 1999 else max(1, len(table.rows) // 10))
    return open_celeba(flags.celeba_image_dir, table, flags.selected_attrs, preprocess, train, kept)


def fit(classifier: AttributeClassifier, pictures: LabelledPictures, epochs: int) -> AttributeClassifier:
    """Train with Adam and a rate that rises and falls once; returns the classifier in evaluation."""
    if len(pictures) < 2:
        raise UserError("a classifier needs more than one picture to learn from; --test_images N keeps fewer back")
    alone = len(pictures) % BATCH == 1  # a batch of one has no statistics
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True, drop_last=alone)
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * len(loader))
    classifier.train()
    with tqdm(total=epochs * len(loader), file=sys.stderr, disable=None, dynamic_ncols=True) as bar:
        for _ in range(epochs):
            for batch in loader:
                loss = attribute_loss(classifier(batch["x"]), batch["label"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
                bar.update()
    return classifier.eval()


def judge(classifier: AttributeClassifier, pictures: LabelledPictures) -> Scores:
    """How often it is right about pictures it has not seen."""
    right = [
        classifier.predict(batch["x"]) == batch["label"].numpy().astype(bool)
        for batch in DataLoader(pictures, batch_size=BATCH)
    ]
    return Scores(classifier.names, np.concatenate(right).mean(0))


if __name__ == "__main__":
    run(main)
