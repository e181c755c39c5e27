"""The operator's panel: what the devices do, and controls for models, requests, settings, servers and blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import discord

from cogs.client import Inkling
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.quotas import amount
from cogs.i18n import tr
from cogs.operator.actions import OperatorActions, block_line
from cogs.operator.failures import Failure
from storage import Block

Select = discord.ui.Select[discord.ui.View]

_MOST_OPTIONS = 25
"""The most options of a menu in Discord."""
_LONGEST_TEXT = 1900


def panel_message(bot: Inkling, actions: OperatorActions, model: str = "", note: str = "") -> dict[str, Any]:
    """Return text and controls, for a new message or an edit. `model` is the chosen one, `note` what was done last."""
    lines = [tr("**For the operator**"), actions.status(), *filter(None, [note])]
    controls: list[discord.ui.Item[Any]] = []
    names = list({spec.name: None for _, spec in bot.config.listed()})[:_MOST_OPTIONS]
    if names:
        controls.append(_model_select(names, model))
    if model:
        controls += [
            _button(tr("Load"), "load", code_of(model), row=1),
            _button(tr("Unload"), "unload", code_of(model), row=1),
            _button(tr("Download"), "download", code_of(model), row=1),
        ]
    engine = bot.engine
    controls += [
        _button(tr("Resume") if engine.paused else tr("Pause"), "resume" if engine.paused else "pause", row=2),
        _button(
            tr("Take new requests") if engine.draining else tr("Refuse new requests"),
            "accept" if engine.draining else "drain",
            row=2,
        ),
        _button(tr("Read config.yaml again"), "reload", row=2),
        _button(tr("Refresh"), "refresh", row=2),
        _button(tr("Failures"), "failures", row=3),
        _button(tr("Servers"), "servers", row=3),
        _button(tr("Blocks"), "blocks", row=3),
    ]
    return {"content": "\n".join(lines)[:_LONGEST_TEXT], "view": persistent_view(*controls)}


def code_of(model: str) -> str:
    """Return a short code for a model's name, which may be too long for a custom id."""
    return f"{crc32(model.encode()):08x}"


def failures_message(failures: Sequence[Failure]) -> dict[str, Any]:
    """Return a list of the last failures, with a menu that shows one with its traceback."""
    if not failures:
        return {"content": tr("No request has failed since the start.")}
    options = [
        discord.SelectOption(label=failure.message[:100], value=str(failure.number))
        for failure in failures[:_MOST_OPTIONS]
    ]
    lines = [f"- <t:{failure.created:.0f}:R> `{failure.message[:120]}`" for failure in failures[:10]]
    select: Select = discord.ui.Select(
        custom_id=custom_id("operator", "failure"), options=options, placeholder=tr("Show one with its traceback")[:150]
    )
    return {"content": "\n".join(lines)[:_LONGEST_TEXT], "view": persistent_view(select)}


def servers_message(bot: Inkling, actions: OperatorActions, chosen: int = 0) -> dict[str, Any]:
    """Return the servers with what they used today, and a menu to leave one, after a question."""
    busiest = actions.busiest_servers()[:_MOST_OPTIONS]
    lines = actions.servers() or [tr("I am on no server.")]
    controls: list[discord.ui.Item[Any]] = []
    if busiest:
        options = [
            discord.SelectOption(
                label=guild.name[:100], description=amount(used), value=str(guild.id), default=guild.id == chosen
            )
            for guild, used in busiest
        ]
        controls.append(
            discord.ui.Select(
                custom_id=custom_id("operator", "server"), options=options, placeholder=tr("Leave a server")[:150]
            )
        )
    if chosen and (guild := bot.get_guild(chosen)):
        label = tr("Leave {name} for good", name=guild.name)[:80]
        controls.append(_button(label, "leave", chosen, style=discord.ButtonStyle.danger))
    return {"content": "\n".join(lines)[:_LONGEST_TEXT], "view": persistent_view(*controls)}


def blocks_message(blocks: Sequence[Block], note: str = "") -> dict[str, Any]:
    """Return who is blocked everywhere, a button to block somebody, and a menu to unblock somebody."""
    lines = [f"- {block_line(block)}" for block in blocks] or [tr("Nobody is blocked everywhere.")]
    controls: list[discord.ui.Item[Any]] = [_button(tr("Block a person or a server"), "block")]
    if blocks:
        options = [
            discord.SelectOption(label=block_line(block)[:100], value=f"{block.kind} {block.id}")
            for block in blocks[:_MOST_OPTIONS]
        ]
        controls.append(
            discord.ui.Select(
                custom_id=custom_id("operator", "unblock"),
                options=options,
                placeholder=tr("Unblock a person or a server")[:150],
            )
        )
    return {"content": "\n".join([*filter(None, [note]), *lines])[:_LONGEST_TEXT], "view": persistent_view(*controls)}


def _model_select(names: Sequence[str], chosen: str) -> Select:
    options = [discord.SelectOption(label=name[:100], value=name[:100], default=name == chosen) for name in names]
    return discord.ui.Select(
        custom_id=custom_id("operator", "model"), options=options, placeholder=tr("Choose a model")[:150], row=0
    )


def _button(
    label: str,
    action: str,
    *parts: object,
    row: int | None = None,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
) -> Button:
    return Button(label=label[:80], custom_id=custom_id("operator", action, *parts), style=style, row=row)
