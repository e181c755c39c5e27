"""Normalization of prompts to the words that models read. Needs no model."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

_WEIGHTS = re.compile(r":\s*-?[\d.]+\s*\)|[()\[\]]")

_CHARACTER_MAP = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "×": "x"}
    | dict.fromkeys("‘’‚‛′´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
)
"""Characters that Unicode does not decompose into a letter and its accent."""

_BEFORE_HASHTAGS = (
    (r"<[^<]+?>", ""),  # tags
    (r"http\S+", ""),
    (r"(?<=\d),(?=\d{3})", ""),  # 10,000
    (r"(?<=\w)-(?=\w)", " "),
    (r"([%&$*])", r" \1 "),
)
_AFTER_HASHTAGS = (
    (r"[_#\\]", " "),
    (r"""'(?!(?:[stdm]|ll|re|ve)\b)|["`]""", ' " '),  # keeps the apostrophe of it's
    (r"(?<!\w)\.|\.(?!\w)|(?<!\d)/|/(?!\d)|[()\[\],|:;?!=+~\-{}]", ","),  # keeps those of 3.5 and 1/2
    (r"(\D)\1{3,}", r"\1"),  # keeps VIII, shortens sooooo
    (r"\s+", " "),  # with long gaps, the next two rules would take quadratic time
    (r'\s*"[\s"]*', ' " '),
    (r"\s*,[\s,]*", ", "),
    (r"\s+", " "),
)


def reading_candidates(prompt: str) -> list[str]:
    """Return the prompt in every way in which our models read it, with full-width letters as plain ones."""
    nfkc = unicodedata.normalize("NFKC", prompt)
    return [nfkc, _WEIGHTS.sub("", nfkc), normalize(prompt, str)]


def normalize(text: str, split: Callable[[str], str]) -> str:
    """Normalize as in DALL·E mini's training: lower-case ASCII, commas as the only punctuation, a leading space.

    Equals the preprocessing of captions in https://github.com/borisdayma/dalle-mini. `split` splits the words of a
    hashtag.
    """
    text = html.unescape(html.unescape(text)).lower().translate(_CHARACTER_MAP)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _apply_rules(text, _BEFORE_HASHTAGS)
    text = re.sub(r"#(\w+)", lambda tag: split(tag[1]), text)
    return " " + _apply_rules(text, _AFTER_HASHTAGS).strip(" ,")


def _apply_rules(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text
