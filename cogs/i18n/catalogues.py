"""The catalogues of translations, in GNU gettext's .po format."""

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
    """Return the translations into `language`; a missing one falls back to English.

    The first call reads a file: call `load_catalogues` before you use it in an event loop.
    """
    if language == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def load_catalogues(languages: tuple[str, ...]) -> None:
    """Load every catalogue into memory."""
    for language in languages:
        catalogue(language)


def path(language: str) -> Path:
    return FOLDER / f"{language}.po"


def read(language: str) -> Catalog:
    """Read the catalogue's file."""
    with path(language).open("rb") as file:
        return read_po(file, locale=language)
