"""What a training says of its networks at the start: each layer, its parameters and the shape of what it gives."""

from __future__ import annotations

from collections.abc import Iterator

from networks import Discriminator, Generator, Scaled
from run_log import Row, parameter_table
from stored import turn_back


def network_table(name: str, network: Generator | Discriminator) -> str:
    """The table of a network, as the reference prints it."""
    rows = generator_rows(network) if isinstance(network, Generator) else discriminator_rows(network)
    return parameter_table(name, rows)


def layer_row(name: str, layer: Scaled, output: tuple[int | None, ...]) -> Row:
    """A layer that has weights."""
    weight = turn_back(layer.weight.detach().cpu().numpy())
    return name, sum(parameter.numel() for parameter in layer.parameters()), output, weight.shape


def generator_rows(G: Generator) -> Iterator[Row]:
    """From latents to pictures; each level's colours stand behind its layers."""
    yield "latents_in", 0, (None, G.latent_size), None
    yield "labels_in", 0, (None, G.label_size), None
    yield "lod", 0, (), None
    if G.normalize_latents:
        yield "4x4/PixelNorm", 0, (None, G.latent_size + G.label_size), None
    for level in range(2, G.levels + 1):
        size, lod = 2**level, G.levels - level
        for name, layer in G.block(level).named_children():
            yield layer_row(f"{size}x{size}/{name}", layer, (None, G.nf(level - 1), size, size))
        yield layer_row(f"ToRGB_lod{lod}", getattr(G, f"ToRGB_lod{lod}"), (None, G.num_channels, size, size))
        if level > 2:
            again = f"_{level - 3}" if level > 3 else ""
            yield f"Upscale2D{again}", 0, (None, G.num_channels, size, size), None
            yield f"Grow_lod{lod}", 0, (None, G.num_channels, size, size), None
    yield "images_out", 0, (None, G.num_channels, G.resolution, G.resolution), None


def discriminator_rows(D: Discriminator) -> Iterator[Row]:
    """From pictures to scores; each level begins with the colours of its own lod."""
    yield "images_in", 0, (None, D.num_channels, D.resolution, D.resolution), None
    yield "lod", 0, (), None
    top = (None, D.nf(D.levels - 1), D.resolution, D.resolution)
    yield layer_row("FromRGB_lod0", D.FromRGB_lod0, top)
    for level in range(D.levels, 2, -1):
        size, lod, half = 2**level, D.levels - level, 2 ** (level - 1)
        small = (None, D.nf(level - 2), half, half)
        block = dict(D.block(level).named_children())
        yield layer_row(f"{size}x{size}/Conv0", block.pop("Conv0"), (None, D.nf(level - 1), size, size))
        for name, layer in block.items():
            yield layer_row(f"{size}x{size}/{name}", layer, small)
        yield f"Downscale2D{f'_{lod}' if lod else ''}", 0, (None, D.num_channels, half, half), None
        yield layer_row(f"FromRGB_lod{lod + 1}", getattr(D, f"FromRGB_lod{lod + 1}"), small)
        yield f"Grow_lod{lod}", 0, small, None
    yield from judge_rows(D)


def judge_rows(D: Discriminator) -> Iterator[Row]:
    """The layers at 4x4, and the two outputs: the score, and the labels' logits."""
    if D.mbstd_group_size > 1:
        yield "4x4/MinibatchStddev", 0, (None, 1, 4, 4), None
    block = D.block(2)
    yield layer_row("4x4/Conv", block.Conv, (None, D.nf(1), 4, 4))
    yield layer_row("4x4/Dense0", block.Dense0, (None, D.nf(0)))
    yield layer_row("4x4/Dense1", block.Dense1, (None, 1 + D.label_size))
    yield "scores_out", 0, (None, 1), None
    yield "labels_out", 0, (None, D.label_size), None
