"""/summarize and its menu: texts, files, messages, and the last messages of a channel."""

from __future__ import annotations

import discord
import pytest

from inference import Queued, Result, SummarizeRequest, Summary
from tests.cogs.stage import Stage, first, refusal


async def test_a_text_is_summarized_for_all_to_see(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", text="Much ado about nothing")
    assert first(result).content == "In short: Much ado about nothi"
    assert not result.ephemeral
    assert stage.backend.requests == [SummarizeRequest(text="Much ado about nothing", owner=str(stage.alice.id))]


async def test_a_file_is_summarized_and_the_parts_are_told(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Summary("Short.", 3))]
    result = await stage.alice.slash(stage.channel, "summarize", file=("a.md", b"long " * 10_000))
    assert first(result).content == "Short.\n-# read in 3 parts"


async def test_the_menu_reads_the_message_and_links_to_it(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story", attachments=[("more.txt", b"and its end")])
    result = await stage.alice.context_menu(stage.channel, "Summarize", message)
    assert message.jump_url in first(result).content
    assert _texts(stage) == ["A long story\n\nand its end"]


async def test_a_forwarded_message_is_read(stage: Stage):
    original = await stage.bob.send(stage.channel, "A long story")
    forwarded = await stage.bob.forward(original, stage.channel)
    await stage.alice.context_menu(stage.channel, "Summarize", forwarded)
    assert _texts(stage) == ["A long story"]


async def test_the_last_messages_are_read_in_order_with_names_and_answered_in_private(stage: Stage):
    for person, words in ((stage.bob, "too old"), (stage.alice, "Lunch?"), (stage.bob, "At noon.")):
        await person.send(stage.channel, words)
    await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    result = await stage.alice.slash(stage.channel, "summarize", messages=3)
    assert _texts(stage) == ["alice: Lunch?\nbob: At noon."]
    assert first(result).content.endswith("-# 2 of 3 messages; 1 had no text")
    assert result.ephemeral


async def test_what_follows_a_private_summary_is_private_too(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    stage.backend.script = lambda spec, request: [Result(Summary("secret plan. " * 300, 1))]
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert [message.ephemeral for message in result.followups] == [True, True]


async def test_a_private_result_never_becomes_public_when_the_token_has_ended(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    stage.backend.script = lambda spec, request: [Queued(9)]
    await stage.alice.slash(stage.channel, "summarize", messages=5)
    await stage.env.advance_time(16 * 60)
    await stage.event(Result(Summary("secret plan", 1)))
    assert "secret" not in "".join(message.content for message in stage.channel.history(viewer=stage.bob))


async def test_it_works_in_a_thread(stage: Stage):
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.create_thread(name="side", type=discord.ChannelType.public_thread)
    [thread] = stage.channel.threads
    await stage.bob.send(thread, "In here.")
    await stage.alice.slash(thread, "summarize", messages=5)
    assert _texts(stage) == ["bob: In here."]


async def test_it_works_in_a_direct_message(stage: Stage):
    await stage.alice.send_dm("Remember the milk.")
    result = await stage.alice.user.slash("summarize", messages=5)
    assert result.response.content.startswith("In short: alice: Remember")


async def test_who_may_not_read_the_past_gets_no_summary_of_it(stage: Stage):
    hidden = stage.guild.create_text_channel(
        "hidden",
        overwrites={stage.guild.default_role: discord.PermissionOverwrite(read_message_history=False)},
    )
    await stage.bob.send(hidden, "before your time")
    result = await stage.alice.slash(hidden, "summarize", messages=5)
    assert refusal(result).startswith("You may not read the earlier messages")
    assert not stage.backend.requests


async def test_an_empty_channel_is_told_so(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert refusal(result) == "There are no messages with words before this one."


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_messages_that_discord_hides_are_explained(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert "Message Content Intent" in refusal(result)


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_the_bot_does_not_summarize_itself_where_all_else_is_hidden(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert "Message Content Intent" in refusal(result)


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_a_summary_of_the_visible_part_tells_how_much_is_hidden(stage: Stage):
    for words in ("one", "two", f"{stage.mention} dance"):
        await stage.bob.send(stage.channel, words)
    result = await stage.alice.slash(stage.channel, "summarize", messages=20)
    assert _texts(stage) == ["bob: @TestBot dance"]
    assert first(result).content.endswith(
        "\n-# 1 of 4 messages; 1 was mine or Discord's; Discord hides the text of 2 from bots without the message content intent"
    )


async def test_the_bots_own_messages_are_left_out(stage: Stage):
    await stage.bob.send(stage.channel, "At noon.")
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert _texts(stage) == ["bob: At noon."]


@pytest.mark.parametrize("options", [{}, {"text": "x", "messages": 5}, {"text": "x", "file": ("a.txt", b"y")}])
async def test_exactly_one_source_is_needed(stage: Stage, options: dict[str, object]):
    result = await stage.alice.slash(stage.channel, "summarize", **options)
    assert "one of the" in refusal(result)


def _texts(stage: Stage) -> list[str]:
    return [request.text for request in stage.backend.requests if isinstance(request, SummarizeRequest)]
