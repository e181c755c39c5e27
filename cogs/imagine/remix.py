"""Remix: a form with all that a drawing was made of, and a new drawing from what people change in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from cogs.imagine.drawing import tell_drawing
from cogs.imagine.form import LONGEST, Form
from cogs.imagine.rules import for_channel
from cogs.imagine.settings import changes, number, settings_line, whole_number, with_settings
from cogs.reply import InteractionPlace, Jobs
from inference import ImagineRequest, InvalidRequest, parameters
from storage import Drawings, Kept, Origin


class Remix(Form):
    """Raises InvalidRequest for a drawing whose words no form can hold."""

    def __init__(self, jobs: Jobs, drawings: Drawings, kept: Kept, link: str) -> None:
        super().__init__("Remix")
        self._jobs, self._drawings, self._kept, self._link = jobs, drawings, kept, link
        self._base = base = replace(parameters.single(kept.request, kept.drawing, 0), count=kept.request.count)
        if max(len(base.prompt), len(base.negative_prompt)) > LONGEST:
            raise InvalidRequest(
                f"This prompt has more than {LONGEST:,} characters, too many for a form. Use /imagine."
            )
        self._prompt = self.add_words("Prompt", "prompt", base.prompt, required=True)
        self._negative = self.add_words("Without", "negative", base.negative_prompt)
        self._seed = self.add_value("Seed (empty for a new one)", "seed", str(base.seed))
        self._settings = self.add_value("Settings", "settings", settings_line(base))
        self._strength: discord.ui.TextInput[Any] | None = None
        if base.image:
            self._strength = self.add_value(
                "Strength", "strength", "" if base.strength is None else f"{base.strength:g}"
            )

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
