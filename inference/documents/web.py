"""The text of web pages, without scripts, styles and navigation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SKIPPED_TAGS = {"button", "nav", "noscript", "script", "select", "style", "svg", "template", "textarea"}
_CONTENT_TAGS = {"article", "h1", "main"}
"""Start of the content: a menu or button that is still open there was never closed."""
_INLINE_TAGS = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "input", "ins"),
    *("kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "time"),
    *("tt", "u", "var", "wbr"),
}
_PARAGRAPH_TAGS = {"article", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "section", "table", "title"}

_START = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<!--.{0,2000}?-->|<\?xml[^>]{0,200}>)*+<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(
    rb"charset\s*=\s*[\"']?(iso-8859-\d{1,2}|windows-\d{3,4}|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gb\d{4,5}|gbk|big5)\b",
    re.IGNORECASE,
)
_CHUNK_BYTES = 2**16
_CELL_END = "\0"


def is_web(data: bytes, name: str) -> bool:
    return _START.match(data[:4096]) is not None or name.lower().endswith((".html", ".htm", ".xhtml"))


def encoding(data: bytes) -> str:
    """Return the encoding that the page declares, if it is a common one; empty otherwise."""
    match = _CHARSET.search(data[:4096])
    return match[1].decode() if match else ""


def read(text: str, check: Callable[[], None]) -> Iterator[str]:
    from lxml.etree import HTMLParser  # pyright: ignore[reportAttributeAccessIssue]

    collector = _PageTextCollector()
    parser: Any = HTMLParser(target=collector, encoding="utf-8")
    data = text.encode("utf-8", "ignore")
    for start in range(0, len(data), _CHUNK_BYTES):
        check()
        parser.feed(data[start : start + _CHUNK_BYTES])
        yield collector.take()
    parser.close()
    yield collector.take()


class _PageTextCollector:
    """Collects text from a stream of tags. A tree would take gigabytes for a malicious page.

    Table cells end with a bar, other blocks end a line.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._line: list[str] = []
        self._skip_depth = 0

    def take(self) -> str:
        """Return the text since the last call."""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._skip_depth = 0 if tag in _CONTENT_TAGS else self._skip_depth + (tag in _SKIPPED_TAGS)
        self._end_block(tag)

    def end(self, tag: str) -> None:
        """End a tag. The parser also calls this for tags that the page left open."""
        self._skip_depth = max(0, self._skip_depth - (tag in _SKIPPED_TAGS))
        self._end_block(tag)
        if tag in _PARAGRAPH_TAGS:
            self._text.append("\n")

    def data(self, data: str) -> None:
        if not self._skip_depth:
            self._line.append(data)

    def close(self) -> None:
        self._end_line()

    def _end_block(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._line.append(_CELL_END)
        elif tag not in _INLINE_TAGS:
            self._end_line()

    def _end_line(self) -> None:
        cells = (" ".join(cell.split()) for cell in "".join(self._line).split(_CELL_END))
        if line := " | ".join(filter(None, cells)):
            self._text.append(line + "\n")
        self._line.clear()
