"""Checks shared by several tasks, with messages for users. Each raises InvalidRequest."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence

from inference.limits import Limits
from inference.text.prompt_normalization import reading_candidates
from inference.types.errors import InvalidRequest, Phrase


def check_text(name: Phrase, text: str, max_characters: int) -> None:
    """Refuse an empty text, and a text of more than `max_characters`."""
    if not text.strip():
        raise InvalidRequest("The {name} is empty. Write something first.", name=name)
    if len(text) > max_characters:
        raise InvalidRequest(
            "The {name} has {count:,} characters; {most:,} is the most that this bot takes. Shorten it.",
            name=name,
            count=len(text),
            most=max_characters,
        )


def refuse_words(texts: Iterable[str], words: Sequence[str]) -> None:
    """Refuse whole words, as models read them: a rule against "ass" does not affect "grass"."""
    if not words:
        return
    readings = [reading for text in texts for reading in reading_candidates(text)]
    for word in words:
        phrase = r"\s+".join(map(re.escape, unicodedata.normalize("NFKC", word).split()))
        if any(re.search(rf"(?<!\w){phrase}(?!\w)", reading, re.IGNORECASE) for reading in readings):
            raise InvalidRequest("This bot's operator does not allow a word of this text. Write it in other words.")


def check_within(name: Phrase, value: float, minimum: float, maximum: float) -> None:
    """Refuse a number outside of `minimum` to `maximum`, and NaN."""
    if not minimum <= value <= maximum:
        raise InvalidRequest(
            "The {name} must be between {least:,.10g} and {most:,.10g}, not {value:,.10g}.",
            name=name,
            least=minimum,
            most=maximum,
            value=value,
        )


def check_seed(seed: int | None) -> None:
    """Refuse a seed that does not fit into 32 bits."""
    if seed is not None and not 0 <= seed < 2**32:
        raise InvalidRequest("The seed must be a whole number from 0 to 4294967295.")


def check_sampling(
    limits: Limits, max_new_tokens: int, temperature: float | None, top_p: float, seed: int | None
) -> None:
    """Refuse a length beyond the limit, and parameters of sampling that no text can be generated with."""
    check_within(Phrase("length"), max_new_tokens, 1, limits.new_tokens)
    if temperature is not None:
        check_within(Phrase("temperature"), temperature, 0, 5)
    check_within(Phrase("top-p"), top_p, 0.01, 1)
    check_seed(seed)


def new_seed() -> int:
    """Return a random seed. Requests without a seed get one, so that their result can be repeated."""
    return secrets.randbelow(2**32)


def check_upload(picture: bytes, limits: Limits) -> None:
    """Refuse a file larger than the operator's limit."""
    if len(picture) > limits.upload:
        raise InvalidRequest("This picture is larger than {most}. Send a smaller one.", most=megabytes(limits.upload))


def megabytes(size: int) -> str:
    """Return a size in bytes as text for users."""
    return f"{size / 10**6:.0f} MB"
