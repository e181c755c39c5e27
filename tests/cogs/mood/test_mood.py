"""/mood and its menu: the mood of a text and a chart for a channel, both private."""

from __future__ import annotations

from collections.abc import Sequence

import discord
import pytest

from inference import Event, InferenceError, ModelSpec, Mood, Request, Result, SentimentRequest, SentimentResult
from tests.cogs.stage import Stage, first, refusal

_NO_PRIVILEGED_INTENTS = discord.Intents(guilds=True, messages=True)


async def test_only_the_person_who_asked_sees_the_mood_of_a_text(stage: Stage):
    result = await stage.alice.slash(stage.channel, "mood", text="I love it")
    assert first(result).content == "> I love it\npositive ▰▰▰▰▰▰▰▰▰▰ 98%"
    assert first(result).ephemeral
    assert stage.channel.history(viewer=stage.bob) == []


async def test_the_menu_shows_the_mood_of_a_message(stage: Stage):
    message = await stage.bob.send(stage.channel, "I love it")
    result = await stage.alice.context_menu(stage.channel, "Mood", message)
    assert first(result).content == "> I love it\npositive ▰▰▰▰▰▰▰▰▰▰ 98%"
    assert first(result).ephemeral
    assert stage.backend.requests == [
        SentimentRequest(texts=("I love it",), text_source="chosen", owner=str(stage.alice.id))
    ]


async def test_the_mood_of_a_message_without_words_is_refused(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    result = await stage.alice.context_menu(stage.channel, "Mood", message)
    assert refusal(result) == "That message has no words to read."


async def test_the_labels_of_a_model_are_escaped(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(SentimentResult((Mood("*joy*", 0.5),)))]
    result = await stage.alice.slash(stage.channel, "mood", text="Hi")
    assert first(result).content == "> Hi\n\\*joy\\* ▰▰▰▰▰▱▱▱▱▱ 50%"


def _by_words(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
    assert isinstance(request, SentimentRequest)
    return [Result(SentimentResult(tuple(_mood("love" in text) for text in request.texts)))]


def _mood(good: bool) -> Mood:
    return Mood("positive", 0.9, 0.8) if good else Mood("negative", 0.9, -0.8)


async def test_the_mood_of_a_channel_is_shown_as_a_chart_with_a_summary(stage: Stage):
    stage.backend.script = _by_words
    for person, words in ((stage.bob, "I love it"), (stage.alice, "I hate it"), (stage.bob, "love " * 300)):
        await person.send(stage.channel, words)
    result = await stage.alice.slash(stage.channel, "mood", messages=10)
    lines = first(result).content.splitlines()
    assert lines[0].startswith("**On the whole it sounds positive.** <t:")
    assert lines[1:3] == ["● bob: 2 messages, positive", "■ alice: 1 message, negative"]
    assert lines[3].startswith("Most positive: [message 3](https://discord.com/channels/")
    assert lines[4] == "-# 3 messages read, though you asked for 10: there are no more"
    [chart] = first(result).attachments
    assert (await chart.read()).startswith(b"\x89PNG")
    assert (chart.description or "").startswith("A chart of the mood of 3 messages in their order")
    assert first(result).ephemeral
    [request] = stage.backend.requests
    assert isinstance(request, SentimentRequest)
    assert max(map(len, request.texts)) == 1000, "only the beginning of a very long message is read"


async def test_labels_without_a_scale_are_counted(stage: Stage):
    moods = (Mood("joy", 0.9), Mood("anger", 0.5), Mood("joy", 0.7))
    stage.backend.script = lambda spec, request: [Result(SentimentResult(moods))]
    for words in ("a", "b", "c"):
        await stage.bob.send(stage.channel, words)
    result = await stage.alice.slash(stage.channel, "mood", messages=10)
    *labels, note = first(result).content.splitlines()
    assert labels == ["joy ▰▰▰▰▰▰▰▱▱▱ 2", "anger ▰▰▰▱▱▱▱▱▱▱ 1"]
    assert note == "-# 3 messages read, though you asked for 10: there are no more"
    assert first(result).attachments == []


@pytest.mark.parametrize("options", [{}, {"text": "a", "messages": 3}])
async def test_exactly_one_source_is_needed(stage: Stage, options: dict[str, object]):
    result = await stage.alice.slash(stage.channel, "mood", **options)
    assert refusal(result).startswith("Give either a text, or messages of a channel")


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_the_menu_works_without_the_message_content_intent_and_a_channel_gives_an_error(stage: Stage):
    message = await stage.bob.send(stage.channel, "I love it")
    assert first(await stage.alice.context_menu(stage.channel, "Mood", message)).content.startswith("> I love it")
    result = await stage.alice.slash(stage.channel, "mood", messages=10)
    assert "Discord hides these messages from me." in first(result).content
