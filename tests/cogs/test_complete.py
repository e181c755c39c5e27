"""/complete, from the option to the finished message."""

from __future__ import annotations

from simcord import Env


async def test_the_prompt_is_bold_and_the_continuation_is_plain(simcord_env: Env):
    guild = simcord_env.create_guild()
    channel = guild.create_text_channel("general")
    alice = guild.add_member(simcord_env.create_user("alice"))
    result = await alice.slash(channel, "complete", prompt="Once upon a time", seed=7)
    assert result.response is not None
    assert result.response.content == "**Once upon a time** and then\n-# seed 7"
    assert not result.ephemeral
