"""The labels of a classifier to which the bot objects."""

from __future__ import annotations

import re
from collections.abc import Sequence

_OBJECTED = frozenset(
    {"nsfw", "porn", "pornography", "hentai", "sexy", "sexual", "sexualexplicit", "sexualcontent", "explicit", "nude"}
    | {"nudity", "adult", "gore", "violence", "violent", "graphic", "unsafe", "harmful", "inappropriate"}
    | {"toxic", "toxicity", "severetoxic", "severetoxicity", "obscene", "obscenity", "insult", "threat"}
    | {"identityhate", "identityattack", "hate", "hateful", "hatespeech", "harassment", "abuse", "abusive"}
    | {"offensive", "offensivelanguage", "profanity", "selfharm", "sexualminors"}
)
"""The labels of widely used classifiers that mean something objectionable, as `_plain` writes them."""


def objected_labels(labels: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return those of a model's `labels` that are `wanted`; if none are wanted, those that are known to be bad.

    Capitals, spaces and punctuation don't matter. Raise KeyError with a wanted label that the model does not have.
    """
    if not wanted:
        return [label for label in labels if _plain(label) in _OBJECTED]
    by_plain = {_plain(label): label for label in labels}
    return [by_plain[_plain(label)] if _plain(label) in by_plain else _missing(label) for label in wanted]


def _missing(label: str) -> str:
    raise KeyError(label)


def _plain(label: str) -> str:
    return re.sub(r"[\W_]+", "", label).lower()
