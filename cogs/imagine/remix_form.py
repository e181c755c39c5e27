"""Remix: a form with the parameters of an image, which draws a new one from the changed values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from cogs.client import Inkling
from cogs.common import InteractionResponder, ReplySession
from cogs.i18n import tr
from cogs.imagine.confirm_view import generate_or_confirm
from cogs.imagine.image_form import LONGEST, ImageForm
from cogs.imagine.permutations import escaped, several
from cogs.imagine.preparation import Checked, alternatives, for_channel
from cogs.imagine.service import generate_images, stored_image
from cogs.imagine.settings_line import changes, number, settings_line, whole_number, with_settings
from inference import ImagineRequest, InvalidRequest, Phrase, infotext
from storage import Lineage, StoredImage


class RemixForm(ImageForm):
    """A form to change an image; raises InvalidRequest if the prompt is too long for a form.

    The image is read again on submit, since it may be deleted by then, and pictures are large.
    """

    def __init__(self, bot: Inkling, stored: StoredImage, link: str) -> None:
        super().__init__(tr("Remix"))
        self._bot, self._image_id, self._link = bot, stored.id, link
        base = _base(stored)
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
        bot = self._bot
        responder = InteractionResponder.of(interaction, private=several(self._prompt.value))
        async with bot.sessions.open(responder) as session:
            base = _base(await stored_image(bot.store.images, self._image_id))
            with self.keeping(self._prompt):
                request = for_channel(self._request(base), interaction.channel, bot.config)
                requests = alternatives(interaction, request, session.limits)
                checked = [session.check(each) for each in requests]

            async def show(session: ReplySession, checked: Checked) -> None:
                asked = replace(checked.request, seed=request.seed)  # None means a new seed, whatever was drawn
                made_from = f"{changes(base, asked)} · {tr('Remix of {link}', link=self._link)}"
                await generate_images(session, checked, Lineage(self._image_id, "remix"), made_from)

            await session.acknowledge()
            await generate_or_confirm(session, bot.sessions, interaction, checked, show)

    def _request(self, base: ImagineRequest) -> ImagineRequest:
        """Return `base` changed by the form; raise InvalidRequest."""
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


def _base(stored: StoredImage) -> ImagineRequest:
    """Return the complete request that repeats the image, with every value set."""
    return replace(infotext.request_for_image(stored.request, stored.result, 0), count=stored.request.count)
