"""What people are told of the part of their prompt that a model did not read."""

from __future__ import annotations

from inference.types.errors import Phrase

_QUOTED = 150
"""Characters of it that are quoted, at most: enough to find the place."""


def unread_note(name: Phrase, text: str) -> Phrase | None:
    """A sentence with the start of `text`, which the model did not read of the `name`; None without such text."""
    if not text:
        return None
    quoted = text if len(text) <= _QUOTED else text[:_QUOTED].rstrip() + "…"
    return Phrase(
        "The model reads only the start of a long {name}; it did not read “{quoted}”.", name=name, quoted=quoted
    )
