"""translate.py as it is run: which files it writes, what is in them, and what it says when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import PROJECT
from PIL import Image
from tiny import (
    ATTRIBUTES,
    Script,
    cut,
    damage,
    files,
    paint,
    photo,
    pixels,
    save_discriminator,
    save_generator,
)

import alignment
import notes
import translate
from classifier import AttributeClassifier, save_classifier
from shared_scripts.memory import available_memory
from shared_scripts.videos import probe, read_frames

SIZE = 32
USUAL = f"--checkpoint m/7-G.ckpt --image_size {SIZE} --output_dir out"


@pytest.fixture
def script(tmp_path, capsys, monkeypatch) -> Script:
    """translate.py in a fresh folder with a photograph, me.png, of CelebA's size and a generator of five labels."""
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "me.png", 1)
    found = Script(translate.main, capsys)
    found.generator = save_generator(tmp_path / "m/7-G.ckpt")
    return found


def labels(*names: str, known: tuple[str, ...] = ATTRIBUTES) -> np.ndarray:
    """The label vector of a face that has these."""
    return np.array([float(name in names) for name in known])


def check(path: Path, script: Script, vector, picture: np.ndarray | None = None) -> None:
    """A result is what the generator makes of me.png with that label vector."""
    x = cut(Path("me.png"), 178, SIZE) if picture is None else picture
    assert np.abs(pixels(path).astype(int) - paint(script.generator, x, vector)).max() <= 1


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """How far two pictures are apart on average, in levels."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


# --- which files, and what is in them -----------------------------------------------------------------------------


def test_everything_at_once_or_each_for_itself(script):
    script(f"{USUAL} --image me.png --set Blond_Hair Male --clear Young --have Black_Hair Young")
    assert files(Path("out")) == {"me_Blond_Hair+Male+no_Young.png"}
    assert script.out == "out/me_Blond_Hair+Male+no_Young.png\n"
    assert "me.png: as it is: it has the size of CelebA's pictures; it has Black_Hair Young." in script.err
    check(Path("out/me_Blond_Hair+Male+no_Young.png"), script, labels("Blond_Hair", "Male"))
    words = f"{USUAL} --output_dir each --image me.png --set Blond_Hair Black_Hair Male --clear Young"
    words += " --have Brown_Hair Young"
    script(f"{words} --each")  # also what excludes each other
    expected = {
        "me_Blond_Hair.png": labels("Blond_Hair", "Young"),
        "me_Black_Hair.png": labels("Black_Hair", "Young"),
        "me_Male.png": labels("Brown_Hair", "Male", "Young"),
        "me_no_Young.png": labels("Brown_Hair"),
    }
    assert files(Path("each")) == {*expected}
    for name, vector in expected.items():
        check(Path("each") / name, script, vector)
    assert "nobody has two hair colours at once" in script.error(words)


def test_all_with_a_sheet(script):
    """What is there goes, what is not there comes; hair is never taken away."""
    script(f"{USUAL} --image me.png --all --have Black_Hair Young")
    expected = {
        "Black_Hair": labels("Black_Hair", "Young"),
        "Blond_Hair": labels("Blond_Hair", "Young"),
        "Brown_Hair": labels("Brown_Hair", "Young"),
        "Male": labels("Black_Hair", "Male", "Young"),
        "Young": labels("Black_Hair"),
    }
    assert files(Path("out")) == {"me_sheet.jpg", *(f"me_{name}.png" for name in expected)}
    assert script.out.splitlines() == [*(f"out/me_{name}.png" for name in expected), "out/me_sheet.jpg"]
    for name, vector in expected.items():
        check(Path(f"out/me_{name}.png"), script, vector)
    sheet = pixels(Path("out/me_sheet.jpg"))
    assert sheet.shape[0] > SIZE + 20 and sheet.shape[1] > 6 * SIZE
    assert "--all is every attribute already" in script.error(f"{USUAL} --image me.png --all --set Male")


@pytest.mark.parametrize("strength", [0, 0.5, 1, 1.5, -1])
def test_strength(script, strength):
    script(f"{USUAL} --image me.png --set Male Blond_Hair --have Black_Hair --strength {strength}")
    vector = labels("Black_Hair") + strength * (labels("Male", "Blond_Hair") - labels("Black_Hair"))
    check(Path("out/me_Male+Blond_Hair.png"), script, vector)


def test_nothing_but_what_it_has(script):
    """--have without a name: nothing of it."""
    script(f"{USUAL} --image me.png --set Male --have")
    assert "it has none of the attributes" in script.err
    check(Path("out/me_Male.png"), script, labels("Male"))


def test_same_names_in_two_folders_do_not_overwrite_each_other(script, tmp_path):
    for number, name in enumerate(["a/me.png", "b/me.png", "b/me.bmp", "b/you.png"], 2):
        photo(tmp_path / name, number)
    script(f"{USUAL} --image a b --set Male --have")
    expected = {"a_me": "a/me.png", "b_me.png": "b/me.png", "b_me.bmp": "b/me.bmp", "you": "b/you.png"}
    assert files(Path("out")) == {f"{name}_Male.png" for name in expected}
    for name, source in expected.items():
        check(Path(f"out/{name}_Male.png"), script, labels("Male"), cut(Path(source), 178, SIZE))


def test_other_hair_than_colours_is_taken_away(script, tmp_path):
    script.generator = save_generator(tmp_path / "m/7-G.ckpt", 2)
    script(f"{USUAL} --image me.png --all --have Wavy_Hair --selected_attrs Wavy_Hair Young")
    check(Path("out/me_Wavy_Hair.png"), script, [0, 0])


def test_results_stay_in_their_folder_whatever_the_labels_are_called(script, tmp_path):
    save_generator(tmp_path / "m/7-G.ckpt", 3)
    note(tmp_path / "m", ["/../../x", "a:b", "c*"])
    script(f"{USUAL} --image me.png --all --have")
    assert files(Path("out")) == {"me__.._.._x.png", "me_a_b.png", "me_c_.png", "me_sheet.jpg"}


def test_a_photograph_is_never_replaced(script, tmp_path):
    before = photo(tmp_path / "me_Male.png", 2).read_bytes()
    script(
        "--checkpoint m/7-G.ckpt --image_size 32 --output_dir . --have --set Male --image me.png me_Male.png", status=1
    )
    assert "a result would replace the photograph me_Male.png; name another --output_dir" in script.err
    assert Path("me_Male.png").read_bytes() == before and Path("me_Male_Male.png").is_file()


# --- who says what a face has -------------------------------------------------------------------------------------


def made_with(script: Script, has: set[str]) -> None:
    """Young was set for a face which was found to have these."""
    assert f"it has {' '.join(sorted(has)) or 'none of the attributes'}." in script.err
    check(Path("out/me_Young.png"), script, labels("Young", *has))


def test_nobody_is_asked(script):
    script(f"{USUAL} --image me.png --set Young")
    assert "Nothing here tells what a face has now; say it with --have" in script.err
    made_with(script, set())


@pytest.mark.parametrize("names", [("7-G.ckpt", "7-D.ckpt"), ("20_1000_G.pth", "20_1000_D.pth")])
def test_the_discriminator_is_asked(script, tmp_path, names):
    generator, beside = (tmp_path / "m" / name for name in names)
    save_generator(generator)
    discriminator = save_discriminator(beside, SIZE)
    x = torch.from_numpy(cut(Path("me.png"), 178, SIZE).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = discriminator(x)[1][0]
    assert logits.abs().min() > 1e-3 and 0 < int((logits > 0).sum()) < 5  # neither on the edge nor all the same
    hair = max(ATTRIBUTES[:3], key=lambda name: logits[ATTRIBUTES.index(name)])  # nobody has two colours
    has = {
        name for name, logit in zip(ATTRIBUTES, logits, strict=True) if logit > 0 and name in (hair, "Male", "Young")
    }
    script("--output_dir out --image me.png --set Young --checkpoint", generator)  # D tells the size, too
    made_with(script, has)
    script("--output_dir out --image me.png --set Young --have Male --checkpoint", generator)
    made_with(script, {"Male"})


def test_the_classifier_is_asked_first(script, tmp_path):
    save_discriminator(tmp_path / "m/7-D.ckpt", SIZE)
    names = ("Young", "Brown_Hair", "Black_Hair", "Male", "Blond_Hair")
    classifier = AttributeClassifier(names, 40)
    with torch.no_grad():
        classifier.head.weight.zero_()
        classifier.head.bias.copy_(torch.tensor([-1.0, 3, 2, 1, -1]))  # two hair colours: the likelier one counts
    save_classifier(tmp_path / "m/classifier.safetensors", classifier)
    script(f"{USUAL} --image me.png --set Young")
    made_with(script, {"Brown_Hair", "Male"})
    other = AttributeClassifier(["Smiling"], 40)  # of another generator
    save_classifier(tmp_path / "m/classifier.safetensors", other)
    script(f"{USUAL} --image me.png --set Young")
    assert "it has Brown_Hair Male." not in script.err


def test_a_judge_that_is_damaged(script, tmp_path):
    save_discriminator(tmp_path / "m/7-D.ckpt", SIZE)
    damage(tmp_path / "m/7-D.ckpt")
    expected = "7-D.ckpt is damaged or no saved state; --have says in its place what the face has now"
    assert expected in script.error(f"{USUAL} --image me.png --set Male")
    save_discriminator(tmp_path / "m/7-D.ckpt", SIZE, 3)
    assert "7-D.ckpt knows 3 labels, the generator 5" in script.error(f"{USUAL} --image me.png --set Male")
    script(f"{USUAL} --image me.png --set Male --have")  # nobody needs to be asked
    check(Path("out/me_Male.png"), script, labels("Male"))


# --- generators of other labels -----------------------------------------------------------------------------------


def note(folder: Path, attributes=(), classes=(), **values) -> None:
    """What a training notes."""
    usual = {"dataset": "CelebA", "image_size": SIZE, "celeba_crop_size": 178, "rafd_crop_size": 100}
    notes.write(folder, notes.Notes(selected_attrs=[*attributes], classes=[*classes], **{**usual, **values}))


def test_attributes_of_ones_own(script, tmp_path):
    script.generator = save_generator(tmp_path / "m/7-G.ckpt", 2)
    assert "takes 2 labels, and here are 5 names" in script.error(f"{USUAL} --image me.png --set Male")
    script(f"{USUAL} --image me.png --set Smiling --have Bald --selected_attrs Smiling Bald")
    check(Path("out/me_Smiling.png"), script, [1, 1])
    note(tmp_path / "m", ["Bald", "Smiling"], celeba_crop_size=120)
    script("--checkpoint m/7-G.ckpt --output_dir out --image me.png --set Smiling --have")
    check(Path("out/me_Smiling.png"), script, [0, 1], cut(Path("me.png"), 120, SIZE))  # size and crop are noted, too
    script(f"{USUAL} --image me.png --set Smiling --have --celeba_crop_size 178 --image_size 16")
    check(Path("out/me_Smiling.png"), script, [0, 1], cut(Path("me.png"), 178, 16))


def test_classes(script, tmp_path):
    script.generator = save_generator(tmp_path / "m/7-G.ckpt", 3)
    save_discriminator(tmp_path / "m/7-D.ckpt", SIZE, 3)
    note(tmp_path / "m", (), ["angry", "happy", "sad"], dataset="RaFD")
    script(f"{USUAL} --image me.png --set happy")
    check(Path("out/me_happy.png"), script, [0, 1, 0])
    script(f"{USUAL} --image me.png --set happy --have sad --strength 0.5")
    check(Path("out/me_happy.png"), script, [0, 0.5, 0.5])
    script(f"{USUAL} --image me.png --all --output_dir all")
    assert files(Path("all")) == {"me_angry.png", "me_happy.png", "me_sad.png", "me_sheet.jpg"}
    check(Path("all/me_sad.png"), script, [0, 0, 1])
    script(f"{USUAL} --image me.png --set sad --align none")  # cut as the pictures it was trained on
    check(Path("out/me_sad.png"), script, [0, 0, 1], cut(Path("me.png"), 100, SIZE))
    assert "happy and sad exclude each other" in script.error(f"{USUAL} --image me.png --set happy sad")


def test_attributes_and_classes(script, tmp_path):
    """The mask says which labels are given."""
    script.generator = save_generator(tmp_path / "m/7-G.ckpt", 2 + 2 + 2)
    note(tmp_path / "m", ["Male", "Young"], ["happy", "sad"], dataset="Both")
    for words, vector in {
        "--set Male --have Young": [1, 1, 0, 0, 1, 0],
        "--set sad --have": [0, 0, 0, 1, 0, 1],
        "--set sad Male --have": [1, 0, 0, 1, 1, 1],
        "--set sad --have Young happy": [0, 0, 0, 1, 0, 1],  # as test.py has it
        "--set sad,Male --have Young,happy": [1, 1, 0, 1, 1, 1],
        "--set Male --have Young happy": [1, 1, 0, 0, 1, 0],
    }.items():
        script(f"{USUAL} --image me.png {words}")
        name = "+".join(words.partition(" --have")[0].replace(",", " ").split()[1:])
        check(Path(f"out/me_{name}.png"), script, vector)
    script(f"{USUAL} --image me.png --set sad --have happy Young --strength 0")  # under the mask of what is asked for
    check(Path("out/me_sad.png"), script, [0, 0, 1, 0, 0, 1])
    script(f"{USUAL} --image me.png --set Male --have happy Young --strength 0")
    check(Path("out/me_Male.png"), script, [0, 1, 0, 0, 1, 0])


# --- films --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_a_film(script, kind):
    script(f"{USUAL} --image me.png --slider Male --have Young --film_format {kind}")
    assert files(Path("out")) == {f"me_Male.{kind}"} and script.out == f"out/me_Male.{kind}\n"
    info = probe(f"out/me_Male.{kind}")
    frames = list(read_frames(f"out/me_Male.{kind}"))
    assert (info.width, info.height, info.fps, len(frames)) == (256, 256, Fraction(25), 50)
    x = cut(Path("me.png"), 178, SIZE)
    without, half, full = (
        paint(script.generator, x, labels("Young") + share * labels("Male")) for share in (0, 0.5, 1)
    )
    assert difference(without, half) > 4 and difference(half, full) > 4
    for number, expected in ((0, without), (25, full), (12.5, half), (37.5, half), (49, without)):
        found = np.mean([frames[int(number)], frames[min(49, int(number + 0.5))]], axis=0)
        found = found.reshape(SIZE, 8, SIZE, 8, 3).mean(axis=(1, 3))  # pixels are shown eight times as large
        others = [other for other in (without, half, full) if other is not expected]
        assert difference(found, expected) < 0.5 * min(difference(found, other) for other in others)


def test_a_film_of_something_it_has(script):
    """It goes and comes again; hair too, which would else be set where it is already."""
    for name in ("Young", "Black_Hair"):
        script(f"{USUAL} --image me.png --slider {name} --have Young Black_Hair")
        first, *_, last = frames = list(read_frames(f"out/me_{name}.mp4"))
        assert difference(first, frames[25]) > 5 and difference(first, last) < 0.4 * difference(first, frames[25])
    script(f"{USUAL} --image me.png --slider Male --have --strength 0")
    assert difference(*list(read_frames("out/me_Male.mp4"))[:26:25]) < 2
    assert "knows no 'Smiling'" in script.error(f"{USUAL} --image me.png --slider Smiling")


# --- where the face is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["none", "centre"])
def test_align(script, tmp_path, mode):
    photo(tmp_path / "big.png", 3, (400, 300))
    script(f"{USUAL} --image big.png --set Male --have --align {mode}")
    if mode == "none":
        check(Path("out/big_Male.png"), script, labels("Male"), cut(Path("big.png"), 178, SIZE))
        assert "big.png: as it is;" in script.err
    else:
        Image.fromarray(alignment.prepare(pixels(Path("big.png")), "centre").pixels).save("middle.png")
        check(Path("out/big_Male.png"), script, labels("Male"), cut(Path("middle.png"), 178, SIZE))
        assert "big.png: its middle;" in script.err


def test_the_face_is_found(script):
    if not alignment.available():
        pytest.skip("dlib or its landmarks are not installed")
    astronaut = pytest.importorskip("skimage.data").astronaut()[:300, 80:380]
    Image.fromarray(astronaut).save("astronaut.png")
    Image.fromarray(alignment.prepare(astronaut, "dlib").pixels).save("face.png")
    script(f"{USUAL} --image astronaut.png --set Male --have --paste_back")
    assert "astronaut.png: its face; it has none" in script.err
    check(Path("out/astronaut_Male.png"), script, labels("Male"), cut(Path("face.png"), 178, SIZE))
    pasted = pixels(Path("out/astronaut_Male_photo.jpg"))
    assert difference(pasted[60:180, 90:200], astronaut[60:180, 90:200]) > 10  # the face
    assert difference(pasted[280:], astronaut[280:]) < 3
    line = script.error(f"{USUAL} --image me.png --set Male --align dlib")
    assert "no face was found in me.png" in line


@pytest.mark.parametrize("mode", ["centre", "none"])
def test_the_face_goes_back_into_the_photograph(script, tmp_path, mode):
    photo(tmp_path / "big.png", 3, (400, 300))
    script(f"{USUAL} --image big.png --set Male --have --align {mode} --paste_back")
    assert script.out.splitlines() == ["out/big_Male.png", "out/big_Male_photo.jpg"]
    before, after = pixels(Path("big.png")), pixels(Path("out/big_Male_photo.jpg"))
    assert after.shape == before.shape
    assert difference(after[130:170, 180:220], before[130:170, 180:220]) > 10
    assert difference(after[:, :60], before[:, :60]) < 3 and difference(after[:, -60:], before[:, -60:]) < 3


# --- several photographs, and paths -------------------------------------------------------------------------------


def test_one_bad_photograph_among_good_ones(script, tmp_path):
    for number in (1, 2, 10):
        photo(tmp_path / f"photos/{number}.jpg", number)
    damage(tmp_path / "photos/2.jpg")
    (tmp_path / "photos/readme.txt").write_text("not a picture")
    script(f"{USUAL} --image me.png photos nowhere.jpg --set Male --have", status=1)
    assert files(Path("out")) == {"me_Male.png", "1_Male.png", "10_Male.png"}
    assert script.out.splitlines() == ["out/me_Male.png", "out/1_Male.png", "out/10_Male.png"]  # 2 before 10
    assert "Skipped: photos/2.jpg is damaged" in script.err and "Skipped: there is no file nowhere.jpg" in script.err


def test_nothing_but_bad_photographs(script):
    assert "there is no file nowhere.jpg" in script.error(f"{USUAL} --image nowhere.jpg --set Male")
    line = script.error(f"{USUAL} --image nowhere.jpg neither.jpg --set Male")
    assert "none of the 2 photographs could be translated: there is no file nowhere.jpg" in line
    Path("empty").mkdir()
    assert "there are no pictures in empty" in script.error(f"{USUAL} --image empty --set Male")


def test_from_another_folder_with_backslashes(tmp_path):
    """`python stargan/translate.py …` beside the project, in a process of its own."""
    photo(tmp_path / "in/me.jpg", 1)
    save_generator(tmp_path / "m/7-G.ckpt")
    windows = str(tmp_path).replace("/", "\\")
    words = f"--checkpoint {windows}\\m\\7-G.ckpt --image {windows}\\in\\me.jpg --output_dir {windows}\\out --set Male"
    found = subprocess.run(
        [sys.executable, f"{PROJECT.name}/translate.py", *words.split(), "--image_size", "16", "--align", "centre"],
        cwd=PROJECT.parent,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert files(tmp_path / "out") == {"me_Male.png"} and "Warning" not in found.stderr
    assert Path(found.stdout.strip()) == tmp_path / "out/me_Male.png"


# --- what does not go ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "say what to do: --set NAME ..., --clear NAME ..., --all or --slider NAME"),
        ("--set Smiling", "knows no 'Smiling'; it knows Black_Hair Blond_Hair Brown_Hair Male Young"),
        ("--set blond_hair", "did you mean Blond_Hair?"),
        ("--clear Yuong", "did you mean Young?"),
        ("--set Male --have Mail", "did you mean Male?"),
        ("--set Male --clear Male", "Male is to be set and to be cleared"),
        ("--set Male --strength much", "--strength"),
        ("--set Male --strength nan", "expected a finite number"),
        ("--set Male --align left", "invalid choice: 'left'"),
        ("--set Male --image_size 30", "--image_size must be a multiple of 4"),
        ("--set Male --image_size 4", "--image_size must be at least 8"),
        ("--set Male --checkpoint nowhere.ckpt", "there is no file nowhere.ckpt"),
        ("--set Male --checkpoint m", "m is a folder, and --checkpoint takes a file; there is 7-G.ckpt in it"),
        ("--set Male --checkpoint me.png", "me.png is no saved state"),
        ("--set Male --selected_attrs Male Young", "takes 5 labels, and here are 2 names: Male Young"),
        ("--set Male --output_dir me.png", "cannot create the folder me.png"),
        ("--slider Male --film_format avi", "invalid choice: 'avi'"),
        ("--slider Male --output_dir me.png", "cannot create the folder me.png"),
    ],
)
def test_wrong_command_lines_are_answered_in_one_line(script, words, said):
    line = script.error(*[f"{USUAL} --image me.png {words}".strip()])
    assert said in line and not Path("out").exists()


@pytest.mark.skipif(available_memory() is None, reason="this system does not say how much memory is free")
@pytest.mark.parametrize("flag", ["--image_size 400000", "--celeba_crop_size 400000"])
def test_what_the_memory_cannot_hold_is_not_begun(script, flag):
    assert "not enough memory for pictures cut to " in script.error(f"{USUAL} --image me.png --set Male {flag}")


def test_a_discriminator_is_no_generator(script, tmp_path):
    save_discriminator(tmp_path / "m/7-D.ckpt")
    line = script.error("--checkpoint m/7-D.ckpt --image me.png --set Male")
    assert "holds no generator of StarGAN; it is a discriminator: take the file with G in its name" in line
