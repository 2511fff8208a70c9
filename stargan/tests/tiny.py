"""Tiny generators, discriminators and pictures for the tests of test.py and translate.py, and a way to run those."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from networks import Discriminator, Generator
from shared_scripts.cli import run

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
FILE_ORDER = ("Young", "Male", "Smiling", "Brown_Hair", "Blond_Hair", "Black_Hair")
SEED_OF_WEIGHTS = 5


# --- networks -----------------------------------------------------------------------------------------------------


def enliven(network: torch.nn.Module) -> torch.nn.Module:
    """Give a network always the same weights, which make much of its input: fresh ones would paint everything grey."""
    generator = torch.Generator().manual_seed(SEED_OF_WEIGHTS)
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if weights.dim() > 1:
                weights.normal_(generator=generator).div_(weights[0].numel() ** 0.5)
            else:
                weights.fill_(not name.endswith("bias"))
    return network.eval()


def save_generator(path: Path, labels: int = 5) -> Generator:
    """Write a small generator, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = enliven(Generator(4, labels, 1))
    torch.save(generator.state_dict(), path)
    return generator


def save_discriminator(path: Path, size: int = 32, labels: int = 5) -> Discriminator:
    """Write a small discriminator, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    discriminator = enliven(Discriminator(size, 4, labels, 3))
    with torch.no_grad():
        discriminator.conv2.weight[1::2] *= -1  # or it would say yes to all
    torch.save(discriminator.state_dict(), path)
    return discriminator


def paint(generator: Generator, picture: np.ndarray, labels: Sequence[float]) -> np.ndarray:
    """What a generator makes of (H, W, 3) uint8, by the paper's words and not by this project's: (H, W, 3) uint8."""
    x = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        y = generator(x, torch.tensor([list(labels)], dtype=torch.float32))
    return np.floor((y[0].permute(1, 2, 0).numpy() + 1) / 2 * 255 + 0.5).clip(0, 255).astype(np.uint8)


# --- pictures -----------------------------------------------------------------------------------------------------


def photo(path: Path, seed: int, size: tuple[int, int] = (178, 218)) -> Path:
    """A picture of soft random colours, (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, quality=95)
    return path


def damage(path: Path) -> None:
    """Cut a picture file short."""
    path.write_bytes(path.read_bytes()[:200])


def pixels(path: Path) -> np.ndarray:
    """A picture file's numbers."""
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def cut(path: Path, crop: int, size: int, filter: Image.Resampling = Image.Resampling.BILINEAR) -> np.ndarray:
    """The middle of a picture, scaled: (size, size, 3) uint8."""
    with Image.open(path) as image:
        left, top = round((image.width - crop) / 2), round((image.height - crop) / 2)
        return np.array(image.convert("RGB").crop((left, top, left + crop, top + crop)).resize((size, size), filter))


def bits(number: int) -> list[int]:
    """Six labels, 0 or 1, that differ from number to number."""
    return [(number >> place) % 2 for place in range(6)]


def write_celeba(
    root: Path, count: int = 4, ending: str = "png", order: Sequence[str] = FILE_ORDER
) -> dict[str, dict[str, int]]:
    """root/images and root/list_attr_celeba.txt; returns what each picture has, {file: {attribute: 0 or 1}}."""
    rows = {f"{number + 1:06}.{ending}": bits(13 * number + 5) for number in range(count)}
    for number, name in enumerate(rows):
        photo(root / "images" / name, number)
    lines = [f"{name} {' '.join(f'{2 * bit - 1:2}' for bit in labels)}" for name, labels in rows.items()]
    (root / "list_attr_celeba.txt").write_text("\n".join([str(count), " ".join(order), *lines]) + "\n")
    return {name: dict(zip(order, labels, strict=True)) for name, labels in rows.items()}


def write_classes(root: Path, names: Sequence[str], each: int = 1, size: tuple[int, int] = (60, 50)) -> Path:
    """root/CLASS/1.png, …: the names of the files repeat, as people have them."""
    for place, name in enumerate(names):
        for number in range(each):
            photo(root / name / f"{number + 1}.png", 100 * place + number, size)
    return root


def files(folder: Path, pattern: str = "**/*") -> set[str]:
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file()}


# --- running ------------------------------------------------------------------------------------------------------


class Script:
    """`script(...)` runs a script's main as the command line would, in the current folder."""

    def __init__(self, main: Callable[[list[str]], int], capsys):
        self.main, self.capsys = main, capsys
        self.out = self.err = ""

    def __call__(self, *words: object, status: int = 0) -> Script:
        """Words are split at blanks, paths are not."""
        argv = [part for word in words for part in ([str(word)] if isinstance(word, Path) else str(word).split(" "))]
        with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
            warnings.simplefilter("error")
            run(lambda: self.main(argv))
        self.out, self.err = self.capsys.readouterr()
        assert caught.value.code == status, self.err
        return self

    def error(self, *words: object) -> str:
        """The one line in which a run ends with status 2."""
        self(*words, status=2)
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1 and self.err.rstrip().endswith(lines[0]) and "Traceback" not in self.err
        return lines[0]
