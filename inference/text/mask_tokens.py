"""The blanks of a text: how they are written, and the text with words in them."""

from __future__ import annotations

import re

_BLANK = re.compile(r"\[mask\]|<mask>|_{3,}", re.IGNORECASE)


def has_blank(text: str) -> bool:
    """`[MASK]` or `<mask>` in any case, or three underscores or more."""
    return _BLANK.search(text) is not None


def split_at_blanks(text: str) -> list[str]:
    """What stands before, between and after the blanks, to the letter: one piece more than there are blanks."""
    return _BLANK.split(text)
