"""Rich text (RTF): its paragraphs, and tables with one line per row."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

MARK = rb"{\rtf"

_TOKEN = re.compile(
    rb"\\(?P<word>[a-z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<byte>[0-9a-f]{2})|\\(?P<symbol>[^a-z])"
    rb"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)",
    re.IGNORECASE | re.DOTALL,
)
_TOKENS_AT_ONCE = 1000
_SKIPPED_GROUPS = {
    *(b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"objdata", b"themedata", b"colorschememapping"),
    *(b"datastore", b"latentstyles", b"listtable", b"listoverridetable", b"rsidtbl", b"generator", b"fldinst"),
    *(b"header", b"headerl", b"headerr", b"headerf", b"footer", b"footerl", b"footerr", b"footerf", b"xmlnstbl"),
    *(b"bkmkstart", b"bkmkend", b"nonshppict", b"filetbl", b"revtbl", b"annotation", b"atnid", b"atnauthor"),
    *(b"mmathPr", b"pgptbl", b"fchars", b"lchars", b"deleted"),
}
"""Groups that are no text of the document: tables of fonts and styles, pictures, headers."""
_CHARACTERS = {
    **dict.fromkeys((b"par", b"sect", b"page"), "\n\n"),
    **{b"line": "\n", b"tab": "\t", b"cell": " | ", b"row": "\n", b"nestcell": " | ", b"nestrow": "\n"},
    **{b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’"},
    **{b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ", b"qmspace": " "},
}
_SYMBOLS = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n\n", b"\r": "\n\n", b"{": "{", b"}": "}", b"\\": "\\"}
_CHARSETS = {
    **{0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5hkscs", 161: "cp1253"},
    **{162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874"},
    **{238: "cp1250"},
}
"""The encoding of each Windows charset, which a font names with its number."""
_CODE_PAGES = {65001: "utf-8", 10000: "mac-roman", 936: "gb18030", 950: "big5hkscs"}


def read(data: bytes, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text in pieces."""
    reader = _RichTextReader()
    position = 0
    while position < len(data):
        check()
        for _ in range(_TOKENS_AT_ONCE):
            if not (token := _TOKEN.match(data, position)):
                position += 1  # a backslash at the end, or before nothing that it could mean
                break
            position = token.end() + reader.handle(token)
        yield reader.take()
    yield reader.close()


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits from the group around it."""

    skipped: bool = False
    hidden: bool = False
    is_font_table: bool = False
    is_note: bool = False
    encoding: str = "cp1252"
    replacements: int = 1
    """The number of characters after a Unicode one that stand for it in old programs."""


class _RichTextReader:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._notes: list[str] = []
        self._bytes = bytearray()
        self._states = [_State()]
        self._default = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._ignored_characters = 0

    def take(self) -> str:
        """Return the text since the last call. The half of a letter that may be at its end waits for the other half."""
        text = "".join(self._text)
        half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text, self._text = text.removesuffix(half), [half]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def close(self) -> str:
        """Return the rest of the text, and the notes."""
        self._end_bytes()
        self._text += self._notes
        return self.take()

    def handle(self, token: re.Match[bytes]) -> int:
        """Add what a token says to the text, or remember it. Return the number of bytes after it to skip."""
        if token["byte"]:
            self._add_bytes(bytes([int(token["byte"], 16)]))
        elif token["text"]:
            self._add_bytes(token["text"])
        elif token["word"]:
            return self._handle_word(token["word"], None if token["number"] is None else int(token["number"]))
        elif token["symbol"]:
            self._handle_symbol(token["symbol"])
        elif token["brace"] == b"{":
            self._end_bytes()
            self._states.append(self._states[-1])
        elif token["brace"]:
            self._end_bytes()
            self._ignored_characters = 0
            if len(self._states) > 1:
                self._states.pop()
        return 0

    def _handle_word(self, word: bytes, number: int | None) -> int:
        self._end_bytes()
        if word == b"u" and number is not None:
            self._add(chr(number & 0xFFFF))
            self._ignored_characters = self._states[-1].replacements
        elif word == b"bin":
            return max(0, number or 0)
        elif word in _CHARACTERS:
            self._add(_CHARACTERS[word])
        elif word in _SKIPPED_GROUPS:
            self._change(skipped=True, is_font_table=word == b"fonttbl")
        elif word == b"footnote":  # an endnote begins so too
            self._change(is_note=True)
            self._add("\n\n")
        elif word == b"v":
            self._change(hidden=number != 0)
        elif word == b"uc":
            self._change(replacements=max(0, number or 0))
        else:
            self._handle_encoding(word, number or 0)
        return 0

    def _handle_encoding(self, word: bytes, number: int) -> None:
        if word == b"ansicpg":
            self._default = _CODE_PAGES.get(number, f"cp{number}")
            self._change(encoding=self._default)
        elif word == b"mac":
            self._default = "mac-roman"
            self._change(encoding=self._default)
        elif word == b"f" and self._states[-1].is_font_table:
            self._font = number
        elif word == b"f":
            self._change(encoding=self._fonts.get(number, self._default))
        elif word == b"fcharset":
            self._fonts[self._font] = _CHARSETS.get(number, self._default)

    def _handle_symbol(self, symbol: bytes) -> None:
        self._end_bytes()
        if symbol == b"*":  # the group is for programs that know it
            self._change(skipped=True)
        else:
            self._add(_SYMBOLS.get(symbol, ""))

    def _change(self, **values: object) -> None:
        self._states[-1] = replace(self._states[-1], **values)  # pyright: ignore[reportArgumentType]

    def _add(self, text: str) -> None:
        if not (self._states[-1].skipped or self._states[-1].hidden):
            (self._notes if self._states[-1].is_note else self._text).append(text)

    def _add_bytes(self, data: bytes) -> None:
        ignored = min(self._ignored_characters, len(data))
        self._ignored_characters -= ignored
        self._bytes += data[ignored:]

    def _end_bytes(self) -> None:
        """Decode the bytes so far; a letter may consist of several."""
        encoding = self._states[-1].encoding
        if self._bytes and not self._states[-1].skipped:
            self._add(self._bytes.decode(encoding if _is_known(encoding) else "cp1252", "replace"))
        self._bytes.clear()


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
