"""What labels mean to the networks: as vectors for the generator, as logits of the discriminator, and as targets.

A `Domain` is a data set's labels. Trained on two at once, the generator gets the labels of both, zeros for those of the
other data set, which are unknown, and a mask vector that says which are meant (paper: section 3.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from losses import attribute_loss, class_loss

HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
Targets = list[tuple[str, Tensor]]  # a column's title, and the labels (N, len(domain)) of its pictures


def likely(logits: Tensor, names: Sequence[str]) -> Tensor:
    """(N, len(names)) bool: the attributes whose logits are positive. Of the hair colours at most the likeliest."""
    found = logits > 0
    hair = [place for place, name in enumerate(names) if name in HAIR]
    if hair:
        best = logits[:, hair].argmax(1)
        for number, place in enumerate(hair):
            found[:, place] &= best == number
    return found


@dataclass(frozen=True)
class Domain:
    """The labels of a data set: `names` of attributes (0 or 1 each) or, with `exclusive`, of classes (one of them)."""

    name: str  # what the log lines call the data set: CelebA or RaFD
    names: tuple[str, ...]
    exclusive: bool = False
    before: int = 0  # how many labels of another data set stand before these in the generator's vector, and behind
    after: int = 0
    mask: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def vectors(self, labels: Tensor) -> Tensor:
        """A batch's labels as float vectors (N, len): attributes as they are, class numbers (N,) as one-hot."""
        return F.one_hot(labels, len(self)).float() if self.exclusive else labels.float()

    def for_generator(self, vectors: Tensor) -> Tensor:
        """Vectors (N, len) as the generator takes them: with the other data set's labels as 0, and the mask."""
        mask = torch.tensor(self.mask, dtype=vectors.dtype, device=vectors.device).expand(len(vectors), -1)
        return torch.cat([F.pad(vectors, (self.before, self.after)), mask], dim=1)

    def own_logits(self, out_cls: Tensor) -> Tensor:
        """Those of the discriminator's logits (N, all labels) that are of this data set."""
        return out_cls[:, self.before : self.before + len(self)]

    def loss(self, out_cls: Tensor, labels: Tensor) -> Tensor:
        """The classification loss of the discriminator's logits; a scalar."""
        return (class_loss if self.exclusive else attribute_loss)(self.own_logits(out_cls), labels)

    def accuracies(self, out_cls: Tensor, labels: Tensor) -> list[float]:
        """How many of a batch are classified rightly, in per cent: of each attribute, or of the classes together."""
        logits = self.own_logits(out_cls)
        if self.exclusive:
            return [float((logits.argmax(1) == labels).float().mean() * 100)]
        return ((logits.sigmoid() >= 0.5) == (labels > 0.5)).float().mean(0).mul(100).tolist()

    def targets(self, labels: Tensor) -> Targets:
        """What test and sample sheets translate a batch into, one column each."""
        return class_targets(self, len(labels)) if self.exclusive else attribute_targets(self.names, labels)


def both(celeba: Domain, rafd: Domain) -> tuple[Domain, Domain]:
    """Two data sets that one generator is trained on: the attributes come first in its label vector."""
    return (
        replace(celeba, after=len(rafd), mask=(1.0, 0.0)),
        replace(rafd, before=len(celeba), mask=(0.0, 1.0)),
    )


def attribute_targets(names: Sequence[str], labels: Tensor) -> Targets:
    """For each attribute in turn: the labels with it changed to what it was not.

    Nobody has two hair colours: one that is asked for is set, and the other *selected* ones are cleared. (So where a
    single hair colour is selected, it is set, never taken away.)
    """
    hair = [place for place, name in enumerate(names) if name in HAIR]
    found = []
    for place, name in enumerate(names):
        changed = labels.clone()
        if place in hair:
            changed[:, hair] = 0
            changed[:, place] = 1
        else:
            changed[:, place] = (labels[:, place] == 0).to(labels.dtype)
        found.append((name, changed))
    return found


def class_targets(domain: Domain, count: int) -> Targets:
    """Every class for all pictures of a batch."""
    eye = torch.eye(len(domain))
    return [(name, eye[number].expand(count, -1)) for number, name in enumerate(domain.names)]


def old_attribute_targets(labels: Tensor, combinations: bool) -> Targets:
    """The 2017 version's columns for its five attributes: three hair colours, gender and age changed, and with
    `combinations` brown hair + gender, brown hair + age, gender + age, and all three."""

    def change(hair: int | None = None, flip: Sequence[int] = ()) -> Tensor:
        changed = labels.clone()
        if hair is not None:
            changed[:, :3] = 0
            changed[:, hair] = 1
        for place in flip:
            changed[:, place] = (labels[:, place] == 0).to(labels.dtype)
        return changed

    found = [("Black", change(0)), ("Blond", change(1)), ("Brown", change(2))]
    found += [("Gender", change(flip=[3])), ("Aged", change(flip=[4]))]
    if combinations:
        found += [("H+G", change(2, [3])), ("H+A", change(2, [4]))]
        found += [("G+A", change(flip=[3, 4])), ("H+G+A", change(2, [3, 4]))]
    return found
