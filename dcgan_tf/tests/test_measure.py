"""The judge of generated digits: that it knows real ones, and tells collapse, copies and noise from them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import measure
from shared_scripts.cli import RunError, UserError
from shared_scripts.digits import load_digits

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def real():
    """scikit-learn's digits, 32 x 32, and their labels."""
    return load_digits(32)


@pytest.fixture(scope="module")
def judge(real):
    """A classifier of the first 1400."""
    return measure.train_classifier(real[0][:1400], real[1][:1400])


def test_the_classifier_knows_digits_it_has_not_seen(real, judge):
    images, labels = real[0][1400:], real[1][1400:]
    found = measure.probabilities(judge, images)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (found.argmax(axis=1) == labels).mean() > 0.95
    shares = measure.class_shares(found)
    np.testing.assert_allclose(shares, np.bincount(labels, minlength=10) / len(labels), atol=0.02)
    assert measure.class_shares(found[labels == 7])[7] > 0.9


def test_the_kind_of_array_makes_no_difference(real, judge):
    images = real[0][1400:1500]
    colour = np.repeat(images[..., None], 3, axis=3)
    for same in (images / np.float32(255), images[..., None], colour, colour / 255.0):
        np.testing.assert_allclose(measure.features(same), measure.features(images), atol=1e-4)


def test_features_are_means():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 2:4, 4:6] = 255
    image[0, 26, 27] = 255
    found = measure.features(image).reshape(14, 14)
    assert found[1, 2] == pytest.approx(1) and found[13, 13] == pytest.approx(0.25)
    assert found.sum() == pytest.approx(1.25)


def test_real_noise_copies_and_collapse(real):
    images, labels = real
    random = np.random.default_rng(1)
    as_real = measure.measure(images[random.permutation(1797)[:300]], images, labels)
    assert as_real.accuracy > 0.95 and as_real.present == 10
    assert as_real.confidence == pytest.approx(as_real.real_confidence, abs=0.05)
    assert as_real.diversity == pytest.approx(as_real.real_diversity, rel=0.2)
    assert as_real.distance < 0.5 * as_real.real_distance  # most were learnt from: copies
    noise = measure.measure(random.integers(0, 256, (100, 32, 32), np.uint8), images, labels)
    assert noise.distance > 2 * noise.real_distance and noise.confidence < noise.real_confidence - 0.1
    ones = images[labels == 1][:50]
    collapsed = measure.measure(np.concatenate([ones, ones]), images, labels)
    assert collapsed.shares[1] > 0.9 and collapsed.present < 4 and collapsed.diversity < 1e-3
    assert f"classes: {collapsed.present} of 10" in "\n".join(measure.report(collapsed))


def test_what_cannot_be_measured(real):
    images, labels = real
    with pytest.raises(UserError, match="one picture"):
        measure.measure(images[:1], images, labels)
    with pytest.raises(UserError, match="too few to learn from"):
        measure.measure(images[:9], images[:100], labels[:100])
    with pytest.raises(RunError, match="gets only"):  # labels that say nothing
        measure.measure(images[:9], images, np.random.default_rng(0).permutation(labels))


@pytest.mark.parametrize("scale", ["uint8", "zero to one", "minus one to one"])
def test_arrays_of_any_range_are_read_alike(tmp_path, real, scale):
    images = real[0][:20, ..., None]
    stored = {"uint8": images, "zero to one": images / 255.0, "minus one to one": images / np.float32(127.5) - 1}[scale]
    np.save(tmp_path / "samples.npy", stored)
    found = measure.read_pictures(tmp_path / "samples.npy")
    np.testing.assert_allclose(measure.features(found), measure.features(images), atol=1e-4)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 10)), "has the shape"),
        (np.zeros((0, 8, 8)), "has the shape"),
        (np.zeros((2, 8, 8, 2)), "has the shape"),
        (np.zeros((2, 8, 8), int), "holds int64"),
        (np.full((2, 8, 8), np.nan), "beyond"),
        (np.full((2, 8, 8), 200.0), "beyond"),
        (np.array([{}]), "no .npy file of numbers"),
    ],
)
def test_arrays_that_are_no_pictures(tmp_path, array, words):
    np.save(tmp_path / "samples.npy", array, allow_pickle=True)
    with pytest.raises(UserError, match=words):
        measure.read_pictures(tmp_path / "samples.npy")


def test_folders_and_files_that_are_none(tmp_path):
    np.savez(tmp_path / "samples.npz", a=np.zeros(3))
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "sizes").mkdir()
    for size in (8, 9):
        Image.new("L", (size, 8)).save(tmp_path / "sizes" / f"{size}.png")
    (tmp_path / "empty").mkdir()
    for name, words in (
        ("samples.npz", "archive"),
        ("text.npy", "no .npy file"),
        ("sizes", "8x8 and 9x8"),
        ("empty", "no pictures"),
        ("nothing", "there is no"),
    ):
        with pytest.raises(UserError, match=words):
            measure.read_pictures(tmp_path / name)


def test_the_command_on_a_folder(tmp_path, real):
    for i in range(40):
        Image.fromarray(real[0][i]).save(tmp_path / f"{i}.png")
    command = [sys.executable, str(PROJECT / "measure.py"), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "classifier", "shares", "classes", "confidence", "diversity", "likeness"
    ]  # fmt: skip
    assert lines[2] == "classes: 10 of 10 have at least 2%"
    done = subprocess.run([*command, "--against", "nowhere"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: there is no folder nowhere")
