"""What translate.py does: photographs one by one, one file for each result."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import notes
import shipped
from alignment import CROP, Aligned, paste_back, prepare
from classifier import AttributeClassifier, load_classifier
from data import Preprocess, to_tensor
from footprint import check_translating
from labels import HAIR, likely
from legacy import load_discriminator, load_generator
from networks import Discriminator, Generator
from run_test import discriminator_beside, discriminators_size, named_file, result_names
from shared_scripts.cli import UserError
from shared_scripts.devices import describe, explain_out_of_memory, pick_device, pick_precision, seed_everything
from shared_scripts.files import file_name, resolve_path
from shared_scripts.images import list_images, read_image, write_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import tell
from shared_scripts.videos import VideoWriter
from sheets import titled_sheet, to_pixels
from sliders import slide, swing
from vocabulary import Vocabulary, find_vocabulary

HERE = Path(__file__).resolve().parent
PUBLISHED = "stargan_celeba_128/models/200000-G.ckpt"  # where download.sh puts it
FILM_FRAMES, FILM_RATE = 50, Fraction(25)


def translate(flags: argparse.Namespace) -> int:
    """Translate as the flags say; the exit status is 1 where some of the photographs could not be read."""
    keep_memory()
    seed_everything(flags.seed)
    translator = Translator(flags)
    paths, problems = find_photographs(flags.image), []
    translator.names = result_names(paths)
    translator.photographs = {path.resolve() for path in paths}
    with explain_out_of_memory("take a smaller --image_size"):
        for path in paths:
            try:
                translator.translate(path)
            except UserError as problem:
                if len(paths) == 1:
                    raise
                problems.append(problem)
                tell(f"Skipped: {problem}")
    if len(problems) == len(paths):
        raise UserError(f"none of the {len(paths)} photographs could be translated: {problems[0]}")
    return 1 if problems else 0


def find_photographs(names: Iterable[str]) -> list[Path]:
    """The files, and those in the folders. UserError where a folder has none."""
    found = []
    for path in map(resolve_path, names):
        found += list_images(path) if path.is_dir() else [path]
    return found


def find_generator(asked: str | None) -> Path:
    """The file that was asked for, the original's where it has been fetched, or ours."""
    if asked:
        return named_file(asked)
    for folder in (Path(), HERE):
        if (folder / PUBLISHED).is_file():
            return folder / PUBLISHED
    return shipped.GENERATOR


def find_crop(flags: argparse.Namespace, found: notes.Notes | None) -> int:
    """The side of the square that is taken: as the flag says, as in training, or the original's.

    A training on classes had pictures of its own size, so its crop is for those that are left as they are.
    """
    if flags.celeba_crop_size or found is None:
        return flags.celeba_crop_size or CROP
    if found.selected_attrs:
        return found.celeba_crop_size
    return found.rafd_crop_size if flags.align == "none" else CROP


@dataclass
class Wish:
    """A result: what its file is called after, and what the face has in it."""

    title: str
    has: set[str]


class Translator:
    """A generator, what its labels mean, and who says what a face has."""

    def __init__(self, flags: argparse.Namespace):
        self.flags = flags
        path = find_generator(flags.checkpoint)
        generator, shape = load_generator(path)
        found = notes.read(path.parent)
        self.vocabulary: Vocabulary = find_vocabulary(found, flags.selected_attrs, flags.classes, shape.c_dim, path)
        self.vocabulary.check(
            [*flags.set, *flags.clear, *(flags.have or []), *([flags.slider] if flags.slider else [])]
        )
        if not flags.each:
            self.vocabulary.changed([], flags.set, flags.clear)
        self.names: dict[Path, str] = {}  # what the results are called after
        self.photographs: set[Path] = set()  # no result is to take the place of one
        size = flags.image_size or (found.image_size if found else None) or discriminators_size(path) or 128
        self.preprocess = Preprocess(find_crop(flags, found), size, old=found is not None and found.variant == "old")
        self.device = pick_device(flags.device, flags.gpu_ids)
        check_translating(self.device, shape.conv_dim, size, 1)
        self.dtype = pick_precision(flags.precision, self.device, 4 * shape.conv_dim, max(8, size // 4))
        self.generator: Generator = generator.to(self.device).eval()
        self.judge = None if flags.have is not None else find_judge(path, self.vocabulary)
        tell(f"Translating at {size} pixels with {path}, {describe(self.device, self.dtype)}.")
        if path == shipped.GENERATOR:
            tell("This generator knows drawn faces alone; for photographs: bash download.sh pretrained-celeba-128x128")

    def translate(self, path: Path) -> None:
        """All results for one photograph. UserError where it cannot be read, or no face is found in it."""
        photo = read_image(path)
        aligned = prepare(photo, self.flags.align, str(path))
        x = to_tensor(self.preprocess.picture(Image.fromarray(aligned.pixels)))[None].to(self.device)
        has = self.what_it_has(x)
        tell(f"{path}: {aligned.how}; it has {' '.join(sorted(has)) or 'none of the attributes'}.")
        results = {wish.title: self.redraw(x, has, wish) for wish in self.wishes(has)}
        for title, result in results.items():
            self.write(path, title, photo, aligned, to_pixels(result)[0])
        if self.flags.all:
            sheet = titled_sheet([x, *results.values()], ["input", *results])
            write_image(self.place(path, "sheet", ".jpg"), sheet)
            print(self.place(path, "sheet", ".jpg"), flush=True)
        if self.flags.slider:
            self.film(path, x, has)

    def what_it_has(self, x: Tensor) -> set[str]:
        """The attributes of a picture: as --have says, or as the judge sees it."""
        if self.flags.have is not None:
            return {*self.flags.have}
        return self.judge(x) if self.judge else set()

    def wishes(self, has: set[str]) -> list[Wish]:
        """What results there are to be."""
        flags, vocabulary, found = self.flags, self.vocabulary, []
        if flags.all:
            found = [Wish(name, self.opposite(has, name)) for name in vocabulary.names]
        elif flags.each:
            found = [Wish(name, vocabulary.changed(has, [name])) for name in flags.set]
            found += [Wish(f"no_{name}", vocabulary.changed(has, [], [name])) for name in flags.clear]
        elif flags.set or flags.clear:
            title = "+".join([*flags.set, *(f"no_{name}" for name in flags.clear)])
            found = [Wish(title, vocabulary.changed(has, flags.set, flags.clear))]
        return found

    def opposite(self, has: set[str], name: str) -> set[str]:
        """With one attribute more, or less; hair colours and classes are set, never taken away."""
        vocabulary = self.vocabulary
        if name in has and name in vocabulary.attributes and name not in HAIR:
            return vocabulary.changed(has, [], [name])
        return vocabulary.changed(has, [name])

    def vectors(self, has: set[str], wanted: set[str]) -> tuple[Tensor, Tensor]:
        """The labels of a picture, and those it is to get, (1, size) each, both under the mask of the latter."""
        c_to = self.vocabulary.vector(wanted)
        c_from = self.vocabulary.vector(has)
        if self.vocabulary.size > len(self.vocabulary.names):
            attributes = len(self.vocabulary.attributes)
            c_from[:, :attributes] *= c_to[:, -2:-1]
            c_from[:, attributes:-2] *= c_to[:, -1:]
            c_from[:, -2:] = c_to[:, -2:]
        return c_from.to(self.device), c_to.to(self.device)

    def redraw(self, x: Tensor, has: set[str], wish: Wish) -> Tensor:
        """The picture as wished, (1, 3, H, W)."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return next(slide(self.generator, x, *self.vectors(has, wish.has), [self.flags.strength])).float()

    def write(self, path: Path, title: str, photo: np.ndarray, aligned: Aligned, result: np.ndarray) -> None:
        """Write a result, and with --paste_back the photograph with it."""
        write_image(self.place(path, title), result)
        print(self.place(path, title), flush=True)
        if self.flags.paste_back:
            place = self.place(path, f"{title}_photo", ".jpg")
            write_image(place, paste_back(photo, result, aligned, self.preprocess.crop))
            print(place, flush=True)

    def place(self, path: Path, title: str, ending: str = ".png") -> Path:
        """OUTPUT_DIR/NAME_TITLE.png. UserError where that is one of the photographs."""
        name = file_name(f"{self.names.get(path, path.stem)}_{title}")
        place = resolve_path(self.flags.output_dir) / f"{name}{ending}"
        if place.resolve() in self.photographs:
            raise UserError(f"a result would replace the photograph {place}; name another --output_dir")
        return place

    def film(self, path: Path, x: Tensor, has: set[str]) -> None:
        """A film in which the slider's attribute comes and goes."""
        c_from, c_to = self.vectors(has, self.opposite(has, self.flags.slider))
        if torch.equal(c_from, c_to):  # a hair colour or a class that it has: the film is of its going, then
            c_from, c_to = self.vectors(has - {self.flags.slider}, has)
        place = self.place(path, self.flags.slider, f".{self.flags.film_format}")
        side = x.shape[2]
        zoom = max(1, 256 // side)
        with VideoWriter(place, side * zoom, side * zoom, FILM_RATE, crf=18) as writer:
            strengths = [self.flags.strength * strength for strength in swing(FILM_FRAMES)]
            for frame in slide(self.generator, x, c_from, c_to, strengths):
                writer.write(to_pixels(frame)[0].repeat(zoom, 0).repeat(zoom, 1))
        print(place, flush=True)


# --- what a face has ----------------------------------------------------------------------------------------------


@dataclass
class Judge:
    """Says what a picture has: the names of the labels that a network gives a positive logit."""

    network: AttributeClassifier | Discriminator
    names: tuple[str, ...]

    def __call__(self, x: Tensor) -> set[str]:
        x = torch.nn.functional.interpolate(x.cpu(), self.size, mode="bilinear", antialias=True)
        with torch.inference_mode():
            if isinstance(self.network, AttributeClassifier):
                found = self.network.predict(x)[0]
            else:
                found = likely(self.network(x)[1][:, : len(self.names)], self.names)[0]
        return {name for name, yes in zip(self.names, found, strict=True) if yes}

    @property
    def size(self) -> int:
        """The side of the pictures it takes."""
        network = self.network
        return network.size if isinstance(network, AttributeClassifier) else network.image_size


def find_judge(path: Path, vocabulary: Vocabulary) -> Judge | None:
    """The classifier beside a generator if it knows its attributes, else the discriminator beside it, else nobody.

    A discriminator's logits of classes say nothing of a face that is of none, so of it attributes alone are taken.
    UserError where it is damaged, or another generator's.
    """
    beside = path.with_name(shipped.CLASSIFIER.name)
    if beside.is_file():
        classifier = load_classifier(beside)
        if {*classifier.names} == {*vocabulary.attributes}:
            return Judge(classifier, classifier.names)
    if vocabulary.attributes:
        if beside := discriminator_beside(path):
            try:
                discriminator, shape = load_discriminator(beside)
                if shape.c_dim != len(vocabulary.names):
                    raise UserError(f"{beside} knows {shape.c_dim} labels, the generator {len(vocabulary.names)}")
            except UserError as problem:
                raise UserError(f"{problem}; --have says in its place what the face has now") from problem
            return Judge(discriminator.eval(), vocabulary.attributes)
        tell(
            "Nothing here tells what a face has now; say it with --have, or all other attributes are taken for absent."
        )
    return None
