"""Registration of the commands with Discord, only if they have changed, since Discord limits it."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from inference import Config

log = logging.getLogger(__name__)

_EVERYWHERE = "everywhere"


async def sync_commands(tree: app_commands.CommandTree[Any], config: Config) -> None:
    """Register all commands in the configured servers, or everywhere if there are none."""
    if not config.discord.guild_ids:
        await _sync(tree, None, _record(config, _EVERYWHERE))
    for number in config.discord.guild_ids:
        guild = discord.Object(number)
        for command in tree.get_commands():  # copy_global_to stops at five menus
            tree.add_command(command, guild=guild, override=True)
        try:
            await _sync(tree, guild, _record(config, number))
        except discord.Forbidden:
            log.warning("The bot is not in server %s of discord.guild_ids; invite it, then restart.", number)
    current = {_record(config, scope) for scope in config.discord.guild_ids or [_EVERYWHERE]}
    for record in set(config.data.glob(_record(config, "*").name)) - current:
        await _withdraw(tree, record.stem.removeprefix("commands-"))
        _forget(record)


def _record(config: Config, scope: str | int) -> Path:
    return config.data / f"commands-{scope}.sha256"


async def _sync(tree: app_commands.CommandTree[Any], guild: discord.Object | None, record: Path) -> None:
    """Register the commands unless `record` has their hash and Discord still has commands."""
    digest = await _digest(tree, guild)
    if _recorded(record) == digest and await tree.fetch_commands(guild=guild):
        return
    await tree.sync(guild=guild)
    _write(record, digest)
    log.info("Registered the commands %s.", f"in server {guild.id}" if guild else "everywhere")


async def _withdraw(tree: app_commands.CommandTree[Any], scope: str) -> None:
    """Remove commands from a server that is no longer configured; Discord would list them twice."""
    guild = None if scope == _EVERYWHERE else discord.Object(scope)
    registered = tree.get_commands(guild=guild)
    tree.clear_commands(guild=guild)
    try:
        await tree.sync(guild=guild)
    except discord.Forbidden:
        log.info("The bot is no longer in server %s.", scope)
    for command in registered:
        tree.add_command(command, guild=guild)


def _recorded(record: Path) -> str:
    return record.read_text() if record.is_file() else ""


def _write(record: Path, digest: str) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(digest)


def _forget(record: Path) -> None:
    record.unlink()


async def _digest(tree: app_commands.CommandTree[Any], guild: discord.Object | None) -> str:
    """Return a hash of the commands in every language."""
    assert tree.translator is not None
    nodes = tree.get_commands(guild=guild)
    payloads = [await node.get_translated_payload(tree, tree.translator) for node in nodes]
    commands = sorted(payloads, key=lambda payload: payload["name"])
    identity = [tree.client.application_id, commands]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
