"""PDF: the text of each page, its lines put together to paragraphs again."""

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
_ENDS = tuple('.!?:;…"”»)')
_FULL = 0.7
"""A line this long, as a share of its page's longest, goes on in the next one."""
_UNPACKED = 10 * 10**6
_STEPS = 300_000
"""What a page is drawn with, numbers included: seconds to parse. Pages above are drawings, such as maps."""


def is_pdf(data: bytes) -> bool:
    """Readers look for the mark within the first kilobyte, since some programs write something before it.

    A text that speaks of the mark holds no objects.
    """
    return data.startswith(b"%PDF-") or (b"%PDF-" in data[:1024] and b"endobj" in data)


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    """Page by page; sets pypdf's limits in the running context.

    Raises InvalidRequest for a document that is locked, or without text.
    """
    from pypdf import PdfReader, overwrite_configuration
    from pypdf.errors import DependencyError, FileNotDecryptedError

    overwrite_configuration(
        zlib_maximum_output_length=_UNPACKED,
        lzw_maximum_output_length=_UNPACKED,
        run_length_maximum_output_length=_UNPACKED,
        brotli_maximum_output_length=_UNPACKED,
        array_based_stream_maximum_output_length=_UNPACKED,
        stream_parsing_work_maximum_count=_STEPS,
    )
    seen = False
    try:
        document = PdfReader(io.BytesIO(data))
        if document.is_encrypted:
            document.decrypt("")  # many can be opened by everybody, and only not be changed
        for page in document.pages:
            check()
            text = _text(page, check)
            seen = seen or bool(text.strip())
            yield _reflowed(text) + "\n\n"
    except (FileNotDecryptedError, DependencyError) as error:
        raise InvalidRequest(
            "{name} is locked with a password. Save it without one, and send that.", name=name
        ) from error
    if not seen:
        raise InvalidRequest(
            "{name} has no text in it, only pictures of pages, as from a scanner. "
            "Send one whose text can be marked and copied.",
            name=name,
        )


def _text(page: PageObject, check: Callable[[], None]) -> str:
    """Empty for a page that is too much to read."""
    from pypdf.errors import LimitReachedError

    try:
        return page.extract_text(visitor_operand_before=lambda *_: check())
    except LimitReachedError as error:
        log.info("a page of a PDF is left out: %s", error)
        return ""


def _reflowed(page: str) -> str:
    """With the lines of one paragraph as one line, and words whole that were divided at a line's end."""
    lines = [line.strip() for line in _HYPHEN.sub("", page).splitlines()]
    full = _FULL * max(map(len, lines), default=0)
    text = ""
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        goes_on = following and len(line) >= full and not line.endswith(_ENDS)
        text += line + (" " if goes_on else "\n")
    return text
