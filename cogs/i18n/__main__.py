"""`python -m cogs.i18n` updates the catalogues from the code, and prints what is left to translate."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog

from cogs.client import Inkling
from cogs.i18n import LANGUAGES
from cogs.i18n.catalogue_update import template, untranslated, update
from cogs.i18n.catalogues import read
from cogs.i18n.sentence_extraction import ROOT
from cogs.registry import COGS
from inference import create_engine, load_config


def main() -> int:
    """Update the catalogues; return 1 if something is left to translate."""
    wanted = asyncio.run(_wanted())
    left = 0
    for language in LANGUAGES[1:]:
        update(language, wanted)
        missing = list(untranslated(read(language)))
        left += len(missing)
        print(f"{language}: {len(missing)} of {len(wanted)} messages to translate")
    return int(left > 0)


async def _wanted() -> Catalog:
    """Return all messages; build a bot that never logs in, so that every command exists."""
    config = load_config(ROOT / "config.yaml")
    with TemporaryDirectory() as folder:
        config = config.model_copy(update={"data": Path(folder)})
        async with Inkling(create_engine(config), COGS) as bot:
            await bot.prepare()
            return template(bot)


if __name__ == "__main__":
    sys.exit(main())
