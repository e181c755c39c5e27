"""Remix: a form with all that a drawing was made of, and a new drawing from what people change in it."""

from __future__ import annotations

from dataclasses import replace

import discord

from cogs.imagine.drawing import tell_drawing
from cogs.imagine.rules import for_channel
from cogs.imagine.settings import changes, number, settings_line, whole_number, with_settings
from cogs.reply import InteractionPlace, Jobs
from inference import ImagineRequest, InvalidRequest, parameters
from storage import Drawings, Kept, Origin

_LONGEST = 4000
"""Characters that a field of Discord's forms holds."""


class Remix(discord.ui.Modal):
    """Raises InvalidRequest for a drawing whose words no form can hold."""

    def __init__(self, jobs: Jobs, drawings: Drawings, kept: Kept, link: str) -> None:
        super().__init__(title="Remix", timeout=3600)
        self._jobs, self._drawings, self._kept, self._link = jobs, drawings, kept, link
        self._base = base = replace(parameters.single(kept.request, kept.drawing, 0), count=kept.request.count)
        if max(len(base.prompt), len(base.negative_prompt)) > _LONGEST:
            raise InvalidRequest(
                f"This prompt has more than {_LONGEST:,} characters, too many for a form. Use /imagine."
            )
        self._prompt = self._field("Prompt", "prompt", base.prompt, long=True, required=True)
        self._negative = self._field("Without", "negative", base.negative_prompt, long=True)
        self._seed = self._field("Seed (empty for a new one)", "seed", str(base.seed))
        self._settings = self._field("Settings", "settings", settings_line(base))
        self._strength: discord.ui.TextInput[Remix] | None = None
        if base.image:
            self._strength = self._field("Strength", "strength", "" if base.strength is None else f"{base.strength:g}")

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        async with self._jobs.open(InteractionPlace(interaction)) as job:
            request = for_channel(self._request(), interaction.channel, job.engine.config)
            made_from = f"{changes(self._base, request)} · Remix of {self._link}"
            await tell_drawing(job, self._drawings, request, Origin(self._kept.id, "remix"), made_from)

    def _request(self) -> ImagineRequest:
        """What the form says now; raises InvalidRequest."""
        base = self._base
        seed = whole_number("seed", self._seed.value.strip()) if self._seed.value.strip() else None
        strength = self._strength.value.strip() if self._strength else ""
        return replace(
            with_settings(base, self._settings.value),
            prompt=self._prompt.value,
            negative_prompt=self._negative.value,
            seed=seed,
            variations=base.variations if seed == base.seed else (),
            strength=number("strength", strength) if strength else None,
        )

    def _field(
        self, text: str, custom_id: str, value: str, *, long: bool = False, required: bool = False
    ) -> discord.ui.TextInput[Remix]:
        style = discord.TextStyle.paragraph if long else discord.TextStyle.short
        field: discord.ui.TextInput[Remix] = discord.ui.TextInput(
            custom_id=custom_id, style=style, default=value or None, required=required, max_length=_LONGEST
        )
        self.add_item(discord.ui.Label(text=text, component=field))
        return field
