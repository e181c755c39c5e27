"""/summarize of the messages of a channel."""

from __future__ import annotations

import discord
import pytest
from simcord.enums import MessageType

from inference import Queued, Result, Summary
from tests.cogs.stage import Stage, first, refusal
from tests.cogs.summarize.channels import create_forum_post, create_thread, send_messages, summarized_texts


async def test_the_last_messages_are_read_in_order_with_names_and_answered_in_private(stage: Stage):
    for person, words in ((stage.bob, "too old"), (stage.alice, "Lunch?"), (stage.bob, "At noon.")):
        await person.send(stage.channel, words)
    await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    result = await stage.alice.slash(stage.channel, "summarize", messages=2)
    assert summarized_texts(stage) == ["alice: Lunch?\nbob: At noon."]
    assert "2 messages read; 1 more skipped: no text · [jump](https://" in first(result).content
    assert result.ephemeral


async def test_a_long_summary_is_one_private_message_with_a_file(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    stage.backend.script = lambda spec, request: [Result(Summary("secret plan. " * 300, 1))]
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert result.ephemeral
    assert not result.followups
    assert [file.filename for file in first(result).attachments] == ["text.txt"]
    assert "The whole text is in the attached file." in first(result).content


async def test_a_private_result_stays_private_after_the_token_has_expired(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    stage.backend.script = lambda spec, request: [Queued(9)]
    await stage.alice.slash(stage.channel, "summarize", messages=5)
    await stage.env.advance_time(16 * 60)
    await stage.event(Result(Summary("secret plan", 1)))
    assert "secret" not in "".join(message.content for message in stage.channel.history(viewer=stage.bob))


async def test_it_works_in_a_direct_message(stage: Stage):
    await stage.alice.send_dm("Remember the milk.")
    result = await stage.alice.user.slash("summarize", messages=5)
    assert result.response.content.startswith("In short: alice: Remember")


async def test_a_summary_needs_permission_to_read_the_history(stage: Stage):
    hidden = stage.guild.create_text_channel(
        "hidden",
        overwrites={stage.guild.default_role: discord.PermissionOverwrite(read_message_history=False)},
    )
    await stage.bob.send(hidden, "before your time")
    result = await stage.alice.slash(hidden, "summarize", messages=5)
    assert refusal(result).startswith("You may not read the earlier messages")
    assert not stage.backend.requests


async def test_an_empty_channel_gives_an_error(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert refusal(result) == "There are no messages with words to read there."


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_messages_that_discord_hides_are_explained(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert "Message Content Intent" in refusal(result)


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_the_bot_does_not_summarize_its_own_messages_if_all_others_are_hidden(stage: Stage):
    await stage.bob.send(stage.channel, "words")
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    result = await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert "Message Content Intent" in refusal(result)


@pytest.mark.simcord(approved_intents=discord.Intents(guilds=True, messages=True))
async def test_a_summary_of_the_visible_part_says_how_much_is_hidden(stage: Stage):
    for words in ("one", "two", f"Dance, {stage.mention}"):
        await stage.bob.send(stage.channel, words)
    result = await stage.alice.slash(stage.channel, "summarize", messages=20)
    assert summarized_texts(stage) == ["bob: Dance, @TestBot"]
    assert "1 message read of the 20 that you asked for; " in first(result).content
    assert "Discord hides the text of 2 from bots without the message content intent" in first(result).content


async def test_the_bots_own_messages_are_left_out(stage: Stage):
    await stage.bob.send(stage.channel, "At noon.")
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.slash(stage.channel, "summarize", messages=5)
    assert summarized_texts(stage) == ["bob: At noon."]


async def test_messages_to_and_from_the_bot_do_not_count_towards_the_number_asked_for(stage: Stage):
    for words in ("too old", "Lunch?", "At noon."):
        await stage.bob.send(stage.channel, words)
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.send(stage.channel, f"{stage.mention} help")
    stage.guild.create_system_message(stage.channel, MessageType.NEW_MEMBER, author=stage.alice)
    result = await stage.alice.slash(stage.channel, "summarize", messages=2)
    assert summarized_texts(stage) == ["bob: Lunch?\nbob: At noon."]
    assert "2 messages read; 4 more skipped: by me, to me, or system messages of Discord" in first(result).content


async def test_the_messages_since_a_message_include_that_message(stage: Stage):
    await send_messages(stage, stage.channel, 5)
    link = stage.channel.history()[3].jump_url
    result = await stage.alice.slash(stage.channel, "summarize", since=link)
    assert summarized_texts(stage) == ["bob: message 3\nalice: message 4"]
    assert "2 messages read" in first(result).content


async def test_messages_after_the_persons_last_message_are_read(stage: Stage):
    await send_messages(stage, stage.channel, 3)
    for words in ("So?", "Anyone?"):
        await stage.bob.send(stage.channel, words)
    await stage.alice.slash(stage.channel, "summarize", since="my last message")
    assert summarized_texts(stage) == ["bob: So?\nbob: Anyone?"]


async def test_a_message_to_the_bot_does_not_count_as_the_last_message(stage: Stage):
    for person, words in ((stage.alice, "Lunch?"), (stage.bob, "At noon."), (stage.alice, f"{stage.mention} help")):
        await person.send(stage.channel, words)
    await stage.alice.slash(stage.channel, "summarize", since="my last message")
    assert summarized_texts(stage) == ["bob: At noon."]


async def test_a_person_who_never_wrote_has_no_last_message(stage: Stage):
    await stage.bob.send(stage.channel, "Anyone?")
    result = await stage.alice.slash(stage.channel, "summarize", since="my last message")
    assert refusal(result).startswith("None of the last 1 messages there is yours.")


async def test_no_new_messages_gives_an_error(stage: Stage):
    await stage.alice.send(stage.channel, "Good night.")
    await stage.bob.send(stage.channel, f"{stage.mention} help")
    result = await stage.alice.slash(stage.channel, "summarize", since="my last message")
    assert refusal(result) == "Nothing has been written since your last message."


async def test_my_last_message_is_offered_while_typing(stage: Stage):
    for typed, offered in (("", ["my last message"]), ("my", ["my last message"]), ("https://", [])):
        choices = await stage.alice.autocomplete(stage.channel, "summarize", "since", typed)
        assert [choice["value"] for choice in choices] == offered


async def test_an_invalid_link_is_refused(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", since="yesterday")
    text = refusal(result)
    assert text.startswith("`since` takes the link of a message (Copy Message Link in its menu), or `my last message`.")


async def test_only_one_of_messages_and_since_is_allowed(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", since="my last message", messages=5)
    assert refusal(result).startswith("Give either `messages` or `since`")


async def test_more_messages_than_the_operator_allows_are_refused(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", messages=5000)
    assert refusal(result) == "This bot reads 1000 messages at most. Ask for fewer."


async def test_a_thread_is_read_from_inside_and_from_another_channel(stage: Stage):
    side = await create_thread(stage)
    await stage.bob.send(side, "In here.")
    await stage.alice.slash(side, "summarize", messages=5)
    await stage.alice.slash(stage.channel, "summarize", channel=side)
    assert summarized_texts(stage) == ["bob: In here."] * 2


async def test_the_starter_message_of_a_thread_is_its_first_message(stage: Stage):
    starter = await stage.bob.send(stage.channel, "A long story")
    side = await create_thread(stage)
    stage.guild.create_system_message(
        side, MessageType.THREAD_STARTER_MESSAGE, author=stage.bob, referenced_message=starter
    )
    await stage.alice.send(side, "Go on.")
    await stage.alice.slash(side, "summarize", messages=5)
    assert summarized_texts(stage) == ["bob: A long story\nalice: Go on."]


async def test_a_forum_post_is_read_and_a_forum_is_not(stage: Stage):
    forum, garden = await create_forum_post(stage)
    await stage.bob.send(garden, "With tulips.")
    await stage.alice.slash(stage.channel, "summarize", channel=garden)
    assert summarized_texts(stage) == ["bob: With tulips."]
    result = await stage.alice.slash(stage.channel, "summarize", channel=forum)
    assert "Choose one of its channels, threads or posts." in refusal(result)
