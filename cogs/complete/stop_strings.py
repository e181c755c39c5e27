"""Stop sequences as people type them."""

from __future__ import annotations

import re


def parse_stop_strings(text: str) -> tuple[str, ...]:
    r"""`END|\n\n` → `("END", "\n\n")`: between bars or line ends, spaces around them left out."""
    parts = (part.strip().replace(r"\n", "\n") for part in re.split(r"[|\n]", text))
    return tuple(dict.fromkeys(part for part in parts if part))
