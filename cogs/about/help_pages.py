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
from cogs.common.help_texts import examples_of, visibility_of
from cogs.i18n import tr, translated, word
from inference import ModelStatus

Slash = app_commands.Command[Any, ..., Any]


_SHOWN = 7
"""Names of each kind of thing that a model draws; all kinds together fit into a message."""

_KINDS = 5
"""Kinds of which one name is enough."""

OVERVIEW = "the overview"
"""The name of the page that leads to the others."""


@dataclass(frozen=True, slots=True)
class HelpTopic:
    """A page: its `name` among all, what a person chooses, and that in a few more words."""

    name: str
    label: str
    about: str


def topics(bot: Inkling, may: discord.Permissions) -> list[HelpTopic]:
    """Every page for somebody who `may` do that, in the current language; a command has no space in its name."""
    return [
        HelpTopic(OVERVIEW, tr("Overview"), tr("All that I can do")),
        *(HelpTopic(each.qualified_name, _named(each), translated(each.description)) for each in _slash(bot, may)),
        HelpTopic("the menus", tr("The menu of a message"), tr("What is there under Apps")),
        HelpTopic("the replies", tr("Replies"), tr("What to write in a reply, after my name")),
        HelpTopic("the drawings", tr("Drawings"), tr("Buttons, marks in prompts, and what small models draw")),
    ]


async def page_of(bot: Inkling, name: str, may: discord.Permissions) -> MessageContent:
    """The page of that name, as in `topics`, or as one types a command; the overview for any other."""
    match name:
        case "the menus":
            lines = _menus(bot)
        case "the replies":
            lines = _replies(bot)
        case "the drawings":
            lines = _drawings(await bot.engine.statuses())
        case _:
            command = next((each for each in _slash(bot, may) if each.qualified_name == name.removeprefix("/")), None)
            lines = _command(command) if command else _overview(bot, may)
            if command and command.name == "imagine":
                lines = chain(lines, _warning(await bot.engine.statuses()))
    return MessageContent("\n".join(lines))


def _overview(bot: Inkling, may: discord.Permissions) -> Iterator[str]:
    yield tr("**What I can do.** Below are all details, with examples.")
    for command in _slash(bot, may):
        yield f"`{_named(command)}` {translated(command.description)}"
    menus = ", ".join(word(menu.name, "menu") for menu in _menu_commands(bot))
    yield tr("**In the menu of a message**, under Apps: {names}", names=menus)
    replies = ", ".join(f"`@Inkling {command.name}`" for command in _reply_commands(bot))
    yield tr("**In a reply to a message**: {names}", names=replies)


def _command(command: Slash) -> Iterator[str]:
    yield f"**{_named(command)}**"
    yield translated(command.description)
    yield f"-# {visibility_of(command)}"
    if command.parameters:
        yield ""
        yield tr("**Options**")
    for option in command.parameters:
        name, about = word(option.display_name, "option"), translated(str(option.description))
        yield f"`{name}` {about} {tr('(needed)')}" if option.required else f"`{name}` {about}"
    if examples := examples_of(command):
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
    yield tr("**Below drawings**: U1 shows picture 1 alone, V1 varies it, Remix changes words and settings.")
    yield tr("**In prompts**: `(word:1.3)` counts more, `[word]` less, `{red,blue}` draws both.")
    yield tr(
        "**Again**: a picture that I drew, given to /imagine as `image` without a prompt, is drawn again from what its "
        "file says."
    )
    if small := _small_painter(statuses):
        yield ""
        yield from _knowledge(small.spec.name, small.card.knows)


def _warning(statuses: Sequence[ModelStatus]) -> Iterator[str]:
    """The examples above are for models that draw anything."""
    if small := _small_painter(statuses):
        names = ", ".join(names[0] for names in list(small.card.knows.values())[:_KINDS])
        yield "-# " + tr(
            "`{model}` draws single things, such as {names}; below, under “{page}”, are more.",
            model=small.spec.name,
            names=names,
            page=tr("Drawings"),
        )


def _small_painter(statuses: Sequence[ModelStatus]) -> ModelStatus | None:
    """The first that comes with a list of all that it can draw."""
    listing = (status for status in statuses if status.spec.task == "imagine" and status.card.knows)
    return next(listing, None)


def _knowledge(model: str, kinds: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Examples of everything that a small model draws, in English, which is all that it reads."""
    count = sum(map(len, kinds.values()))
    yield tr("**What `{model}` draws**: {count} things, one to a picture. Among them:", model=model, count=count)
    for kind, names in kinds.items():
        step = max(1, len(names) // _SHOWN)
        yield f"-# {kind}: {', '.join(names[::step][:_SHOWN])}"


def _named(command: Slash) -> str:
    return "/" + " ".join(word(part, "command") for part in command.qualified_name.split())


def _slash(bot: Inkling, may: discord.Permissions) -> list[Slash]:
    """Those that Discord, too, lists to such a person unless the server has said otherwise."""
    walk = bot.tree.walk_commands(type=discord.AppCommandType.chat_input)
    slash = (command for command in walk if isinstance(command, app_commands.Command))
    return [command for command in slash if (command.default_permissions or discord.Permissions.none()) <= may]


def _menu_commands(bot: Inkling) -> list[app_commands.ContextMenu]:
    return bot.tree.get_commands(type=discord.AppCommandType.message)


def _reply_commands(bot: Inkling) -> list[commands.Command[Any, ..., Any]]:
    return sorted(bot.commands, key=lambda command: command.name)
