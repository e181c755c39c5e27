"""What a small model knows, where that is little enough to list: `inkling-names.txt` beside its weights.

A line for each kind of thing: "fruit: red apple, pear, lemon".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from inference.types.errors import InvalidRequest, Phrase

FILE = "inkling-names.txt"

ConceptsByCategory = Mapping[str, tuple[str, ...]]
"""Names by the kind of thing that they are, in the file's order."""

_SMALL_WORDS = frozenset({"an", "and", "at", "drawing", "in", "of", "on", "one", "picture", "the", "with"})
"""They don't say what is to be drawn, also where they are part of a name."""

_HARMLESS = frozenset({"a", "the", "one", "of", "picture", "drawing"})
"""Small words that such a model has heard, whatever its names are."""

_MARK = re.compile(r"\d+$|BREAK$")
"""What may be a weight, or ends a chunk."""

_SIGNS = r"\s!-/:-@\[-`{-~“”„‘’«»…–—、。"
"""What stands between words, as inside of brackets in a pattern; all other signs, emoji among them, make words."""

_WORD = re.compile(rf"[^{_SIGNS}]+")

_LISTED = 5
"""Words that are repeated to a person, and names that are proposed, at most."""

_LONGEST = 30
"""Characters of a word that are repeated."""


def concepts_in(folder: Path) -> ConceptsByCategory:
    """What the model in `folder` knows; empty for models that come without such a list, which is most of them."""
    file = folder / FILE
    if not file.is_file():
        return {}
    lines = (line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines() if ":" in line)
    return {kind.strip(): tuple(name.strip() for name in names.split(",")) for kind, names in lines}


class KnownConcepts:
    """The words of all names of `kinds`; without any, every word is taken as known."""

    def __init__(self, kinds: ConceptsByCategory) -> None:
        self._kinds = kinds
        heard = {word for names in kinds.values() for name in names for word in _words(name)}
        self._words = heard - _SMALL_WORDS
        self._spoken = heard | _HARMLESS

    @property
    def limited(self) -> bool:
        """Whether there is a list at all."""
        return bool(self._words)

    def require(self, text: str) -> None:
        """Raises InvalidRequest, with what could be asked for instead, when nothing in `text` is known."""
        unknown = self._unknown(text)
        if unknown and self._words.isdisjoint(_words(text)):
            raise InvalidRequest(
                "This model does not know: {words}. It draws single things, such as {names}.",
                words=_listed(unknown),
                names=_listed(self._nearest(unknown[:_LISTED])),
            )

    def note(self, text: str) -> Phrase | None:
        """A sentence about those words of `text` that mean nothing to the model."""
        unknown = self._unknown(text)
        return Phrase("This model does not know: {words}.", words=_listed(unknown)) if unknown else None

    def spoken(self, prompt: str) -> str:
        """The prompt, marks and all, without words that would only lead the model astray."""
        if not self._words:
            return prompt
        return _WORD.sub(lambda word: word[0] if self._means(word[0]) else "", prompt)

    def _means(self, word: str) -> bool:
        return word.lower() in self._spoken or _MARK.match(word) is not None

    def _unknown(self, text: str) -> list[str]:
        known = self._words | _SMALL_WORDS
        return [word for word in _words(text) if word not in known] if self._words else []

    def _nearest(self, unknown: Sequence[str]) -> list[str]:
        """Names that look like what was asked for, then one of each kind."""
        known = sorted(self._words)
        alike = {match for word in unknown for match in get_close_matches(word[:_LONGEST], known, n=1)}
        names = [name for names in self._kinds.values() for name in names if not alike.isdisjoint(_words(name))]
        return list(dict.fromkeys([*names[: _LISTED - 1], *(names[0] for names in self._kinds.values())]))


def _words(text: str) -> list[str]:
    """Each once, in lower case; numbers and emoji, too, but no single letters, which apostrophes leave behind."""
    words = dict.fromkeys(_WORD.findall(text.lower()))
    return [word for word in words if len(word) > 1 or not word.isascii() or word.isdigit()]


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(text if len(text) <= _LONGEST else text[:_LONGEST] + "…" for text in texts[:_LISTED])
