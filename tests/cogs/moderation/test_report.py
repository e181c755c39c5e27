"""The menu "Report": an answer of the bot comes to the admins of the server."""

from __future__ import annotations

from dataclasses import replace

import discord
import pytest
from simcord import Env

from tests.cogs.imagine.images import files, grid, text
from tests.cogs.moderation.reports import BUTTONS, answered, fields, labels, report, report_scene, store
from tests.cogs.settings.panels import manager, store_of
from tests.cogs.stage import Stage, first, refusal


async def test_a_report_has_the_message_its_model_and_the_people(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    told = await report(stage, answer, "It is *rude*.")
    assert told == "Thank you. The admins of this server have your report."
    assert there.report.embeds[0].description == answer.content.replace("-# ", "")
    assert fields(there.report) == {
        "A message of mine was reported": answer.message.jump_url,
        "Asked for by": stage.alice.mention,
        "Command": "/complete",
        "Model": "`gpt2-large`",
        "Reported by": stage.bob.mention,
        "Reason": r"It is \*rude\*.",
    }
    assert labels(there.report) == BUTTONS


async def test_the_picture_of_a_reported_message_is_a_spoiler(stage: Stage):
    there = await report_scene(stage)
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await report(stage, drawing)
    [copy], [original] = there.report.attachments, drawing.attachments
    assert copy.is_spoiler()
    assert await copy.read() == await original.read()
    assert fields(there.report)["Model"] == "`stable-diffusion-v1-4`"
    assert fields(there.report)["Reason"] == "none was given"


async def test_a_report_of_several_pictures_has_their_text_and_their_files(stage: Stage):
    there, drawing = await report_scene(stage), await grid(stage, count=2)
    await report(stage, drawing)
    assert there.report.embeds[0].description == text(drawing).replace("-# ", "")
    assert [await copy.read() for copy in there.report.attachments] == list((await files(drawing)).values())


async def test_a_picture_of_an_age_restricted_channel_is_only_a_link_elsewhere(stage: Stage):
    there = await report_scene(stage)
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    known = stage.bot.get_channel(stage.channel.id)
    assert isinstance(known, discord.TextChannel)
    known.nsfw = True
    await report(stage, drawing)
    assert there.report.attachments == []
    [file] = drawing.attachments
    assert file.url in str(there.report.embeds[0].description)


async def test_a_reply_to_a_mention_names_who_wrote_it(stage: Stage):
    there = await report_scene(stage)
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    sent = stage.channel.last_message
    assert sent is not None
    form = await stage.bob.context_menu(stage.channel, "Report", sent)
    await stage.bob.submit_modal(form, {"reason": ""})
    assert fields(there.report)["Asked for by"] == stage.alice.mention


async def test_who_asked_is_known_from_discord_after_the_person_has_deleted_everything(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await store(stage).sent_answers.forget_owner(stage.alice.id)
    await report(stage, answer)
    assert fields(there.report)["Asked for by"] == stage.alice.mention
    assert fields(there.report)["Model"] == "unknown"


async def test_a_message_without_anybody_who_asked_says_so_and_nobody_can_be_blocked(stage: Stage):
    there = await report_scene(stage)
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    sent = await channel.send("Hello")
    await stage.env.settle()
    form = await stage.bob.context_menu(stage.channel, "Report", sent)
    await stage.bob.submit_modal(form, {"reason": ""})
    assert fields(there.report)["Asked for by"] == "unknown"
    assert labels(there.report) == ["Delete message", "Dismiss"]


async def test_a_report_pings_nobody(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer, f"@everyone {stage.alice.mention}")
    assert not there.report.mention_everyone
    assert _allowed_mentions(stage, there.audit.id) == {"parse": []}


def _allowed_mentions(stage: Stage, channel: int) -> object:
    """Return whom the newest message in the channel may ping."""
    [sent] = [request for request in stage.env.http_requests if request.path == f"/channels/{channel}/messages"]
    return dict(sent.json or {}).get("allowed_mentions")


async def test_without_a_channel_for_reports_the_reporter_is_told_so(stage: Stage):
    answer = await answered(stage)
    result = await stage.bob.context_menu(stage.channel, "Report", answer.message)
    assert result.modal is None
    assert refusal(result) == (
        "The admins of this server have not set a channel for reports, so I can't pass this on. Write to an admin, "
        "with a link to the message; they can set a channel with /server-settings."
    )


async def test_without_a_channel_for_reports_an_admin_is_told_how_to_set_one(stage: Stage):
    answer, carol = await answered(stage), manager(stage)
    result = await carol.context_menu(stage.channel, "Report", answer.message)
    assert refusal(result) == (
        "This server has no channel for reports yet. You can set one: /server-settings, “Reports and blocks”."
    )


async def test_a_report_that_can_not_be_sent_may_be_sent_again(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    stage.env.inject_error("POST", f"/channels/{there.audit.id}/messages", status=403, code=50013)
    assert (await report(stage, answer)).startswith("I may not write in the channel for reports")
    assert (await report(stage, answer)).startswith("Thank you.")


async def test_a_message_of_somebody_else_is_refused(stage: Stage):
    await report_scene(stage)
    message = await stage.alice.send(stage.channel, "You fool")
    result = await stage.bob.context_menu(stage.channel, "Report", message)
    assert result.modal is None
    assert refusal(result).startswith("I pass on reports of my own messages only.")


async def test_a_message_can_be_reported_once_by_each_person(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    await report(stage, answer)
    again = await stage.bob.context_menu(stage.channel, "Report", answer.message)
    assert refusal(again) == "You have reported this message already. The admins of this server have your report."
    await report(stage, answer, who=there.carol)
    assert len(there.audit.history()) == 2


async def test_two_forms_for_one_message_make_one_report(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    forms = [await stage.bob.context_menu(stage.channel, "Report", answer.message) for _ in range(2)]
    results = [await stage.bob.submit_modal(form, {"reason": ""}) for form in forms]
    assert first(results[1]).content.startswith("You have reported this message already.")
    assert len(there.audit.history()) == 1


async def test_a_person_can_report_five_messages_an_hour(stage: Stage):
    await report_scene(stage)
    answers = [await answered(stage) for _ in range(6)]
    for answer in answers[:5]:
        await report(stage, answer)
    await store(stage).reports.forget_reporter(stage.bob.id, discord.utils.utcnow().timestamp())
    refused = await stage.bob.context_menu(stage.channel, "Report", answers[5].message)
    assert refusal(refused).startswith("You have reported 5 messages within an hour, which is the most.")
    await stage.env.advance_time(3601)
    assert (await report(stage, answers[5])).startswith("Thank you.")


async def test_a_report_works_where_the_bot_does_not_answer(stage: Stage):
    await report_scene(stage)
    answer, settings = await answered(stage), store_of(stage).settings
    await settings.servers.change(stage.guild.id, lambda server: replace(server, channels=(1,), roles=(1,)))
    assert (await report(stage, answer)).startswith("Thank you.")


@pytest.fixture
def french_server(simcord_env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create servers in French."""
    create = simcord_env.create_guild
    monkeypatch.setattr(simcord_env, "create_guild", lambda: create(preferred_locale="fr"))


@pytest.mark.usefixtures("french_server")
async def test_a_report_is_in_the_language_of_the_server_and_the_thanks_in_that_of_the_reporter(stage: Stage):
    there, answer = await report_scene(stage), await answered(stage)
    assert (await report(stage, answer)).startswith("Thank you.")
    assert there.report.content.startswith("**Un de mes messages a été signalé** : ")
    await there.carol.click(there.report, label="Classer sans suite")
    assert there.report.content.endswith(f"{there.carol.mention} l'a classé.")
