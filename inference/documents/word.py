"""Word documents (.docx): paragraphs, and tables a row a line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from inference.errors import InvalidRequest

_MAIN = "word/document.xml"
_UNPACKED = 200 * 10**6
_UNPACKED_XML = 30 * 10**6
"""Bytes; a tree of XML takes some ten times as many. 400,000 characters of a document are about 5 MB."""
_FILES = 5000

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT, _PARAGRAPH, _ROW, _CELL = f"{_W}t", f"{_W}p", f"{_W}tr", f"{_W}tc"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def is_word(data: bytes) -> bool:
    if not data.startswith(b"PK\x03\x04"):
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return _MAIN in packed.namelist()


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Raises InvalidRequest, before anything is unpacked, for a file that unpacks to very much."""
    import docx

    _check_unpacked(data, name)
    body = docx.Document(io.BytesIO(data)).element.body
    for fallback in list(body.iter(_FALLBACK)):  # the same text again, for old programs
        fallback.getparent().remove(fallback)
    for element in body.iter(_TEXT, _PARAGRAPH, _ROW, _CELL, *_SIGNS):
        check()
        yield _SIGNS.get(element.tag) or (element.text or "" if element.tag == _TEXT else _border(element))


def _border(element: Any) -> str:
    """What stands between this paragraph, row or cell and what came before."""
    if element.tag == _ROW:
        return "\n"
    if element.tag == _CELL:
        return "" if _is_first(element) else " | "
    if element.getparent().tag == _CELL:
        return "" if _is_first(element) else " "
    return "\n\n"


def _is_first(element: Any) -> bool:
    before = element.getprevious()
    return before is None or before.tag != element.tag


def _check_unpacked(data: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        files = packed.infolist()
    xml = sum(file.file_size for file in files if not file.filename.startswith("word/media/"))
    if len(files) > _FILES or xml > _UNPACKED_XML or sum(file.file_size for file in files) > _UNPACKED:
        raise InvalidRequest("{name} unpacks to more than this bot takes. Send a smaller part of it.", name=name)
