#!/usr/bin/env python3
"""Measure a generator of drawn faces: does it change what was asked, and keep the rest?

`python measure.py` measures the one that ships; `--checkpoint stargan/models/200000-G.ckpt` one of yours, that was
trained on what `make_faces_dataset.py` draws.
"""

from __future__ import annotations

import json

from shared_scripts.cli import ArgumentParser, UserError, positive, run
from shared_scripts.files import atomic_write, resolve_path


def main(argv: list[str] | None = None) -> int:
    """Run with these flags; returns the exit status."""
    parser = ArgumentParser(prog="measure.py", description="Measure how well a generator translates drawn faces.")
    add = parser.add_argument
    add("--checkpoint", metavar="FILE", help="the generator (default: the one that ships)")
    add("--classifier", metavar="FILE", help="who judges, of train_classifier.py (default: the one beside what ships)")
    add("--count", type=positive, default=200, metavar="N", help="faces, each translated to every attribute")
    add("--output", metavar="FILE", help="write the numbers there as JSON too")
    flags = parser.parse_args(argv)
    numbers = measure(flags.checkpoint, flags.classifier, flags.count)
    if flags.output:
        with atomic_write(resolve_path(flags.output)) as temporary:
            temporary.write_text(json.dumps(numbers, indent=1) + "\n")
    return 0


def measure(checkpoint: str | None, classifier_file: str | None, faces: int) -> dict:
    """Measure, print the table, and return the numbers. UserError where generator and judge do not go together."""
    import notes
    import quality
    from classifier import load_classifier
    from faces import ATTRIBUTES
    from legacy import load_generator
    from shared_scripts.memory import keep_memory
    from shipped import CLASSIFIER, GENERATOR

    keep_memory()
    path = resolve_path(checkpoint) if checkpoint else GENERATOR
    generator, shape = load_generator(path)
    found = notes.read(path.parent)
    if found is None or found.classes:
        raise UserError(f"{path.parent} has no {notes.FILE} of attributes: measure.py is for trainings on drawn faces")
    undrawn = [name for name in found.selected_attrs if name not in ATTRIBUTES]
    if undrawn:
        raise UserError(f"drawn faces have no {' '.join(undrawn)}: measure.py is for trainings on drawn faces")
    if shape.c_dim != len(found.selected_attrs):
        raise UserError(f"{path} takes {shape.c_dim} labels, and the {notes.FILE} beside it is of another generator")
    classifier = load_classifier(resolve_path(classifier_file) if classifier_file else CLASSIFIER)
    missing = {*found.selected_attrs} - {*classifier.names}
    if missing or classifier.size != found.image_size:
        raise UserError(
            f"the classifier judges {' '.join(classifier.names)} at {classifier.size} pixels, not "
            f"{' '.join(sorted(missing)) or 'these'} at {found.image_size}; train_classifier.py makes one that does"
        )
    names, size, crop = found.selected_attrs, found.image_size, found.celeba_crop_size
    rows = quality.judge(generator, classifier, names, size, faces, crop)
    copy = quality.copy_error(generator, names, size, faces, crop)
    print(f"{faces} drawn faces, each translated to every attribute, by {path}\n{quality.table(rows)}")
    print(f"G(x, its own labels) is {copy:.1f} levels of 255 from x.")
    return {"faces": faces, "attributes": rows, "copy_error": copy}


if __name__ == "__main__":
    run(main)
