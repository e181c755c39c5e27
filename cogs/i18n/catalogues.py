"""The catalogues: GNU gettext's .po files, which translators' tools know."""

from __future__ import annotations

import functools
import gettext
import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """What `language` says for each English sentence; English stands for what is missing.

    Reads a file at the first call: `load_catalogues` has to come before an event loop's use.
    """
    if language == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def load_catalogues(languages: tuple[str, ...]) -> None:
    """Have every catalogue in memory."""
    for language in languages:
        catalogue(language)


def path(language: str) -> Path:
    return FOLDER / f"{language}.po"


def read(language: str) -> Catalog:
    """The catalogue as translators see it."""
    with path(language).open("rb") as file:
        return read_po(file, locale=language)
