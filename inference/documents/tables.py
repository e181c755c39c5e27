"""Tables of comma-separated values as lines of text: `city: Rome; people: 2,800,000`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"[-+\d.,%\s]*")


def read(text: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield one line per row. Each value follows the name of its column, if the first row has names."""
    lines = text.splitlines(keepends=True)
    delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
    rows = (row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row))
    columns = next(rows, [])
    if not _are_column_names(columns):
        yield _line(columns, [])
        columns = []
    for row in rows:
        check()
        yield _line(row, columns)


def _are_column_names(cells: list[str]) -> bool:
    """Return whether there are two columns or more, each with a heading that is not a number."""
    return len(cells) > 1 and not any(_NUMBER.fullmatch(cell) for cell in cells)


def _line(row: list[str], columns: list[str]) -> str:
    pairs = ((column, " ".join(cell.split())) for column, cell in zip_longest(columns, row, fillvalue=""))
    return "; ".join(f"{column.strip()}: {cell}" if column else cell for column, cell in pairs if cell) + "\n"
