"""Sheets (.xlsx): one line per row, each value with the heading of its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inference.documents import tables
from inference.documents.packages import Package, local_name

_DATES, _PERCENTAGES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}, {9, 10}
"""The numbers of Excel's own formats for dates, times and percentages."""
_LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
"""Parts of a format that are no codes for a number."""
_DATE_CODES = re.compile(r"[ymdhs]", re.IGNORECASE)
_MAX_COLUMNS = 16_384
_BOOLEANS = {"0": "FALSE", "1": "TRUE"}
_HIDDEN = {"hidden", "veryHidden"}


def read(package: Package, part: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the rows of the sheets that are shown, each sheet after its name. `part` is the package's main part."""
    workbook, targets = package.tree(part), package.by_id(part)
    strings = _shared_strings(package, part, check)
    convert = _Converter(_formats(package, part), _first_day(workbook))
    for sheet in workbook.iter("{*}sheet"):
        ids = [value for key, value in sheet.attrib.items() if local_name(key) == "id"]
        for target in (targets[key] for key in ids if key in targets):
            if target in package and sheet.get("state") not in _HIDDEN:
                yield f"{sheet.get('name', '')}\n\n"
                yield from tables.read_rows(_rows(package, target, strings, convert, check), check)
                yield "\n"


def _rows(
    package: Package, part: str, strings: Sequence[str], convert: _Converter, check: Callable[[], None]
) -> Iterator[list[str]]:
    collector = _RowCollector(strings, convert)
    for _ in package.stream(part, collector, check):
        yield from collector.take_rows()


def _shared_strings(package: Package, part: str, check: Callable[[], None]) -> list[str]:
    """Return the texts of all cells, to which the sheets refer by number."""
    collector = _StringCollector()
    for each in _present(package, part, "sharedStrings"):
        for _ in package.stream(each, collector, check):
            pass
    return collector.strings


def _present(package: Package, part: str, kind: str) -> list[str]:
    """Return the related parts of this kind that are not missing."""
    return [each for each in package.related(part, kind) if each in package]


def _formats(package: Package, part: str) -> list[str]:
    """Return what each style makes of a number: `date`, `%`, or nothing."""
    formats: list[str] = []
    for each in _present(package, part, "styles"):
        styles = package.tree(each)
        codes = {entry.get("numFmtId"): entry.get("formatCode", "") for entry in styles.iter("{*}numFmt")}
        for group in styles.iter("{*}cellXfs"):
            formats += [_kind(entry.get("numFmtId", "0"), codes) for entry in group.iter("{*}xf")]
    return formats


def _kind(number: str, codes: Mapping[str, str]) -> str:
    code = _LITERALS.sub("", codes.get(number, ""))
    known = int(number) if number.isdecimal() and not code else 0
    if known in _DATES or _DATE_CODES.search(code):
        return "date"
    return "%" if known in _PERCENTAGES or "%" in code else ""


def _first_day(workbook: Any) -> datetime:
    """Return the day with the number 0, which is an older one on Windows."""
    properties = workbook.find("{*}workbookPr")
    is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    return datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class _Converter:
    """Writes numbers as their cells show them."""

    formats: Sequence[str]
    first_day: datetime

    def text(self, value: str, style: str) -> str:
        kind = self.formats[int(style)] if style.isdecimal() and int(style) < len(self.formats) else ""
        try:
            number = float(value)
            if kind == "date":
                return self._date(number)
        except (ValueError, OverflowError):
            return value
        return f"{100 * number:.12g}%" if kind == "%" else f"{number:.15g}"

    def _date(self, days: float) -> str:
        moment = self.first_day + timedelta(seconds=round(days * 86_400))
        time = f"{moment:%H:%M:%S}".removesuffix(":00")
        if 0 <= days < 1:
            return time
        return f"{moment:%Y-%m-%d}" if days == int(days) else f"{moment:%Y-%m-%d} {time}"


class _ElementCollector:
    """The base of collectors that keep texts for others."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._open_tags = [""]

    def take(self) -> str:
        return ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._open_tags.append(local_name(tag))

    def end(self, tag: str) -> None:
        self._open_tags.pop()

    def data(self, data: str) -> None:
        if self._open_tags[-1] in ("t", "v") and "rPh" not in self._open_tags[-2:]:  # how letters are pronounced
            self._text.append(data)

    def close(self) -> None:
        """Required by the parser."""

    def _take_text(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        return text


class _StringCollector(_ElementCollector):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []

    def end(self, tag: str) -> None:
        super().end(tag)
        if local_name(tag) == "si":
            self.strings.append(self._take_text())


class _RowCollector(_ElementCollector):
    """Collects the cells of a sheet, row by row."""

    def __init__(self, strings: Sequence[str], convert: _Converter) -> None:
        super().__init__()
        self._strings, self._convert = strings, convert
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._cell: Mapping[str, str] = {}

    def take_rows(self) -> list[list[str]]:
        """Return the rows since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().start(tag, attributes)
        if local_name(tag) == "c":
            self._cell = dict(attributes)

    def end(self, tag: str) -> None:
        super().end(tag)
        if local_name(tag) == "c":
            column = _column(self._cell.get("r", ""), len(self._row))
            self._row += [""] * (column - len(self._row))
            self._row.append(self._value(self._take_text()))
        elif local_name(tag) == "row":
            self._rows.append(self._row)
            self._row = []

    def _value(self, text: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            return self._strings[int(text)] if text.isdecimal() and int(text) < len(self._strings) else ""
        if kind == "b":
            return _BOOLEANS.get(text, text)
        return self._convert.text(text, self._cell.get("s", "")) if kind == "n" and text else text


def _column(reference: str, default: int) -> int:
    """Return the index of the column in a reference such as `AB12`."""
    index = 0
    for letter in reference.rstrip("0123456789"):
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1 if default < index <= _MAX_COLUMNS else default
