"""What a small model knows, where that is little enough to list: `names.txt` beside its weights.

A line for each kind of thing: "fruit: red apple, pear, lemon".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from inference.errors import InvalidRequest, Phrase

FILE = "names.txt"

Kinds = Mapping[str, tuple[str, ...]]
"""Names by the kind of thing that they are, in the file's order."""

_SMALL_WORDS = frozenset({"a", "an", "and", "at", "drawing", "in", "of", "on", "one", "picture", "the", "with"})
"""They neither say what is to be drawn nor get in the way of it."""

_WORD = re.compile(r"[^\W\d_]+")
_LISTED = 5
"""Words that are repeated to a person, and names that are proposed, at most."""


def kinds_in(folder: Path) -> Kinds:
    """What the model in `folder` knows; empty for models that come without such a list, which is most of them."""
    file = folder / FILE
    if not file.is_file():
        return {}
    lines = (line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines() if ":" in line)
    return {kind.strip(): tuple(name.strip() for name in names.split(",")) for kind, names in lines}


class Vocabulary:
    """The words of all names of `kinds`; without any, every word is taken as known."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._words = {word for names in kinds.values() for name in names for word in name.split()}

    def require(self, text: str) -> None:
        """Raises InvalidRequest, with what could be asked for instead, when nothing in `text` is known."""
        unknown = self._unknown(text)
        if unknown and not self._words & set(_words(text)):
            raise InvalidRequest(
                "This model does not know: {words}. It draws single things, such as {names}.",
                words=_listed(unknown),
                names=_listed(self._nearest(unknown)),
            )

    def note(self, text: str) -> Phrase | None:
        """A sentence about those words of `text` that mean nothing to the model."""
        unknown = self._unknown(text)
        return Phrase("This model does not know: {words}.", words=_listed(unknown)) if unknown else None

    def _unknown(self, text: str) -> list[str]:
        known = self._words | _SMALL_WORDS
        return [word for word in _words(text) if word not in known] if self._words else []

    def _nearest(self, unknown: list[str]) -> list[str]:
        """Names that look like what was asked for, then one of each kind."""
        alike = {match for word in unknown for match in get_close_matches(word, sorted(self._words), n=1)}
        names = [name for names in self._kinds.values() for name in names if alike & set(name.split())]
        return list(dict.fromkeys([*names[: _LISTED - 1], *(names[0] for names in self._kinds.values())]))


def _words(text: str) -> list[str]:
    """Each once, in lower case."""
    return list(dict.fromkeys(_WORD.findall(text.lower())))


def _listed(texts: list[str]) -> str:
    return ", ".join(texts[:_LISTED])
