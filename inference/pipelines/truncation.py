"""Note for the user about the part of a prompt that the model did not read."""

from __future__ import annotations

from inference.types.errors import Phrase

_MAX_QUOTE = 150
"""Characters that are quoted, at most: enough to find the position."""


def truncation_note(name: Phrase, text: str) -> Phrase | None:
    """Return a note that quotes the start of `text`, the part of prompt `name` that was not read; None if empty."""
    if not text:
        return None
    quote = text if len(text) <= _MAX_QUOTE else text[:_MAX_QUOTE].rstrip() + "…"
    return Phrase(
        "The model reads only the start of a long {name}; it did not read “{quoted}”.", name=name, quoted=quote
    )
