"""The part of /server-settings about reports and the people who are blocked."""

from __future__ import annotations

import discord
from simcord import MemberActor, ResponseMessage

from storage import Block
from tests.cogs.moderation.reports import blocks_of, store
from tests.cogs.settings.panels import manager, panel, private_text
from tests.cogs.stage import Stage, first, followup, refusal

CHANNEL = "inkling:moderation:channel"
UNBLOCK = "inkling:moderation:unblock"


async def opened_by(stage: Stage, admin: MemberActor) -> ResponseMessage:
    """Return the panel that the button of /server-settings opens."""
    settings = panel(await admin.slash(stage.channel, "server-settings"))
    shown = followup(await admin.click(settings, label="Reports and blocks"))
    assert shown.ephemeral
    return shown


def list_of(shown: ResponseMessage) -> str:
    """Return the list of the people who are blocked."""
    return shown.content.partition("**Blocked on this server**")[2].strip()


async def block(stage: Stage, person: int, until: float | None = None, reason: str = "Spam", by: int = 7) -> Block:
    added = Block("person", person, stage.guild.id, reason, until, by, discord.utils.utcnow().timestamp())
    await store(stage).blocks.add(added)
    return added


async def test_an_admin_sets_and_clears_the_channel_for_reports(stage: Stage):
    carol, audit = manager(stage), stage.guild.create_text_channel("audit")
    shown = await opened_by(stage, carol)
    assert "**Channel for reports**: none, so nobody can report my messages" in shown.content
    await carol.select(shown, [audit], custom_id=CHANNEL)
    assert store(stage).settings.server(stage.guild.id).audit_channel == audit.id
    assert f"**Channel for reports**: {audit.mention}" in shown.content
    assert "Everybody can see this channel, and so the reports." in shown.content
    settings = panel(await carol.slash(stage.channel, "server-settings"))
    assert f"**Channel for reports**: {audit.mention}" in settings.content
    await carol.select(shown, [], custom_id=CHANNEL)
    assert store(stage).settings.server(stage.guild.id).audit_channel is None


async def test_a_channel_that_only_admins_see_has_no_warning(stage: Stage):
    carol, me = manager(stage), stage.bot.user
    assert me is not None
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    hidden = stage.guild.create_text_channel(
        "audit",
        overwrites={
            guild.default_role: discord.PermissionOverwrite(view_channel=False),
            me: discord.PermissionOverwrite(view_channel=True),
            carol: discord.PermissionOverwrite(view_channel=True),
        },
    )
    shown = await opened_by(stage, carol)
    await carol.select(shown, [hidden], custom_id=CHANNEL)
    assert store(stage).settings.server(stage.guild.id).audit_channel == hidden.id
    assert "Everybody can see" not in shown.content


async def test_a_channel_in_which_the_bot_may_not_write_is_refused(stage: Stage):
    carol, me = manager(stage), stage.bot.user
    assert me is not None
    mute = stage.guild.create_text_channel("mute", overwrites={me: discord.PermissionOverwrite(send_messages=False)})
    shown = await opened_by(stage, carol)
    said = private_text(await carol.select(shown, [mute], custom_id=CHANNEL))
    assert said.startswith(f"I may not write in {mute.mention}.")
    assert store(stage).settings.server(stage.guild.id).audit_channel is None


async def test_the_panel_lists_who_is_blocked_and_an_admin_unblocks_them(stage: Stage):
    carol = manager(stage)
    await block(stage, stage.alice.id, reason="Rude *words*", by=carol.id)
    ends = round((await block(stage, stage.bob.id, discord.utils.utcnow().timestamp() + 3600, by=0)).until or 0)
    await store(stage).blocks.add(Block("person", 5, 6, "Elsewhere", None, 7, 1.0))
    shown = await opened_by(stage, carol)
    assert list_of(shown).splitlines() == [
        f"1. {stage.alice.mention} · for good · by {carol.mention} · `Rude *words*`",
        f"2. {stage.bob.mention} · until <t:{ends}:R> · `Spam`",
    ]
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith("An admin of this server")
    await carol.select(shown, [str(stage.alice.id)], custom_id=UNBLOCK)
    assert list_of(shown).startswith(f"1. {stage.bob.mention} · ")
    assert first(await stage.alice.slash(stage.channel, "help")).content.startswith("**To try first**")
    assert [each.id for each in blocks_of(stage)] == [5, stage.bob.id]


async def test_the_longest_list_fits_into_a_message(stage: Stage):
    carol = manager(stage)
    for number in range(15):
        await block(stage, 10**18 + number, 4e9, "*" * 200, 10**18)
    shown = await opened_by(stage, carol)
    assert len(list_of(shown).splitlines()) == 11
    assert len(shown.content) < 1800, "other languages are longer"
    assert list_of(shown).endswith("5 more are shown when somebody in this list is unblocked.")


async def test_somebody_who_is_no_admin_any_more_changes_nothing(stage: Stage):
    carol = manager(stage)
    await block(stage, stage.alice.id)
    shown = await opened_by(stage, carol)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    [role] = [role for role in guild.roles if role.name == "managers"]
    await role.edit(permissions=discord.Permissions.none())
    said = private_text(await carol.select(shown, [str(stage.alice.id)], custom_id=UNBLOCK))
    assert said.startswith("Only people who may manage this server can do that.")
    assert len(blocks_of(stage)) == 1


async def test_the_blocks_of_a_server_are_deleted_when_it_removes_the_bot(stage: Stage):
    await block(stage, stage.alice.id)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    await guild.leave()
    await stage.env.settle()
    assert blocks_of(stage) == []
