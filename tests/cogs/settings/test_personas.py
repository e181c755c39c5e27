"""The persona of a server and of its channels: the form, the panel, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from simcord import ChannelHandle, InteractionResult, MemberActor, ResponseMessage

from cogs.settings.texts import personas_of
from inference import Config
from storage import ServerSettings
from tests.cogs.settings.panels import manager, panel, private_text, store_of
from tests.cogs.stage import Stage, buttons


@pytest.fixture
def carol(stage: Stage) -> MemberActor:
    return manager(stage)


async def opened_by(carol: MemberActor, channel: ChannelHandle) -> ResponseMessage:
    return panel(await carol.slash(channel, "server-settings"))


async def write(
    carol: MemberActor, opened: ResponseMessage, persona: str, channels: Sequence[ChannelHandle] = ()
) -> InteractionResult:
    """Fill in the form for `channels`, or else for the server, and submit it."""
    form = await carol.click(opened, label="Persona")
    return await carol.submit_modal(form, {"persona": persona, "channels": list(channels)})


def settings_of(stage: Stage) -> ServerSettings:
    return store_of(stage).settings.server(stage.guild.id)


def shown(opened: ResponseMessage) -> str:
    """Return the personas that the panel shows."""
    return "\n".join(embed.description or "" for embed in opened.embeds)


async def fields(carol: MemberActor, channel: ChannelHandle) -> tuple[str, list[int]]:
    """Return the text and the channels that are filled in when the form opens in `channel`."""
    form = (await carol.click(await opened_by(carol, channel), label="Persona")).modal
    assert form is not None
    channels, text = [label["component"] for label in form["components"]]
    return text.get("value") or "", [chosen["id"] for chosen in channels.get("default_values", [])]


async def test_a_manager_gives_the_server_a_persona_and_takes_it_back(stage: Stage, carol: MemberActor):
    opened = await opened_by(carol, stage.channel)
    assert "**Persona**: none, so I talk as usual" in opened.content
    await write(carol, opened, " You are a pirate.\nYou like rum. ")
    assert settings_of(stage) == ServerSettings(persona="You are a pirate.\nYou like rum.")
    assert shown(opened) == "**Whole server**: You are a pirate. You like rum."
    assert "**Persona**" not in opened.content
    await write(carol, opened, " ")
    assert settings_of(stage) == ServerSettings()
    assert shown(opened) == ""


async def test_channels_have_a_persona_of_their_own(stage: Stage, carol: MemberActor):
    art, music, opened = (
        *map(stage.guild.create_text_channel, ("art", "music")),
        await opened_by(carol, stage.channel),
    )
    await write(carol, opened, "You are a pirate.")
    await write(carol, opened, "You are a poet.", [art, music])
    await write(carol, opened, "You are a singer.", [music])
    personas = {art.id: "You are a poet.", music.id: "You are a singer."}
    assert settings_of(stage) == ServerSettings(persona="You are a pirate.", channel_personas=personas)
    assert f"{art.mention}: You are a poet.\n{music.mention}: You are a singer." in shown(opened)
    await write(carol, opened, "", [art])
    assert settings_of(stage).persona_in(art.id) == "You are a pirate."
    assert settings_of(stage).persona_in(music.id) == "You are a singer."


async def test_the_form_has_the_persona_in_force_where_it_is_opened(stage: Stage, carol: MemberActor):
    art = stage.guild.create_text_channel("art")
    assert await fields(carol, art) == ("", [])
    await write(carol, await opened_by(carol, art), "You are a pirate.")
    assert await fields(carol, art) == ("You are a pirate.", [])
    await write(carol, await opened_by(carol, art), "You are a poet.", [art])
    assert await fields(carol, art) == ("You are a poet.", [art.id])
    assert await fields(carol, stage.channel) == ("You are a pirate.", [])


async def test_a_persona_changes_no_other_setting(stage: Stage, carol: MemberActor):
    opened = await opened_by(carol, stage.channel)
    await carol.click(opened, label="Answer in private")
    await write(carol, opened, "You are a pirate.")
    assert settings_of(stage) == ServerSettings(private=True, persona="You are a pirate.")


class TestListedWords:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        listed = config.safety.model_copy(update={"words": ("rum",)})
        return config.model_copy(update={"safety": listed})

    async def test_a_persona_with_a_listed_word_is_refused_and_the_panel_stays(self, stage: Stage, carol: MemberActor):
        opened = await opened_by(carol, stage.channel)
        before = opened.content
        for channels in ([], [stage.channel]):
            refused = await write(carol, opened, "You like Rum.", channels)
            assert private_text(refused) == (
                "This bot's operator does not allow a word of this text. Write it in other words."
            )
        assert settings_of(stage) == ServerSettings()
        assert opened.content == before


async def test_at_most_25_channels_have_a_persona_of_their_own(stage: Stage, carol: MemberActor):
    channels = [stage.guild.create_text_channel(f"channel-{number}") for number in range(26)]
    opened = await opened_by(carol, stage.channel)
    await write(carol, opened, "You are a poet.", channels[:25])
    refused = await write(carol, opened, "You are a pirate.", channels[25:])
    assert private_text(refused) == (
        "At most 25 channels can have a persona of their own. Remove that of another channel first: choose the "
        "channel, and leave the text empty."
    )
    assert settings_of(stage).persona_in(channels[25].id) == ""
    assert "**Settings of this server**" in opened.content
    await write(carol, opened, "", channels[:1])
    await write(carol, opened, "You are a pirate.", channels[25:])
    assert settings_of(stage).persona_in(channels[25].id) == "You are a pirate."


async def test_deleted_channels_do_not_count(stage: Stage, carol: MemberActor):
    gone = dict.fromkeys(range(1000, 1025), "You are a poet.")
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(channel_personas=gone))
    await write(carol, await opened_by(carol, stage.channel), "You are a pirate.", [stage.channel])
    assert settings_of(stage).channel_personas == {stage.channel.id: "You are a pirate."}


async def test_a_reset_removes_the_personas(stage: Stage, carol: MemberActor):
    opened = await opened_by(carol, stage.channel)
    await write(carol, opened, "You are a pirate.")
    await write(carol, opened, "You are a poet.", [stage.channel])
    await carol.click(opened, label="Reset all")
    assert settings_of(stage) == ServerSettings()
    assert shown(opened) == ""


def test_the_panel_shows_a_persona_as_plain_text():
    settings = ServerSettings(persona="**You** ping @everyone\n# [here](https://example.com)")
    assert personas_of(settings) == (
        "**Whole server**: \\*\\*You\\*\\* ping \\@\u200beveryone # \\[here\\](https\\://example.com)"
    )


def test_the_longest_personas_fit_into_an_embed():
    channels = dict.fromkeys(range(10**19, 10**19 + 25), "*" * 500)
    text = personas_of(ServerSettings(persona="*" * 500, channel_personas=channels))
    assert text.count("\n") == 25
    assert len(text) <= 4096


async def test_the_models_of_a_command_are_in_place_of_the_commands_so_that_all_buttons_fit(
    stage: Stage, carol: MemberActor
):
    opened = await opened_by(carol, stage.channel)
    all_buttons = buttons(opened)
    assert "Persona" in all_buttons
    await carol.select(opened, ["imagine"], custom_id="inkling:settings:server:task")
    assert "inkling:settings:server:task" not in menus(opened)
    assert buttons(opened) == all_buttons
    assert len(opened.components) <= 5
    await carol.select(opened, ["-"], custom_id="inkling:settings:server:model:imagine")
    assert "inkling:settings:server:task" in menus(opened)
    assert settings_of(stage) == ServerSettings()


def menus(opened: ResponseMessage) -> list[Any]:
    return [control.get("custom_id") for row in opened.components for control in row["components"]]
