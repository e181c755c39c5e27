"""The notations of a blank in a text, and the text around blanks."""

from __future__ import annotations

import re

_BLANK = re.compile(r"\[mask\]|<mask>|_{3,}", re.IGNORECASE)


def has_blank(text: str) -> bool:
    """Return whether the text has a blank: `[MASK]` or `<mask>` in any case, or at least three underscores."""
    return _BLANK.search(text) is not None


def split_at_blanks(text: str) -> list[str]:
    """Return the text before, between and after the blanks, unchanged: one piece more than there are blanks."""
    return _BLANK.split(text)
