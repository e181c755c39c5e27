"""The suggestions for the option `advanced` of /imagine: the next setting of the line."""

from __future__ import annotations

import discord
from discord import app_commands

from cogs.common.rules import services_of
from inference import SAMPLERS

_LONGEST = 100
"""The most characters of a suggestion in Discord."""

_MOST = 25

_EXAMPLES = ("Steps: 40", "CFG scale: 5", "Temperature: 0.8", "Top k: 50", "Fast: yes")


async def suggest_settings(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the line with each setting that begins as the last typed one, or contains it."""
    before, comma, last = typed.rpartition(",")
    loras = (f"Lora: {name}" for name in services_of(interaction).engine.loras)
    offered = [*_EXAMPLES, *(f"Sampler: {name}" for name in SAMPLERS), *loras]
    lines = [f"{before}{comma} {each}".strip() for each in offered if last.strip().lower() in each.lower()]
    return [app_commands.Choice(name=line, value=line) for line in lines if len(line) <= _LONGEST][:_MOST]
