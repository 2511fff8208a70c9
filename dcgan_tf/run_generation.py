"""What main.py does with a trained generator: pictures, films, and the checkpoint in other forms."""

from __future__ import annotations

import argparse
import random
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import tensorflow as tf

import latent
from architecture import GENERATOR
from cuts import Frame
from film_script import Film
from films import PngFrames, make_film, make_walk, render
from labels import check_label, one_hot
from legacy import (
    Model,
    dataset_of,
    find_folder,
    find_named,
    has_checkpoint,
    load_model,
    newest,
    subfolders,
    tell_where,
)
from networks import generator
from options import SHIPPED
from pictures import numbered, save_grid
from sampler import Sampler, complete
from shared_scripts import tf1
from shared_scripts.checkpoints_tf import save_checkpoint
from shared_scripts.cli import UserError
from shared_scripts.devices_tf import describe, explain_out_of_memory, pick_device, pick_precision, tell_device
from shared_scripts.files import atomic_write, check_writable
from shared_scripts.memory import keep_memory
from shared_scripts.progress import tell
from visualize import SHORT_STAMP, STAMP, visualize
from walk_files import WalkFiles


def generate(flags: argparse.Namespace, film: Film | None, walk: WalkFiles | None) -> None:
    """Do what the flags ask for with the checkpoint they name; `film` and `walk` are what they name beside it."""
    model = find_model(flags, film)
    if film is None and (flags.export or flags.freeze):
        convert(flags, model)
        return
    keep_memory()
    device = pick_device(flags.device)
    tell_device(flags.device, device)
    dtype = pick_precision(flags.precision, device)
    with explain_out_of_memory("try --device cpu, or a smaller --zoom or --num_images"):
        sampler = Sampler(model.architecture, model.weights, device, dtype)
        tell(f"{model.prefix}: {describe_network(model)}. Computing on {describe(device, dtype)}.")
        if film:
            make_film(flags, sampler, film)
        elif flags.visualize or flags.option is not None:
            show_dimensions(flags, sampler)
        elif walk:
            make_walk(flags, sampler, walk)
        else:
            show_random(flags, sampler)


def describe_network(model: Model) -> str:
    """One line about what it makes."""
    a = model.architecture
    colours = {1: "grey", 3: "RGB", 4: "RGBA"}.get(a.channels, f"{a.channels} channels")
    labels = f", {a.y_dim} labels" if a.conditional else ""
    return f"{a.height}x{a.width} {colours}, {a.z_dim} latent numbers{labels}"


# --- finding the checkpoint ---------------------------------------------------------------------------------------


def find_model(flags: argparse.Namespace, film: Film | None) -> Model:
    """The generator that the JSON, --checkpoint_name or the data set's name lead to.

    Nobody having asked for a certain one, and there being none, it is the one that comes with the project. UserError
    where there is none, or one of other sizes than the flags say.
    """
    sizes = (flags.output_height, flags.output_width)
    prefix = find_prefix(flags, film, sizes)
    model = load_model(prefix, [] if flags.any_size else [sizes], training=False)
    a = model.architecture
    if not flags.any_size and (a.height, a.width) != sizes:
        raise UserError(
            f"{prefix} makes pictures of {a.height}x{a.width}, not {sizes[0]}x{sizes[1]}; leave --output_height and "
            "--output_width away, or name another --checkpoint_name"
        )
    return model


def find_prefix(flags: argparse.Namespace, film: Film | None, sizes: tuple[int, int]) -> Path:
    """Which checkpoint is meant."""
    folder = find_folder(flags.checkpoint_dir, flags.dataset, flags.batch_size, sizes, any_size=True)
    folders = trained_folders(flags.checkpoint_dir) if flags.any_dataset and folder is None else []
    name = (film.trained_model if film else None) or flags.checkpoint_name
    if name:
        places = [folder, *folders, flags.checkpoint_dir, film.path.parent if film else None]
        return find_named(name, [place for place in places if place])
    if folders:
        folder = folders[0]
        if len(folders) > 1:
            tell(f"Taking {folder}, the newest; --dataset names another{others(flags.checkpoint_dir)}.")
    if folder is None and (flags.any_dataset or flags.dataset == "digits"):
        folder = find_folder(SHIPPED, "digits", 64, sizes, any_size=True)
        if folder:
            tell("No training of yours was found: using the digits' generator that comes with the project.")
    if folder is None and flags.own_folder and not flags.out_name:
        there = ", ".join(repr(f.name) for f in subfolders(flags.own_folder.parent)[-6:]) or "none"
        raise UserError(f"--out_name says which training in {flags.own_folder.parent} to take; there are: {there}")
    if folder is None:
        raise UserError(
            f"Checkpoint not found! There is none for --dataset {flags.dataset} in {flags.checkpoint_dir}"
            f"{others(flags.checkpoint_dir)}; train with --train, or name one with --checkpoint_dir or "
            "--checkpoint_name"
        )
    if flags.any_dataset:
        flags.dataset = dataset_of(folder) or flags.dataset  # films are named after it
    prefix = newest(folder)
    tell_where(prefix, flags.batch_size)
    return prefix


def trained_folders(checkpoint_dir: Path) -> list[Path]:
    """The folders of trainings, the newest first, for those who give no --dataset."""
    found = [f for f in subfolders(checkpoint_dir) if dataset_of(f) and has_checkpoint(f)]
    return sorted(found, key=lambda folder: folder.stat().st_mtime, reverse=True)


def others(checkpoint_dir: Path) -> str:
    """The folders that are there, in brackets."""
    names = ", ".join(f.name for f in subfolders(checkpoint_dir)[:6])
    return f" (there are {names})" if names else ""


# --- pictures -----------------------------------------------------------------------------------------------------


def show_random(flags: argparse.Namespace, sampler: Sampler) -> None:
    """A sheet of random pictures, or with --samples single a file for each."""
    count = flags.num_images or flags.batch_size
    numbers = np.random.RandomState(flags.seed)
    z = latent.draw(flags.z_dist, numbers, count, sampler.z_dim)
    y = choose_labels(sampler.y_dim, flags.label, count)
    stem = f"test_{datetime.now(timezone.utc):{stamp(flags)}}"
    if flags.samples == "single":
        make_singles(flags, sampler, z, y, stem)
        return
    path = flags.sample_dir / f"{stem}.png"
    save_grid(path, sampler(z, y), sampler.sigmoid, flags.stretch)
    tell(f"Made {path}.")


def make_singles(flags: argparse.Namespace, sampler: Sampler, z: np.ndarray, y: np.ndarray | None, stem: str) -> None:
    """A file for each latent vector; written as they are made, like the frames of a film."""

    def name_of(i: int, frame: Frame) -> str:
        return numbered(stem, i, len(z))

    frames = (Frame(one, None if y is None else y[i], 0) for i, one in enumerate(z))
    writer = PngFrames(flags.sample_dir, name_of, flags.zoom)
    render(frames, len(z), sampler, writer, flags.stretch)
    first = flags.sample_dir / name_of(0, None)
    tell(f"Made {len(z)} pictures, {first} and so on." if len(z) > 1 else f"Made {first}.")


def choose_labels(y_dim: int, label: int | None, count: int) -> np.ndarray | None:
    """(count, y_dim) for networks with labels: all the same one, or one after the other. UserError for a label that a
    network does not know."""
    check_label(label, y_dim)
    if not y_dim:
        return None
    return one_hot(np.arange(count) % y_dim if label is None else np.full(count, label), y_dim)


def stamp(flags: argparse.Namespace) -> str:
    """How the time is written in names."""
    return SHORT_STAMP if flags.own_folder else STAMP


def show_dimensions(flags: argparse.Namespace, sampler: Sampler) -> None:
    """--visualize."""
    option = 1 if flags.option is None else flags.option
    paths = visualize(
        sampler,
        option,
        flags.sample_dir,
        flags.batch_size,
        np.random.RandomState(flags.seed),
        random.Random(flags.seed),
        flags.stretch,
        flags.samples,
        stamp(flags),
        flags.label,
    )
    tell(f"Made {len(paths)} files, {paths[0]} and so on." if len(paths) > 1 else f"Made {paths[0]}.")


# --- other forms --------------------------------------------------------------------------------------------------


def convert(flags: argparse.Namespace, model: Model) -> None:
    """--export and --freeze. UserError where that would replace another network's."""
    batch = flags.batch_size
    if flags.export:
        prefix = flags.checkpoint_dir / f"export_b{batch}" / f"model.b{batch}-{model.step}"
        tensors = exported(model, flags.small)
        check_same(prefix, holds_same(prefix, tensors))
        save_checkpoint(prefix, tensors)
        tell(f"Made {prefix}.index and its data.")
    if flags.freeze:
        path = flags.checkpoint_dir / f"frozen_b{batch}" / f"model.b{batch}-{model.step:06d}_frz.pb"
        check_writable(path)
        content = frozen_graph(model).SerializeToString(deterministic=True)
        check_same(path, not path.exists() or path.read_bytes() == content)
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
        inputs = "z and y go" if model.architecture.conditional else "z goes"
        tell(f"Made {path}: {inputs} in, {output_name(model)} comes out.")


def check_same(path: Path, same: bool) -> None:
    """UserError where there is something else already: folders of different trainings share their exports' names."""
    if not same:
        raise UserError(f"{path} is there already, of another training; move it away first, or export with --out_name")


def holds_same(prefix: Path, tensors: dict[str, np.ndarray]) -> bool:
    """Whether a checkpoint is not there yet, or has just these tensors."""
    if not tf1.present(prefix):
        return True
    with tf1.open_checkpoint(prefix) as reader:
        return reader.shapes.keys() == tensors.keys() and all(
            np.array_equal(reader.tensor(name), value) for name, value in tensors.items()
        )


def exported(model: Model, small: bool) -> dict[str, np.ndarray]:
    """What --export writes: the networks, or the generator alone in half precision."""
    if not small:
        return model.weights
    return {n: v.astype(np.float16) for n, v in model.weights.items() if n.startswith(GENERATOR)}


def output_name(model: Model) -> str:
    """The node that gives the pictures, by the original's name."""
    return "generator_1/Sigmoid" if model.architecture.conditional else "generator_1/Tanh"


def frozen_graph(model: Model):
    """The generator as a GraphDef of TensorFlow 1 that holds its weights: z (N, z_dim), y (N, y_dim) -> pictures."""
    a, held = model.architecture, complete(model.architecture, model.weights)
    with tf.Graph().as_default() as graph:
        z = tf.compat.v1.placeholder(tf.float32, [None, a.z_dim], name="z")
        y = tf.compat.v1.placeholder(tf.float32, [None, a.y_dim], name="y") if a.conditional else None
        weights = {name: tf.constant(value, name=name) for name, value in held.items()}
        with tf.name_scope("generator_1"):
            generator(weights, a, z, y)
        return graph.as_graph_def()
