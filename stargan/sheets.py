"""Sheets: a row a picture, a column a translation. The reference's, side by side, and ones with titles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from labels import Domain, Targets
from shared_scripts.images import grid, write_image

JPEG_QUALITY = 75  # what the reference's writer takes


@torch.inference_mode()
def translate_all(
    generator: nn.Module, x: Tensor, targets: Targets, dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    """x (N, 3, H, W) in [-1, 1], and behind it its translation to each of the targets, as float32.

    The generator is in evaluation while this runs: its running statistics are not to move.
    """
    device, training = next(generator.parameters()).device, generator.training
    generator.eval()
    x = x.to(device)
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        found = [generator(x, labels.to(device)).float() for _, labels in targets]
    generator.train(training)
    return [x.float(), *found]


def to_pixels(x: Tensor) -> np.ndarray:
    """(N, 3, H, W) in [-1, 1] as (N, H, W, 3) uint8: to the nearest level, half a level up."""
    scaled = ((x.float() + 1) / 2).clamp(0, 1)
    return (scaled * 255 + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def plain_sheet(columns: Sequence[Tensor]) -> np.ndarray:
    """The reference's sheet, (N * H, columns * W, 3) uint8: no gaps, no titles."""
    pixels = to_pixels(torch.cat(list(columns), dim=3))
    return pixels.reshape(-1, *pixels.shape[2:])


def titled_sheet(columns: Sequence[Tensor], titles: Sequence[str], row_titles: Sequence[str] = ()) -> np.ndarray:
    """The same for people, (H, W, 3) uint8: a title over each column and, if given, one before each row."""
    rows = [list(row) for row in zip(*(to_pixels(column) for column in columns), strict=True)]
    return grid(rows, titles=titles, row_titles=row_titles)


def write_plain(path: Path, columns: Sequence[Tensor]) -> None:
    """Write the reference's sheet: JPEG of quality 75, or PNG as the 2017 version's samples are."""
    write_image(path, plain_sheet(columns), quality=JPEG_QUALITY)


def describe_labels(domain: Domain, labels: Tensor) -> list[str]:
    """A row title for each picture: its class, or the attributes it has, as in "Brown, Male, Young"."""
    if domain.exclusive:
        return [domain.names[int(number)] for number in labels]
    return [
        ", ".join(name.removesuffix("_Hair") for name, has in zip(domain.names, row, strict=True) if has) or "none"
        for row in labels.tolist()
    ]
