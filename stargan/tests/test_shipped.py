"""The generator that ships: what it can do, measured; the demo, the figures, and the classifier that judges it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from conftest import PROJECT
from PIL import Image

import demo
import make_figures
import measure
import notes
import quality
import shipped
import train_classifier
from classifier import AttributeClassifier, load_classifier, save_classifier
from faces import attributes, draw, random_face, with_attribute
from labels import HAIR
from legacy import load_generator
from shared_scripts.cli import UserError
from shared_scripts.videos import read_frames

FACES = 60  # of fewer, a single face would decide


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What measure.py writes."""
    output = tmp_path_factory.mktemp("measured") / "numbers.json"
    assert measure.main(["--count", str(FACES), "--output", str(output)]) == 0
    return json.loads(output.read_text())


def test_what_is_asked_for_comes(measured):
    found = notes.read(shipped.FOLDER)
    assert list(measured["attributes"]) == found.selected_attrs and len(found.selected_attrs) == 7
    for name, row in measured["attributes"].items():
        assert row["asked"] >= 0.9, (name, row)


def test_what_is_not_asked_for_stays(measured):
    for name, row in measured["attributes"].items():
        assert row["kept"] >= 0.9, (name, row)
        assert row["untouched"] < 12, (name, row)  # levels of 255, where the true drawing has none
        if name != "Smiling":  # the truth is one smile of many
            assert row["after"] < row["before"], (name, row)  # nearer to the truth than the input was
    assert measured["copy_error"] < 12


def test_the_shipped_files_are_small_and_of_the_originals_layout():
    files = [path for path in shipped.FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert {path.name for path in files} == {shipped.GENERATOR.name, "classifier.safetensors", "labels.json"}
    _, shape = load_generator(shipped.GENERATOR)
    names = torch.load(shipped.GENERATOR, weights_only=True)
    assert shape.c_dim == 7 and "main.1.running_mean" in names and "main.9.main.0.weight" in names


def test_the_classifier_knows_drawings_it_has_not_seen():
    classifier = load_classifier(shipped.CLASSIFIER)
    size = classifier.size
    right = []
    for face in quality.faces(FACES, seed=5):
        x = quality.picture(face, quality.Preprocess(178, size))
        has = attributes(face)
        right.append(
            [has[name] == found for name, found in zip(classifier.names, classifier.predict(x)[0], strict=True)]
        )
    assert np.mean(right) > 0.95


# --- how it is measured -------------------------------------------------------------------------------------------


class Perfect(torch.nn.Module):
    """A generator that draws the truth."""

    def __init__(self, names, size):
        super().__init__()
        self.truths, self.names, self.preprocess = {}, names, quality.Preprocess(178, size)

    def learn(self, face) -> None:
        x = quality.picture(face, self.preprocess)
        for name in self.names:
            other = with_attribute(face, name, not attributes(face)[name])
            key = x.numpy().tobytes(), tuple(quality.labels(other, self.names)[0].tolist())
            self.truths[key] = quality.picture(other, self.preprocess)

    def forward(self, x, c):
        return self.truths[x.numpy().tobytes(), tuple(c[0].tolist())]


def test_a_generator_that_draws_the_truth_is_perfect_and_one_that_copies_is_not():
    classifier = load_classifier(shipped.CLASSIFIER)
    names, size = ["Black_Hair", "Eyeglasses"], classifier.size
    perfect = Perfect(names, size)
    for face in quality.faces(4):
        perfect.learn(face)
    rows = quality.judge(perfect, classifier, names, size, 4)
    for row in rows.values():
        assert row["asked"] == row["kept"] == 1 and row["untouched"] == row["after"] == 0 < row["before"]
    copies = quality.judge(Copy(), classifier, names, size, 4)
    for row in copies.values():
        assert row["asked"] < 0.5 and row["kept"] == 1 and row["after"] == row["before"] > 5
    assert quality.copy_error(Copy(), names, size, 2) == 0


class Copy(torch.nn.Module):
    """A generator that does nothing."""

    def forward(self, x, c):
        return x


def test_measuring_another_kind_of_generator_is_refused(tmp_path):
    torch.save(load_generator(shipped.GENERATOR)[0].state_dict(), tmp_path / "1-G.ckpt")
    with pytest.raises(UserError, match="has no labels.json of attributes"):
        measure.main(["--checkpoint", str(tmp_path / "1-G.ckpt")])
    (tmp_path / notes.FILE).write_text(
        (shipped.FOLDER / notes.FILE).read_text().replace('"image_size": 80', '"image_size": 64')
    )
    with pytest.raises(UserError, match="train_classifier.py makes one that does"):
        measure.main(["--checkpoint", str(tmp_path / "1-G.ckpt")])


def test_what_the_drawings_do_not_have_cannot_be_measured(tmp_path):
    from tiny import save_generator

    save_generator(tmp_path / "1-G.ckpt", 2)
    sizes = {"image_size": 32, "celeba_crop_size": 178, "rafd_crop_size": 256}
    for names, said in {("Bald", "Young"): "drawn faces have no Bald", ("Young",): "takes 2 labels, and the"}.items():
        notes.write(tmp_path, notes.Notes("CelebA", [*names], [], **sizes))
        with pytest.raises(UserError, match=said):
            measure.main(["--checkpoint", str(tmp_path / "1-G.ckpt")])


def test_mustaches_are_measured_on_men_alone():
    rows = quality.judge(Copy(), AttributeClassifier(["Mustache"], 32).eval(), ["Mustache"], 32, 6)
    assert rows["Mustache"]["after"] == rows["Mustache"]["before"] > 0


# --- the classifier -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """120 drawn faces in CelebA's format."""
    from make_faces_dataset import write_dataset

    folder = tmp_path_factory.mktemp("drawings") / "faces"
    assert write_dataset(folder, 120, 3, "jpg", False, False)
    return folder


def test_a_classifier_is_trained_and_saved(drawings, tmp_path, capsys):
    words = [
        "--celeba_image_dir",
        drawings / "images",
        "--attr_path",
        drawings / "list_attr_celeba.txt",
        "--epochs",
        "5",
    ]
    words += [
        "--selected_attrs",
        "Black_Hair",
        "Blond_Hair",
        "Young",
        "--image_size",
        "32",
        "--output",
        tmp_path / "c.safetensors",
    ]
    assert train_classifier.main([*map(str, words)]) == 0
    out = capsys.readouterr().out
    assert "Right about 12 pictures" in out and out.count("%") == 3
    classifier = load_classifier(tmp_path / "c.safetensors")
    assert (
        classifier.names == ("Black_Hair", "Blond_Hair", "Young") and classifier.size == 32 and not classifier.training
    )
    preprocess, agreed = quality.Preprocess(178, 32), []
    for number in range(30):  # hair colours are learned at once
        face = random_face(np.random.default_rng([9, number]))
        agreed.append(classifier.predict(quality.picture(face, preprocess))[0][0] == attributes(face)["Black_Hair"])
    assert np.mean(agreed) > 0.7


def test_of_two_hair_colours_the_likelier_is_taken():
    classifier = AttributeClassifier(["Black_Hair", "Brown_Hair", "Young"], 32)
    classifier.forward = lambda x: torch.tensor([[1.0, 2.0, 3.0], [-1.0, -2.0, -1.0]])
    assert classifier.predict(torch.zeros(2, 3, 32, 32)).tolist() == [[False, True, True], [False, False, False]]


def test_a_classifiers_file_is_checked(tmp_path):
    save_classifier(tmp_path / "c.safetensors", AttributeClassifier(["Young"], 32))
    assert load_classifier(tmp_path / "c.safetensors").names == ("Young",)
    whole = (tmp_path / "c.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="is damaged"):
        load_classifier(tmp_path / "cut.safetensors")
    from shared_scripts.checkpoints import save_safetensors

    save_safetensors(tmp_path / "other.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(UserError, match="holds no classifier"):
        load_classifier(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="there is no file"):
        load_classifier(tmp_path / "none.safetensors")


# --- the demo and the figures -------------------------------------------------------------------------------------


def test_the_demo_makes_a_sheet_and_a_film(tmp_path, capsys):
    assert demo.main(["--faces", "2", "--frames", "3", "--out-dir", str(tmp_path)]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 + 8 * 88, 28 + 2 * 88)
        pixels = np.array(sheet)
    first = quality.Preprocess(178, 80).picture(Image.fromarray(draw(next(iter(quality.faces(1))))))
    assert np.abs(pixels[28:108, 8:88].astype(int) - np.array(first)).max() <= 1
    frames = list(read_frames(tmp_path / "sliders.mp4"))
    assert len(frames) == 7 * 3 and frames[0].shape == (190, 320, 3)
    # each slider starts from the same picture and moves away from it
    assert (
        np.abs(frames[1][:160].astype(int) - frames[0][:160]).mean()
        > 2 * np.abs(frames[3][:160].astype(int) - frames[0][:160]).mean()
    )
    assert "A film of sliders" in capsys.readouterr().out


def test_a_demo_without_what_ships_says_so(tmp_path, monkeypatch):
    from tiny import save_generator

    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setattr(shipped, "GENERATOR", tmp_path / "1-G.ckpt")
    with pytest.raises(UserError, match="there is no file"):
        demo.main(["--out-dir", str(tmp_path / "x")])
    save_generator(tmp_path / "1-G.ckpt")
    with pytest.raises(UserError, match=r"has no labels.json, which ships with the generator"):
        demo.main(["--out-dir", str(tmp_path / "x")])


@pytest.mark.parametrize("words", [["--faces", "0"], ["--first", "-1"], ["--frames", "x"]])
def test_a_demo_that_cannot_work_says_so(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        demo.main([*words, "--out-dir", str(tmp_path / "x")])
    assert end.value.code == 2 and capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "x").exists()


def test_the_figures_of_the_readme(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in (100, 200, 1000):
        Image.new("RGB", (8 * 80, 160), (step % 255,) * 3).save(tmp_path / "samples" / f"{step}-images.jpg")
    assert make_figures.main(["--out-dir", str(tmp_path / "f"), "--samples", str(tmp_path / "samples")]) == 0
    found = {path.name: path for path in (tmp_path / "f").iterdir()}
    assert {*found} == {"sheet.jpg", "sliders.jpg", "combinations.jpg", "planes.jpg", "training.jpg"}
    assert max(path.stat().st_size for path in found.values()) <= 150_000
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert all(f"figures/{name}" in readme and (PROJECT / "figures" / name).is_file() for name in found)
    with Image.open(found["planes.jpg"]) as planes:
        shown = np.array(planes.convert("L")).astype(float)
    mirrored = shown[60:-40, -150:-40]  # a constant, where the one with zeros has a frame
    assert mirrored.std() < 2 and shown[28:-8, 210:400].std() > 10
    with pytest.raises(UserError, match="has no samples"):
        make_figures.main(["--out-dir", str(tmp_path / "f"), "--samples", str(tmp_path)])


def test_hair_is_what_the_figures_wish_for():
    from show import Gallery, people

    gallery = Gallery(people([0, 1]))
    wished = gallery.wish(["Blond_Hair", "Eyeglasses"])
    names = gallery.names
    assert wished[:, names.index("Blond_Hair")].tolist() == [1, 1] == wished[:, names.index("Eyeglasses")].tolist()
    assert wished[:, [names.index(name) for name in HAIR if name != "Blond_Hair"]].sum() == 0
    kept = names.index("Young")
    assert torch.equal(wished[:, kept], gallery.labels[:, kept])
