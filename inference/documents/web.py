"""The text of web pages, without scripts, styles, navigation and hidden parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.documents.encoding_labels import codec_of

_REMOVED_TAGS = {"annotation", "annotation-xml", "script", "style", "svg", "template"}
"""No text, or, of a formula, the same again in another notation."""
_MENU_TAGS = {"button", "datalist", "nav", "noscript", "select"}
"""Seldom a page's content. Like hidden text, it is read only where a page has nothing else."""
_CONTENT_TAGS = {"article", "h1", "main"}
"""Start of the content: a menu or button that is still open there was never closed."""
_OPTION_TAGS = {"option", "optgroup", "hr", "selectedcontent", "button", "legend", "template", "script"}
_INLINE_TAGS = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "input", "ins"),
    *("kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "time"),
    *("tt", "u", "var", "wbr"),
    *("annotation", "annotation-xml", "math", "menclose", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo"),
    *("mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup"),
    *("mtext", "munder", "munderover", "semantics"),
}
_PARAGRAPH_TAGS = {"article", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "section", "table", "title"}
_PREFORMATTED_TAGS = {"listing", "plaintext", "pre", "textarea", "xmp"}
_PREFORMATTED = re.compile(r"(?:^|;)\s*white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)

_START = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<!--.{0,2000}?-->|<\?xml[^>]{0,200}>)*+<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_DECLARED = re.compile(
    rb"<(?:meta\b[^>]{0,1000}?charset|\?xml\b[^>]{0,200}?encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE
)
_INVISIBLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_HEAD_BYTES = 2**14
"""The beginning of a page in which its encoding is looked for. Scripts and styles may be in front of it."""
_CHUNK_BYTES = 2**16
_CELL_END = "\0"
_KEPT_BLANKS = str.maketrans(" \N{NO-BREAK SPACE}\t\n", "\x01\x01\x02\x03", "\r")
"""Marks for the blanks of preformatted text, while other blanks become one space."""
_BLANKS = str.maketrans("\x01\x02\x03", " \t\n")


def is_web(data: bytes, name: str) -> bool:
    return _START.match(data[:4096]) is not None or name.lower().endswith((".html", ".htm", ".xhtml"))


def encoding(data: bytes) -> str:
    """Return the encoding that the page declares, as Python calls it; empty if there is none, or an unknown one."""
    match = _DECLARED.search(_COMMENT.sub(b"", data[:_HEAD_BYTES]))
    return codec_of(match[1].decode("ascii", "ignore")) if match else ""


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


@dataclass(slots=True, eq=False)
class _OpenTag:
    tag: str
    removed: bool
    skipped: bool
    preformatted: bool


class _PageTextCollector:
    """Collects text from a stream of tags. A tree would take gigabytes for a malicious page.

    Table cells end with a bar, other blocks end a line.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._skipped_text: list[str] = []
        self._line: list[str] = []
        self._skipped_line: list[str] = []
        self._open_tags: list[_OpenTag] = []
        self._open_menus: list[_OpenTag] = []
        self._removed_depth = self._skipped_depth = self._preformatted_depth = 0
        self._has_content = False

    def take(self) -> str:
        """Return the text since the last call."""
        text, self._text = "".join(self._text), []
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._end_block(tag)
        self._end_unclosed_menus(tag)
        hidden = _is_hidden(tag, attributes)
        preformatted = tag in _PREFORMATTED_TAGS or _PREFORMATTED.search(attributes.get("style") or "") is not None
        opened = _OpenTag(tag, _is_removed(tag, attributes), hidden or tag in _MENU_TAGS, preformatted)
        self._open_tags.append(opened)
        if opened.skipped and not hidden:
            self._open_menus.append(opened)
        self._count(opened, 1)

    def end(self, tag: str) -> None:
        """End a tag. The parser also calls this for tags that the page left open."""
        self._end_block(tag)
        if tag in _PARAGRAPH_TAGS:
            (self._skipped_text if self._skipped_depth else self._text).append("\n")
        opened = self._open_tags.pop()
        if self._open_menus and self._open_menus[-1] is opened:
            self._open_menus.pop()
        self._count(opened, -1)

    def data(self, data: str) -> None:
        if not self._removed_depth:
            self._add(data.translate(_KEPT_BLANKS) if self._preformatted_depth else data)

    def close(self) -> None:
        """Add what was skipped if the page has nothing else, because it needs scripts or left a menu open."""
        self._end_line()
        if not self._has_content:
            self._text += self._skipped_text

    def _count(self, opened: _OpenTag, change: int) -> None:
        self._removed_depth += change * opened.removed
        self._skipped_depth += change * opened.skipped
        self._preformatted_depth += change * opened.preformatted

    def _end_unclosed_menus(self, tag: str) -> None:
        """Stop to skip the menus that can't contain `tag`, so that the page left them open."""
        while self._open_menus and (tag in _CONTENT_TAGS or _is_outside(tag, self._open_menus[-1].tag)):
            self._open_menus.pop().skipped = False
            self._skipped_depth -= 1

    def _end_block(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._add(_CELL_END)
        elif tag not in _INLINE_TAGS:
            self._end_line()

    def _add(self, text: str) -> None:
        (self._skipped_line if self._skipped_depth else self._line).append(text)

    def _end_line(self) -> None:
        if self._skipped_line:
            self._skipped_text.append(_joined(self._skipped_line))
            self._skipped_line.clear()
        if line := _joined(self._line):
            self._text.append(line)
            self._has_content = self._has_content or not self._is_in_title()
        self._line.clear()

    def _is_in_title(self) -> bool:
        return any(opened.tag == "title" for opened in self._open_tags)


def _joined(line: Sequence[str]) -> str:
    """Return the pieces as one line, with bars between table cells; empty if there are only blanks."""
    cells = (" ".join(cell.split()) for cell in "".join(line).split(_CELL_END))
    text = " | ".join(filter(None, cells))
    return text.translate(_BLANKS) + "\n" if text else ""


def _is_outside(tag: str, menu: str) -> bool:
    """Return whether `tag` can only follow `menu`, and not be a part of it."""
    return menu == "select" and tag not in _OPTION_TAGS and tag not in _INLINE_TAGS


def _is_removed(tag: str, attributes: Mapping[str, str]) -> bool:
    """Return whether a tag has no text. A template with a shadow root is a part of the page that browsers show."""
    return tag in _REMOVED_TAGS and not (tag == "template" and "shadowrootmode" in attributes)


def _is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    if "popover" in attributes or (tag == "dialog" and "open" not in attributes):
        return True
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    return _INVISIBLE.search(attributes.get("style") or "") is not None
