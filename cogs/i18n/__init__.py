"""Translation of the bot's messages.

The English text in the code is the key of every catalogue:

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
from cogs.i18n.sentence_formatting import filled

LANGUAGES = ("en", "de", "es", "fr", "ja")
"""The languages by their ISO 639 codes; each except English has a catalogue."""

_language: ContextVar[str] = ContextVar("language", default="en")
"""The language of the person who gets the answer; each interaction and message has its own task and context."""

_menus: ContextVar[str] = ContextVar("menus", default="en")
"""The language in which that person's Discord shows the names of commands and options."""

_NAMES = re.compile(r"(?<![\w/.])/(?P<command>[a-z-]+)\b|`(?P<option>[a-z][a-z0-9_-]*)`", re.ASCII)
"""Names such as `/imagine` and `` `prompt` `` in a sentence, but not parts of paths or of shell commands."""


def set_language(language: str, menus: str = "") -> None:
    """Set the language of all messages for this task and the tasks it starts.

    `menus` is the language in which Discord shows the names of commands, if it is another one.
    """
    _language.set(language)
    _menus.set(menus or language)


def current_language() -> tuple[str, str]:
    """Return the arguments of `set_language` that lead to the languages of this task."""
    return _language.get(), _menus.get()


def tr(sentence: str, /, **values: object) -> str:
    """Return `sentence` in the current language, with `values` filled in.

    Sentences and their translations use the English names of commands and options: `/imagine` and `` `prompt` ``.
    """
    return _fill(catalogue(_language.get()).gettext(sentence), values)


def ntr(one: str, many: str, count: float, /, **values: object) -> str:
    """Return `one` or `many` by the plural rules of the current language, with `values` filled in."""
    whole = int(count) if count == int(count) else 2
    return _fill(catalogue(_language.get()).ngettext(one, many, whole), values)


def word(text: str, kind: str, /) -> str:
    """Return a name as Discord shows it to that person; its `kind` is command, menu, option or choice."""
    return catalogue(_menus.get()).pgettext(kind, text)


def slash(command: str, /) -> str:
    """Return the command with a slash as that person's Discord shows it: `/imagine`."""
    return "/" + word(command, "command")


def translated(sentence: str, /) -> str:
    """Translate a `sentence` that is defined elsewhere, such as a command's description."""
    return tr(sentence) if sentence else ""


def gettext_noop(sentence: str, /) -> str:
    """Return `sentence` unchanged, and mark it for the catalogues; `tr` translates it later."""
    return sentence


def _fill(sentence: str, values: Mapping[str, object]) -> str:
    return filled(_NAMES.sub(_named, sentence), _language.get(), values)


def _named(match: re.Match[str]) -> str:
    if command := match["command"]:
        return slash(command)
    return f"`{word(match['option'], 'option')}`"
