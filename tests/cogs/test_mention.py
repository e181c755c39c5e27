"""Replies such as `@Inkling summarize`."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any, cast

import discord
import pytest
from discord.ext import commands
from simcord.backend import serializers
from simcord.results import to_discord_message

from cogs.client import Inkling
from cogs.common.calls import prefix
from cogs.common.sources import words
from cogs.common.sources.markup import in_words
from cogs.i18n import LANGUAGES
from cogs.i18n.catalogues import catalogue
from cogs.mention import Mention
from inference import Answer, AskRequest, CompleteRequest, ModelUnavailable, Result, SummarizeRequest
from tests.cogs.stage import Stage
from tests.fakes import PNG

_NO_PRIVILEGED_INTENTS = discord.Intents(guilds=True, messages=True)
"""The intents of an operator who has enabled no privileged intent."""


@pytest.mark.parametrize("spelling", ["summarize", "Summarize", "  summarize  "])
async def test_a_reply_summarizes_the_message_it_replies_to(stage: Stage, spelling: str):
    message = await stage.bob.send(stage.channel, "A long story")
    request = await stage.alice.send(stage.channel, f"{stage.mention} {spelling}", reply_to=message)
    assert stage.last_text.startswith("In short: A long story\n")
    assert stage.backend.requests == [
        SummarizeRequest(text="A long story", text_source="chosen", owner=str(stage.alice.id))
    ]
    assert stage.channel.last_message is not None
    assert stage.channel.last_message.reference is not None
    assert stage.channel.last_message.reference.message_id == request.id


async def test_a_reply_asks_about_the_message(stage: Stage):
    message = await stage.bob.send(stage.channel, "It opened in 1889.")
    stage.backend.script = lambda spec, request: [Result(Answer("1889", 0.9, 13, 17))]
    await stage.alice.send(stage.channel, f'{stage.mention} ask when did "it" open?', reply_to=message)
    assert stage.last_text == f'> when did "it" open?\n\nIt opened in **1889**.\n-# Sure, from {message.jump_url}'
    assert isinstance(stage.backend.requests[0], AskRequest)


async def test_a_reply_captions_every_picture(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.png", PNG), ("b.png", PNG)])
    await stage.alice.send(stage.channel, f"{stage.mention} caption", reply_to=message)
    assert stage.last_text == "1. **a.png**: a cat on a mat\n2. **b.png**: a cat on a mat"


async def test_a_picture_can_be_attached_to_the_request(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} caption", attachments=[("a.png", PNG)])
    assert stage.last_text == "a cat on a mat"


async def test_text_can_follow_the_command(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once upon a time")
    assert stage.last_text.startswith("**Once upon a time** and then")
    assert isinstance(stage.backend.requests[0], CompleteRequest)
    await stage.alice.send(stage.channel, f"{stage.mention} mood I love it")
    assert stage.last_text.startswith("> I love it\npositive")


async def test_help_is_one_reply(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} help")
    assert "/complete:" in stage.last_text


async def test_a_mention_alone_gets_a_short_help(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    for reply_to in (None, message):
        await stage.alice.send(stage.channel, f" {stage.mention} ", reply_to=reply_to)
        assert stage.last_text.startswith("Write after my name what you want to say, and I answer. Reply to a message")
    assert len(stage.channel.history()) == 5


@pytest.mark.parametrize(
    "call",
    [
        "{0}\nmood I love it",
        "{0}, mood I love it",
        "{0}: mood I love it",
        "Hey {0} mood I love it",
        "  {0}mood I love it",
    ],
)
async def test_a_command_follows_the_name_after_whatever_people_write_between(stage: Stage, call: str):
    await stage.alice.send(stage.channel, call.format(stage.mention))
    assert stage.last_text.startswith("> I love it\npositive")


async def _role(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create the role that Discord makes for a bot, and return its mention. SimCord has no roles of bots."""
    assert stage.bot.user is not None
    tags = {"managed": True, "tags": {"bot_id": str(stage.bot.user.id)}}
    payload = serializers.role_payload

    def with_tags(role: Any, *args: Any, **options: Any) -> Any:
        return {**payload(role, *args, **options), **(tags if role.name == "Inkling" else {})}

    monkeypatch.setattr(serializers, "role_payload", with_tags)
    role = stage.guild.create_role("Inkling")
    await stage.env.settle()
    return f"<@&{role.id}>"


async def test_a_call_by_the_role_of_the_bot_says_how_to_call_it_since_discord_hides_the_words(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    role = await _role(stage, monkeypatch)
    await stage.alice.send(stage.channel, f"{role} mood I love it")
    assert stage.last_text.startswith("You chose my role, so Discord hides your words from me.")


async def test_the_role_of_the_bot_is_its_name_too_where_discord_shows_the_words(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    role = await _role(stage, monkeypatch)
    sent = await stage.alice.send(stage.channel, f"{role}, mood I love it")
    assert prefix(await stage.bot.get_partial_messageable(stage.channel.id).fetch_message(sent.id), {"mood"}) is None
    sent.content = f"{role}, mood I love it"
    assert prefix(sent, {"mood"}) == f"{role}, "


async def test_a_mention_alone_in_a_channel_that_is_not_allowed_gets_the_allowed_channels(stage: Stage):
    elsewhere = stage.guild.create_text_channel("bots")
    store = cast(Inkling, stage.bot).store
    await store.settings.servers.change(stage.guild.id, lambda settings: replace(settings, channels=(elsewhere.id,)))
    await stage.alice.send(stage.channel, stage.mention)
    assert stage.last_text.startswith(f"On this server I answer only in <#{elsewhere.id}>.")


@pytest.mark.parametrize(
    ("words", "length"), [("long", "long"), ("Bullets", "bullets"), ("", "medium"), ("lang", "long")]
)
async def test_a_summary_can_have_a_length(stage: Stage, words: str, length: str):
    message = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize {words}", reply_to=message)
    [request] = stage.backend.requests
    assert isinstance(request, SummarizeRequest)
    assert request.length == length


async def test_an_unknown_length_is_refused_with_the_known_ones(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize `please`", reply_to=message)
    assert stage.last_text == (
        "I don't know the length `'please'`. After `@Inkling summarize`, write one of these, or nothing: "
        "`short`, `medium`, `long`, `bullets`."
    )
    assert not stage.backend.requests


async def _mood_of(stage: Stage, message: discord.Message) -> str:
    """Return the answer to `mood` about a message."""
    await stage.alice.send(stage.channel, f"{stage.mention} mood", reply_to=message)
    return stage.last_text


async def test_a_forwarded_message_is_read(stage: Stage):
    message = await stage.bob.send(stage.channel, "I love it")
    forwarded = await stage.bob.forward(message, stage.channel)
    assert (await _mood_of(stage, forwarded)).startswith("> I love it\n")


async def test_embeds_and_polls_are_read(stage: Stage):
    channel = stage.bot.get_partial_messageable(stage.channel.id)
    embed = await channel.send(embed=discord.Embed(title="News", description="All is well"))
    assert (await _mood_of(stage, embed)).startswith("> News All is well\n")
    poll = discord.Poll("Tea or coffee?", datetime.timedelta(hours=1)).add_answer(text="Tea").add_answer(text="Coffee")
    assert (await _mood_of(stage, await channel.send(poll=poll))).startswith("> Tea or coffee? Tea Coffee\n")


async def test_footers_and_texts_in_components_are_read(stage: Stage):
    channel = stage.bot.get_partial_messageable(stage.channel.id)
    embed = discord.Embed(title="News").set_footer(text="All is well")
    assert (await _mood_of(stage, await channel.send(embed=embed))).startswith("> News All is well\n")
    view = discord.ui.LayoutView()
    view.add_item(discord.ui.TextDisplay("Tea"))
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("Coffee"), discord.ui.Section("Milk", accessory=_LINK)))
    assert (await _mood_of(stage, await channel.send(view=view))).startswith("> Tea Coffee Milk\n")


_LINK = discord.ui.Button[discord.ui.LayoutView](label="More", url="https://example.org")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("I love it <:blobcat:123456789012345678>", "I love it :blobcat:"),
        ("<a:dance:123456789012345678> yes", ":dance: yes"),
        ("at <t:1700000000:R>", "at 2023-11-14 22:13 UTC"),
        ("at <t:1700000000>", "at 2023-11-14 22:13 UTC"),
        ("at <t:999999999999:R>", "at <t:999999999999:R>"),
        ("try </imagine:123456789012345678>", "try /imagine"),
        ("see <id:customize> or <id:linked-roles:123456789012345678>", "see Channels & Roles or Linked Roles"),
        ("a <b> c:1> <id:other>", "a <b> c:1> <id:other>"),
    ],
)
def test_emoji_times_and_commands_are_words_and_not_numbers(raw: str, words: str):
    assert in_words(raw) == words


async def test_mentions_in_forwards_and_embeds_are_names_and_not_numbers(stage: Stage):
    role = stage.guild.create_role("Millers")
    unknown = "<@123456789012345678> <@&123456789012345678> <#123456789012345678>"
    said = f"{stage.mention} of <@&{role.id}> in <#{stage.channel.id}>: {unknown}"
    names = f"@TestBot of @Millers in #{stage.channel.name}: @unknown-user @unknown-role #unknown"
    forwarded = await stage.bob.forward(await stage.alice.send(stage.channel, said), stage.channel)
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    assert words(await channel.fetch_message(forwarded.id)) == names
    assert words(await channel.send(embed=discord.Embed(description=said))) == names


async def test_the_result_of_a_poll_is_read_without_its_keys(stage: Stage):
    values = {"poll_question_text": "Tea or coffee?", "victor_answer_text": "Tea", "victor_answer_votes": "3"}
    fields = [{"name": name, "value": value} for name, value in values.items()]
    message = await stage.bob.send(stage.channel, "The poll has ended.")
    message.embeds = [discord.Embed.from_dict({"type": "poll_result", "fields": fields})]
    assert words(message) == "The poll has ended.\nTea or coffee?\nTea"


_VOICE = 1 << 13


async def test_messages_without_text_give_different_errors(stage: Stage):
    backend, channel = stage.env.backend, stage.channel.id
    files = backend.store_attachments(channel, [("voice-message.ogg", b"OggS")])
    voice = backend.create_message(channel, stage.bob.id, attachments=files, flags=_VOICE)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    wave = await guild.fetch_sticker(stage.guild.create_sticker("wave").id)
    sticker = await stage.bot.get_partial_messageable(channel).send(stickers=[wave])
    picture = await stage.bob.send(stage.channel, attachments=[("a.png", PNG)])
    other = await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    await stage.env.settle()
    errors = [
        await _mood_of(stage, message) for message in (to_discord_message(stage.env, voice), sticker, picture, other)
    ]
    assert errors == [
        "That is a voice message, and I can't listen. Ask who sent it to write it down.",
        "That message is a sticker, without words to read.",
        "That message has pictures but no words. To have them described, choose Caption image in its menu, under Apps.",
        "That message has no words to read.",
    ]
    assert not stage.backend.requests


async def test_a_reply_to_a_message_without_a_picture_gives_an_error(stage: Stage):
    message = await stage.bob.send(stage.channel, "no picture")
    await stage.alice.send(stage.channel, f"{stage.mention} caption", reply_to=message)
    assert stage.last_text.startswith("That message has no picture attached.")


async def test_commands_have_their_translated_names_as_aliases(simcord_bot: commands.AutoShardedBot):
    """The catalogues define the names. Each name must belong to one command."""
    commands_ = {command.name: command for command in Mention(cast(Inkling, simcord_bot)).get_commands()}
    for language in LANGUAGES:
        for name, command in commands_.items():
            said = catalogue(language).pgettext("command", name)
            assert said == name or said in command.aliases
    names = [name for command in commands_.values() for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))


async def test_a_command_without_a_message_says_what_to_do(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} summarize")
    assert stage.last_text == "Reply to a message with `@Inkling summarize`, so that I know which one you mean."


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_a_hidden_message_gives_an_error_with_a_workaround(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize", reply_to=message)
    assert stage.last_text.startswith("Discord does not show me that message.")


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_a_hidden_message_that_was_deleted_gives_an_error(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    stage.env.inject_error("GET", "/channels/*/messages/*", status=404, code=10008)
    await stage.alice.send(stage.channel, f"{stage.mention} summarize", reply_to=message)
    assert stage.last_text == "That message has been deleted."


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_menus_need_no_intent(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    await stage.alice.context_menu(stage.channel, "Summarize", message)
    assert stage.backend.requests == [
        SummarizeRequest(text="A long story", text_source="chosen", owner=str(stage.alice.id))
    ]


async def test_errors_are_shown_in_the_reply(stage: Stage):
    stage.backend.script = lambda spec, request: [ModelUnavailable("It is not downloaded.")]
    await stage.alice.send(stage.channel, f"{stage.mention} mood I love it")
    assert stage.last_text == "It is not downloaded."


async def test_a_missing_permission_to_write_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture):
    silent = stage.guild.create_text_channel("silent")
    stage.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await stage.alice.send(silent, f"{stage.mention} mood I love it")
    assert "could not tell" in caplog.text
    assert not stage.backend.requests


async def test_it_works_in_a_direct_message(stage: Stage):
    await stage.alice.send_dm(f"{stage.mention} complete Once")
    assert stage.alice.user.dm_channel.last_message is not None
    assert stage.alice.user.dm_channel.last_message.content.startswith("**Once** and then")


async def test_other_messages_are_ignored(stage: Stage):
    await stage.alice.send(stage.channel, "summarize")
    await stage.alice.send(stage.channel, f"{stage.bob.mention} summarize")
    assert len(stage.channel.history()) == 2
