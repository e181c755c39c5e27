"""Remix: a form with all that a drawing was made of, and a new drawing from what people change in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from cogs.imagine.begin import alternatives
from cogs.imagine.drawing import tell_drawing
from cogs.imagine.form import LONGEST, Form
from cogs.imagine.owned import owned
from cogs.imagine.permutations import escaped, several
from cogs.imagine.question import draw_or_ask
from cogs.imagine.rules import for_channel
from cogs.imagine.settings import changes, number, settings_line, whole_number, with_settings
from cogs.language import tr
from cogs.reply import InteractionPlace, Job, Jobs
from inference import ImagineRequest, InvalidRequest, Phrase, parameters
from storage import Drawings, Kept, Origin


class Remix(Form):
    """Raises InvalidRequest for a drawing whose words no form can hold.

    The drawing is read again when the form is sent: it may be gone by then, and pictures are large.
    """

    def __init__(self, jobs: Jobs, drawings: Drawings, kept: Kept, link: str) -> None:
        super().__init__(tr("Remix"))
        self._jobs, self._drawings, self._drawing_id, self._link = jobs, drawings, kept.id, link
        base = _base(kept)
        prompt = escaped(base.prompt)
        if max(len(prompt), len(base.negative_prompt)) > LONGEST:
            raise InvalidRequest(
                "This prompt has more than {most:,} characters, too many for a form. Use /imagine.", most=LONGEST
            )
        self._prompt = self.add_words(tr("Prompt"), "prompt", prompt, required=True)
        self._negative = self.add_words(tr("Without"), "negative", base.negative_prompt)
        self._seed = self.add_value(tr("Seed (empty for a new one)"), "seed", str(base.seed))
        self._settings = self.add_value(tr("Settings"), "settings", settings_line(base))
        self._strength: discord.ui.TextInput[Any] | None = None
        if base.strength is not None:  # it starts from a picture
            self._strength = self.add_value(tr("Strength"), "strength", f"{base.strength:g}")

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        async with self._jobs.open(InteractionPlace(interaction, private=several(self._prompt.value))) as job:
            base = _base(await owned(self._drawings, self._drawing_id, interaction.user.id))

            async def tell(job: Job, request: ImagineRequest) -> None:
                made_from = f"{changes(base, request)} · {tr('Remix of {link}', link=self._link)}"
                await tell_drawing(job, self._drawings, request, Origin(self._drawing_id, "remix"), made_from)

            with self.keeping(self._prompt):
                request = for_channel(self._request(base), interaction.channel, job.engine.config)
                requests = alternatives(interaction, request, job.limits)
                for each in requests:
                    job.check(each)
            await job.acknowledge()
            await draw_or_ask(job, self._jobs, interaction, requests, tell)

    def _request(self, base: ImagineRequest) -> ImagineRequest:
        """What the form makes of `base`; raises InvalidRequest."""
        seed = whole_number(Phrase("seed"), self._seed.value.strip()) if self._seed.value.strip() else None
        strength = self._strength.value.strip() if self._strength else ""
        return replace(
            with_settings(base, self._settings.value),
            prompt=self._prompt.value,
            negative_prompt=self._negative.value,
            seed=seed,
            variations=base.variations if seed == base.seed else (),
            strength=number(Phrase("strength"), strength) if strength else None,
        )


def _base(kept: Kept) -> ImagineRequest:
    """What drew all of it, with nothing left open."""
    return replace(parameters.single(kept.request, kept.drawing, 0), count=kept.request.count)
