"""/help: an overview, a page for each command, and a menu that leads from one to the other."""

from __future__ import annotations

from typing import cast

import pytest
from discord import app_commands
from simcord import ResponseMessage

from bot import create_bot
from cogs.about.help import page_of, topics
from cogs.client import Inkling
from cogs.language import LANGUAGES, speak
from inference import Config, Engine
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import FakeBackend


def _bot(stage: Stage) -> Inkling:
    return cast(Inkling, stage.bot)


async def _help(stage: Stage, **options: str) -> ResponseMessage:
    return first(await stage.alice.slash(stage.channel, "help", **options))


async def test_the_overview_names_every_command_menu_and_reply(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "help"))
    for command in _bot(stage).tree.get_commands():
        assert command.name in said
    for reply in _bot(stage).commands:
        assert f"@Inkling {reply.name}" in said


async def test_a_command_has_a_page_with_its_options_and_examples(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "help", command="fill"))
    assert said.splitlines()[:2] == ["**/fill**", "Guess the missing words of a text."]
    assert "`text` A text with one or more blanks: [MASK] or ___ (needed)" in said
    assert "`/fill text: The capital of France is ___.`" in said


async def test_every_command_with_options_has_examples_with_options_of_its_own(stage: Stage):
    for command in _bot(stage).tree.walk_commands():
        if isinstance(command, app_commands.Command) and command.parameters:
            options = {option.display_name for option in command.parameters}
            examples = command.extras["examples"]
            assert examples
            assert all(options.issuperset(example) for example in examples), command.name


async def test_the_menu_leads_to_another_page_in_the_same_message_after_a_restart_too(stage: Stage, config: Config):
    shown = await _help(stage)
    await stage.env.bot.close()
    await stage.env.restart_bot(create_bot(config, Engine(config, FakeBackend())))
    await stage.alice.select(shown, custom_id="help:topic", values=["the replies"])
    assert shown.content.startswith("**In a reply to a message**")
    assert "`@Inkling caption` Describe the pictures" in shown.content


async def test_below_a_public_page_whoever_chooses_gets_a_page_of_their_own(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} help")
    public = stage.channel.last_message
    assert public is not None
    before = public.content
    result = await stage.bob.select(public, custom_id="help:topic", values=["the drawings"])
    assert refusal(result).startswith("**Below drawings**")
    assert stage.said == before


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_fits_into_a_message(stage: Stage, language: str):
    speak(language)
    for name in ("", *(topic.name for topic in topics(_bot(stage)))):
        assert len(page_of(_bot(stage), name).text) <= 2000, name
