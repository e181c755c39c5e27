"""The distinct requests that people make: all commands, short and long, public and private, with fixed seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.crash.models import drawing
from bench.crash.world import File

_NOTE = "The harbour was built in 1923, and the ferry leaves at nine. Ann keeps the keys, and Ben keeps the books. "
_HTML = "<html><body><h1>Minutes</h1><p>{}</p></body></html>"

WRITTEN: Mapping[str, tuple[str, File | None]] = {
    "note": (_NOTE, None),
    "picture": ("Look at this", File("apple.png", drawing("red"))),
    "document": ("The minutes", File("minutes.txt", (_NOTE * 6).encode())),
}
"""Messages that somebody has written before, by the name that a request has for them: their text and their file."""


@dataclass(frozen=True, eq=False, slots=True)
class PooledRequest:
    """A request that can be made again and again, and that ends with the same answer each time.

    `name` is that of a slash command, of a menu, or of a command after a mention of the bot. A mention has its `text`,
    a menu the message `on` which it is called. A `file` is for the option `file_option`, or in the mention.
    """

    kind: Literal["command", "menu", "mention"]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    file: File | None = None
    file_option: str = "file"
    text: str = ""
    on: str = ""

    @property
    def reads_files(self) -> bool:
        """Whether the bot must fetch something before all of the request is known."""
        return self.file is not None or self.on in ("picture", "document")

    @property
    def texts(self) -> list[str]:
        """The words that people have written in it, of which no trace may remain."""
        return [text for text in (*map(str, self.options.values()), self.text) if " " in text]


_OWN_WORDS: dict[str, Any] = {"own-words": True}


def _complete(prompt: str, length: int, seed: int = 0, **options: Any) -> PooledRequest:
    fixed = {"prompt": prompt, "length": length, "seed": seed, "temperature": 0.8}
    return PooledRequest("command", "complete", fixed | options)


def _imagine(prompt: str, count: int, steps: int, seed: int) -> PooledRequest:
    options = {"prompt": prompt, "count": count, "advanced": f"Steps: {steps}", "seed": seed}
    return PooledRequest("command", "imagine", options)


def _command(name: str, file: File | None = None, file_option: str = "file", **options: Any) -> PooledRequest:
    return PooledRequest("command", name, options, file, file_option)


def _menu(name: str, on: str) -> PooledRequest:
    return PooledRequest("menu", name, on=on)


def _mention(name: str, text: str = "", file: File | None = None) -> PooledRequest:
    return PooledRequest("mention", name, text=text, file=file)


POOL: tuple[PooledRequest, ...] = (
    _complete("On a hill, a", 20),
    _complete("The boat was late, so", 40, seed=1),
    _complete("Once upon a time, in a library", 60, seed=2),
    _complete("Nobody knew why the clock", 100, seed=3),
    _complete("She put the lamp on the", 150, seed=4),
    _complete("Two cats and a bird were", 200, seed=5),
    _complete("When the rain had stopped,", 300, seed=6),
    _complete("The last train of the day", 500, seed=7),
    _complete("A letter came for the", 60, seed=8, alternatives=3),
    _complete("Three reasons to get up early:", 120, seed=9, alternatives=2),
    _complete("In the garden behind the", 90, temperature=0.0),
    _imagine("red apple", count=1, steps=5, seed=11),
    _imagine("yellow star", count=1, steps=40, seed=12),
    _imagine("blue circle", count=2, steps=10, seed=13),
    _imagine("green heart", count=4, steps=10, seed=14),
    _imagine("black cat", count=4, steps=20, seed=15),
    _command("caption", File("sun.png", drawing("yellow")), "image"),
    _command("caption", File("sea.png", drawing("blue", 512)), "image"),
    _menu("Caption image", on="picture"),
    _menu("Describe privately", on="picture"),
    _command("summarize", text="Ann brought the bread. " * 4, length="short"),
    _command("summarize", text="The council met on Monday and talked about the bridge. " * 12),
    _command("summarize", File("notes.txt", (_NOTE * 20).encode()), length="long"),
    _command("summarize", File("page.html", _HTML.format(_NOTE * 8).encode())),
    _menu("Summarize", on="note"),
    _menu("Summarize", on="document"),
    _command("mood", text="What a lovely day it was"),
    _command("mood", text="I lost my umbrella on the bus"),
    _menu("Mood", on="note"),
    _command("fill", text="The capital of France is ___."),
    _command("fill", text="She put the ___ on the ___ and left."),
    _command("ask", question="Who wrote the play about the prince?"),
    _command("ask", question="Who paid for the bread?", text="Ann brought the bread, and Ben paid for it."),
    _command("ask", File("town.txt", (_NOTE * 10).encode()), question="When was the harbour built?", **_OWN_WORDS),
    _mention("complete", "The oldest house in the street"),
    _mention("summarize", "The ferry was full, and nobody had told the captain. " * 5),
    _mention("mood", "The soup was cold and the bread was stale"),
    _mention("caption", file=File("leaf.png", drawing("green"))),
    _mention("ask", "Which of the rivers is the longest?"),
)
