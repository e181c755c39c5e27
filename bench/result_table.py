"""The rows of the results, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

HEADINGS = ("", "what", "ours", "reference", "ratio", "aim")


class Skipped(Exception):
    """The row can't be measured here. The message says what is missing."""


class TableRow(Protocol):
    """One row of the results."""

    def cells(self) -> tuple[str, ...]:
        """Return a text for each heading. The first is the state: met, missed or another word."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ours` compared with `reference`, both in `unit`. The aim is a ratio of at most (or at least) `aim`."""

    name: str
    unit: str
    ours: float
    reference: float
    aim: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.reference

    @property
    def met(self) -> bool:
        return self.ratio >= self.aim if self.at_least else self.ratio <= self.aim

    def cells(self) -> tuple[str, ...]:
        return (
            "met" if self.met else "missed",
            self.name,
            f"{self.ours:.3g} {self.unit}",
            f"{self.reference:.3g} {self.unit}",
            f"{self.ratio:.2f}",
            f"{'≥' if self.at_least else '≤'} {self.aim:g}",
        )


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table with headings."""
    cells = [HEADINGS, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
