"""What may be asked of a generator, by name, and the label vectors that ask for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from labels import HAIR
from notes import Notes
from options import ATTRIBUTES
from shared_scripts.cli import UserError


@dataclass(frozen=True)
class Vocabulary:
    """The names of a generator's labels in its order: attributes, then classes, then the mask where it has both."""

    attributes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that may be asked for."""
        return self.attributes + self.classes

    @property
    def size(self) -> int:
        """How many labels the generator takes."""
        return len(self.names) + (2 if self.attributes and self.classes else 0)

    def check(self, names: Iterable[str]) -> None:
        """UserError, listing what there is, for a name that is none."""
        for name in names:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1, 0.6)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise UserError(f"this generator knows no {name!r}{hint}; it knows {' '.join(self.names)}")

    def changed(self, has: Iterable[str], wanted: Sequence[str], cleared: Sequence[str] = ()) -> set[str]:
        """What a picture that has some attributes is to have: the wanted ones too, and the cleared ones not.

        Nobody has two hair colours: a wanted one takes the place of any other. Of a generator with both kinds, labels
        of a kind that nothing is asked of are left out, as in training: the mask says that they are unknown. UserError
        for two hair colours, or for two classes, or for something wanted and cleared at once.
        """
        self.check([*has, *wanted, *cleared])
        for kind, names in (("hair colours", HAIR), ("classes", self.classes)):
            several = [name for name in wanted if name in names]
            if len(several) > 1:
                raise UserError(
                    f"{' and '.join(several)} exclude each other: nobody has two {kind} at once; ask for one of them"
                )
        both = {*wanted} & {*cleared}
        if both:
            raise UserError(f"{both.pop()} is to be set and to be cleared; say one of them")
        found = {*has} - {*cleared}
        for exclusive in (HAIR, self.classes):
            if any(name in exclusive for name in wanted):
                found -= {*exclusive}
        asked = {*wanted, *cleared}
        if {*wanted} & {*self.classes} and not asked & {*self.attributes}:
            found -= {*self.attributes}
        if asked & {*self.attributes} and not asked & {*self.classes}:
            found -= {*self.classes}
        return found | {*wanted}

    def vector(self, has: Iterable[str]) -> Tensor:
        """(1, size) float32: 1 for what a picture has. Of a generator with both kinds, the mask says which are given.

        (The reference gives attributes or a class, never both. With both, the mask is 1, 1.)
        """
        has = {*has}
        labels = [float(name in has) for name in self.names]
        if self.attributes and self.classes:
            asks_class = any(name in self.classes for name in has)
            asks_attribute = any(name in self.attributes for name in has) or not asks_class
            labels += [float(asks_attribute), float(asks_class)]
        return torch.tensor([labels])


def find_vocabulary(
    found: Notes | None, selected: Sequence[str] | None, classes: Sequence[str] | None, labels: int, path: object
) -> Vocabulary:
    """The names of a generator's labels: those given, those noted when it was trained, or the reference's five.

    UserError where they are not as many as the generator takes.
    """
    if selected or classes:
        noted = found.classes if found and classes is None else []
        vocabulary = Vocabulary(tuple(selected or ()), tuple(classes or noted))
    elif found:
        vocabulary = Vocabulary(tuple(found.selected_attrs), tuple(found.classes))
    else:
        vocabulary = Vocabulary(ATTRIBUTES)
    if vocabulary.size != labels:
        raise UserError(
            f"{path} takes {labels} labels, and here are {len(vocabulary.names)} names: {' '.join(vocabulary.names)}; "
            "give its labels' names, in the order it was trained with: --selected_attrs for attributes, --classes for "
            "classes, both (and a mask of 2) for a training on Both"
        )
    return vocabulary
