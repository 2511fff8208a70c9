"""Real pictures, made ready for the discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from networks import downscale, fade, upscale


def process_reals(
    images: Tensor, lod: float, mirror: Tensor | None = None, drange_net: tuple[float, float] = (-1, 1)
) -> Tensor:
    """uint8 pictures (N, C, R, R) of the whole lod's resolution as float32 in `drange_net`, as blurred as `lod` says.

    While a resolution is faded in, the real pictures fade with it: what the generator cannot make yet would give it
    away. `mirror` (N, 1, 1, 1) are uniform numbers; pictures with 0.5 or more are turned left to right.
    """
    low, high = drange_net
    x = images.float() * ((high - low) / 255) + low
    if mirror is not None:
        x = torch.where(mirror < 0.5, x, x.flip(3))
    t = lod - int(lod)
    return fade(x, upscale(downscale(x)), t) if t > 0 else x
