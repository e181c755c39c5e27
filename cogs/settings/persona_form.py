"""The form for how the bot talks on a server, or in some of its channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import discord

from cogs.client import bot_of
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.settings.panel import CHANNELS
from cogs.settings.server_form import Change, Input, ServerForm
from inference import InvalidRequest, refuse_words
from storage import ServerSettings

_ID = custom_id("persona")

_LONGEST = 500
_MOST_CHANNELS = 25


class PersonaForm(ServerForm, template=_ID):
    """A form with a text for the whole server, or for the chosen channels; an empty text removes it."""

    def __init__(self, settings: ServerSettings, channel: int) -> None:
        """Fill in the persona in `channel`, which is chosen if it has its own."""
        super().__init__(tr("Persona"), _ID)
        own = [channel] if channel in settings.channel_personas else []
        channels: discord.ui.ChannelSelect[discord.ui.Modal] = discord.ui.ChannelSelect(
            custom_id="channels",
            channel_types=CHANNELS,
            required=False,
            min_values=0,
            max_values=_MOST_CHANNELS,
            default_values=[discord.Object(number) for number in own],
        )
        text: Input = discord.ui.TextInput(
            custom_id="persona",
            style=discord.TextStyle.paragraph,
            default=settings.persona_in(channel) or None,
            placeholder=tr("You are a pirate. You answer in one sentence.")[:100],
            required=False,
            max_length=_LONGEST,
        )
        about_channels, about_text = tr("Nothing chosen: the whole server"), tr("How I talk; empty: as usual")
        self.add_item(
            discord.ui.Label(
                text=tr("Only in these channels")[:45], description=about_channels[:100], component=channels
            )
        )
        self.add_item(discord.ui.Label(text=tr("Persona")[:45], description=about_text[:100], component=text))

    @classmethod
    def change(cls, interaction: discord.Interaction, typed: Typed) -> Change:
        persona, channels = (typed["persona"] or "").strip(), [int(number) for number in typed["channels"] or ()]
        refuse_words([persona], bot_of(interaction).config.safety.words)
        if channels:
            return lambda server: with_channel_persona(server, persona, channels, interaction.guild)
        return lambda server: replace(server, persona=persona)


def with_channel_persona(
    settings: ServerSettings, persona: str, channels: Sequence[int], guild: discord.Guild | None
) -> ServerSettings:
    """Return `settings` with a persona for `channels`, without those of channels that are deleted.

    Raise InvalidRequest if too many channels have one.
    """
    others = {
        channel: text
        for channel, text in settings.channel_personas.items()
        if channel not in channels and (guild is None or guild.get_channel(channel))
    }
    personas = others | dict.fromkeys(channels, persona) if persona else others
    if len(personas) > _MOST_CHANNELS:
        raise InvalidRequest(
            "At most {most} channels can have a persona of their own. Remove that of another channel first: choose the "
            "channel, and leave the text empty.",
            most=_MOST_CHANNELS,
        )
    return replace(settings, channel_personas=personas)
