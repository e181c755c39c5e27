"""What the forms about images share: fields for words and for numbers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import discord

from cogs.common.error_messages import in_current_language
from cogs.common.views import Form
from inference import InvalidRequest

LONGEST = 4000
"""Characters that a field of Discord's forms holds."""

_QUOTED = 1500
"""Characters of it that a refusal has room for."""


class ImageForm(Form):
    """Fields that hold as much as Discord allows."""

    @contextmanager
    def keeping(self, words: discord.ui.TextInput[Any]) -> Generator[None]:
        """What is refused inside comes with the `words` that were typed, since the form that held them is gone."""
        try:
            yield
        except InvalidRequest as error:
            text = words.value[:_QUOTED].replace("```", "`\u200b`\u200b`")
            raise InvalidRequest(
                "{reason}\nTo try again, here is what you wrote:\n```\n{text}\n```",
                reason=in_current_language(error),
                text=text,
            ) from error

    def add_words(self, text: str, custom_id: str, value: str, *, required: bool = False) -> discord.ui.TextInput[Any]:
        """A field of several lines."""
        return self._add(text, custom_id, value, discord.TextStyle.paragraph, required)

    def add_value(self, text: str, custom_id: str, value: str) -> discord.ui.TextInput[Any]:
        """A field of one line."""
        return self._add(text, custom_id, value, discord.TextStyle.short, required=False)

    def _add(
        self, text: str, custom_id: str, value: str, style: discord.TextStyle, required: bool
    ) -> discord.ui.TextInput[Any]:
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=custom_id, style=style, default=value[:LONGEST] or None, required=required, max_length=LONGEST
        )
        self.add_item(discord.ui.Label(text=text, component=field))
        return field
