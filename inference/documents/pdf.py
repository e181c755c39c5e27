"""PDF: the text of each page, with lines joined to paragraphs, and what was written into its fields and notes."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from inference.documents import pdf_annotations
from inference.documents.reader_errors import ran_out_of_memory
from inference.types.errors import InvalidRequest

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

log = logging.getLogger(__name__)

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\N{SOFT HYPHEN}\N{HYPHEN}]\n(?=[a-zß-ÿ])")
_PARAGRAPH_ENDS = tuple('.!?:;…"”»)')
_FULL_LINE_SHARE = 0.7
"""A line of this share of the page's longest line continues in the next line."""
_MAX_UNPACKED_BYTES = 10 * 10**6
_MAX_PARSING_STEPS = 300_000
"""Operators and numbers of a page, which take seconds to parse. Pages with more are drawings, such as maps."""
_OBJECT = re.compile(rb"\b(\d{1,7})\s+\d{1,5}\s+obj\b")


def is_pdf(data: bytes) -> bool:
    """Return whether this is a PDF. The mark may be anywhere in the first kilobyte, since some programs write a prefix.

    A text that only mentions the mark has no objects.
    """
    return data.startswith(b"%PDF-") or (b"%PDF-" in data[:1024] and b"endobj" in data)


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text page by page. Sets pypdf's limits in the current context.

    Raise InvalidRequest for a document that is locked or has no text.
    """
    from pypdf import overwrite_configuration
    from pypdf.errors import DependencyError, FileNotDecryptedError

    overwrite_configuration(
        zlib_maximum_output_length=_MAX_UNPACKED_BYTES,
        lzw_maximum_output_length=_MAX_UNPACKED_BYTES,
        run_length_maximum_output_length=_MAX_UNPACKED_BYTES,
        brotli_maximum_output_length=_MAX_UNPACKED_BYTES,
        array_based_stream_maximum_output_length=_MAX_UNPACKED_BYTES,
        stream_parsing_work_maximum_count=_MAX_PARSING_STEPS,
    )
    has_text = False
    try:
        for page in _open(data).pages:
            check()
            text = _reflow(_page_text(page, check)) + pdf_annotations.text_of(page)
            has_text = has_text or bool(text.strip())
            yield text + "\n\n"
    except (FileNotDecryptedError, DependencyError) as error:
        raise InvalidRequest(
            "{name} is locked with a password. Save it without one, and send that.", name=name
        ) from error
    if not has_text:
        raise InvalidRequest(
            "{name} has no text in it, only pictures of pages, as from a scanner. "
            "Send one whose text can be marked and copied.",
            name=name,
        )


def _open(data: bytes) -> PdfReader:
    """Return a reader whose pages can be counted; where the table of objects is lost, it is rebuilt."""
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        return _opened(data)
    except (FileNotDecryptedError, DependencyError):
        raise
    except Exception as error:
        if ran_out_of_memory(error) or b"/Encrypt" in data:  # the key may be lost with the table
            raise
        log.info("the table of a PDF is rebuilt: %s", error)
        return _opened(_without_table(data))


def _without_table(data: bytes) -> bytes:
    """Return the file with an end that has no table of objects, so that pypdf searches the file for them.

    It then looks for the first of them among as many objects as the end announces.
    """
    trailer = data.rfind(b"trailer")
    if trailer >= 0 and b">>" not in data[trailer:]:
        data = data[:trailer]  # it was cut, and could not be parsed
    size = max((int(match[1]) for match in _OBJECT.finditer(data)), default=0) + 1
    return data + b"\ntrailer\n<< /Size %d >>\nstartxref\n0\n%%%%EOF\n" % size


def _opened(data: bytes) -> PdfReader:
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    document = PdfReader(io.BytesIO(data))
    if document.is_encrypted:
        document.decrypt("")  # many documents can be read without a password, and only not be changed
    if not len(document.pages):
        raise PdfReadError("no pages")
    return document


def _page_text(page: PageObject, check: Callable[[], None]) -> str:
    """Return the text of a page; empty for a page that is too large to parse."""
    from pypdf.errors import LimitReachedError

    try:
        return page.extract_text(visitor_operand_before=lambda *_: check())
    except LimitReachedError as error:
        log.info("a page of a PDF is left out: %s", error)
        return ""


def _reflow(page: str) -> str:
    """Join the lines of each paragraph, and words that are hyphenated at the end of a line."""
    lines = [line.strip() for line in _HYPHEN.sub("", page).splitlines()]
    full_length = _FULL_LINE_SHARE * max(map(len, lines), default=0)
    text = ""
    for line, next_line in zip_longest(lines, lines[1:], fillvalue=""):
        continues = next_line and len(line) >= full_length and not line.endswith(_PARAGRAPH_ENDS)
        text += line + (" " if continues else "\n")
    return text
