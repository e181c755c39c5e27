"""The bot, unchanged, but on the stand-in for Discord: `python -m bench.crash.redirected_bot ADDRESS CONFIG`."""

from __future__ import annotations

import sys
from typing import Any

import discord.asset
import discord.gateway
import discord.http

import bot


def addresses(address: str) -> list[tuple[type, str, Any]]:
    """Return the attributes of discord.py that lead it to `address`: class, name and value."""
    gateway = discord.gateway.DiscordWebSocket
    url = type(gateway.DEFAULT_GATEWAY)(f"{address}/gateway".replace("http", "ws", 1))
    version = discord.http.INTERNAL_API_VERSION
    return [
        (discord.http.Route, "BASE", f"{address}/api/v{version}"),
        (gateway, "DEFAULT_GATEWAY", url),
        (discord.asset.Asset, "BASE", address),
    ]


def redirect(address: str) -> None:
    """Lead discord.py in this process to `address`."""
    for owner, name, value in addresses(address):
        setattr(owner, name, value)


def main(address: str, config: str) -> int:
    """Run the bot with this config file. Return its exit status."""
    redirect(address)
    return bot.main(["--config", config])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
