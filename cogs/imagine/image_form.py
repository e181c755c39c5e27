"""The base of the forms for images: fields for texts and numbers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import discord

from cogs.common.error_messages import in_current_language
from cogs.common.persistent_form import PersistentForm
from inference import InvalidRequest

LONGEST = 4000
"""The most characters of a form field in Discord."""

_QUOTED = 1500
"""The most characters of a field that an error message quotes."""


class ImageForm(PersistentForm):
    """A form whose fields take as much as Discord allows."""

    def add_words(
        self, text: str, custom_id: str, value: str, *, required: bool = False, placeholder: str = ""
    ) -> None:
        """Add a field of several lines. The `placeholder` is shown while it is empty."""
        self._add(text, custom_id, value, discord.TextStyle.paragraph, required, placeholder)

    def add_value(self, text: str, custom_id: str, value: str, *, placeholder: str = "") -> None:
        """Add a field of one line. The `placeholder` is shown while it is empty."""
        self._add(text, custom_id, value, discord.TextStyle.short, required=False, placeholder=placeholder)

    def _add(
        self, text: str, custom_id: str, value: str, style: discord.TextStyle, required: bool, placeholder: str = ""
    ) -> None:
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=custom_id,
            style=style,
            default=value[:LONGEST] or None,
            placeholder=placeholder or None,
            required=required,
            max_length=LONGEST,
        )
        self.add_item(discord.ui.Label(text=text, component=field))


@contextmanager
def keeping(words: str) -> Generator[None]:
    """Add the typed `words` to an InvalidRequest raised inside, since the form is already closed."""
    try:
        yield
    except InvalidRequest as error:
        text = words[:_QUOTED].replace("```", "`\u200b`\u200b`")
        raise InvalidRequest(
            "{reason}\nTo try again, here is what you wrote:\n```\n{text}\n```",
            reason=in_current_language(error),
            text=text,
        ) from error
