"""The buttons Show context and In own words, which work for the person who asked while the text is stored."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.client import Inkling
from cogs.common.target import now
from inference import Answer, Config, Result
from storage import StorageError
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
async def test_the_buttons_work_after_a_restart(stage: Stage, config: Config, label: str):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    await restart(stage, config)
    assert "**1889**" in followup(await stage.alice.click(shown.message, label=label)).content


async def test_a_second_press_is_refused_also_if_the_bot_was_restarted_meanwhile(stage: Stage, config: Config):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    stage.backend.script = lambda spec, request: []
    await stage.alice.click(shown.message, label="In own words")
    await restart(stage, config)
    result = await stage.alice.click(shown.message, label="In own words")
    assert refusal(result) == "The model is answering this already. Wait until it is done."


async def test_the_text_is_deleted_after_an_hour(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    await stage.env.advance_time(3500)
    assert "**1889**" in followup(await stage.alice.click(shown.message, label="Show context")).content
    await stage.env.advance_time(200)
    assert refusal(await stage.alice.click(shown.message, label="Show context")).startswith("I no longer have")


async def test_the_text_leaves_the_disk_after_an_hour(stage: Stage):
    stage.backend.script = finds("1889")
    await ask(stage, text=TOWER)
    store = cast(Inkling, stage.bot).store
    await store.forget_expired(now() + 3500)
    assert len(await store.answers.export_of(stage.alice.id)) == 1
    await store.forget_expired(now() + 3700)
    assert await store.answers.export_of(stage.alice.id) == []


async def test_the_text_is_deleted_with_its_message(stage: Stage):
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    await shown.message.delete()
    await stage.env.settle()
    assert await cast(Inkling, stage.bot).store.answers.export_of(stage.alice.id) == []


async def test_an_answer_that_can_not_be_stored_is_shown_without_buttons(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cast(Inkling, stage.bot).store.answers, "keep", _fail)
    stage.backend.script = finds("1889")
    shown = first(await ask(stage, text=TOWER))
    assert "**1889**" in shown.content
    assert shown.content.endswith("-# The bot could not store this answer, so there are no buttons.")
    assert not shown.components


async def _fail(*_: object) -> str:
    raise StorageError("the disk is full")
