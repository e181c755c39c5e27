"""Checks that a generated answer is supported by the text that it should come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.pipelines.retrieval import STOP_WORDS
from inference.text.figures import figures

_MIN_GROUNDED = 2 / 3
"""The share of the words added by an answer that must occur in the text."""
_STEM_LETTERS = 4
"""Words are compared by this many first letters: "brings" counts as "bring"."""
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]{2,}"
)  # single characters of Thai, Lao, Burmese, Khmer, Japanese and Chinese (no spaces there); words
_OPEN_QUESTION = re.compile(r"\b(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_YES_NO = frozenset(["yes", "no", "ja", "nein", "oui", "non", "si", "sí", "sim", "não"])
_FILLERS = frozenset(["pers", "peop", "one"])
"""The words that an answer says instead of "who": "The person who brings it is Maya.\""""
_ROW = re.compile(r"[^;:\n]+: [^;\n]*(?:; [^;:\n]+: [^;\n]*)+")
"""A row of a table, as documents are read: `city: Rome; people: 2,800,000`."""
_CELL = re.compile(r"[^;:]+: ([^;]*)")


def is_grounded(answer: str, context: str, question: str) -> bool:
    """Return whether `answer` is supported by `context`.

    The context must share a word with the question. It must contain every figure and most of the words that the answer
    adds to the question. Language models answer even when the text does not, with names and figures from elsewhere.
    An answer that adds nothing is only accepted for questions that are not open: yes-no questions, and those that name
    the alternatives. A figure from a table must be in a row that the question or the answer is about.
    """
    asked, known, answered = _words(question), _words(context), _words(answer) - _YES_NO
    if asked and not asked & known:
        return False
    added = answered - asked
    if not added:
        return bool(answer) and not _OPEN_QUESTION.search(question)
    numbers = {word for word in added if word.isdigit()}
    words = added - numbers
    grounded = numbers <= known and len(words & known) >= _MIN_GROUNDED * len(words)
    return grounded and numbers <= _figures_about((asked | answered) - numbers, context)


def is_stated(answer: str, context: str, question: str) -> bool:
    """Return whether one line of `context` has every word of the question and of the answer, which adds some.

    This is much more than `is_grounded` wants, for answers that are more likely to be invented. Only words that an
    answer says instead of "who" need not be there.
    """
    asked = _words(question)
    added = _words(answer) - _FILLERS - asked
    return bool(added) and any(asked | added <= _words(line) for line in context.splitlines())


def _figures_about(words: set[str], context: str) -> set[str]:
    """Return the figures of `context`, without those of rows in which no cell has any of `words`."""
    return {figure for line in context.splitlines() for figure in _figures_in_line(words, line)}


def _figures_in_line(words: set[str], line: str) -> Iterator[str]:
    found = figures(line)
    if not found or not _ROW.fullmatch(line):
        yield from found
        return
    yield from found if words & _words(" ".join(_CELL.findall(line))) else ()


def _words(text: str) -> set[str]:
    """Return the figures and word stems of `text`; single characters in scripts without spaces."""
    words = (word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS)
    return {word[:_STEM_LETTERS] for word in words} | figures(text)
