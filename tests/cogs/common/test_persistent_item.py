"""Persistent buttons: who may press them, when a press is deferred, and one press at a time."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import discord
import pytest
from simcord import Env

from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id, persistent_view
from storage.database import Database
from tests.cogs.complete.completions import complete_count
from tests.cogs.imagine.images import grid, press
from tests.cogs.stage import Stage, refusal


class BellButton(PersistentItem, template=custom_id("bell", "(?P<kind>[a-z]+)", r"(?P<owner>\d+)")):
    """Rings for its owner until it is `stopped`."""

    not_yours = "This is not your bell."
    env: ClassVar[Env]
    stopped: ClassVar[asyncio.Event]

    @property
    def opens_form(self) -> bool:
        return self.match["kind"] == "form"

    @property
    def busy(self) -> str:
        return "It is ringing already."

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        if self.match["kind"] == "broken":
            raise ZeroDivisionError("secret detail")
        if self.opens_form:
            form = discord.ui.Modal(title="How often?")
            await interaction.response.send_modal(form.add_item(discord.ui.TextInput(label="Times")))
            return
        await self.env.external_wait(self.stopped.wait(), reason="the bell rings")
        await interaction.edit_original_response(content="Ding.")


@pytest.fixture
async def bell(stage: Stage) -> discord.Message:
    """Send a message of Alice with a bell button of every kind."""
    BellButton.env, BellButton.stopped = stage.env, asyncio.Event()
    stage.bot.add_dynamic_items(BellButton)
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    kinds = ("plain", "form", "broken")
    buttons = [discord.ui.Button[Any](label=kind, custom_id=custom_id("bell", kind, stage.alice.id)) for kind in kinds]
    return await channel.send("A bell", view=persistent_view(*buttons))


def _callbacks(stage: Stage) -> list[int]:
    """Return the type of the first response to each interaction: 6 defers, 9 opens a form."""
    bodies = [request.json for request in stage.env.http_requests if request.path.endswith("/callback")]
    return [body["type"] for body in bodies if isinstance(body, dict)]


@pytest.mark.parametrize("kind", ["plain", "form", "broken"])
async def test_a_forbidden_press_gives_a_private_error_and_does_nothing(stage: Stage, bell: discord.Message, kind: str):
    result = await stage.bob.click(bell, label=kind)
    assert refusal(result) == "This is not your bell."
    assert result.modal is None
    assert stage.last_text == "A bell"


async def test_a_second_press_is_refused_only_while_the_first_is_running(stage: Stage, bell: discord.Message):
    await stage.alice.click(bell, label="plain")
    assert _callbacks(stage) == [6]
    for kind in ("plain", "form"):
        assert refusal(await stage.alice.click(bell, label=kind)) == "It is ringing already."
    BellButton.stopped.set()
    await stage.env.settle()
    assert stage.last_text == "Ding."
    assert not (await stage.alice.click(bell, label="plain")).followups


async def test_a_press_that_opens_a_form_is_not_deferred(stage: Stage, bell: discord.Message):
    assert (await stage.alice.click(bell, label="form")).modal is not None
    assert _callbacks(stage) == [9]


async def test_a_failing_press_keeps_the_message_and_gives_an_error(stage: Stage, bell: discord.Message):
    assert refusal(await stage.alice.click(bell, label="broken")).startswith("Something went wrong on my side.")
    assert stage.last_text == "A bell"
    BellButton.stopped.set()
    await stage.alice.click(bell, label="plain")
    assert stage.last_text == "Ding."


class TestButtonsOfTheBot:
    @pytest.fixture
    def early_queries(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Record the queries that run before the newest interaction has got a response."""
        read, found = Database.read, list[str]()

        async def spy(database: Database, query: str, values: Any = ()) -> Any:
            interactions = stage.env.transcript().count(" INTERACTION_CREATE ")
            if len(_callbacks(stage)) < interactions:
                found.append(query)
            return await read(database, query, values)

        monkeypatch.setattr(Database, "read", spy)
        return found

    @pytest.mark.parametrize("label", ["U1", "V1", "Re-roll", "Parameters", "Delete"])
    async def test_a_press_below_an_image_is_deferred_before_storage_is_read(
        self, stage: Stage, early_queries: list[str], label: str
    ):
        await press(stage, await grid(stage), label)
        assert early_queries == []

    @pytest.mark.parametrize("label", ["Continue", "Try another", "Delete"])
    async def test_a_press_below_a_text_is_deferred_before_storage_is_read(
        self, stage: Stage, early_queries: list[str], label: str
    ):
        await press(stage, await complete_count(stage), label)
        assert early_queries == []

    async def test_the_remix_form_is_the_first_response_and_reads_no_pictures(
        self, stage: Stage, early_queries: list[str]
    ):
        assert (await press(stage, await grid(stage), "Remix")).modal is not None
        [query] = early_queries
        assert "JOIN files" not in query

    async def test_all_buttons_share_a_base_class_and_a_prefix_of_their_ids(self, stage: Stage):
        items = stage.bot._connection._view_store._dynamic_items  # pyright: ignore[reportPrivateUsage]
        assert len(items) == 17
        assert all(issubclass(item, PersistentItem) for item in items.values())
        assert all(pattern.pattern.startswith("inkling:") for pattern in items)
