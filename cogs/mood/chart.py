"""A chart of the moods of messages: a dot for each message, and a line for the running mean.

It has no text, so it needs no fonts for other scripts: names and times are in the message. It is transparent, and its
colours are visible on Discord's dark and light backgrounds.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from cogs.mood.series import MoodSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = (
    ("●", "o", "#4688e5"),
    ("■", "s", "#db6612"),
    ("▲", "^", "#279b4e"),
    ("◆", "D", "#cf5bbc"),
    ("▼", "v", "#8c8c19"),
)
"""The mark of each named person: as a character, its name in matplotlib, and its colour."""

OTHERS = ("✕", "x", "#838891")
"""The mark of everybody else."""

GREY = "#838891"
"""The colour of lines and numbers. All colours have about the same contrast, 3.5 to 1, to #313338 and to white."""

_INCHES = (6.4, 2.8)
_DPI = 150


def draw(series: MoodSeries) -> bytes:
    """Return the chart as a PNG file. This is slow: call it in a thread."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not pyplot, since its global list of figures is not thread-safe.
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    figure.patch.set_alpha(0)
    _plot(figure.add_subplot(), series)
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()


def _plot(axes: Axes, series: MoodSeries) -> None:
    numbers = range(1, len(series.valences) + 1)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=(0, (4, 4)))
    axes.plot(numbers, series.running_mean(), color=GREY, linewidth=3, solid_capstyle="round")
    people = (*series.people, None)
    for person, (_, marker, colour) in zip(people, (*MARKS[: len(series.people)], OTHERS), strict=True):
        dots = series.of_person(person)
        axes.scatter(
            [number for number, _ in dots],
            [valence for _, valence in dots],
            s=max(12, min(52, 5000 / len(numbers))),  # square points
            marker=marker,
            c=colour,
            zorder=3,
            clip_on=False,
        )
    _frame(axes, len(numbers))


def _frame(axes: Axes, count: int) -> None:
    axes.patch.set_alpha(0)
    axes.spines[:].set_visible(False)
    axes.set_ylim(-1.15, 1.15)
    axes.set_yticks([-1, 0, 1], ["☹", "", "☺"], fontsize=26)
    axes.set_xlim(0.5, count + 0.5)
    axes.set_xticks(sorted({1, (count + 1) // 2, count}))
    axes.tick_params(axis="x", labelsize=14)
    axes.tick_params(axis="both", length=0, labelcolor=GREY)
