"""Slides (.pptx): the text of each slide, with the speaker's notes after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from inference.documents.packages import Package, local_name

_TEXT, _PARAGRAPH, _ROW, _CELL = "t", "p", "tr", "tc"
_SEPARATORS = {"sp": "\n\n", "tbl": "\n\n", _ROW: "\n", _PARAGRAPH: "\n", "br": "\n", "tab": "\t"}
_OFF = {"0", "false"}


def read(package: Package, part: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text of the slides that are shown, in their order. `part` is the main part of the package."""
    for slide in _slides(package, part, check):
        for each in (slide, *package.related(slide, "notesSlide")):
            if each in package:
                yield from package.stream(each, _SlideTextCollector(), check)
                yield "\n\n"


def _slides(package: Package, part: str, check: Callable[[], None]) -> Iterator[str]:
    targets = package.by_id(part)
    entries = package.tree(part).iter("{*}sldId")
    ids = [value for entry in entries for key, value in entry.attrib.items() if local_name(key) == "id"]
    for slide in dict.fromkeys(targets[key] for key in ids if key in targets):
        if slide in package and package.root(slide, check).get("show") not in _OFF:
            yield slide


class _SlideTextCollector:
    """Collects text from a stream of elements."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._open_tags = [""]
        self._skip_depth = self._cell_depth = 0
        self._is_first_cell = self._is_first_paragraph = True

    def take(self) -> str:
        """Return the text since the last call."""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local_name(tag)
        if name == "fld" and attributes.get("type", "") == "slidenum":
            name = "Fallback"
        self._open_tags.append(name)
        self._skip_depth += name == "Fallback"
        if self._skip_depth:
            return
        if name == _CELL:
            self._text.append("" if self._is_first_cell else " | ")
            self._is_first_cell, self._is_first_paragraph = False, True
            self._cell_depth += 1
        elif name == _PARAGRAPH and self._cell_depth:
            self._text.append("" if self._is_first_paragraph else " ")
            self._is_first_paragraph = False
        else:
            self._is_first_cell = self._is_first_cell or name == _ROW
            self._text.append(_SEPARATORS.get(name, ""))

    def end(self, tag: str) -> None:
        name = self._open_tags.pop()
        self._skip_depth -= name == "Fallback"
        self._cell_depth -= name == _CELL and not self._skip_depth

    def data(self, data: str) -> None:
        if self._open_tags[-1] == _TEXT and not self._skip_depth:
            self._text.append(data)

    def close(self) -> None:
        """Required by the parser."""
