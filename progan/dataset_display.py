"""A window that shows a data set's pictures one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from datasets import Dataset
from shared_scripts.cli import UserError

NEXT, QUIT = {" ", "enter", "right"}, {"escape", "q"}


def label_text(label: np.ndarray) -> str:
    """A label as people read it: the number of its class, or its numbers."""
    if len(label) and label.max() == 1 and np.count_nonzero(label) == 1:
        return f"{label.argmax()}"
    return "[" + " ".join(f"{value:g}" for value in label) + "]"


def caption(dataset: Dataset, number: int) -> str:
    """What stands over a picture, and is printed."""
    text = f"idx = {number:<8d}"
    return f"{text} label = {label_text(dataset.labels[number])}" if dataset.label_size else text.rstrip()


class Viewer:
    """Goes through a data set's pictures on an axis of matplotlib's; SPACE or ENTER is next, ESC the end."""

    def __init__(self, dataset: Dataset, numbers: Iterable[int], figure):
        self.dataset, self.numbers, self.figure = dataset, iter(numbers), figure
        figure.viewer = self  # matplotlib itself keeps only a weak reference, and would soon forget the keys
        self.axes = figure.add_subplot()
        self.axes.set_axis_off()
        figure.canvas.mpl_connect("key_press_event", self.on_key)
        self.show_next()

    def on_key(self, event) -> None:
        """A key was pressed."""
        if event.key in QUIT:
            self.close()
        elif event.key in NEXT:
            self.show_next()

    def show_next(self) -> None:
        """The next picture; after the last one the window closes."""
        number = next(self.numbers, None)
        if number is None:
            self.close()
            return
        print(caption(self.dataset, number), flush=True)
        pixels = self.dataset.images(np.array([number]), self.dataset.levels)[0].transpose(1, 2, 0)
        self.axes.clear()
        self.axes.set_axis_off()
        self.axes.set_title(caption(self.dataset, number))
        self.axes.imshow(pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels, interpolation="nearest")
        self.figure.canvas.draw_idle()

    def close(self) -> None:
        """Close the window."""
        import matplotlib.pyplot as plt

        plt.close(self.figure)


def display(dataset: Dataset, numbers: Iterator[int]) -> None:
    """Open the window and return when it is closed. UserError where no window can be opened."""
    try:
        import matplotlib
        import matplotlib.pyplot as plt
    except ImportError:
        raise UserError("showing pictures needs a package: pip install matplotlib") from None
    figure = plt.figure(dataset.name)
    if matplotlib.get_backend().lower() in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template"):
        plt.close(figure)
        raise UserError("no window can be opened here; python dataset_tool.py extract writes the pictures as files")
    Viewer(dataset, numbers, figure)
    plt.show()
