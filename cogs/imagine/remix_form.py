"""Remix: a form with the parameters of an image, which draws a new one from the changed values."""

from __future__ import annotations

import re
from dataclasses import replace

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.imagine.image_form import LONGEST, ImageForm, keeping
from cogs.imagine.permutations import escaped, several
from cogs.imagine.preparation import alternatives, for_channel
from cogs.imagine.question import draw_or_ask
from cogs.imagine.service import DrawingJob, stored_image
from cogs.imagine.settings_line import changes, number, settings_line, whole_number, with_settings
from inference import ImagineRequest, InvalidRequest, Phrase, infotext
from storage import Lineage, StoredImage


class RemixForm(ImageForm, template=custom_id("remix", r"(?P<image>[\w-]+)")):
    """A form to change an image; raises InvalidRequest if the prompt is too long for a form.

    The image is read again on submit, since it may be deleted by then, and pictures are large.
    """

    def __init__(self, stored: StoredImage) -> None:
        super().__init__(tr("Remix"), custom_id("remix", stored.id))
        base = _base(stored)
        prompt = escaped(base.prompt)
        if max(len(prompt), len(base.negative_prompt)) > LONGEST:
            raise InvalidRequest(
                "This prompt has more than {most:,} characters, too many for a form. Use /imagine.", most=LONGEST
            )
        self.add_words(tr("Prompt"), "prompt", prompt, required=True)
        self.add_words(tr("Without"), "negative", base.negative_prompt)
        self.add_value(tr("Seed (empty for a new one)"), "seed", "", placeholder=tr("it was {seed}", seed=base.seed))
        self.add_value(tr("Settings"), "settings", settings_line(base))
        if base.strength is not None:  # it starts from a picture
            self.add_value(tr("Strength"), "strength", repr(base.strength))

    @classmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        assert interaction.message is not None, "the form is opened by a button"
        bot, link = bot_of(interaction), interaction.message.jump_url
        responder = InteractionResponder.of(interaction, private=several(typed["prompt"]))
        async with bot.sessions.open(responder) as session:
            stored = await stored_image(bot.store.images, match["image"])
            base = _base(stored)
            with keeping(typed["prompt"]):
                request = for_channel(_changed(base, typed), interaction.channel, bot.config)
                requests = alternatives(interaction, request, session.limits)
                checked = [session.check(each) for each in requests]
            # the seed is that of the form: None is a new seed, whatever was drawn
            differences = [changes(base, replace(each.request, seed=request.seed)) for each in checked]
            origin, made_from = Lineage(stored.id, "remix"), tr("Remix of {link}", link=link)
            jobs = [
                DrawingJob(each, origin, f"{difference} · {made_from}")
                for each, difference in zip(checked, differences, strict=True)
            ]
            await draw_or_ask(session, jobs)


def _changed(base: ImagineRequest, typed: Typed) -> ImagineRequest:
    """Return `base` changed by the form; raise InvalidRequest."""
    seed = whole_number(Phrase("seed"), typed["seed"].strip()) if typed["seed"].strip() else None
    strength = typed.get("strength", "").strip()
    # The line has all LoRAs that remain, and says whether the picture is fast.
    changed = with_settings(replace(base, lora="", fast=None), typed["settings"])
    return replace(
        changed,
        fast=changed.fast and (base.fast or changed.fast),
        prompt=typed["prompt"],
        negative_prompt=typed["negative"],
        seed=seed,
        variations=base.variations if seed == base.seed else (),
        strength=number(Phrase("strength"), strength) if strength else None,
    )


def _base(stored: StoredImage) -> ImagineRequest:
    """Return the complete request that repeats the image, with every value set."""
    return replace(infotext.request_for_image(stored.request, stored.result, 0), count=stored.request.count)
