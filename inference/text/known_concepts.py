"""The words that a small model knows, if it has a list: `inkling-names.txt` beside its weights.

Each line is a category: "fruit: red apple, pear, lemon".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from inference.types.errors import InvalidRequest, Phrase

FILE = "inkling-names.txt"

ConceptsByCategory = Mapping[str, tuple[str, ...]]
"""Names by category, in the file's order."""

_STOP_WORDS = frozenset({"an", "and", "at", "drawing", "in", "of", "on", "one", "picture", "the", "with"})
"""Words that don't say what to draw, even if they are part of a name."""

_ALWAYS_ALLOWED = frozenset({"a", "the", "one", "of", "picture", "drawing"})
"""Stop words that such a model always knows from its training."""

_WEIGHT_OR_BREAK = re.compile(r"\d+$|BREAK$")
"""A weight, or the end of a chunk."""

_SEPARATORS = r"\s!-/:-@\[-`{-~“”„‘’«»…–—、。"
"""Characters between words, for a character class. All other characters, such as emoji, belong to words."""

_WORD = re.compile(rf"[^{_SEPARATORS}]+")

_MAX_LISTED = 5
"""The largest number of words that are quoted."""

_MAX_SUGGESTED = 3
"""The largest number of names that are suggested."""

_MIN_SIMILARITY = 0.8
"""The least similarity of a misspelled word: "applle" has 0.9 to "apple", and "hearts" to "heart" too."""

_MAX_WORD_LENGTH = 30
"""The longest quoted word, in characters."""


def concepts_in(folder: Path) -> ConceptsByCategory:
    """Return what the model in `folder` knows; empty for most models, which have no list."""
    file = folder / FILE
    if not file.is_file():
        return {}
    lines = (line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines() if ":" in line)
    return {category.strip(): tuple(name.strip() for name in names.split(",")) for category, names in lines}


class KnownConcepts:
    """The words in all names of `concepts`. Without any, every word counts as known."""

    def __init__(self, concepts: ConceptsByCategory) -> None:
        self._concepts = concepts
        all_words = {word for names in concepts.values() for name in names for word in _words(name)}
        self._words = all_words - _STOP_WORDS
        self._allowed = all_words | _ALWAYS_ALLOWED

    @property
    def limited(self) -> bool:
        """Whether there is a list."""
        return bool(self._words)

    def require(self, text: str) -> None:
        """Raise InvalidRequest with suggestions if no word of `text` is known."""
        unknown = self._unknown(text)
        if unknown and self._words.isdisjoint(_words(text)):
            raise InvalidRequest(
                "This model does not know: {words}. It draws single things, such as {names}; /help lists more.",
                words=_join(unknown),
                names=_join(self._suggestions(unknown[:_MAX_LISTED])),
            )

    def note(self, text: str) -> Phrase | None:
        """Return a note about words of `text` that the model does not know; None if it knows all."""
        unknown = self._unknown(text)
        return Phrase("This model does not know: {words}.", words=_join(unknown)) if unknown else None

    def without_unknown_words(self, prompt: str) -> str:
        """Return the prompt without unknown words, which would only confuse the model. Marks are kept."""
        if not self._words:
            return prompt
        return _WORD.sub(lambda word: word[0] if self._is_allowed(word[0]) else "", prompt)

    def _is_allowed(self, word: str) -> bool:
        return word.lower() in self._allowed or _WEIGHT_OR_BREAK.match(word) is not None

    def _unknown(self, text: str) -> list[str]:
        known = self._words | _STOP_WORDS
        return [word for word in _words(text) if word not in known] if self._words else []

    def _suggestions(self, unknown: Sequence[str]) -> list[str]:
        """Return names with a word that is spelled nearly like an unknown one; without any, some of all that is known.

        Nearly the same are only words with the same first letter: "hello" is no misspelling of "shell".
        """
        close = {match for word in unknown for match in self._close_words(word[:_MAX_WORD_LENGTH])}
        similar = [name for names in self._concepts.values() for name in names if not close.isdisjoint(_words(name))]
        categories = list(self._concepts.values())
        spread = [names[0] for names in categories[:: max(1, len(categories) // _MAX_SUGGESTED)]]
        return (similar or spread)[:_MAX_SUGGESTED]

    def _close_words(self, word: str) -> list[str]:
        same_start = sorted(known for known in self._words if known[0] == word[0])
        return get_close_matches(word, same_start, n=1, cutoff=_MIN_SIMILARITY)


def _words(text: str) -> list[str]:
    """Return the words in lower case, each once, with numbers and emoji, but without single ASCII letters."""
    words = dict.fromkeys(_WORD.findall(text.lower()))
    return [word for word in words if len(word) > 1 or not word.isascii() or word.isdigit()]


def _join(texts: Sequence[str]) -> str:
    limit = _MAX_WORD_LENGTH
    return ", ".join(text if len(text) <= limit else text[:limit] + "…" for text in texts[:_MAX_LISTED])
