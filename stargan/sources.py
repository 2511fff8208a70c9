"""The data sets that a command line names, with what their labels mean to the networks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from torch import Tensor

from data import LabelledPictures, Preprocess, find_attribute_file, find_classes, open_celeba, open_classes
from labels import Domain, Targets, both, class_targets, old_attribute_targets
from shared_scripts.cli import UserError
from shared_scripts.progress import tell


@dataclass
class Source:
    """A data set and its labels' meaning."""

    domain: Domain
    dataset: LabelledPictures


def open_sources(opt: argparse.Namespace, train: bool) -> list[Source]:
    """One source, or with --dataset Both the two of them; for testing, Both takes its pictures from CelebA alone.

    UserError where data and flags do not agree. `opt.c_dim` and `opt.c2_dim` are filled in.
    """
    found = []
    if opt.dataset != "RaFD":
        found.append(celeba_source(opt, train))
    if opt.dataset != "CelebA":
        found.append(class_source(opt, train))
    if opt.dataset == "Both":
        domains = both(*(source.domain for source in found))
        found = [Source(domain, source.dataset) for domain, source in zip(domains, found, strict=True)]
    return found


def celeba_source(opt: argparse.Namespace, train: bool) -> Source:
    """CelebA, or anything with an attribute file. The 2017 version takes the attributes in the file's order."""
    table = find_attribute_file(opt.attr_path)
    selected = list(opt.selected_attrs)
    places = table.columns(selected)
    if opt.variant == "old":
        selected = [table.names[place] for place in sorted(places)]
    opt.c_dim = len(selected)
    preprocess = preprocessing(opt, opt.celeba_crop_size, train)
    dataset = open_celeba(
        opt.celeba_image_dir, table, selected, preprocess, train, opt.test_images, opt.reference_exact
    )
    return Source(Domain("CelebA", tuple(selected)), dataset)


def class_source(opt: argparse.Namespace, train: bool) -> Source:
    """A folder with one folder a class. There may be fewer classes than the networks have labels, not more."""
    root, names = find_classes(opt.rafd_image_dir, train)
    flag = "c2_dim" if opt.dataset == "Both" else "c_dim"
    asked = getattr(opt, flag) or len(names)
    if train and len(names) == 1:
        raise UserError(
            f"{root} has one folder only, {names[0]}, so there is nothing to translate to; --rafd_image_dir names the "
            "folder that has a folder for each class"
        )
    if asked < len(names):
        who = f"--{flag} is {asked}" if flag in opt.given else f"the generator was trained on {asked} classes"
        raise UserError(f"{who}, but {root} has {len(names)} classes: {' '.join(names)}")
    if train and asked > len(names):
        tell(f"{root} has {len(names)} classes ({' '.join(names)}), --{flag} is {asked}: the rest stays unused.")
    setattr(opt, flag, asked)
    dataset = open_classes(root, names, preprocessing(opt, opt.rafd_crop_size, train))
    unused = tuple(f"class {number}" for number in range(len(names), asked))
    return Source(Domain("RaFD", (*names, *unused), exclusive=True), dataset)


def preprocessing(opt: argparse.Namespace, crop: int, train: bool) -> Preprocess:
    """How a data set's pictures are cut and scaled."""
    return Preprocess(crop, opt.image_size, flip=train, old=opt.variant == "old")


def label_dims(sources: list[Source]) -> tuple[int, int]:
    """How many labels the generator is given, and how many logits the discriminator has."""
    logits = sum(len(source.domain) for source in sources)
    return logits + len(sources[0].domain.mask), logits


def sheet_targets(sources: list[Source], labels: Tensor, old: bool = False) -> Targets:
    """The columns of a sheet for pictures of the first source, as the generator takes labels.

    Of two data sets, the second one's classes come behind the first one's attributes. The 2017 version's samples and
    tests of CelebA alone also have combinations.
    """
    first = sources[0].domain
    if old and not first.exclusive:
        own = old_attribute_targets(labels, combinations=len(sources) == 1)
    else:
        own = first.targets(labels)
    found = [(title, first.for_generator(vectors)) for title, vectors in own]
    for source in sources[1:]:
        columns = class_targets(source.domain, len(labels))
        found += [(title, source.domain.for_generator(vectors)) for title, vectors in columns]
    return found
