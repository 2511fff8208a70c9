"""The losses as a picture inside a web page: one self-contained piece of HTML and SVG, drawn by hand."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

BINS = 300  # points a line has at most; each is the mean of the reports in its stretch
LOG_FROM = 20.0  # with this ratio between the largest and the smallest loss a linear axis would hide the small ones
COLOURS = ("#3b82c4", "#e07b28", "#2f9e5b", "#d64550", "#8e6bd1", "#a8703f", "#d667b0", "#189fa8")

Points = Sequence[tuple[float, dict[str, float]]]


def draw_losses(points: Points) -> str:
    """A <figure> with a line for every loss over the epochs, or "" while there are fewer than two reports.

    `points` are (epochs done, {name: loss}), in order. Losses that are not finite leave gaps.
    """
    names = list(dict.fromkeys(name for _, losses in points for name in losses))
    lines = {name: line for name in names if (line := thin_out(points, name))}
    first, last = (points[0][0], points[-1][0]) if points else (0.0, 0.0)
    if not lines or last <= first:
        return ""
    axis = Axis([value for line in lines.values() for _, value in line])
    drawn = "".join(
        draw_line(line, COLOURS[i % len(COLOURS)], first, last, axis) for i, line in enumerate(lines.values())
    )
    legend = "".join(
        f'<li><i style="background:{COLOURS[i % len(COLOURS)]}"></i>{html.escape(name)} <b>{line[-1][1]:.3f}</b></li>'
        for i, (name, line) in enumerate(lines.items())
    )
    y_labels = "".join(f'<span class="y" style="bottom:{axis.place(t):.2%}">{t:g}</span>' for t in axis.ticks)
    x_labels = "".join(
        f'<span class="x" style="left:{(t - first) / (last - first):.2%}">{t:g}</span>'
        for t in nice_ticks(first, last, 8)
    )
    grid = "".join(f'<path class="grid" d="M0 {1000 - 1000 * axis.place(t):.1f}H1000"/>' for t in axis.ticks)
    return (
        f'<figure class="losses"><ul class="legend">{legend}</ul><div class="plot">'
        f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="The losses over the epochs">'
        f"{grid}{drawn}</svg>{y_labels}{x_labels}</div>"
        f"<figcaption>epochs{' (losses on a logarithmic scale)' if axis.logarithmic else ''}</figcaption></figure>\n"
    )


def thin_out(points: Points, name: str) -> list[tuple[float, float]]:
    """A loss as at most BINS (x, mean) pairs."""
    known = [(x, losses[name]) for x, losses in points if name in losses and math.isfinite(losses[name])]
    size = max(1, math.ceil(len(known) / BINS))
    parts = [known[i : i + size] for i in range(0, len(known), size)]
    return [(part[-1][0], math.fsum(value for _, value in part) / len(part)) for part in parts]


def draw_line(line: list[tuple[float, float]], colour: str, first: float, last: float, axis: Axis) -> str:
    """One loss as an SVG line in a box of 1000 by 1000."""
    path = " ".join(f"{1000 * (x - first) / (last - first):.1f},{1000 - 1000 * axis.place(y):.1f}" for x, y in line)
    return f'<polyline points="{path}" stroke="{colour}"/>'


class Axis:
    """Where a loss lies between the bottom (0) and the top (1) of the plot, and which numbers stand beside it."""

    def __init__(self, values: list[float]):
        low, high = min(values), max(values)
        self.logarithmic = low > 0 and high / low > LOG_FROM
        if self.logarithmic:
            self.low, self.high = math.log10(low), math.log10(high)
            self.ticks = log_ticks(low, high)
        else:
            low = min(low, 0.0)  # a loss is read against zero
            self.low, self.high = low, high if high > low else low + 1.0
            self.ticks = nice_ticks(self.low, self.high, 5)

    def place(self, value: float) -> float:
        """0 at the bottom, 1 at the top."""
        value = math.log10(value) if self.logarithmic else value
        return (value - self.low) / (self.high - self.low)


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * 0.999)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [float(f"{number * step:.10g}") for number in numbers]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from `low` to `high`; the powers alone where those are many."""
    powers = [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    factors = (1, 2, 5) if high / low < 3000 else (1,)
    return [float(f"{f * power:.6g}") for power in powers for f in factors if low <= f * power <= high]
