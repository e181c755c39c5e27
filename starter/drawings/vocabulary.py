"""The things that the starter models know: names, and the emoji that stand for them (vocabulary.txt)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("vocabulary.txt")

HELD_OUT = frozenset({"purple heart", "green circle", "orange square"})
"""Never seen in training, so that one can measure whether colours and shapes combine: each word occurs elsewhere."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One name, for example "red heart", with the emoji drawn for it."""

    name: str
    emoji: str
    category: str


@cache
def things() -> tuple[Thing, ...]:
    """Everything in the vocabulary, the held-out things too, in the file's order."""
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
    """The name of an emoji in file names: "2764" for a red heart, without the mark that asks for colour (FE0F)."""
    return "-".join(f"{ord(sign):04x}" for sign in emoji if sign != "\ufe0f")
