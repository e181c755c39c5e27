"""What the bot says, in the language of whom it says it to.

English stands in the code, and is the key of every catalogue:

    tr("Cancelled.")
    tr("{count} of the last {last} messages", count=212, last=340)
    ntr("{count} file", "{count} files", count, count=count)

`python -m cogs.i18n` brings the catalogues, `*.po` in this folder, up to date with the code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar

from cogs.i18n.catalogues import catalogue
from cogs.i18n.formatting import filled

LANGUAGES = ("en", "de", "es", "fr", "ja")
"""Names of languages as in ISO 639; each but English has a catalogue."""

_language: ContextVar[str] = ContextVar("language", default="en")
"""Of the person who is being answered; each interaction and each message has a task, and so a context, of its own."""

_menus: ContextVar[str] = ContextVar("menus", default="en")
"""The language of that person's Discord, in which it names commands and their options."""

_NAMES = re.compile(r"(?<![\w/.])/(?P<command>[a-z-]+)\b|`(?P<option>[a-z][a-z0-9_-]*)`", re.ASCII)
"""`/imagine` and `` `prompt` `` in a sentence; no part of a path, nor of a command to type elsewhere."""


def set_language(language: str, menus: str = "") -> None:
    """From now on, in this task and those it starts, say everything in `language`.

    `menus` is the language in which the person sees the names of commands, where that is another one.
    """
    _language.set(language)
    _menus.set(menus or language)


def tr(sentence: str, /, **values: object) -> str:
    """`sentence` in the current language, with `values` in its places.

    A sentence names commands and options in English, `/imagine` and `` `prompt` ``, and so do its translations.
    """
    return _said(catalogue(_language.get()).gettext(sentence), values)


def ntr(one: str, many: str, count: float, /, **values: object) -> str:
    """`one` or `many`, as the current language counts, with `values` in its places."""
    whole = int(count) if count == int(count) else 2
    return _said(catalogue(_language.get()).ngettext(one, many, whole), values)


def word(text: str, kind: str, /) -> str:
    """A name as Discord shows it to that person: of a command, menu, option or choice, which is its `kind`."""
    return catalogue(_menus.get()).pgettext(kind, text)


def slash(command: str, /) -> str:
    """`/imagine`, as that person's Discord calls it."""
    return "/" + word(command, "command")


def translated(sentence: str, /) -> str:
    """What `tr` makes of a `sentence` that is not written where it is said, such as a command's description."""
    return tr(sentence) if sentence else ""


def gettext_noop(sentence: str, /) -> str:
    """`sentence` as it is, marked for the catalogues: it will be said, by `tr`, to somebody else or at another time."""
    return sentence


def _said(sentence: str, values: Mapping[str, object]) -> str:
    return filled(_NAMES.sub(_named, sentence), _language.get(), values)


def _named(match: re.Match[str]) -> str:
    if command := match["command"]:
        return slash(command)
    return f"`{word(match['option'], 'option')}`"
