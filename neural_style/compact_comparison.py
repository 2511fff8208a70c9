"""Student against teacher: feature errors on unseen photographs, and the style of pictures made with either."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import data
from compact_training import middle, split
from losses import gram_matrix
from shared_scripts.files import resolve_path
from shared_scripts.images import list_images, truncate, write_image
from shared_scripts.memory import keep_memory
from shared_scripts.networks.compact import CompactVGG, load_compact
from shared_scripts.networks.layout import HEADS, WEIGHTS
from teacher import Teacher, relative_errors

STYLE_LAYERS = CompactVGG.style_layers
CONTENT_LAYER = "relu4_2"
STYLE_WEIGHT = 20.0  # against a relative content error


def compare(flags: argparse.Namespace) -> dict:
    """Both tables, as numbers; progress goes to stderr."""
    keep_memory()
    teacher = Teacher(resolve_path(flags.teacher))
    student = load_compact(resolve_path(flags.student) if flags.student else WEIGHTS, gains={})
    _, photos = split(list_images(flags.photos))
    pictures = [middle(path, flags.size) for path in photos]
    table = {"photographs": len(pictures), "relative errors": relative_errors(student, teacher, pictures, list(HEADS))}
    pairs = zip(photos, list_images(flags.paintings), strict=False)
    table["style errors"] = [
        compare_pair(student, teacher, photo, painting, flags) for photo, painting in list(pairs)[: flags.pairs]
    ]
    return table


def compare_pair(student, teacher: Teacher, photo: Path, painting: Path, flags: argparse.Namespace) -> dict:
    """Paint one photograph with either network's features and have the teacher judge both."""
    content, style = middle(photo, flags.size), middle(painting, flags.size)
    row: dict[str, float | str] = {"photo": photo.stem, "style": painting.stem}
    for name, network in (("student", student), ("teacher", teacher)):
        picture = paint(network, content, style, flags.steps)
        row[name] = style_error(teacher, picture, style)
        if flags.out_dir:
            pixels = truncate(data.unprocess(picture, CompactVGG.mean))
            write_image(Path(flags.out_dir) / f"{photo.stem}_{painting.stem}_{name}.png", pixels)
    row["ratio"] = row["student"] / row["teacher"]
    print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, file=sys.stderr)
    return row


def relative_square(a: Tensor, b: Tensor) -> Tensor:
    """|a - b|^2 / |b|^2."""
    return (a - b).square().sum() / b.square().sum()


def gram_errors(features: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
    """Mean over the style layers of the Gram matrices' relative squared errors."""
    return torch.stack([relative_square(gram_matrix(features[k]), targets[k]) for k in STYLE_LAYERS]).mean()


@torch.no_grad()
def style_targets(network: Callable, style: Tensor) -> dict[str, Tensor]:
    """The style picture's Gram matrices."""
    return {layer: gram_matrix(value) for layer, value in network(style, list(STYLE_LAYERS)).items()}


@torch.no_grad()
def style_error(teacher: Teacher, picture: Tensor, style: Tensor) -> float:
    """How far, to the teacher's eyes, a picture's style is from the style picture's; 0 is the same."""
    return gram_errors(teacher(picture, list(STYLE_LAYERS)), style_targets(teacher, style)).item()


def paint(network: Callable, content: Tensor, style: Tensor, steps: int) -> Tensor:
    """Style transfer by L-BFGS from the content picture, with relative losses; (1, 3, H, W) as the inputs."""
    layers = [*STYLE_LAYERS, CONTENT_LAYER]
    targets = style_targets(network, style)
    with torch.no_grad():
        content_target = network(content, [CONTENT_LAYER])[CONTENT_LAYER]
    scale = 64.0  # pixels are optimised in units of 64 levels, so that a unit step is sensible
    x = (content / scale).contiguous().requires_grad_()
    optimizer = torch.optim.LBFGS([x], max_iter=steps, history_size=20, tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        features = network(x * scale, layers)
        loss = relative_square(features[CONTENT_LAYER], content_target) + STYLE_WEIGHT * gram_errors(features, targets)
        loss.backward()
        return loss

    optimizer.step(closure)
    pixels = np.clip(data.unprocess(x.detach() * scale, CompactVGG.mean), 0, 255)
    return data.preprocess(pixels, CompactVGG.mean)
