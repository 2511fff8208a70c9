"""How much generated pictures are like digits, as a classifier sees it that has learnt real ones.

    python measure.py samples.npy                       against scikit-learn's digits
    python measure.py samples/ --against data/mnist     against MNIST

It tells which digits there are among them (a generator that has collapsed makes only some), how sure the classifier is,
how far apart the pictures are, and how near to real digits. Real digits give the numbers to compare with.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from digits import SIZE, load_mnist_pixels
from labels import LABELS
from shared_scripts.cli import ArgumentParser, RunError, UserError, run
from shared_scripts.digits import check_scikit_learn, load_digits
from shared_scripts.files import resolve_path
from shared_scripts.images import list_images, read_image

SIDE = 14  # what the classifier sees: enough for the strokes, too coarse for single pixels
LARGEST_TRAINING = 8000  # digits: the support vector machine's time grows with the square
SMALLEST = 500  # digits in all: with fewer there is no judging by what is held out
HELD_OUT = 0.2
ENOUGH = 0.9  # accuracy below which the classifier's word counts for nothing
PRESENT = 0.02  # the share from which a class counts as there


class Measurement(NamedTuple):
    """What `measure` finds; `real_…` are the same numbers of held-out real digits."""

    accuracy: float  # of the classifier, on them
    shares: np.ndarray  # (10,), sums to 1
    confidence: float
    real_confidence: float
    diversity: float  # mean distance to the nearest other generated picture
    real_diversity: float
    distance: float  # mean distance to the nearest real digit
    real_distance: float

    @property
    def present(self) -> int:
        """How many classes have at least 2% of the pictures."""
        return int((self.shares >= PRESENT).sum())


def features(images: np.ndarray) -> np.ndarray:
    """(N, h, w) or (N, h, w, C), uint8 or floats in 0..1 -> (N, 196) float32 in 0..1: grey, averaged over 14 x 14."""
    images = np.asarray(images)
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    grey = (images if images.ndim == 3 else images.mean(axis=3)).astype(np.float32) / scale
    shape = (SIDE, SIDE)
    small = [np.asarray(Image.fromarray(one).resize(shape, Image.Resampling.BOX)).ravel() for one in grey]
    return np.clip(np.stack(small), 0, 1)


def train_classifier(images: np.ndarray, labels: np.ndarray):
    """A scikit-learn classifier of pictures (see `features`), from real digits (N, …) and their labels (N,).

    A support vector machine, its margins turned into probabilities by cross-validation.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    model = CalibratedClassifierCV(SVC(C=10), ensemble=False)
    return model.fit(features(images), np.asarray(labels))


def probabilities(model, images: np.ndarray) -> np.ndarray:
    """(N, 10): how probable each digit is for each picture."""
    found = np.zeros((len(images), LABELS))
    found[:, model.classes_] = model.predict_proba(features(images))
    return found


def class_shares(found: np.ndarray) -> np.ndarray:
    """(10,): which part of the pictures each digit has, by their `probabilities` (N, 10)."""
    return np.bincount(found.argmax(axis=1), minlength=LABELS) / len(found)


def measure(images: np.ndarray, real: np.ndarray, labels: np.ndarray, seed: int = 0) -> Measurement:
    """Compare pictures with real digits and their labels; a fifth of those (at most 2000) is held out.

    Both are as `features` takes them. UserError for too few of either, RunError where the classifier is
    too weak.
    """
    if len(images) < 2:
        raise UserError("one picture is not enough to measure; make some hundred")
    if len(real) < SMALLEST:
        raise UserError(f"{len(real)} real digits are too few to learn from; give {SMALLEST} or more")
    order = np.random.default_rng(seed).permutation(len(real))[: int(LARGEST_TRAINING / (1 - HELD_OUT))]
    held, learnt = np.split(order, [int(len(order) * HELD_OUT)])
    model = train_classifier(real[learnt], labels[learnt])
    held_probabilities, found = probabilities(model, real[held]), probabilities(model, images)
    accuracy = float((held_probabilities.argmax(axis=1) == labels[held]).mean())
    if accuracy < ENOUGH:
        raise RunError(f"the classifier gets only {accuracy:.1%} of real digits right; give it more of them")
    known, others, made = features(real[learnt]), features(real[held]), features(images)
    count = min(len(made), len(others))  # more pictures lie closer together: compare equal numbers
    return Measurement(
        accuracy,
        class_shares(found),
        float(found.max(axis=1).mean()),
        float(held_probabilities.max(axis=1).mean()),
        nearest_other(made[:count]),
        nearest_other(others[:count]),
        nearest(made, known),
        nearest(others, known),
    )


def nearest(points: np.ndarray, among: np.ndarray) -> float:
    """Mean Euclidean distance from each point to the nearest one `among` others."""
    from sklearn.neighbors import NearestNeighbors

    return float(NearestNeighbors(n_neighbors=1).fit(among).kneighbors(points)[0].mean())


def nearest_other(points: np.ndarray) -> float:
    """Mean distance from each point to the nearest other one of the same."""
    from sklearn.neighbors import NearestNeighbors

    return float(NearestNeighbors(n_neighbors=1).fit(points).kneighbors()[0].mean())


def report(result: Measurement) -> list[str]:
    """The lines for people."""
    shares = "  ".join(f"{digit}: {share:.1%}" for digit, share in enumerate(result.shares))
    return [
        f"classifier: {result.accuracy:.1%} of held-out real digits right",
        f"shares: {shares}",
        f"classes: {result.present} of {LABELS} have at least {PRESENT:.0%}",
        f"confidence: {result.confidence:.3f} (real digits {result.real_confidence:.3f})",
        f"diversity: the nearest other one is {result.diversity:.2f} away (real digits {result.real_diversity:.2f})",
        f"likeness: the nearest real digit is {result.distance:.2f} away (real digits {result.real_distance:.2f})",
    ]


# --- reading ---


def read_pictures(path: Path) -> np.ndarray:
    """A folder of pictures of one size as uint8 (N, h, w, 3), or an .npy file as `read_array` has it."""
    if not path.exists():
        raise UserError(f"there is no {path}; give a folder of pictures or an .npy file")
    if not path.is_dir():
        return read_array(path)
    found = [read_image(file) for file in list_images(path)]
    sizes = sorted({picture.shape for picture in found})
    if len(sizes) > 1:
        (height, width, _), (height2, width2, _) = sizes[0], sizes[-1]
        raise UserError(
            f"the pictures in {path} have several sizes, {width}x{height} and {width2}x{height2} among them"
        )
    return np.stack(found)


def read_array(path: Path) -> np.ndarray:
    """An .npy file of (N, h, w) or (N, h, w, C): uint8, or floats in 0..1 or in -1..1. uint8 or 0..1 is returned."""
    try:
        images = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as problem:
        raise UserError(f"{path} is no .npy file of numbers, or cut short") from problem
    if not isinstance(images, np.ndarray):
        raise UserError(f"{path} is an .npz archive; save the pictures alone with numpy.save")
    if images.ndim not in (3, 4) or 0 in images.shape or (images.ndim == 4 and images.shape[3] not in (1, 3, 4)):
        raise UserError(
            f"{path} has the shape {images.shape}; pictures are (N, height, width) or with 1, 3 or 4 channels"
        )
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise UserError(f"{path} holds {images.dtype}; pictures are uint8, or floats in 0..1 or in -1..1")
    if not (np.abs(images) <= 1.01).all():
        raise UserError(
            f"{path} holds numbers beyond -1..1, or none at all (NaN); pictures are 0..1 or -1..1, or uint8"
        )
    images = images.astype(np.float32)
    return np.clip((images + 1) / 2 if images.min() < 0 else images, 0, 1)


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(prog="measure.py", description="How much generated pictures are like digits.")
    parser.add_argument(
        "pictures", help="a folder of pictures, one digit each, or an .npy file (N, height, width[, C])"
    )
    parser.add_argument("--against", default="digits", help='"digits" (scikit-learn\'s) or a folder with MNIST')
    flags = parser.parse_args()
    check_scikit_learn()
    images = read_pictures(resolve_path(flags.pictures))
    real, labels = load_digits(SIZE) if flags.against == "digits" else load_mnist_pixels(resolve_path(flags.against))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-learn's about its own next versions
        print("\n".join(report(measure(images, real, labels))))


if __name__ == "__main__":
    run(main)
