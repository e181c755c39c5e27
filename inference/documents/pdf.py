"""PDF: the text of each page, with lines joined to paragraphs."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from inference.types.errors import InvalidRequest

if TYPE_CHECKING:
    from pypdf import PageObject

log = logging.getLogger(__name__)

_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zß-ÿ])")
_PARAGRAPH_ENDS = tuple('.!?:;…"”»)')
_FULL_LINE_SHARE = 0.7
"""A line of this share of the page's longest line continues in the next line."""
_MAX_UNPACKED_BYTES = 10 * 10**6
_MAX_PARSING_STEPS = 300_000
"""Operators and numbers of a page, which take seconds to parse. Pages with more are drawings, such as maps."""


def is_pdf(data: bytes) -> bool:
    """Return whether this is a PDF. The mark may be anywhere in the first kilobyte, since some programs write a prefix.

    A text that only mentions the mark has no objects.
    """
    return data.startswith(b"%PDF-") or (b"%PDF-" in data[:1024] and b"endobj" in data)


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Yield the text page by page. Sets pypdf's limits in the current context.

    Raise InvalidRequest for a document that is locked or has no text.
    """
    from pypdf import PdfReader, overwrite_configuration
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
        document = PdfReader(io.BytesIO(data))
        if document.is_encrypted:
            document.decrypt("")  # many documents can be read without a password, and only not be changed
        for page in document.pages:
            check()
            text = _page_text(page, check)
            has_text = has_text or bool(text.strip())
            yield _reflow(text) + "\n\n"
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
