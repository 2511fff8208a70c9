"""A history of generated pictures: the discriminator is shown old fakes too (Shrivastava et al. 2017)."""

from __future__ import annotations

import random

import torch
from torch import Tensor


class ImagePool:
    """Up to `size` generated pictures. `query` stores new ones and gives back as many, some of them old.

    While the pool is filling up, what comes in goes straight through. Then each picture is either passed on, or stored
    in place of a random old one, which is passed on instead: half and half. The dice are Python's `random`, as in the
    reference. Size 0: everything goes straight through.
    """

    def __init__(self, size: int):
        self.size = size
        self.images: list[Tensor] = []

    def query(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W), detached."""
        images = images.detach()
        if self.size == 0:
            return images
        return torch.cat([self.exchange(image) for image in images.split(1)])

    def exchange(self, image: Tensor) -> Tensor:
        """One picture in, one out, (1, C, H, W)."""
        if len(self.images) < self.size:
            self.images.append(image.clone())  # of its own: a view would keep the whole batch in memory
            return image
        if random.uniform(0, 1) <= 0.5:
            return image
        place = random.randint(0, self.size - 1)
        old, self.images[place] = self.images[place], image.clone()
        return old

    def state_dict(self) -> dict:
        """What a resumed run needs."""
        return {"images": [image.cpu() for image in self.images]}

    def load_state_dict(self, state: dict, device: torch.device) -> None:
        """Put back what `state_dict` gave (the newest, if the pool has become smaller)."""
        self.images = [image.to(device) for image in state["images"]][-self.size :] if self.size else []
