"""What the bot says, in the language of whom it says it to.

English stands in the code, and is the key of every catalogue:

    tr("Cancelled.")
    tr("{count} of the last {last} messages", count=212, last=340)
    ntr("{count} file", "{count} files", count, count=count)

`python -m cogs.language` brings the catalogues, `*.po` in this folder, up to date with the code.
"""

from __future__ import annotations

from contextvars import ContextVar

from cogs.language.catalogue import catalogue
from cogs.language.numbers import filled

LANGUAGES = ("en", "de", "es", "fr", "ja")
"""Names of languages as in ISO 639; each but English has a catalogue."""

_language: ContextVar[str] = ContextVar("language", default="en")
"""Of the person who is being answered; each interaction and each message has a task, and so a context, of its own."""


def speak(language: str) -> None:
    """From now on, in this task and those it starts, say everything in `language`."""
    _language.set(language)


def spoken() -> str:
    """The language of the current task."""
    return _language.get()


def tr(sentence: str, /, **values: object) -> str:
    """`sentence` in the current language, with `values` in its places."""
    return filled(catalogue(spoken()).gettext(sentence), spoken(), values)


def ntr(one: str, many: str, count: float, /, **values: object) -> str:
    """`one` or `many`, as the current language counts, with `values` in its places."""
    whole = int(count) if count == int(count) else 2
    return filled(catalogue(spoken()).ngettext(one, many, whole), spoken(), values)


def word(text: str, kind: str, /) -> str:
    """A short `text` of a `kind`, such as the name of a command or an option: see `commands.KINDS`."""
    return catalogue(spoken()).pgettext(kind, text)


def later(sentence: str, /) -> str:
    """`sentence` as it is, marked for the catalogues: it will be said, by `tr`, to somebody else or at another time."""
    return sentence
