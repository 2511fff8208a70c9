"""Testing: every test picture translated to every target, a sheet a batch."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

import notes
import printing
import sheets
from footprint import check_translating
from legacy import GeneratorShape, check_flags, describe_discriminator, load_generator, read_weights
from networks import Generator
from options import listing
from shared_scripts.cli import UserError
from shared_scripts.devices import describe, explain_out_of_memory, pick_device, pick_precision, seed_everything
from shared_scripts.files import ensure_folder, file_name, natural_key, resolve_path
from shared_scripts.images import write_image
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, tell
from sources import Source, label_dims, open_sources, sheet_targets


def test(opt: argparse.Namespace) -> int:
    """Test as the options say; the exit status is 1 where some of the pictures could not be read."""
    keep_memory()
    seed_everything(opt.seed)
    adopt_variant(opt)
    print(listing(opt), flush=True)
    path = find_checkpoint(opt)
    generator, shape = load_generator(path)
    found = {"g_conv_dim": shape.conv_dim, "g_repeat_num": shape.repeat_num}
    check_flags(found, {name: getattr(opt, name) for name in found if name in opt.given}, path)
    opt.classes = []  # their names, if the training's notes have them
    adopt(opt, path)
    sources = open_sources(opt, train=False)
    check_labels(opt, sources, shape, path)
    print(printing.network_text("G", generator, opt.variant == "old"), flush=True)
    print(f"Loading the trained models from step {step_name(path)}...", flush=True)
    device = pick_device(opt.device, opt.gpu_ids)
    dtype = pick_precision(opt.precision, device, 4 * shape.conv_dim, max(8, opt.image_size // 4))
    check_translating(device, shape.conv_dim, opt.image_size, min(opt.batch_size, len(sources[0].dataset)))
    tell(f"Translating {len(sources[0].dataset):,} pictures with {path}, {describe(device, dtype)}.")
    with explain_out_of_memory("take a smaller --batch_size or --image_size"):
        return translate_sources(opt, sources, generator.to(device), dtype)


def step_name(path: Path) -> str:
    """What a generator's file is called after: 200000 of 200000-G.ckpt."""
    return path.name.removesuffix("-G.ckpt").removesuffix("_G.pth")


# --- which generator ----------------------------------------------------------------------------------------------


def find_checkpoint(opt: argparse.Namespace) -> Path:
    """The generator's file. UserError naming those that are there where it is not."""
    if opt.checkpoint:
        return named_file(opt.checkpoint)
    folder = Path(opt.model_save_dir)
    current, old = folder / f"{opt.test_iters}-G.ckpt", folder / f"{opt.test_model}_G.pth"
    asked, other = (old, current) if opt.variant == "old" else (current, old)
    for path in (asked,) if {"test_iters", "test_model"} & opt.given else (asked, other):
        if path.is_file():
            return path
    there = generators_in(folder)
    if there:
        names = ", ".join(path.name for path in there)
        flags = {"--test_model" if path.suffix == ".pth" else "--test_iters" for path in there}
        choose = ", ".join(sorted(flags))
        raise UserError(f"there is no {asked}; {folder} has {names}: choose with {choose} or --checkpoint")
    raise UserError(
        f"there is no {asked}; train one, name one with --checkpoint, or fetch the original's with "
        "'bash download.sh pretrained-celeba-128x128' and say --model_save_dir stargan_celeba_128/models"
    )


def generators_in(folder: Path) -> list[Path]:
    """The generators saved in a folder, the oldest first."""
    return sorted([*folder.glob("*-G.ckpt"), *folder.glob("*_G.pth")], key=lambda path: natural_key(path.name))


def named_file(text: str) -> Path:
    """The file that --checkpoint names. UserError, naming those in it, where it is a folder."""
    path = resolve_path(text)
    if path.is_dir():
        names = ", ".join(inner.name for inner in generators_in(path)) or "no generator"
        raise UserError(f"{path} is a folder, and --checkpoint takes a file; there is {names} in it")
    return path


def adopt_variant(opt: argparse.Namespace) -> None:
    """Test a training of the 2017 version as such, without being told."""
    folder = resolve_path(opt.checkpoint).parent if opt.checkpoint else Path(opt.model_save_dir)
    found = notes.read(folder)
    if found and "variant" not in opt.given:
        opt.variant = found.variant


def adopt(opt: argparse.Namespace, path: Path) -> None:
    """Take from the training's notes, or from the discriminator beside the generator, what no flag says."""
    found = notes.read(path.parent)
    if found:
        names = ("dataset", "selected_attrs", "image_size", "celeba_crop_size", "rafd_crop_size")
        for name in names:
            if name not in opt.given and getattr(found, name):
                setattr(opt, name, getattr(found, name))
        if opt.test_images is None:
            opt.test_images = found.test_images
        opt.classes = found.classes
        flag = "c2_dim" if opt.dataset == "Both" else "c_dim"
        if found.classes and flag not in opt.given:
            setattr(opt, flag, len(found.classes))
        trained_at = found.image_size
    else:
        trained_at = discriminators_size(path)
        if trained_at and "image_size" not in opt.given:
            opt.image_size = trained_at
    if trained_at and opt.image_size != trained_at:
        tell(f"The generator was trained at {trained_at} pixels; at --image_size {opt.image_size} it may do less well.")


def discriminators_size(path: Path) -> int | None:
    """The size of the pictures that the discriminator beside a generator was trained on, None without one."""
    beside = discriminator_beside(path)
    try:
        return describe_discriminator(read_weights(beside), str(beside)).image_size if beside else None
    except UserError as problem:  # only the generator is needed
        tell(f"Warning: {problem}; without it, --image_size says at which size the generator was trained.")
    return None


def discriminator_beside(path: Path) -> Path | None:
    """The discriminator's file that was saved with a generator's, None where there is none."""
    for mine, other in (("-G.", "-D."), ("_G.", "_D.")):
        beside = path.with_name(path.name.replace(mine, other))
        if mine in path.name and beside.is_file():
            return beside
    return None


def check_labels(opt: argparse.Namespace, sources: list[Source], shape: GeneratorShape, path: Path) -> None:
    """UserError, in words, where the generator takes another number of labels than the data have."""
    labels, _ = label_dims(sources)
    if labels == shape.c_dim:
        return
    what = {
        "CelebA": f"--selected_attrs names {labels} ({' '.join(opt.selected_attrs)})",
        "RaFD": f"--c_dim is {labels}" if "c_dim" in opt.given else f"{opt.rafd_image_dir} has {labels} classes",
        "Both": f"{labels - 2} attributes and classes and a mask of 2 make {labels}",
    }[opt.dataset]
    order = ", in the order it was trained with" if opt.dataset == "CelebA" else ""
    raise UserError(f"{path} takes {shape.c_dim} labels, but {what}: name as many{order}")


def named_as_trained(sources: list[Source], classes: list[str]) -> list[Source]:
    """The sources with the classes' names of the training's notes: the folders tested on may be fewer, or others."""
    return [
        replace(source, domain=replace(source.domain, names=tuple(classes)))
        if source.domain.exclusive and len(source.domain) == len(classes)
        else source
        for source in sources
    ]


# --- translating --------------------------------------------------------------------------------------------------


@dataclass
class TestBatch:
    """Pictures (N, 3, H, W), their labels, and their files."""

    x: Tensor
    labels: Tensor
    paths: list[Path]


def read_batches(source: Source, size: int, problems: list[str]) -> Iterator[TestBatch | None]:
    """The batches in the data set's order, without the pictures that cannot be read (None where that is all of them):
    these are told, and added to `problems`."""
    for first in range(0, len(source.dataset), size):
        items, paths = [], []
        for number in range(first, min(first + size, len(source.dataset))):
            try:
                items.append(source.dataset[number])
                paths.append(source.dataset.paths[number])
            except UserError as problem:
                problems.append(str(problem))
                tell(f"Skipped: {problem}")
        if not items:
            yield None
            continue
        yield TestBatch(torch.stack([i["x"] for i in items]), torch.stack([i["label"] for i in items]), paths)


def translate_sources(opt: argparse.Namespace, sources: list[Source], generator: Generator, dtype: torch.dtype) -> int:
    """Write a sheet for every batch; the exit status. UserError where no picture could be read."""
    folder, problems, done = Path(opt.result_dir), [], 0
    ensure_folder(folder)
    named, names = named_as_trained(sources, opt.classes), result_names(sources[0].dataset.paths)
    batches = -(-len(sources[0].dataset) // opt.batch_size)
    with Progress(batches) as progress:
        for number, batch in enumerate(read_batches(sources[0], opt.batch_size, problems), 1):
            progress.update()
            if batch is None:
                continue
            targets = sheet_targets(named, batch.labels, opt.variant == "old")
            columns = sheets.translate_all(generator, batch.x, targets, dtype)
            path = folder / (f"{number}_fake.png" if opt.variant == "old" else f"{number}-images.jpg")
            sheets.write_plain(path, columns)
            done += len(batch.x)
            progress.write(f"Saved real and fake images into {path}...")
            titles = [title for title, _ in targets]
            if opt.titles:
                rows = sheets.describe_labels(sources[0].domain, batch.labels)
                write_image(folder / f"{number}-sheet.jpg", sheets.titled_sheet(columns, ["input", *titles], rows))
            if opt.save_each:
                write_each(folder, [names[path] for path in batch.paths], titles, columns[1:])
    if not done:
        raise UserError(f"none of the {len(problems)} pictures can be read: {problems[0]}")
    return 1 if problems else 0


def write_each(folder: Path, names: list[str], titles: list[str], columns: list[Tensor]) -> None:
    """FOLDER/TITLE/NAME.png for every picture and target."""
    for title, column in zip(titles, columns, strict=True):
        place = folder / file_name(title)
        ensure_folder(place)
        for name, pixels in zip(names, sheets.to_pixels(column), strict=True):
            write_image(place / f"{name}.png", pixels)


def result_names(paths: Iterable[Path]) -> dict[Path, str]:
    """What results are called after: their pictures' names without ending; of those with the same name, with the
    folder's before it, or else with the ending, or a number."""
    found: dict[Path, str] = {}
    rest = list(dict.fromkeys(paths))
    for way in ("{0.stem}", "{0.parent.name}_{0.stem}", "{0.parent.name}_{0.name}", "{1}_{0.name}"):
        names = {path: way.format(path, number) for number, path in enumerate(rest, 1)}
        taken = Counter([*names.values(), *found.values()])
        found |= {path: name for path, name in names.items() if taken[name] == 1}
        rest = [path for path in rest if path not in found]
    return found
