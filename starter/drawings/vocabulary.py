"""The things that the starter models know: names with their emoji (vocabulary.txt)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("vocabulary.txt")

HELD_OUT = frozenset({"purple heart", "green circle", "orange square"})
"""Not used for training, to measure whether colours and shapes are combined: each word occurs in other names."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One name, for example "red heart", with its emoji."""

    name: str
    emoji: str
    category: str


@cache
def things() -> tuple[Thing, ...]:
    """Return the whole vocabulary with the held-out things, in the file's order."""
    found: list[Thing] = []
    category = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            category = line.strip("[]")
        elif line and not line.startswith("#"):
            name, emoji = line.rsplit(" ", 1)
            found.append(Thing(name, emoji, category))
    return tuple(found)


def code_points(emoji: str) -> str:
    """Return an emoji's name in file names: "2764" for a red heart, without the variation selector FE0F."""
    return "-".join(f"{ord(sign):04x}" for sign in emoji if sign != "\ufe0f")
