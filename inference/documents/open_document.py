"""OpenDocument files: texts (.odt), sheets (.ods) and slides (.odp). Tables have one line per row, notes come last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from inference.documents.packages import Package

MAIN_PART = "content.xml"
_NAME = re.compile(r"\{urn:oasis:names:tc:opendocument:xmlns:([\w-]+):1\.0\}(.+)")
_PARAGRAPHS = {"text:p", "text:h"}
_CELLS = {"table:table-cell", "table:covered-table-cell"}
_CHARACTERS = {"text:tab": "\t", "text:line-break": "\n", "draw:page": "\n\n", "table:table": "\n\n"}
_SKIPPED_TAGS = {
    *("office:annotation", "office:automatic-styles", "office:font-face-decls", "office:forms", "office:scripts"),
    *("text:note-citation", "text:ruby-text", "text:tracked-changes", "presentation:notes"),
    *("svg-compatible:title", "svg-compatible:desc"),
}
"""Comments, styles, what was deleted, how letters are pronounced, and what is said to slides."""
_BLANKS = re.compile(r"\s+")
_MAX_BLANKS = 100


def read(package: Package, check: Callable[[], None]) -> Iterator[str]:
    return package.stream(MAIN_PART, _OpenDocumentTextCollector(), check)


class _OpenDocumentTextCollector:
    """Collects text from a stream of elements."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._notes: list[str] = []
        self._outer_texts: list[list[str]] = []
        self._open_tags = [""]
        self._skip_depth = self._paragraph_depth = self._cell_depth = 0
        self._is_first_cell = self._is_first_paragraph = True

    def take(self) -> str:
        """Return the text since the last call."""
        if self._outer_texts:  # a note is open
            return ""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = _name(tag)
        self._open_tags.append(name)
        self._skip_depth += name in _SKIPPED_TAGS
        if not self._skip_depth:
            self._start(name, {_name(key): value for key, value in attributes.items()})

    def end(self, tag: str) -> None:
        name = self._open_tags.pop()
        if self._skip_depth:
            self._skip_depth -= name in _SKIPPED_TAGS
        elif name == "text:note-body":
            self._notes += self._text
            self._text = self._outer_texts.pop()
        else:
            self._paragraph_depth -= name in _PARAGRAPHS
            self._cell_depth -= name in _CELLS

    def data(self, data: str) -> None:
        if self._paragraph_depth and not self._skip_depth:
            self._text.append(_BLANKS.sub(" ", data))

    def close(self) -> None:
        self._text += self._notes

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "text:note-body":
            self._outer_texts.append(self._text)
            self._text = []
        elif name == "table:table-row":
            self._text.append("\n")
            self._is_first_cell = True
        elif name in _CELLS:
            self._text.append("" if self._is_first_cell else " | ")
            self._is_first_cell, self._is_first_paragraph = False, True
            self._cell_depth += 1
        elif name in _PARAGRAPHS:
            self._text.append(self._paragraph_separator())
            self._paragraph_depth += 1
        elif name == "text:s":
            count = attributes.get("text:c", "1")
            self._text.append(" " * min(int(count) if count.isdecimal() else 1, _MAX_BLANKS))
        else:
            self._text.append(_CHARACTERS.get(name, ""))

    def _paragraph_separator(self) -> str:
        if self._outer_texts or not self._cell_depth:
            return "\n\n"
        is_first, self._is_first_paragraph = self._is_first_paragraph, False
        return "" if is_first else " "


def _name(tag: str) -> str:
    match = _NAME.fullmatch(tag)
    return f"{match[1]}:{match[2]}" if match else ""
