"""Conversations in threads: one for everybody there, until it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import discord

from cogs.client import Inkling
from tests.cogs.chat.conversations import said
from tests.cogs.stage import Stage, first
from tests.cogs.summarize.channels import create_thread


async def test_a_thread_of_the_command_is_one_conversation(stage: Stage):
    first(await stage.alice.slash(stage.channel, "chat", topic="Plans"))
    [thread] = stage.channel.threads
    assert thread.name == "Plans"
    await stage.alice.send(thread, f"{stage.mention} I am in")
    await stage.bob.send(thread, f"{stage.mention} me too")
    assert said(stage) == [("user", "alice: I am in"), ("assistant", "Well met."), ("user", "bob: me too")]


async def test_in_a_thread_of_somebody_else_it_answers_everybody_once_it_was_asked_to(stage: Stage):
    thread = await create_thread(stage)
    known = stage.bot.get_channel(thread.id)
    assert isinstance(known, discord.Thread)
    known.owner_id = stage.alice.id
    await stage.bob.send(thread, "hello")
    await stage.alice.slash(thread, "chat")
    await stage.alice.send(thread, f"{stage.mention} I am in")
    await stage.bob.send(thread, f"{stage.mention} me too")
    assert said(stage) == [("user", "alice: I am in"), ("assistant", "Well met."), ("user", "bob: me too")]


async def test_forget_begins_a_new_conversation_in_a_thread(stage: Stage):
    await stage.alice.slash(stage.channel, "chat", topic="Plans")
    [thread] = stage.channel.threads
    await stage.alice.send(thread, f"{stage.mention} My name is Al")
    await stage.alice.slash(thread, "chat", forget=True)
    await stage.alice.send(thread, f"{stage.mention} Who am I?")
    assert said(stage) == [("user", "Who am I?")]


async def test_forget_works_for_people_who_want_their_answers_private(stage: Stage):
    store = cast(Inkling, stage.bot).store
    await store.settings.people.change(stage.alice.id, lambda person: replace(person, private=True))
    await stage.alice.slash(stage.channel, "chat", topic="Plans")
    [thread] = stage.channel.threads
    await stage.alice.send(thread, f"{stage.mention} My name is Al")
    answer = first(await stage.alice.slash(thread, "chat", forget=True))
    assert answer.ephemeral
    await stage.alice.send(thread, f"{stage.mention} Who am I?")
    assert said(stage) == [("user", "Who am I?")]
