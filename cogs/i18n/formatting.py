"""Sentences with their values, and numbers written as each language writes them."""

from __future__ import annotations

import string
from collections.abc import Mapping

_MARKS = {
    "de": str.maketrans(",.", ".,"),
    "es": str.maketrans(",.", ".,"),
    "fr": str.maketrans({",": "\u202f", ".": ","}),
}
"""Python writes 1,234.5; Germans write 1.234,5."""


class _Formatter(string.Formatter):
    def __init__(self, language: str) -> None:
        self._marks = _MARKS.get(language)

    def format_field(self, value: object, format_spec: str) -> str:
        text = format(value, format_spec)
        if self._marks and isinstance(value, (int, float)):
            return text.translate(self._marks)
        return text


def filled(sentence: str, language: str, values: Mapping[str, object]) -> str:
    """`sentence` with its `values`, as `str.format` does it; without any it may contain braces."""
    return _Formatter(language).vformat(sentence, (), values) if values else sentence
