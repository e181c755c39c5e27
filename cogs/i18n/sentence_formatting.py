"""Filling values into sentences, with numbers in the format of each language."""

from __future__ import annotations

import string
from collections.abc import Mapping

_MARKS = {
    "de": str.maketrans(",.", ".,"),
    "es": str.maketrans(",.", ".,"),
    "fr": str.maketrans({",": "\u202f", ".": ","}),
}
"""The separators of numbers: Python writes 1,234.5, German 1.234,5."""


class _Formatter(string.Formatter):
    def __init__(self, language: str) -> None:
        self._marks = _MARKS.get(language)

    def format_field(self, value: object, format_spec: str) -> str:
        text = format(value, format_spec)
        if self._marks and isinstance(value, (int, float)):
            return text.translate(self._marks)
        return text


def filled(sentence: str, language: str, values: Mapping[str, object]) -> str:
    """Fill `values` into `sentence` like `str.format`; without values, braces are plain characters."""
    return _Formatter(language).vformat(sentence, (), values) if values else sentence
