"""The rules of a server: where and for whom the bot answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord
import pytest

from storage import PersonSettings, ServerSettings
from tests.cogs.settings.panels import manager, panel, store_of
from tests.cogs.stage import Stage, first, refusal

ChangeSettings = Callable[..., Awaitable[ServerSettings]]


@pytest.fixture
def change_settings(stage: Stage) -> ChangeSettings:
    """Return a function that changes the settings of the server."""

    async def change(**fields: Any) -> ServerSettings:
        servers = store_of(stage).settings.servers
        return await servers.change(stage.guild.id, lambda settings: replace(settings, **fields))

    return change


async def test_a_command_in_another_channel_is_refused_with_the_allowed_channels(
    stage: Stage, change_settings: ChangeSettings
):
    art, studio = (stage.guild.create_text_channel(name) for name in ("art", "studio"))
    await change_settings(channels=(art.id, studio.id))
    said = refusal(await stage.alice.slash(stage.channel, "mood", text="I love it"))
    assert said == (
        f"On this server I answer only in {art.mention}, {studio.mention}. Ask there, or ask a moderator to change "
        "that with /server-settings."
    )
    assert not stage.backend.requests
    assert not first(await stage.alice.slash(studio, "complete", prompt="Once")).ephemeral


async def test_menus_are_refused_before_their_form_opens(stage: Stage, change_settings: ChangeSettings):
    message = await stage.bob.send(stage.channel, "A long story")
    await change_settings(channels=(stage.guild.create_text_channel("art").id,))
    result = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    assert result.modal is None
    assert refusal(result).startswith("On this server I answer only in")


async def test_a_thread_follows_the_rules_of_its_channel(stage: Stage, change_settings: ChangeSettings):
    art = stage.guild.create_text_channel("art")
    known = stage.bot.get_channel(art.id)
    assert isinstance(known, discord.TextChannel)
    await known.create_thread(name="foxes", type=discord.ChannelType.public_thread)
    await stage.env.settle()
    await change_settings(channels=(art.id,))
    [there] = art.threads
    await stage.alice.slash(there, "complete", prompt="Once")
    assert len(stage.backend.requests) == 1
    await change_settings(channels=(stage.channel.id,))
    assert refusal(await stage.alice.slash(there, "complete", prompt="Once")).startswith("On this server")


async def test_replies_in_another_channel_are_refused(stage: Stage, change_settings: ChangeSettings):
    await change_settings(channels=(stage.guild.create_text_channel("art").id,))
    for words in ("complete Once", "help", "dance"):
        await stage.alice.send(stage.channel, f"{stage.mention} {words}")
        assert stage.last_text.startswith("On this server I answer only in")
    assert not stage.backend.requests


async def test_only_people_with_an_allowed_role_get_answers(stage: Stage, change_settings: ChangeSettings):
    artists = stage.guild.create_role("artists")
    dora = stage.guild.add_member(stage.env.create_user("dora"), roles=[artists])
    await change_settings(roles=(artists.id,))
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert f"only people who have one of these roles: {artists.mention}." in said
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    assert artists.mention in stage.last_text
    assert not stage.backend.requests
    await dora.slash(stage.channel, "complete", prompt="Once")
    await dora.send(stage.channel, f"{stage.mention} complete Once")
    assert len(stage.backend.requests) == 2


async def test_buttons_that_start_a_job_are_refused_but_delete_is_not(stage: Stage, change_settings: ChangeSettings):
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await change_settings(channels=(stage.guild.create_text_channel("art").id,))
    for label in ("Re-roll", "Remix", "Vary"):
        pressed = await stage.alice.click(drawing, label=label)
        assert pressed.modal is None
        assert refusal(pressed).startswith("On this server I answer only in")
    assert len(stage.backend.requests) == 1
    await stage.alice.click(drawing, label="Delete")
    assert stage.channel.last_message is None


async def test_settings_can_be_opened_in_every_channel(stage: Stage, change_settings: ChangeSettings):
    await change_settings(channels=(stage.guild.create_text_channel("art").id,), roles=(1,))
    carol = manager(stage)
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    assert panel(await stage.alice.slash(stage.channel, "settings")).content.startswith("**Your settings**")
    await carol.click(opened, label="Reset all")
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()


async def test_the_rules_of_a_server_do_not_apply_to_direct_messages(stage: Stage, change_settings: ChangeSettings):
    await change_settings(channels=(1,), roles=(1,), private=True)
    result = await stage.alice.user.slash("complete", prompt="Once")
    assert not first(result).ephemeral
    assert len(stage.backend.requests) == 1


async def test_answers_are_private_if_the_server_or_the_person_chose_so(stage: Stage, change_settings: ChangeSettings):
    assert not first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral
    await store_of(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings(private=True))
    assert first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral
    assert not first(await stage.bob.slash(stage.channel, "complete", prompt="Once")).ephemeral
    await change_settings(private=True)
    assert first(await stage.bob.slash(stage.channel, "complete", prompt="Once")).ephemeral


async def test_private_answers_have_buttons_and_are_stored_for_a_day(stage: Stage, change_settings: ChangeSettings):
    await change_settings(private=True)
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    text = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    again = first(await stage.alice.click(drawing, label="Re-roll"))
    assert all(message.ephemeral for message in (drawing, text, again))
    store, alice = store_of(stage), stage.alice.id
    assert (await store.images.count_of(alice), await store.completions.count_of(alice)) == (2, 1)
    await store.forget_expired(time.time() + 25 * 3600)
    assert (await store.images.count_of(alice), await store.completions.count_of(alice)) == (0, 0)


async def test_the_alternatives_of_a_prompt_are_private_too(stage: Stage, change_settings: ChangeSettings):
    await change_settings(private=True)
    asked = await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox")
    drawn = await stage.alice.click(first(asked), label="Draw 2")
    assert len(drawn.followups) == 2
    assert all(message.ephemeral for message in drawn.followups)


async def test_a_server_with_private_answers_points_replies_to_commands(stage: Stage, change_settings: ChangeSettings):
    await change_settings(private=True)
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    assert stage.last_text.startswith("On this server only the person who asks may see my answers")
    assert not stage.backend.requests
