"""Web pages: what they say, without scripts, styles and navigation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_UNREAD = {"button", "nav", "noscript", "script", "select", "style", "svg", "template", "textarea"}
_CONTENT = {"article", "h1", "main"}
"""Where what a page says begins: a menu or a button that is open there was never closed."""
_INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "input", "ins"),
    *("kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "time"),
    *("tt", "u", "var", "wbr"),
}
_PARAGRAPHS = {"article", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "section", "table", "title"}

_START = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<!--.{0,2000}?-->|<\?xml[^>]{0,200}>)*+<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(
    rb"charset\s*=\s*[\"']?(iso-8859-\d{1,2}|windows-\d{3,4}|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gb\d{4,5}|gbk|big5)\b",
    re.IGNORECASE,
)
_CHUNK = 2**16
_BAR = "\0"


def is_web(data: bytes, name: str) -> bool:
    return _START.match(data[:4096]) is not None or name.lower().endswith((".html", ".htm", ".xhtml"))


def encoding(data: bytes) -> str:
    """What the page says of its own letters, among the encodings that pages use; empty if nothing."""
    found = _CHARSET.search(data[:4096])
    return found[1].decode() if found else ""


def read(text: str, check: Callable[[], None]) -> Iterator[str]:
    from lxml.etree import HTMLParser  # pyright: ignore[reportAttributeAccessIssue]

    page = _Page()
    parser: Any = HTMLParser(target=page, encoding="utf-8")
    data = text.encode("utf-8", "ignore")
    for start in range(0, len(data), _CHUNK):
        check()
        parser.feed(data[start : start + _CHUNK])
        yield page.take()
    parser.close()
    yield page.take()


class _Page:
    """Gathers the text of a stream of tags: a tree of them would take gigabytes for a hostile page.

    A cell of a table ends with a bar, other blocks end a line.
    """

    def __init__(self) -> None:
        self._read: list[str] = []
        self._line: list[str] = []
        self._unread = 0

    def take(self) -> str:
        """The text since the last time."""
        taken, self._read = "".join(self._read), []
        return taken

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._unread = 0 if tag in _CONTENT else self._unread + (tag in _UNREAD)
        self._border(tag)

    def end(self, tag: str) -> None:
        """The parser also calls it for tags that the page left open."""
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self._border(tag)
        if tag in _PARAGRAPHS:
            self._read.append("\n")

    def data(self, data: str) -> None:
        if not self._unread:
            self._line.append(data)

    def close(self) -> None:
        self._end_line()

    def _border(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._line.append(_BAR)
        elif tag not in _INLINE:
            self._end_line()

    def _end_line(self) -> None:
        cells = (" ".join(cell.split()) for cell in "".join(self._line).split(_BAR))
        if line := " | ".join(filter(None, cells)):
            self._read.append(line + "\n")
        self._line.clear()
