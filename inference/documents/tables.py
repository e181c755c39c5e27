"""Tables of comma-separated values as lines that can be asked about: `city: Rome; people: 2,800,000`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

_DELIMITERS = ",;\t|"
_FIGURE = re.compile(r"[-+\d.,%\s]*")


def read(text: str, check: Callable[[], None]) -> Iterator[str]:
    """One line a row, each value after its column's name, where the first row has such names."""
    lines = text.splitlines(keepends=True)
    delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
    rows = (row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row))
    names = next(rows, [])
    if not _are_names(names):
        yield _line(names, [])
        names = []
    for row in rows:
        check()
        yield _line(row, names)


def _are_names(cells: list[str]) -> bool:
    """Two columns or more, each with a heading that is more than a figure."""
    return len(cells) > 1 and not any(_FIGURE.fullmatch(cell) for cell in cells)


def _line(row: list[str], names: list[str]) -> str:
    pairs = ((name, " ".join(cell.split())) for name, cell in zip_longest(names, row, fillvalue=""))
    return "; ".join(f"{name.strip()}: {cell}" if name else cell for name, cell in pairs if cell) + "\n"
