"""The operator's panel: who may use it, and what its controls do."""

from __future__ import annotations

import logging

import discord
import pytest

from cogs.client import Inkling
from cogs.operator.actions import actions_of
from inference import GenerationFailed, Queued
from storage import EVERYWHERE
from tests.cogs.operator.operator_panel import bot_of, last_line, only_followup, operator, panel
from tests.cogs.settings.panels import private_text
from tests.cogs.stage import Stage, first

MODEL = "inkling:operator:model"


async def test_only_the_operator_sees_the_panel(stage: Stage):
    olga = operator(stage)
    shown = await panel(stage, olga)
    assert shown.content.startswith("**For the operator**\n**cpu**: 0 running, 0 waiting, 0 bytes of 8.0 GB in use")
    role = stage.guild.create_role("more admins", permissions=discord.Permissions(administrator=True))
    admin = stage.guild.add_member(stage.env.create_user("amy"), roles=[role])
    assert first(await admin.slash(stage.channel, "operator")).content == "Only the bot's operator can do this."


async def test_what_devices_lack_is_logged_once_and_shown_to_the_operator(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    stage.backend.lacking = ["line 3, models.fill[0]: bert can't run here. The bot's operator has to buy more memory."]
    bot = Inkling(bot_of(stage).engine, [])
    bot.invite = lambda: ""
    for _ in range(2):  # it connects again after an interruption
        await bot.on_connect()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "line 3, models.fill[0]: bert can't run here. You have to buy more memory."
    ]
    assert "bert can't run here. You have to buy more memory." in (await panel(stage, operator(stage))).content


async def test_the_controls_refuse_everybody_else(stage: Stage):
    olga = operator(stage)
    shown = await panel(stage, olga)
    stage.bot.application_info = type(stage.bot).application_info.__get__(stage.bot)  # Olga sold the bot
    await stage.env.advance_time(301)  # until Discord is asked again
    assert private_text(await olga.click(shown, label="Pause")) == "Only the bot's operator can do this."
    assert not stage.backend.paused


async def test_a_model_is_loaded_unloaded_and_downloaded(stage: Stage):
    olga = operator(stage)
    shown = await panel(stage, olga)
    await olga.select(shown, ["gpt2"], custom_id=MODEL)
    await olga.click(shown, label="Load")
    assert last_line(shown) == "gpt2 is loaded."
    assert "-# Loaded: gpt2 (500 MB)" in shown.content
    await olga.click(shown, label="Unload")
    assert last_line(shown) == "gpt2 has left the memory."
    assert private_text(await olga.click(shown, label="Unload")) == "gpt2 is in use, or was not loaded."
    await olga.click(shown, label="Download")
    assert last_line(shown) == "The files of gpt2 are on this machine."
    assert stage.backend.downloaded == ["gpt2"]


async def test_a_pause_is_shown_and_ends(stage: Stage):
    olga = operator(stage)
    shown = await panel(stage, olga)
    await olga.click(shown, label="Pause")
    assert stage.backend.paused
    assert "**Paused**: what waits does not start." in shown.content
    await olga.click(shown, label="Resume")
    assert not stage.backend.paused
    assert "**Paused**" not in shown.content


async def test_new_requests_are_refused_in_private_while_the_bot_drains(stage: Stage):
    olga = operator(stage)
    shown = await panel(stage, olga)
    await olga.click(shown, label="Refuse new requests")
    refused = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert refused.ephemeral
    assert refused.content.startswith("The bot's operator is about to work on it, so it takes no requests.")
    assert stage.backend.requests == []
    await olga.click(shown, label="Take new requests")
    assert not first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral


async def test_the_last_failures_come_with_their_traceback_as_a_file(stage: Stage):
    olga = operator(stage)
    error = GenerationFailed("The model broke.")
    error.__cause__ = RuntimeError("device-side assert")
    stage.backend.script = lambda spec, request: [error]
    try:
        raise error
    except GenerationFailed:
        logging.getLogger("inference").error("error ab12 in cd34, ef56: The model broke.", exc_info=error)
    listed = only_followup(await olga.click(await panel(stage, olga), label="Failures"))
    assert "`error ab12 in cd34, ef56: The model broke.`" in listed.content
    log_failure("error 9999 in 8888: A later one.")
    shown = only_followup(await olga.select(listed, ["0"], custom_id="inkling:operator:failure"))
    [file] = shown.attachments
    assert "RuntimeError: device-side assert" in (await file.read()).decode()
    for known in ("ab12", "cd34", "ef56"):
        assert actions_of(stage.bot).failure(known).message.startswith("error ab12")


def log_failure(message: str) -> None:
    try:
        raise ValueError("a bug")
    except ValueError as error:
        logging.getLogger("inference").error(message, exc_info=error)


async def test_a_server_is_left_after_a_question(stage: Stage):
    olga = operator(stage)
    other = stage.env.create_guild("Elsewhere")
    listed = only_followup(await olga.click(await panel(stage, olga), label="Servers"))
    assert f"Elsewhere · {other.id} · 0 s today" in listed.content
    await olga.select(listed, [str(other.id)], custom_id="inkling:operator:server")
    await olga.click(listed, label="Leave Elsewhere for good")
    assert listed.content == "I have left Elsewhere."
    assert bot_of(stage).get_guild(other.id) is None


async def test_a_person_is_blocked_everywhere_with_a_reason_and_an_end_and_unblocked(stage: Stage):
    olga = operator(stage)
    listed = only_followup(await olga.click(await panel(stage, olga), label="Blocks"))
    assert listed.content == "Nobody is blocked everywhere."
    form = await olga.click(listed, label="Block a person or a server")
    typed = {"kind": ["person"], "number": str(stage.alice.id), "days": ["7"], "reason": "too loud"}
    done = await olga.submit_modal(form, typed)
    assert f"{stage.alice.id} is blocked until" in first(done).content
    (block,) = bot_of(stage).store.blocks.active(0)
    assert (block.kind, block.id, block.server, block.reason, block.by) == (
        "person", stage.alice.id, EVERYWHERE, "too loud", olga.id,
    )  # fmt: skip
    refused = first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).content
    assert refused.startswith("The bot's operator has blocked you. Reason: too loud.")
    shown = only_followup(await olga.click(await panel(stage, olga), label="Blocks"))
    await olga.select(shown, [f"person {stage.alice.id}"], custom_id="inkling:operator:unblock")
    assert shown.content.startswith(f"{stage.alice.id} is unblocked.")
    assert not first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral


async def test_a_block_of_a_person_cancels_what_runs_for_them_everywhere(stage: Stage):
    olga = operator(stage)
    listed = only_followup(await olga.click(await panel(stage, olga), label="Blocks"))
    stage.backend.script = lambda spec, request: [Queued(1)]
    running = [
        first(await stage.alice.slash(stage.channel, "complete", prompt="Once")),
        first(await stage.alice.user.slash("complete", prompt="Once")),
    ]
    other = first(await stage.bob.slash(stage.channel, "complete", prompt="Once"))
    form = await olga.click(listed, label="Block a person or a server")
    typed = {"kind": ["person"], "number": str(stage.alice.id), "days": ["for good"], "reason": ""}
    assert first(await olga.submit_modal(form, typed)).content.startswith(f"{stage.alice.id} is blocked for good.")
    for message in running:
        assert message.content == "Cancelled, since the bot's operator has blocked you."
    assert "Cancelled" not in other.content


async def test_a_block_of_a_server_cancels_what_runs_there_but_not_the_block_itself(stage: Stage):
    olga = operator(stage)
    listed = only_followup(await olga.click(await panel(stage, olga), label="Blocks"))
    stage.backend.script = lambda spec, request: [Queued(1)]
    running = [first(await who.slash(stage.channel, "complete", prompt="Once")) for who in (stage.alice, stage.bob)]
    elsewhere = first(await stage.alice.user.slash("complete", prompt="Once"))
    form = await olga.click(listed, label="Block a person or a server")
    typed = {"kind": ["server"], "number": str(stage.guild.id), "days": ["1"], "reason": ""}
    assert first(await olga.submit_modal(form, typed)).content.startswith(f"{stage.guild.id} is blocked until ")
    for message in running:
        assert message.content == "Cancelled, since the bot's operator has blocked this server."
    assert "Cancelled" not in elsewhere.content


@pytest.mark.parametrize("whom", ["olga", "abc"])
async def test_a_block_of_oneself_or_of_no_id_is_a_sentence(stage: Stage, whom: str):
    olga = operator(stage)
    listed = only_followup(await olga.click(await panel(stage, olga), label="Blocks"))
    form = await olga.click(listed, label="Block a person or a server")
    number = str(olga.id) if whom == "olga" else "no number at all"
    done = await olga.submit_modal(form, {"kind": ["person"], "number": number, "days": ["for good"], "reason": ""})
    id_expected = f"{number!r} is no id of Discord, which is a number of 17 to 19 digits."
    assert private_text(done) == ("You can't block yourself." if whom == "olga" else id_expected)
    assert bot_of(stage).store.blocks.active(0) == []


async def test_settings_that_are_not_from_a_file_can_not_be_read_again(stage: Stage):
    olga = operator(stage)
    bot = bot_of(stage)
    bot.engine.config = bot.config.with_lines(lambda position: 0)
    said = private_text(await olga.click(await panel(stage, olga), label="Read config.yaml again"))
    assert said == "These settings are not from a file."


async def test_a_model_with_a_long_name_is_loaded_too(stage: Stage):
    olga, name = operator(stage), "a-long-name-" * 8
    bot = bot_of(stage)
    bot.engine.config = bot.config.with_model("complete", "org/" + name[:90])
    shown = await panel(stage, olga)
    long_name = next(spec.name for _, spec in bot.config.listed() if "a-long-name" in spec.name)
    await olga.select(shown, [long_name], custom_id=MODEL)
    await olga.click(shown, label="Load")
    assert last_line(shown) == f"{long_name} is loaded."


async def test_a_question_that_is_open_makes_no_requests_while_the_bot_drains(stage: Stage):
    question = first(await stage.alice.slash(stage.channel, "imagine", prompt="{red,blue} fox"))
    bot_of(stage).engine.draining = True
    said = private_text(await stage.alice.click(question, label="Draw 2"))
    assert said.startswith("The bot's operator is about to work on it")
    bot_of(stage).engine.draining = False
    await stage.alice.click(question, label="Draw 2")
    assert len(stage.backend.requests) == 2
