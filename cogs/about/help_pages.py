"""The pages of /help, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.client import Inkling
from cogs.common import MessageContent
from cogs.common.help_texts import HELP_GROUPS, examples_of, help_group_of, visibility_of
from cogs.i18n import tr, translated, word
from inference import ModelStatus

Slash = app_commands.Command[Any, ..., Any]


_SHOWN = 7
"""The most names of each kind of thing that a model draws, so that all kinds fit into a message."""

_FIRST = ("imagine", "ask")
"""The commands whose first example is the first thing to try."""

_KINDS = 5
"""The number of kinds to give one example of."""

OVERVIEW = "the overview"
"""The name of the overview page."""


@dataclass(frozen=True, slots=True)
class HelpTopic:
    """A page: its unique `name`, its label in the menu, and a short description."""

    name: str
    label: str
    about: str


def topics(bot: Inkling, permissions: discord.Permissions) -> list[HelpTopic]:
    """Return every page for these permissions, in the current language; names with a space are not commands."""
    return [
        HelpTopic(OVERVIEW, tr("Overview"), tr("All that I can do")),
        *(
            HelpTopic(each.qualified_name, _slash_name(each), translated(each.description))
            for each in _slash_commands(bot, permissions)
        ),
        HelpTopic("the menus", tr("The menu of a message"), tr("What is there under Apps")),
        HelpTopic("the replies", tr("Replies"), tr("What to write in a reply, after my name")),
        HelpTopic("the drawings", tr("Drawings"), tr("Buttons, marks in prompts, and what small models draw")),
    ]


async def page_of(bot: Inkling, name: str, permissions: discord.Permissions) -> MessageContent:
    """Return the page with a name from `topics` or of a command (`/imagine`); the overview for any other name."""
    match name:
        case "the menus":
            lines = _menus(bot)
        case "the replies":
            lines = _replies(bot)
        case "the drawings":
            lines = _drawings(await bot.engine.statuses())
        case _:
            command = next(
                (each for each in _slash_commands(bot, permissions) if each.qualified_name == name.removeprefix("/")),
                None,
            )
            statuses = await bot.engine.statuses()
            lines = _command(command, statuses) if command else _overview(bot, permissions, statuses)
            if command and command.name == "imagine":
                lines = chain(lines, _warning(statuses))
    return MessageContent("\n".join(lines))


def _overview(bot: Inkling, permissions: discord.Permissions, statuses: Sequence[ModelStatus]) -> Iterator[str]:
    shown = _slash_commands(bot, permissions)
    yield tr("**To try first**")
    yield from (f"`{first_example(command, statuses)}`" for command in shown if command.name in _FIRST)
    for group, found in _grouped(shown).items():
        yield f"**{translated(group)}**"
        yield from (f"{_slash_name(command)}: {translated(command.description)}" for command in found)
    menus = ", ".join(word(menu.name, "menu") for menu in _menu_commands(bot))
    yield tr("**In the menu of a message**, under Apps: {names}", names=menus)
    replies = ", ".join(command.name for command in _reply_commands(bot))
    yield tr("**In a reply to a message**, after `@Inkling`: {names}", names=replies)


def first_example(command: Slash, statuses: Sequence[ModelStatus]) -> str:
    """Return what to try first; if the default model draws only some things, one of these."""
    painter = next((status for status in statuses if status.spec.task == command.name == "imagine"), None)
    if painter is None or not painter.card.knows:
        return next(iter(examples_of(command)), "")
    names = next(iter(painter.card.knows.values()))
    return f"{_slash_name(command)} {word('prompt', 'option')}: {names[0]}"


def _grouped(found: Sequence[Slash]) -> dict[str, list[Slash]]:
    """Return the commands by what people want of them, in the order of `HELP_GROUPS`."""
    groups: dict[str, list[Slash]] = {group: [] for group in HELP_GROUPS}
    for command in found:
        groups[help_group_of(command)].append(command)
    return {group: members for group, members in groups.items() if members}


def _suitable_examples(command: Slash, statuses: Sequence[ModelStatus]) -> list[str]:
    """Return the examples of a command; of a painter that draws only some things, the one with these alone."""
    first = first_example(command, statuses)
    return examples_of(command) if first in examples_of(command) or not examples_of(command) else [first]


def _command(command: Slash, statuses: Sequence[ModelStatus]) -> Iterator[str]:
    yield f"**{_slash_name(command)}**"
    yield translated(command.description)
    yield f"-# {visibility_of(command)}"
    if command.parameters:
        yield ""
        yield tr("**Options**")
    for option in command.parameters:
        name, about = word(option.display_name, "option"), translated(str(option.description))
        yield f"`{name}` {about} {tr('(needed)')}" if option.required else f"`{name}` {about}"
    if examples := _suitable_examples(command, statuses):
        yield ""
        yield tr("**Examples**")
        yield from (f"`{example}`" for example in examples)


def _menus(bot: Inkling) -> Iterator[str]:
    yield tr("**In the menu of a message**, under Apps:")
    for menu in _menu_commands(bot):
        about = translated(menu.extras.get("about", ""))
        yield f"**{word(menu.name, 'menu')}** {about}".rstrip()


def _replies(bot: Inkling) -> Iterator[str]:
    yield tr("**In a reply to a message**, or in any message:")
    yield "-# " + tr("Everybody here sees the answer.")
    for command in _reply_commands(bot):
        yield f"`@Inkling {command.name}` {translated(command.short_doc)}"


def _drawings(statuses: Sequence[ModelStatus]) -> Iterator[str]:
    yield tr(
        "**Below drawings**: U1 shows picture 1 alone, enlarged if a model for that is there, V1 draws four that look "
        "much like it, Vary does so for a single picture, Re-roll draws fresh ones, Remix changes words and settings."
    )
    yield tr(
        "**Below a single picture**: Edit changes it as you say, Compare shows it beside the one it was made from, "
        "Enlarge gives it more pixels, Zoom out and Make square draw more around it, an arrow draws on to its side."
    )
    yield tr(
        "**In prompts**: `(word:1.3)` counts more, `[word]` less, `{red,blue}` draws both, `--ar 3:2` sets the shape, "
        "`<lora:name:0.8>` adds a LoRA."
    )
    yield tr(
        "**Again**: a picture that I drew, given to /imagine as `image` without a prompt, is drawn again from what its "
        "file says."
    )
    if small := _small_image_model(statuses):
        yield ""
        yield from _drawable_things(small.spec.name, small.card.knows)


def _warning(statuses: Sequence[ModelStatus]) -> Iterator[str]:
    """Yield a note if a model draws only certain things, since the examples are for models that draw anything."""
    if small := _small_image_model(statuses):
        names = ", ".join(names[0] for names in list(small.card.knows.values())[:_KINDS])
        yield "-# " + tr(
            "`{model}` draws single things, such as {names}; below, under “{page}”, are more.",
            model=small.spec.name,
            names=names,
            page=tr("Drawings"),
        )


def _small_image_model(statuses: Sequence[ModelStatus]) -> ModelStatus | None:
    """Return the first model with a list of everything it can draw."""
    listing = (status for status in statuses if status.spec.task == "imagine" and status.card.knows)
    return next(listing, None)


def _drawable_things(model: str, kinds: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield examples of what a small model draws, in English, since it understands nothing else."""
    count = sum(map(len, kinds.values()))
    yield tr("**What `{model}` draws**: {count} things, one to a picture. Among them:", model=model, count=count)
    for kind, names in kinds.items():
        step = max(1, len(names) // _SHOWN)
        yield f"-# {kind}: {', '.join(names[::step][:_SHOWN])}"


def _slash_name(command: Slash) -> str:
    return "/" + " ".join(word(part, "command") for part in command.qualified_name.split())


def _slash_commands(bot: Inkling, permissions: discord.Permissions) -> list[Slash]:
    """Return the commands that Discord shows for these permissions by default."""
    walk = bot.tree.walk_commands(type=discord.AppCommandType.chat_input)
    slash = (command for command in walk if isinstance(command, app_commands.Command))
    return [command for command in slash if (command.default_permissions or discord.Permissions.none()) <= permissions]


def _menu_commands(bot: Inkling) -> list[app_commands.ContextMenu]:
    return bot.tree.get_commands(type=discord.AppCommandType.message)


def _reply_commands(bot: Inkling) -> list[commands.Command[Any, ..., Any]]:
    return sorted(bot.commands, key=lambda command: command.name)
