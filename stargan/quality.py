"""How good a generator of drawn faces is: whether it changes what was asked, and keeps the rest.

A drawing has what no photograph has: the truth. The same person is drawn again with the attribute changed; what is
equal in both drawings should be equal in the translation too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from classifier import AttributeClassifier
from data import Preprocess, to_tensor
from faces import Face, attributes, draw, random_face, with_attribute
from labels import HAIR
from networks import Generator
from sheets import to_pixels

SEED = 20_181_201  # of the faces that are judged: none of them is in a data set of make_faces_dataset.py's first seeds


@dataclass
class Tally:
    """What is counted of one attribute's translations."""

    asked: list[bool] = field(default_factory=list)  # the attribute is what was asked for
    kept: list[bool] = field(default_factory=list)  # each other attribute is what it was
    untouched: list[float] = field(default_factory=list)  # mean change where nothing should change, in levels of 255
    before: list[float] = field(default_factory=list)  # mean distance to the truth where it differs: of the input
    after: list[float] = field(default_factory=list)  # and of the translation

    def row(self) -> dict[str, float]:
        """The means."""
        return {name: float(np.mean(values)) if values else float("nan") for name, values in vars(self).items()}


def numbered_face(number: int, seed: int = SEED) -> Face:
    """One of the faces to judge by, the same at every call."""
    return random_face(np.random.default_rng([seed, number]))


def faces(count: int, seed: int = SEED) -> Iterable[Face]:
    """The first of them."""
    return (numbered_face(number, seed) for number in range(count))


def judge(
    generator: Generator, classifier: AttributeClassifier, names: list[str], size: int, count: int, crop: int = 178
) -> dict[str, dict[str, float]]:
    """Translate `count` drawn faces to each attribute they have not (or from it), and compare: {attribute: row}."""
    tallies = {name: Tally() for name in names}
    preprocess = Preprocess(crop, size)
    for face in faces(count):
        x = picture(face, preprocess)
        has = attributes(face)
        for name in names:
            if name in HAIR and has[name]:
                continue  # it is set already, and clearing it names no other
            if name == "Mustache" and not has["Male"]:
                continue  # nobody to wear it: there is no such drawing
            truth = with_attribute(face, name, not has[name])
            translated = translate(generator, x, labels(truth, names))
            compare(
                tallies[name], classifier, names, name, x, picture(truth, preprocess), translated, attributes(truth)
            )
    return {name: tally.row() for name, tally in tallies.items()}


def picture(face: Face, preprocess: Preprocess) -> Tensor:
    """(1, 3, size, size) in [-1, 1] of a face."""
    return to_tensor(preprocess.picture(Image.fromarray(draw(face))))[None]


def labels(face: Face, names: list[str]) -> Tensor:
    """(1, len(names)): the attributes of a face."""
    has = attributes(face)
    return torch.tensor([[float(has[name]) for name in names]])


@torch.inference_mode()
def translate(generator: Generator, x: Tensor, c: Tensor) -> Tensor:
    """G(x, c), to the 8 bits that a picture file holds, in [-1, 1]."""
    return to_tensor(to_pixels(generator.eval()(x, c))[0])[None]


def compare(
    tally: Tally,
    classifier: AttributeClassifier,
    names: list[str],
    name: str,
    x: Tensor,
    truth: Tensor,
    translated: Tensor,
    wanted: dict[str, bool],
) -> None:
    """Count one translation."""
    found = dict(zip(classifier.names, classifier.predict(translated)[0], strict=True))
    tally.asked.append(bool(found[name] == wanted[name]))
    others = [other for other in names if other != name and not (other in HAIR and name in HAIR)]
    tally.kept += [bool(found[other] == wanted[other]) for other in others]
    x, truth, translated = ((127.5 * (t[0] + 1)).numpy() for t in (x, truth, translated))
    same = (np.abs(x - truth) < 0.5).all(0)
    tally.untouched.append(float(np.abs(translated - x)[:, same].mean()))
    tally.before.append(float(np.abs(x - truth)[:, ~same].mean()))
    tally.after.append(float(np.abs(translated - truth)[:, ~same].mean()))


def copy_error(generator: Generator, names: list[str], size: int, count: int, crop: int = 178) -> float:
    """How far G(x, its own labels) is from x, in levels of 255: what translating costs where nothing is asked for."""
    preprocess, found = Preprocess(crop, size), []
    for face in faces(count):
        x = picture(face, preprocess)
        found.append(float((translate(generator, x, labels(face, names)) - x).abs().mean() * 127.5))
    return float(np.mean(found))


def table(rows: dict[str, dict[str, float]]) -> str:
    """For people."""
    head = f"{'':<14}{'asked for':>10}{'others':>9}{'elsewhere':>11}{'to truth':>16}"
    lines = [
        f"{name:<14}{row['asked']:>10.1%}{row['kept']:>9.1%}{row['untouched']:>11.1f}"
        f"{row['before']:>9.1f} -> {row['after']:<4.1f}"
        for name, row in rows.items()
    ]
    return "\n".join([head, *lines])
