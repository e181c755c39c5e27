"""/fill, /mood and its menu."""

from __future__ import annotations

from inference import Filling, Prediction, Result, SentimentRequest
from tests.cogs.stage import Stage, first, refusal


async def test_words_are_shown_as_bars_best_first(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="I am a [MASK] model.")
    assert first(result).content.splitlines() == [
        "I am a role model.",
        "`role    ▰▰▰▰▰▰▱▱▱▱  60%`",
        "`fashion ▰▰▰▱▱▱▱▱▱▱  30%`",
        "`new     ▰▱▱▱▱▱▱▱▱▱  10%`",
    ]


async def test_several_blanks_are_numbered(stage: Stage):
    blanks = tuple((Prediction(word, 0.5, ""),) for word in ("one", "`two`"))
    stage.backend.script = lambda spec, request: [Result(Filling(blanks, "one *two*"))]
    result = await stage.alice.slash(stage.channel, "fill", text="___ ___")
    assert first(result).content.splitlines() == [
        r"one \*two\*",
        "**Blank 1**",
        "`one ▰▰▰▰▰▱▱▱▱▱  50%`",
        "**Blank 2**",
        "`'two' ▰▰▰▰▰▱▱▱▱▱  50%`",
    ]


async def test_a_text_without_blanks_is_refused_with_the_way_to_write_one(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="nothing missing")
    assert "[MASK] or ___" in refusal(result)


async def test_the_mood_of_a_text(stage: Stage):
    result = await stage.alice.slash(stage.channel, "mood", text="I love it")
    assert first(result).content == "> I love it\npositive ▰▰▰▰▰▰▰▰▰▰ 98%"


async def test_the_mood_of_a_message(stage: Stage):
    message = await stage.bob.send(stage.channel, "I love it")
    result = await stage.alice.context_menu(stage.channel, "Mood", message)
    assert first(result).content == "> I love it\npositive ▰▰▰▰▰▰▰▰▰▰ 98%"
    assert stage.backend.requests == [SentimentRequest(text="I love it", owner=str(stage.alice.id))]


async def test_the_mood_of_a_message_without_words_is_refused(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    result = await stage.alice.context_menu(stage.channel, "Mood", message)
    assert refusal(result) == "The text is empty. Write something first."
