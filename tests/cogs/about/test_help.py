"""/help: an overview, a page for each command, and a menu to choose a page."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import discord
import pytest
from discord import app_commands
from simcord import ResponseMessage

from bot import create_bot
from cogs.about.help_pages import Slash, first_example, page_of, topics
from cogs.client import Inkling
from cogs.i18n import LANGUAGES, set_language
from inference import Config, Engine, ModelSpec, ModelStatus
from inference.hub.model_card import ModelCard
from starter.drawings.vocabulary import things
from tests.cogs.settings.panels import manager
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import FakeBackend


def _bot(stage: Stage) -> Inkling:
    return cast(Inkling, stage.bot)


async def _help(stage: Stage, **options: str) -> ResponseMessage:
    return first(await stage.alice.slash(stage.channel, "help", **options))


async def test_the_overview_names_every_command_menu_and_reply(stage: Stage):
    said = refusal(await manager(stage).slash(stage.channel, "help"))
    for command in _bot(stage).tree.get_commands():
        assert (command.name in said) == (command.name != "operator"), "managers don't see what is for admins"
    for reply in _bot(stage).commands:
        assert reply.name in said.splitlines()[-1]


async def test_a_command_has_a_page_with_its_options_and_examples(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "help", command="fill"))
    assert said.splitlines()[:3] == [
        "**/fill**",
        "Guess the missing words of a text.",
        "-# Everybody here sees the answer, unless /settings or /server-settings say otherwise.",
    ]
    assert "`text` A text with one or more blanks: [MASK] or ___ (needed)" in said
    assert "`/fill text: The capital of France is ___.`" in said


@pytest.mark.parametrize(
    ("command", "seen"),
    [("mood", "Only you see the answer."), ("summarize", "Only you see a summary of messages"), ("queue", "Only you")],
)
async def test_the_page_of_a_command_says_who_sees_the_answer(stage: Stage, command: str, seen: str):
    said = refusal(await stage.alice.slash(stage.channel, "help", command=command))
    assert said.splitlines()[2].startswith(f"-# {seen}")


async def test_help_lists_the_server_settings_only_for_people_who_may_use_them(stage: Stage):
    carol = manager(stage)
    for person, listed in ((stage.alice, False), (carol, True)):
        shown = first(await person.slash(stage.channel, "help"))
        assert ("/server-settings:" in shown.content) == ("/server-settings" in _offered(shown)) == listed
        await person.send(stage.channel, f"{stage.mention} help")
        assert ("/server-settings:" in stage.last_text) == listed
    assert refusal(await stage.alice.slash(stage.channel, "help", command="server-settings")).startswith(
        "**To try first"
    )
    assert "/server-settings:" not in first(await carol.user.slash("help")).content


def _offered(shown: ResponseMessage) -> list[str]:
    """Return the pages that the menu offers."""
    [row] = shown.components
    return [option["label"] for option in row["components"][0]["options"]]


async def test_every_command_with_options_has_examples_that_use_its_options(stage: Stage):
    for command in _bot(stage).tree.walk_commands():
        if isinstance(command, app_commands.Command) and command.parameters:
            options = {option.display_name for option in command.parameters}
            examples = command.extras["examples"]
            assert examples
            assert all(options.issuperset(example) for example in examples), command.name


async def test_the_menu_shows_another_page_in_the_same_message_even_after_a_restart(stage: Stage, config: Config):
    shown = await _help(stage)
    await stage.env.bot.close()
    await stage.env.restart_bot(create_bot(Engine(config, FakeBackend())))
    await stage.alice.select(shown, custom_id="inkling:help:topic", values=["the replies"])
    assert shown.content.startswith("**In a reply to a message**")
    assert "Everybody here sees the answer." in shown.content
    assert "`@Inkling caption` Describe the pictures" in shown.content
    await stage.alice.select(shown, custom_id="inkling:help:topic", values=["the overview"])
    assert shown.content.startswith("**To try first**")


async def test_the_menu_of_a_public_page_answers_in_private(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} help")
    public = stage.channel.last_message
    assert public is not None
    before = public.content
    result = await stage.bob.select(public, custom_id="inkling:help:topic", values=["the drawings"])
    assert refusal(result).startswith("**Below drawings**")
    assert stage.last_text == before


class TestWithASmallImageModel:
    """The default image model has a list of what it can draw."""

    @pytest.fixture
    def backend(self) -> FakeBackend:
        categories: dict[str, tuple[str, ...]] = {}
        for thing in things():
            categories[thing.category] = (*categories.get(thing.category, ()), thing.name)

        class BackendWithList(FakeBackend):
            async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
                *others, last = await super().statuses(specs)
                small = replace(last, spec=replace(last.spec, task="imagine"), card=ModelCard(knows=categories))
                return [*others, small]

        return BackendWithList()

    async def test_help_on_drawings_lists_some_things_of_every_category(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "help", command="the drawings"))
        assert f"{len(things())} things, one to a picture" in said
        for category in {thing.category for thing in things()}:
            assert f"-# {category}: " in said
        assert "red heart" in said

    async def test_the_first_thing_to_try_is_one_that_the_model_draws(self, stage: Stage, config: Config):
        [painter] = config.specs("imagine")[:1]
        knows = {"hearts": ("red heart", "blue heart")}
        status = ModelStatus(painter, "loaded", 1, ModelCard(knows=knows))
        example = first_example(cast(Slash, _bot(stage).tree.get_command("imagine")), [status])
        assert example == "/imagine prompt: red heart"

    async def test_help_on_imagine_says_that_the_model_draws_only_single_things(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "help", command="/imagine"))
        assert "such as red heart, red circle, grinning face, cat, rose; below" in said.splitlines()[-1]

    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_every_page_fits_into_a_message(self, stage: Stage, language: str):
        set_language(language)
        everything = discord.Permissions.all()
        for topic in topics(_bot(stage), everything):
            content = await page_of(_bot(stage), topic.name, everything)
            assert len(content.text) <= 2000, topic.name


async def test_help_on_drawings_has_no_list_for_models_that_draw_anything(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "help", command="the drawings"))
    assert "one to a picture" not in said
