"""vocabulary.py: what may be asked of a generator, and the labels that ask for it."""

from __future__ import annotations

import pytest

from notes import Notes
from shared_scripts.cli import UserError
from vocabulary import Vocabulary, find_vocabulary

FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
ATTRIBUTES = Vocabulary(FIVE)
CLASSES = Vocabulary((), ("angry", "happy", "sad"))
BOTH = Vocabulary(("Male", "Gray_Hair"), ("angry", "happy", "sad"))


def noted(attributes=(), classes=(), dataset="CelebA") -> Notes:
    return Notes(dataset, list(attributes), list(classes), 128, 178, 256)


def test_sizes_and_names():
    assert (ATTRIBUTES.size, CLASSES.size, BOTH.size) == (5, 3, 2 + 3 + 2)
    assert BOTH.names == ("Male", "Gray_Hair", "angry", "happy", "sad")


@pytest.mark.parametrize(
    ("vocabulary", "has", "expected"),
    [
        (ATTRIBUTES, [], [0, 0, 0, 0, 0]),
        (ATTRIBUTES, ["Young", "Black_Hair"], [1, 0, 0, 0, 1]),
        (CLASSES, ["happy"], [0, 1, 0]),
        (CLASSES, [], [0, 0, 0]),
        (BOTH, ["Male"], [1, 0, 0, 0, 0, 1, 0]),
        (BOTH, ["sad"], [0, 0, 0, 0, 1, 0, 1]),
        (BOTH, ["sad", "Gray_Hair"], [0, 1, 0, 0, 1, 1, 1]),
        (BOTH, [], [0, 0, 0, 0, 0, 1, 0]),  # a face with none of the attributes, not one without any expression
    ],
)
def test_label_vectors(vocabulary, has, expected):
    found = vocabulary.vector(has)
    assert found.shape == (1, vocabulary.size) and found.tolist() == [expected]


@pytest.mark.parametrize(
    ("has", "wanted", "cleared", "expected"),
    [
        (["Male"], ["Young"], [], {"Male", "Young"}),
        (["Male", "Young"], [], ["Young"], {"Male"}),
        (["Male"], [], ["Young"], {"Male"}),
        (["Male"], ["Male"], [], {"Male"}),
        (["Black_Hair", "Male"], ["Blond_Hair"], [], {"Blond_Hair", "Male"}),
        (["Black_Hair", "Brown_Hair"], ["Brown_Hair"], [], {"Brown_Hair"}),  # a judge may see two
        (["Black_Hair"], ["Brown_Hair"], ["Black_Hair"], {"Brown_Hair"}),
        (["Black_Hair"], [], ["Black_Hair"], set()),
        (["Black_Hair"], ["Male"], [], {"Black_Hair", "Male"}),
    ],
)
def test_what_a_face_is_to_have(has, wanted, cleared, expected):
    before = list(has)
    assert ATTRIBUTES.changed(has, wanted, cleared) == expected and has == before


def test_one_class_takes_the_place_of_another():
    assert CLASSES.changed(["angry"], ["sad"]) == {"sad"}
    assert BOTH.changed(["Male", "angry"], ["happy", "Gray_Hair"]) == {"Male", "Gray_Hair", "happy"}


def test_of_both_kinds_that_alone_is_given_which_is_asked_for():
    """As in training, where labels of the other data set are unknown."""
    assert BOTH.changed(["Male", "angry"], ["happy"]) == {"happy"}
    assert BOTH.changed(["Gray_Hair", "angry"], ["Male"]) == {"Gray_Hair", "Male"}
    assert BOTH.changed(["Gray_Hair", "angry"], [], ["Gray_Hair"]) == set()
    assert BOTH.changed(["Gray_Hair", "angry"], ["happy"], ["Gray_Hair"]) == {"happy"}
    assert BOTH.changed(["Gray_Hair", "angry"], [], ["angry"]) == {"Gray_Hair"}
    assert BOTH.changed(["Gray_Hair", "angry"], []) == {"Gray_Hair", "angry"}


@pytest.mark.parametrize(
    ("vocabulary", "wanted", "cleared", "said"),
    [
        (ATTRIBUTES, ["Blond_Hair", "Young", "Black_Hair"], [], "Blond_Hair and Black_Hair exclude each other: nobody "
         "has two hair colours at once"),
        (CLASSES, ["happy", "sad"], [], "happy and sad exclude each other: nobody has two classes at once"),
        (ATTRIBUTES, ["Male"], ["Young", "Male"], "Male is to be set and to be cleared"),
        (ATTRIBUTES, ["male"], [], r"knows no 'male' \(did you mean Male\?\); it knows Black_Hair Blond_Hair "
         "Brown_Hair Male Young$"),
        (BOTH, [], ["Smiling"], "knows no 'Smiling'; it knows Male Gray_Hair angry happy sad$"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(vocabulary, wanted, cleared, said):
    with pytest.raises(UserError, match=said) as caught:
        vocabulary.changed([], wanted, cleared)
    assert "\n" not in str(caught.value)


def test_names_come_from_flags_notes_or_the_original():
    assert find_vocabulary(None, None, None, 5, "G") == ATTRIBUTES
    assert find_vocabulary(None, ["b", "a"], None, 2, "G") == Vocabulary(("b", "a"))
    assert find_vocabulary(noted(["Bald", "Male"]), None, None, 2, "G") == Vocabulary(("Bald", "Male"))
    assert find_vocabulary(noted(["Bald", "Male"]), ["Male", "Bald"], None, 2, "G") == Vocabulary(("Male", "Bald"))
    assert find_vocabulary(noted([], ["sad", "x"], "RaFD"), None, None, 2, "G") == Vocabulary((), ("sad", "x"))
    assert find_vocabulary(None, None, ["sad", "x"], 2, "G") == Vocabulary((), ("sad", "x"))
    assert find_vocabulary(None, ["Male"], ["sad", "x"], 5, "G") == Vocabulary(("Male",), ("sad", "x"))
    assert find_vocabulary(noted(["Male"], ["sad"], "Both"), None, ["y"], 1, "G") == Vocabulary((), ("y",))
    assert find_vocabulary(noted(["Male", "Gray_Hair"], CLASSES.classes, "Both"), None, None, 7, "G") == BOTH


@pytest.mark.parametrize("labels", [4, 6, 10])
def test_another_number_of_labels(labels):
    with pytest.raises(UserError, match=f"G.ckpt takes {labels} labels, and here are 5 names: .*--selected_attrs"):
        find_vocabulary(None, None, None, labels, "G.ckpt")
    with pytest.raises(UserError, match=f"takes {labels} labels, and here are 2 names: Bald Male"):
        find_vocabulary(noted(["Bald", "Male"]), None, None, labels, "G.ckpt")
