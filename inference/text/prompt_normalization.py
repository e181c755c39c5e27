"""The words that models read in a prompt, however it is written: pure text, no model."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

_EMPHASIS = re.compile(r":\s*-?[\d.]+\s*\)|[()\[\]]")

_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "×": "x"}
    | dict.fromkeys("‘’‚‛′´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
)
"""What Unicode does not take apart into a letter and its accent."""

_BEFORE_HASHTAGS = (
    (r"<[^<]+?>", ""),  # tags
    (r"http\S+", ""),
    (r"(?<=\d),(?=\d{3})", ""),  # 10,000
    (r"(?<=\w)-(?=\w)", " "),
    (r"([%&$*])", r" \1 "),
)
_AFTER_HASHTAGS = (
    (r"[_#\\]", " "),
    (r"""'(?!(?:[stdm]|ll|re|ve)\b)|["`]""", ' " '),  # an apostrophe stays in it's
    (r"(?<!\w)\.|\.(?!\w)|(?<!\d)/|/(?!\d)|[()\[\],|:;?!=+~\-{}]", ","),  # both stay in 3.5 and 1/2
    (r"(\D)\1{3,}", r"\1"),  # VIII stays, sooooo does not
    (r"\s+", " "),  # long gaps would take the next two the square of their length
    (r'\s*"[\s"]*', ' " '),
    (r"\s*,[\s,]*", ", "),
    (r"\s+", " "),
)


def reading_candidates(prompt: str) -> list[str]:
    """The prompt in all the ways in which models of ours read it, full-width letters as plain ones."""
    composed = unicodedata.normalize("NFKC", prompt)
    return [composed, _EMPHASIS.sub("", composed), normalized(prompt, str)]


def normalized(text: str, split: Callable[[str], str]) -> str:
    """As DALL·E mini was taught to read: plain lower-case ASCII, commas the only punctuation, a space in front.

    Does what https://github.com/borisdayma/dalle-mini does to every caption before its BART tokenizer sees it; `split`
    takes the words of a hashtag apart.
    """
    text = html.unescape(html.unescape(text)).lower().translate(_PLAIN)
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _replaced(text, _BEFORE_HASHTAGS)
    text = re.sub(r"#(\w+)", lambda tag: split(tag[1]), text)
    return " " + _replaced(text, _AFTER_HASHTAGS).strip(" ,")


def _replaced(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text
