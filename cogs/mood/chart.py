"""The course of a mood as a small picture: a dot a message, a line for the running mean.

It has no words, so it needs no fonts for the world's languages: who is who, and when, stands in the message. It is
transparent, and its colours stand out from Discord's dark and light backgrounds alike.
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
"""For each person with a mark: as a character, as matplotlib calls it, and its colour."""

OTHERS = ("✕", "x", "#838891")
"""For everybody else."""

GREY = "#838891"
"""Of lines and numbers. All colours are about as far in luminance from #313338 as from white: 3.5 to 1."""

_INCHES = (6.4, 2.8)
_DPI = 150


def draw(course: MoodSeries) -> bytes:
    """A PNG file. Takes a while: call it off the event loop."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # No pyplot: it keeps its figures in one global list, which threads must not share.
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    figure.patch.set_alpha(0)
    _plot(figure.add_subplot(), course)
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    return file.getvalue()


def _plot(axes: Axes, course: MoodSeries) -> None:
    numbers = range(1, len(course.valences) + 1)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=(0, (4, 4)))
    axes.plot(numbers, course.running_mean(), color=GREY, linewidth=3, solid_capstyle="round")
    people = (*course.people, None)
    for person, (_, marker, colour) in zip(people, (*MARKS[: len(course.people)], OTHERS), strict=True):
        dots = course.of_person(person)
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
