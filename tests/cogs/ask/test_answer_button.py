"""The buttons Show context and In own words, which work for the person who asked while the text is stored."""

from __future__ import annotations

import pytest

from cogs.ask.answer_cache import AnswerCache, CachedAnswer
from inference import Answer, Config, InvalidRequest, Result
from tests.cogs.ask.questions import TOWER, ask, finds
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, first, followup, refusal

_LABELS = ["Show context", "In own words"]


async def test_the_context_is_shown_in_private(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, file=("a.txt", f"Before.\n\n{TOWER}\n\nBehind.".encode())))
    result = await stage.alice.click(shown.message, label="Show context")
    assert followup(result).ephemeral
    assert followup(result).content == f"> When?\n\nBefore.\n\n{TOWER.replace('1889', '**1889**')}\n\nBehind.\n-# a.txt"
    assert len(stage.channel.history()) == 1


async def test_the_context_of_a_guess_is_shown_too(stage: Stage):
    stage.backend.script = finds("", 0.8, ("1887", 0.1))
    shown = first(await ask(stage, text=TOWER))
    result = await stage.alice.click(shown.message, label="Show context")
    assert "Work began in **1887**." in followup(result).content


async def test_own_words_below_a_private_answer_are_private(stage: Stage):
    elsewhere = stage.guild.create_text_channel("elsewhere")
    message = await stage.bob.send(elsewhere, TOWER)
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, link=message.jump_url))
    assert followup(await stage.alice.click(shown.message, label="In own words")).ephemeral


async def test_a_second_press_while_the_model_answers_is_refused(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    stage.backend.script = lambda spec, request: []
    await stage.alice.click(shown.message, label="In own words")
    result = await stage.alice.click(shown.message, label="In own words")
    assert refusal(result) == "The model is answering this already. Wait until it is done."
    await stage.event(Result(Answer("In 1889.", 0, 0, 0, generated=True)))
    assert "In 1889." in stage.last_text


@pytest.mark.parametrize("label", _LABELS)
async def test_other_people_can_not_press_the_buttons(stage: Stage, label: str):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    error = refusal(await stage.bob.click(shown.message, label=label))
    assert error == "Only the person who asked can use these buttons. Ask your own question with /ask."
    assert len(stage.backend.requests) == 1


@pytest.mark.parametrize("label", _LABELS)
async def test_the_buttons_say_after_a_restart_that_the_text_is_no_longer_stored(
    stage: Stage, config: Config, label: str
):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    await restart(stage, config)
    error = refusal(await stage.alice.click(shown.message, label=label))
    assert error.startswith("I no longer have the text of this answer.")


async def test_the_text_is_deleted_after_an_hour(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    await stage.env.advance_time(3500)
    assert "**1889**" in followup(await stage.alice.click(shown.message, label="Show context")).content
    await stage.env.advance_time(200)
    assert refusal(await stage.alice.click(shown.message, label="Show context")).startswith("I no longer have")


async def test_the_oldest_texts_are_dropped_beyond_the_limit():
    cache = AnswerCache(limit=2)
    keys = [cache.add(_answer(owner=1)) for _ in range(3)]
    with pytest.raises(InvalidRequest, match="no longer"):
        cache.get(keys[0])
    assert cache.get(keys[1])
    assert cache.get(keys[2])


async def test_the_answers_to_one_person_can_be_deleted():
    cache = AnswerCache()
    mine, other = cache.add(_answer(owner=1)), cache.add(_answer(owner=2))
    await cache.forget(1)
    with pytest.raises(InvalidRequest, match="no longer"):
        cache.get(mine)
    assert cache.get(other)


def _answer(owner: int) -> CachedAnswer:
    return CachedAnswer(owner, "When?", "**noon**", "at **noon**", "at noon", "")
