"""Checks that several tasks share, in words that people understand: each raises InvalidRequest."""

from __future__ import annotations

import secrets

from inference.config.limits import Limits
from inference.types.errors import InvalidRequest, Phrase


def check_text(name: Phrase, text: str, longest: int) -> None:
    """Refuse an empty text, and one of more than `longest` characters."""
    if not text.strip():
        raise InvalidRequest("The {name} is empty. Write something first.", name=name)
    if len(text) > longest:
        raise InvalidRequest(
            "The {name} has {count:,} characters; {most:,} is the most that this bot takes. Shorten it.",
            name=name,
            count=len(text),
            most=longest,
        )


def check_within(name: Phrase, value: float, least: float, most: float) -> None:
    """Refuse a number outside of `least` to `most`, and NaN."""
    if not least <= value <= most:
        raise InvalidRequest(
            "The {name} must be between {least:,.10g} and {most:,.10g}, not {value:,.10g}.",
            name=name,
            least=least,
            most=most,
            value=value,
        )


def check_seed(seed: int | None) -> None:
    """Refuse a seed that does not fit into 32 bits."""
    if seed is not None and not 0 <= seed < 2**32:
        raise InvalidRequest("The seed must be a whole number from 0 to 4294967295.")


def new_seed() -> int:
    """Return a random seed: a request without one gets it, so that its answer can always be repeated."""
    return secrets.randbelow(2**32)


def check_upload(picture: bytes, limits: Limits) -> None:
    """Refuse a file of more bytes than the operator allows."""
    if len(picture) > limits.upload:
        raise InvalidRequest("This picture is larger than {most}. Send a smaller one.", most=megabytes(limits.upload))


def megabytes(size: int) -> str:
    """Return a size in bytes as people read it."""
    return f"{size / 10**6:.0f} MB"
