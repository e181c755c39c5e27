"""The rows of the results, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bench.machine import Cost, Machine

HEADINGS = ("", "work", "ours", "stock", "best peer", "limit", "ratio", "aim")
NONE = "–"
"""The cell of what does not exist for this work."""

State = Literal["met", "missed", "unknown", "measured"]
Reference = Literal["stock", "peer", "limit"]


class Skipped(Exception):
    """The row can't be measured here. The message says what is missing."""


class TableRow(Protocol):
    """One row of the results."""

    def cells(self) -> tuple[str, ...]:
        """Return a text for each heading, or the first of them. The first is the state: met, missed or another word."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """A result without a figure, or the reason why there is none. `state` is a word, such as skipped or failed."""

    state: str
    work: str
    detail: str = ""

    def cells(self) -> tuple[str, ...]:
        return (self.state, self.work, self.detail)


@dataclass(frozen=True, slots=True)
class Aim:
    """What `ours` should be: at most (or at least) `bound` times a reference, or `bound` in the row's unit."""

    sign: Literal["≤", "≥"]
    bound: float
    of: Reference | None = None

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.sign == "≤" else value >= self.bound


def at_most(bound: float, of: Reference | None = None) -> Aim:
    return Aim("≤", bound, of)


def at_least(bound: float, of: Reference | None = None) -> Aim:
    return Aim("≥", bound, of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure of Inkling beside the same figure of others, all in `unit`.

    `stock` is the figure of the stock library. `peer` is the one of the fastest other program, called `peer_name`;
    without a figure, the name says why there is none. `limit` is the best that this machine could reach: known
    beforehand, or computed by `with_limit` from `cost`, what one unit of the work takes.
    """

    work: str
    unit: str
    ours: float
    stock: float | None = None
    peer: float | None = None
    peer_name: str = ""
    limit: float | None = None
    cost: tuple[Cost, ...] = ()
    aims: tuple[Aim, ...] = ()

    def with_limit(self, machine: Machine) -> Row:
        """Return the row with the limit that follows from `cost` on this machine."""
        if not self.cost:
            return self
        seconds = machine.seconds(self.cost)
        return replace(self, limit=1 / seconds if self.unit.endswith("/s") else seconds)

    def ratio(self, of: Reference) -> float | None:
        """Return `ours` divided by a reference, if there is one."""
        reference = {"stock": self.stock, "peer": self.peer, "limit": self.limit}[of]
        return self.ours / reference if reference else None

    @property
    def state(self) -> State:
        """Whether all aims are met. It is unknown if a reference is missing, and no other aim is missed."""
        if not self.aims:
            return "measured"
        values = [(aim, self.ratio(aim.of) if aim.of else self.ours) for aim in self.aims]
        if any(value is not None and not aim.met_by(value) for aim, value in values):
            return "missed"
        return "unknown" if any(value is None for _, value in values) else "met"

    def cells(self) -> tuple[str, ...]:
        peer = self._figure(self.peer)
        return (
            self.state,
            self.work,
            self._figure(self.ours),
            self._figure(self.stock),
            (f"{peer}, {self.peer_name}" if self.peer is not None else self.peer_name) or NONE,
            self._figure(self.limit),
            ", ".join(self._ratios()) or NONE,
            ", ".join(map(self._aim, self.aims)) or NONE,
        )

    def _ratios(self) -> list[str]:
        """Return the ratio to each reference that there is."""
        references: tuple[Reference, ...] = ("stock", "peer", "limit")
        ratios = [(of, self.ratio(of)) for of in references]
        return [f"{ratio:.2f} × {of}" for of, ratio in ratios if ratio is not None]

    def _figure(self, value: float | None) -> str:
        return NONE if value is None else f"{number(value)} {self.unit}"

    def _aim(self, aim: Aim) -> str:
        return f"{aim.sign} {aim.bound:g} {f'× {aim.of}' if aim.of else self.unit}"


def number(value: float) -> str:
    """Return a figure with three digits, or more if it is large."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(rows: Sequence[tuple[str, ...]], headings: Sequence[str] = HEADINGS) -> str:
    """Return a Markdown table with headings. Rows may have fewer cells."""
    cells = [tuple(headings), *((*row, *[""] * (len(headings) - len(row))) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
