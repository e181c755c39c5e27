"""The buttons under a report: delete the message, block the person, dismiss."""

from __future__ import annotations

import pytest

from inference import Config, Queued
from storage import SentAnswer
from tests.cogs.imagine.images import restart
from tests.cogs.moderation.reports import answered, blocks_of, labels, report, report_scene, store
from tests.cogs.settings.panels import private_text
from tests.cogs.stage import Stage, first, refusal

ONLY_ADMINS = "Only people who may manage this server can do that. Ask one of its admins."


async def test_an_admin_deletes_the_message_and_the_report_says_so(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await there.carol.click(there.report, label="Delete message")
    assert stage.channel.last_message is None
    assert there.done == f"{there.carol.mention} deleted the message."
    assert labels(there.report) == ["Block this person here"]
    assert there.report.embeds[0].description == answer.content.replace("-# ", "")


async def test_a_message_that_is_gone_already_is_no_error(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await stage.alice.click(answer, label="Delete")
    await there.carol.click(there.report, label="Delete message")
    assert there.done == f"{there.carol.mention} wanted to delete the message, which was gone already."


async def test_an_admin_dismisses_a_report(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await there.carol.click(there.report, label="Dismiss")
    assert there.done == f"{there.carol.mention} dismissed it."
    assert labels(there.report) == []
    assert stage.channel.last_message is not None


async def test_an_admin_blocks_the_person_for_a_time(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await there.block("7", "Rude prompts.")
    [block] = blocks_of(stage)
    assert block.until is not None
    assert (block.key, block.reason, block.by) == (
        ("person", stage.alice.id, stage.guild.id), "Rude prompts.", there.carol.id
    )  # fmt: skip
    assert block.until - block.created == pytest.approx(7 * 24 * 3600)
    end = f"<t:{round(block.until)}:R>"
    assert there.done == f"{there.carol.mention} blocked {stage.alice.mention} here; it ends {end}."
    assert labels(there.report) == ["Delete message"]
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert said == (
        f"An admin of this server has blocked you here. Reason: Rude prompts. It ends {end}. If you think that this is "
        "a mistake, write to an admin."
    )


async def test_an_admin_blocks_the_person_for_good_after_deleting_the_message(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await there.carol.click(there.report, label="Delete message")
    await there.block("for good")
    [block] = blocks_of(stage)
    assert block.until is None
    assert there.done.splitlines() == [
        f"{there.carol.mention} deleted the message.",
        f"{there.carol.mention} blocked {stage.alice.mention} here for good.",
    ]
    assert labels(there.report) == []


async def test_a_blocked_person_has_their_running_requests_on_this_server_cancelled(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    stage.backend.script = lambda spec, request: [Queued(1)]
    running = await answered(stage)
    elsewhere = first(await stage.alice.user.slash("complete", prompt="Once"))
    await there.block("1")
    assert running.content == "Cancelled, since an admin of this server has blocked you here."
    assert "Cancelled" not in elsewhere.content


async def test_only_admins_can_press_the_buttons(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    for label in ("Delete message", "Block this person here", "Dismiss"):
        pressed = await stage.bob.click(there.report, label=label)
        assert pressed.modal is None
        assert refusal(pressed) == ONLY_ADMINS
    assert there.done == ""
    assert stage.channel.last_message is not None


async def test_the_buttons_work_after_a_restart(stage: Stage, config: Config):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    await restart(stage, config)
    await there.block("1")
    await restart(stage, config)
    assert len(blocks_of(stage)) == 1
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith("An admin of this server has blocked you")
    await there.carol.click(there.report, label="Delete message")
    assert stage.channel.last_message is None


async def test_an_admin_can_not_block_themselves(stage: Stage):
    there = await report_scene(stage)
    own = first(await there.carol.slash(stage.channel, "complete", prompt="Once"))
    await report(stage, own)
    pressed = await there.carol.click(there.report, label="Block this person here")
    assert pressed.modal is None
    assert private_text(pressed) == "You can't block yourself."
    assert blocks_of(stage) == []


async def test_the_operator_can_not_be_blocked(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    operator = (await stage.bot.application_info()).owner.id
    await store(stage).sent_answers.keep(stage.channel.id, answer.id, SentAnswer(operator, "complete", "gpt2-large"))
    await report(stage, answer)
    pressed = await there.carol.click(there.report, label="Block this person here")
    assert pressed.modal is None
    assert private_text(pressed) == "This person operates the bot, and can't be blocked."
    assert blocks_of(stage) == []


async def test_a_private_answer_can_be_reported_but_not_deleted(stage: Stage):
    there = await report_scene(stage)
    answer = first(await stage.alice.slash(stage.channel, "mood", text="I love it"))
    assert answer.ephemeral
    form = await stage.alice.context_menu(stage.channel, "Report", answer.message)
    await stage.alice.submit_modal(form, {"reason": ""})
    assert labels(there.report) == ["Block this person here", "Dismiss"]
