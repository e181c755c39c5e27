"""The target of replies, and whom they may ping."""

from __future__ import annotations

from cogs.common import MessageResponder
from tests.cogs.stage import Stage


async def test_a_reply_notifies_the_person_who_asked_and_nobody_else(stage: Stage):
    asked = await stage.alice.send(stage.channel, f"{stage.bob.mention} look")
    responder = MessageResponder.of(stage.bot, asked, "imagine")
    await responder.acknowledge()
    assert (responder.target.channel, responder.target.message) == (stage.channel.id, stage.channel.history()[-1].id)
    await responder.notify("Your picture is ready.")
    assert stage.last_text == f"{stage.alice.mention} Your picture is ready."
    sent = stage.env.http_requests[-1].json
    assert sent is not None
    assert sent["allowed_mentions"] == {"parse": [], "users": [stage.alice.id]}
