"""Updating the catalogues from the code."""

from __future__ import annotations

import io
from collections.abc import Iterator

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from discord.ext import commands

from cogs.i18n.catalogues import path, read
from cogs.i18n.command_translator import texts
from cogs.i18n.sentence_extraction import sentences

_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural_forms}\\n"

"""

Key = tuple[str, str]
"""The kind of a text, empty for sentences, and its English text in the singular."""


def template(bot: commands.AutoShardedBot) -> Catalog:
    """Return a catalogue of all messages, without translations."""
    catalog = Catalog()
    for sentence in sentences():
        words = (sentence.one, sentence.many) if sentence.many else sentence.one
        catalog.add(words, locations=[(sentence.path, sentence.line)])
    for kind, text in texts(bot.tree):
        catalog.add(text, context=kind or None, auto_comments=[f"{kind or 'description'} in Discord's menus"])
    for command in sorted(bot.commands, key=lambda command: command.name):  # `bot.commands` is a set
        catalog.add(command.short_doc, auto_comments=["shown by help"])
    return catalog


def update(language: str, wanted: Catalog) -> None:
    """Make the messages of the catalogue those of `wanted`; keep the translations."""
    catalog = read(language)
    catalog.update(wanted, no_fuzzy_matching=True)
    body = io.BytesIO()
    write_po(body, catalog, width=120, omit_header=True, ignore_obsolete=True, include_lineno=False)
    header = _HEADER.format(language=language, plural_forms=catalog.plural_forms)
    path(language).write_bytes(header.encode() + body.getvalue())


def untranslated(catalog: Catalog) -> Iterator[str]:
    """Yield the messages of a catalogue that are not translated."""
    for message in catalog:
        forms = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        if message.id and (message.fuzzy or not all(forms)):
            yield str(message.id)
