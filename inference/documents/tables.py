"""Tables of comma-separated values as lines of text: `city: Rome; people: 2,800,000`."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, takewhile, zip_longest

_DELIMITERS = ",\t;|"
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_SAMPLE_LINES = 50
_MAX_CELL_CHARACTERS = 10**9
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\w\r\n])"?\s*', re.IGNORECASE)
"""The first line that Excel writes and reads to name the delimiter."""
_COMMENT = re.compile(r"\s*#\s")
"""Lines above a table that tell of it. `#` alone may be the heading of a column."""
_NUMBER = re.compile(r"[-+\d.,%\s]*")
_DATE = re.compile(r"(?:1[5-9]|2[01])\d\d(?:[-/.]\d{1,4}){0,2}|(?:\d{1,2}[-/.]){1,2}(?:1[5-9]|2[01])\d\d")
"""A year, a month or a day. Tables have them as headings, though they are numbers."""


def is_table(name: str) -> bool:
    return name.lower().endswith((".csv", ".tsv", ".tab"))


def read(text: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield one line per row. Each value follows the name of its column, if the first row has names."""
    lines = list(io.StringIO(text.replace("\0", ""), newline=""))  # only \n and \r end a line, as csv requires
    comments = list(takewhile(_COMMENT.match, lines))
    yield from map(str.lstrip, comments)
    lines = lines[len(comments) :]
    separator = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    delimiter = separator[1] if separator else _likeliest_delimiter(lines[:_SAMPLE_LINES])
    yield from read_rows(_rows(lines[1:] if separator else lines, delimiter), check)


def read_rows(rows: Iterator[list[str]], check: Callable[[], None]) -> Iterator[str]:
    """Yield one line per row that is not empty, as `read` does."""
    rows = (row for row in rows if any(cell.strip() for cell in row))
    first_rows = list(islice(rows, _SAMPLE_LINES))
    while _is_title(first_rows):
        yield _line(first_rows.pop(0), [])
    columns = first_rows.pop(0) if _has_column_names(first_rows) else []
    for row in chain(first_rows, rows):
        check()
        yield _line(row, columns)


def _likeliest_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that divides most lines into the same number of cells, and into most cells.

    A comma may also be a decimal one, so one between digits does not count.
    """
    without_decimals = [_DECIMAL_COMMA.sub(".", line) for line in lines]

    def fit(delimiter: str) -> tuple[int, int]:
        rows = _rows(without_decimals, delimiter)
        sizes = Counter(len(row) for row in rows if len(row) > 1)
        return max(((count, size) for size, count in sizes.items()), default=(0, 0))

    return max(_DELIMITERS, key=fit)


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each row. A quotation mark that is never closed is a part of its cell.

    A row that breaks the rules is read as one line, and reading goes on after it. So each line is read twice at most:
    a refused row ends at the next line with an odd number of quotation marks, or at the end.
    """
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    start = 0
    while start < len(lines):
        rows = csv.reader(_lines_from(lines, start), delimiter=delimiter, skipinitialspace=True, strict=True)
        end = start
        try:
            for row in rows:
                yield row
                end = start + rows.line_num
            return
        except csv.Error:
            yield _row_of_line(lines[end], delimiter)
            start = end + 1


def _lines_from(lines: Sequence[str], start: int) -> Iterator[str]:
    return (lines[i] for i in range(start, len(lines)))


def _row_of_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line that breaks the rules for quotation marks, as MySQL's `\\"` does."""
    if r"\"" in line:
        rows = csv.reader([line], delimiter=delimiter, escapechar="\\", doublequote=False)
    elif line.count('"') % 2:
        rows = csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader([line], delimiter=delimiter)
    return next(rows, [])


def _is_title(rows: Sequence[list[str]]) -> bool:
    """Return whether the first row is a line above the table: one cell, where rows below have several."""
    return len(rows) > 1 and _filled(rows[0]) == 1 and max(map(_filled, rows[1:])) > 1


def _filled(cells: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _has_column_names(rows: Sequence[list[str]]) -> bool:
    """Return whether the first row has two headings or more. A number is a heading only if it is a date."""
    if len(rows) < 2 or _filled(rows[0]) < 2:
        return False
    columns = [i for i, cell in enumerate(rows[0]) if cell.strip() and _NUMBER.fullmatch(cell)]
    return not columns or _are_dates_as_headings(columns, rows)


def _are_dates_as_headings(columns: Sequence[int], rows: Sequence[list[str]]) -> bool:
    """Return whether the first row has different dates in these columns, and the rows below mostly have none."""
    headings = {rows[0][i].strip() for i in columns}
    if len(headings) < len(columns) or not all(map(_DATE.fullmatch, headings)):
        return False
    values = [row[i].strip() for row in rows[1:] for i in columns if i < len(row)]
    return 2 * sum(bool(_DATE.fullmatch(value)) for value in values) <= len(values)


def _line(row: list[str], columns: list[str]) -> str:
    pairs = ((column.strip(), " ".join(cell.split())) for column, cell in zip_longest(columns, row, fillvalue=""))
    return "; ".join(f"{column}: {cell}" if column else cell for column, cell in pairs if cell) + "\n"
