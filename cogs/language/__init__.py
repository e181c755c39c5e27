"""What the bot says, in the language of whom it says it to.

English stands in the code, and is the key of every catalogue:

    tr("Cancelled.")
    tr("{count} of the last {last} messages", count=212, last=340)
    ntr("{count} file", "{count} files", count, count=count)
"""

from __future__ import annotations

from contextvars import ContextVar

LANGUAGES = ("en", "de", "es", "fr", "ja")

_language: ContextVar[str] = ContextVar("language", default="en")
"""Of the person who is being answered; each interaction and each message has a task, and so a context, of its own."""


def speak(language: str) -> None:
    """From now on, in this task and those it starts, say everything in `language`."""
    _language.set(language)


def tr(sentence: str, /, **values: object) -> str:
    """`sentence` in the current language, with `values` in its places."""
    return sentence.format(**values) if values else sentence


def ntr(one: str, many: str, count: float, /, **values: object) -> str:
    """`one` or `many`, as the current language counts, with `values` in its places."""
    return tr(one if count == 1 else many, **values)
