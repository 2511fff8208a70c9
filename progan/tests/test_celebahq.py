"""CelebA-HQ: the recorded faces, and the corrections with everything that can be wrong about them."""

from __future__ import annotations

import base64
import bz2
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import celebahq
from dataset_tool import main
from datasets import open_dataset
from shared_scripts.cli import UserError

LANDMARKS = np.array([[60, 70], [100, 70], [80, 95], [65, 115], [95, 115]], np.float32)


@pytest.mark.parametrize("number", [1])  # 0 and 2 agree as well, at two seconds each
def test_recorded_faces(number, golden):
    arrays = golden("dataset_tool")
    image = Image.fromarray(arrays[f"celebahq/in{number}"])
    made = celebahq.cut_face(image, arrays[f"celebahq/landmarks{number}"])
    boxes = made.reshape(3, 128, 8, 128, 8).mean((2, 4))
    assert np.abs(boxes - arrays[f"celebahq/out{number}_box8"].astype(np.float32)).max() < 0.2
    assert np.abs(made[:, 480:544, 480:544].astype(int) - arrays[f"celebahq/out{number}_center64"]).max() <= 2


@pytest.mark.parametrize("sigma", [0.7, 3, 40])
def test_the_blur_is_scipys(sigma):
    ndimage = pytest.importorskip("scipy.ndimage")
    pixels = np.random.default_rng(0).random((61, 37, 3), np.float32) * 255
    expected = ndimage.gaussian_filter(pixels, [sigma, sigma, 0])
    np.testing.assert_allclose(celebahq.blurred(pixels, sigma), expected, atol=1e-3)


def test_the_square_around_a_face():
    quad = celebahq.face_quad(LANDMARKS)
    down = np.array([0, 45])
    np.testing.assert_allclose(quad.mean(0), [80.5, 70.5 + 0.1 * 45])
    side = 2 * max(40 * 2.0, 45 * 1.8)
    np.testing.assert_allclose(quad[3] - quad[0], [side, 0], atol=1e-4)
    np.testing.assert_allclose(quad[1] - quad[0], [0, side], atol=1e-4)
    turned = celebahq.face_quad(LANDMARKS[:, ::-1] * [-1, 1])  # by a quarter turn
    np.testing.assert_allclose(turned[3] - turned[0], [0, side], atol=1e-4)
    assert down[1] == LANDMARKS[3, 1] - LANDMARKS[0, 1]


def test_landmarks_that_are_no_face():
    image = Image.new("RGB", (178, 218))
    with pytest.raises(UserError, match="no face"):
        celebahq.cut_face(image, np.zeros((5, 2)))
    with pytest.raises(UserError, match="no face"):
        celebahq.cut_face(image, np.full((5, 2), np.nan))
    with pytest.raises(UserError, match="outside"):
        celebahq.cut_face(image, LANDMARKS + 5000)


# --- the corrections ----------------------------------------------------------------------------------------------


def fake_decrypt(token: bytes, photograph: bytes, name: str) -> bytes:
    """Stands in for the cipher, which needs a package: a hash of the photograph in front."""
    head = hashlib.sha256(photograph + name.encode()).digest()
    if token[:32] != head:
        raise UserError(f"{name} is not the photograph")
    return token[32:]


@pytest.fixture
def download(tmp_path, monkeypatch):
    """Folders as they are downloaded, with two small faces; what is computed, and what is to come out."""
    monkeypatch.setattr(celebahq, "SIZE", 32)
    monkeypatch.setattr(celebahq, "SUPERSAMPLED", 64)
    monkeypatch.setattr(celebahq, "decrypt", fake_decrypt)
    celeba, deltas, rng = tmp_path / "celeba", tmp_path / "deltas", np.random.default_rng(0)
    for folder in (celeba / "img_celeba", celeba / "Anno", deltas):
        folder.mkdir(parents=True)
    names, lines, final = ["000005.jpg", "000002.jpg"], ["2", "lefteye_x lefteye_y ..."], []
    table = ["idx orig_idx orig_file proc_md5 final_md5"]
    with zipfile.ZipFile(deltas / "deltas00000.zip", "w") as zip_file:
        for number, name in enumerate(names):
            stream = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (218, 178, 3), np.uint8)).save(stream, "jpeg")
            (celeba / "img_celeba" / name).write_bytes(stream.getvalue())
            lines.append(name + " " + " ".join(f"{value:.0f}" for value in LANDMARKS.ravel()))
            computed = celebahq.cut_face(Image.open(stream), LANDMARKS)
            final.append(rng.integers(0, 256, computed.shape, np.uint8))
            delta = bz2.compress((final[-1] - computed).tobytes())
            head = hashlib.sha256(stream.getvalue() + name.encode()).digest()
            zip_file.writestr(f"delta{number:05d}.dat", head + delta)
            table.append(f"{number} {9} {name} {0:032x} {hashlib.md5(final[-1].tobytes()).hexdigest()}")
    (celeba / "Anno" / "list_landmarks_celeba.txt").write_text("\n".join(lines))
    (deltas / "image_list.txt").write_text("\n".join(table))
    return celeba, deltas, np.stack(final)


def command(tmp_path: Path, celeba: Path, deltas: Path) -> list[str]:
    return ["create_celebahq", str(tmp_path / "set"), str(celeba), str(deltas), "--num_threads", "2"]


def test_corrected_faces(download, tmp_path, capsys):
    celeba, deltas, final = download
    assert main(command(tmp_path, celeba, deltas)) == 0
    made = open_dataset(tmp_path / "set").images(np.arange(2), 5)
    order = np.arange(2)
    np.random.RandomState(123).shuffle(order)
    np.testing.assert_array_equal(made, final[order])
    assert "Warning" not in capsys.readouterr().err


def test_faces_that_are_not_the_papers_to_the_bit(download, tmp_path, capsys):
    celeba, deltas, _ = download
    path = deltas / "image_list.txt"
    path.write_text(path.read_text()[:-1] + "?")
    assert main(["create_celeba_hq", *command(tmp_path, celeba, deltas)[1:]]) == 0
    assert "1 of 2 pictures are not to the bit those of the paper" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda celeba, deltas: (deltas / "image_list.txt").unlink(), "image_list.txt cannot be read: No such file"),
        (lambda celeba, deltas: (deltas / "image_list.txt").write_text("a b\n1 2"), "must have the columns"),
        (lambda celeba, deltas: (deltas / "image_list.txt").write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda celeba, deltas: (deltas / "image_list.txt").write_text("idx orig_file final_md5"), "lists no pictures"),
        (lambda celeba, deltas: (deltas / "deltas00000.zip").unlink(), "deltas00000.zip is missing or damaged"),
        (lambda celeba, deltas: cut(deltas / "deltas00000.zip"), "deltas00000.zip is missing or damaged"),
        (lambda celeba, deltas: (celeba / "Anno" / "list_landmarks_celeba.txt").unlink(), "cannot be read"),
        (lambda celeba, deltas: (celeba / "Anno" / "list_landmarks_celeba.txt").write_text("1\n2"), "no landmarks of"),
        (
            lambda celeba, deltas: (celeba / "Anno" / "list_landmarks_celeba.txt").write_text("1\n2\na.jpg 1"),
            "ten numbers",
        ),
        (lambda celeba, deltas: (celeba / "img_celeba" / "000005.jpg").unlink(), "000005.jpg is missing or damaged"),
        (lambda celeba, deltas: cut(celeba / "img_celeba" / "000005.jpg"), "000005.jpg"),
        (lambda celeba, deltas: swap(celeba / "img_celeba"), "is not the photograph"),
        (lambda celeba, deltas: empty(deltas / "deltas00000.zip", b""), "its correction delta0000"),
        (lambda celeba, deltas: empty(deltas / "deltas00000.zip", None), "its correction delta0000"),
    ],
)
def test_damaged_downloads(damage, words, download, tmp_path, monkeypatch):
    celeba, deltas, _ = download
    damage(celeba, deltas)
    if words.startswith("its correction"):
        monkeypatch.setattr(celebahq, "decrypt", lambda token, photograph, name: token)
    with pytest.raises(UserError, match=words):
        main(command(tmp_path, celeba, deltas))
    assert not (tmp_path / "set").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swap(folder: Path) -> None:
    (folder / "000002.jpg").write_bytes((folder / "000005.jpg").read_bytes())


def empty(path: Path, content: bytes | None) -> None:
    """A zip whose members hold something else, or that has other ones."""
    with zipfile.ZipFile(path, "w") as zip_file:
        for number in range(2):
            zip_file.writestr(f"delta{number:05d}.{'dat' if content is not None else 'x'}", content or b"x")


def test_the_cipher():
    fernet = pytest.importorskip("cryptography.fernet")
    key = hashlib.pbkdf2_hmac("sha256", b"photograph", b"000001.jpg", 100_000, 32)
    token = fernet.Fernet(base64.urlsafe_b64encode(key)).encrypt(b"delta")
    assert celebahq.decrypt(token, b"photograph", "000001.jpg") == b"delta"
    with pytest.raises(UserError, match="000001.jpg is not the photograph"):
        celebahq.decrypt(token, b"another", "000001.jpg")


def test_without_the_package_for_the_cipher(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography.fernet", None)
    with pytest.raises(UserError, match="pip install cryptography"):
        celebahq.decrypt(b"", b"", "000001.jpg")
