"""Word documents (.docx): paragraphs, tables with one line per row, then embedded documents and the notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from inference.documents import encodings, mail, rich_text, web
from inference.documents.packages import Package, local_name
from inference.documents.word_symbols import symbol
from inference.types.errors import InvalidRequest

_NAMESPACES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
    "http://schemas.openxmlformats.org/markup-compatibility/2006",
}
"""Of transitional and of strict files. No name of an element has two meanings in them."""
_TEXT, _RUN, _PARAGRAPH, _ROW, _CELL = "t", "r", "p", "tr", "tc"
_SPECIAL_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_SKIPPED_TAGS = {"Fallback", "del", "moveFrom", "rt"}
"""The same text again for old programs, what was deleted or moved away, and how letters are pronounced."""
_NOTES = {"footnote", "endnote"}
_OFF = {"0", "false", "off"}


def read(package: Package, part: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text in pieces, then embedded documents, footnotes and endnotes. `part` is the package's main part."""
    yield from package.stream(part, _WordTextCollector(), check)
    for chunk in dict.fromkeys(package.related(part, "aFChunk")):
        if chunk in package:
            yield "\n\n"
            yield from _read_embedded(package.read(chunk), chunk, check)
    notes = [note for kind in ("footnotes", "endnotes") for note in package.related(part, kind) if note in package]
    for note in notes:
        yield from package.stream(note, _WordTextCollector(), check)


def _read_embedded(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text of a document that Word shows as a part of this one. Programs put a whole web page there."""
    if data.startswith(b"PK"):
        return iter(())  # another Word file, as in master documents
    if data.startswith(rich_text.MARK):
        return rich_text.read(data, check)
    if mail.is_mail(name):
        return mail.read(data, name, check)
    is_web = web.is_web(data, name)
    try:
        text = encodings.decode(data, name, web.encoding(data) if is_web else "").text
    except InvalidRequest:
        return iter(())  # no text
    return web.read(text, check) if is_web else iter([text])


@dataclass(slots=True)
class _Element:
    name: str
    last_child: str = ""
    """The name of the newest child."""
    hidden: bool = False


class _WordTextCollector:
    """Collects text from a stream of elements."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._open_elements = [_Element(""), _Element("")]
        self._skip_depth = 0

    def take(self) -> str:
        """Return the text since the last call."""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        element, parent = _Element(_name(tag)), self._open_elements[-1]
        values = {local_name(name): value for name, value in attributes.items()}
        element.hidden = element.name in _SKIPPED_TAGS or (element.name in _NOTES and "type" in values)
        self._skip_depth += element.hidden
        if not self._skip_depth:
            self._text.append(_separator(element.name, parent))
            if element.name == "sym" and parent.name == _RUN:
                self._text.append(symbol(values))
        if element.name == "vanish" and parent.name == "rPr" and values.get("val") not in _OFF:
            self._hide_run()
        parent.last_child = element.name
        self._open_elements.append(element)

    def end(self, tag: str) -> None:
        self._skip_depth -= self._open_elements.pop().hidden

    def data(self, data: str) -> None:
        if self._open_elements[-1].name == _TEXT and not self._skip_depth:
            self._text.append(data)

    def close(self) -> None:
        """Required by the parser."""

    def _hide_run(self) -> None:
        """Skip the rest of the run whose properties are open."""
        run = self._open_elements[-2]
        if run.name == _RUN and not run.hidden:
            run.hidden = True
            self._skip_depth += 1


def _name(tag: str) -> str:
    """Return the name of an element without its namespace; empty for other programs' elements."""
    return local_name(tag) if tag[1:].partition("}")[0] in _NAMESPACES else ""


def _separator(name: str, parent: _Element) -> str:
    """Return the text between this element and the one before it in `parent`."""
    if name == _ROW:
        return "\n"
    if name == _CELL:
        return " | " if parent.last_child == _CELL else ""
    if name == _PARAGRAPH and parent.name == _CELL:
        return " " if parent.last_child == _PARAGRAPH else ""
    if name == _PARAGRAPH:
        return "\n\n"
    return _SPECIAL_CHARACTERS.get(name, "") if parent.name == _RUN else ""
