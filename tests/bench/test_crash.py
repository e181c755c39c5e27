"""Test the stand-in for Discord with the real bot, and that the accounting finds what goes wrong. Nothing is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bench.crash import rows
from bench.crash.accounting import Accounting, Outcome, State
from bench.crash.crash_run import Kill, Report
from bench.crash.discord_server import DiscordServer
from bench.crash.people import Kills, SentRequest, Shown, action_of
from bench.crash.redirected_bot import addresses
from bench.crash.request_pool import POOL, PooledRequest
from bench.crash.world import EPHEMERAL, LOADING, Interaction, Json, Message, World
from bot import create_bot
from inference import Engine, load_config
from tests.fakes import FakeBackend
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PROMPT = PooledRequest("command", "complete", {"prompt": "On a hill, a"})
ANSWER = Shown("**On a hill, a** tree\n-# seed 1", (), (("Continue", False),))


# The stand-in for Discord


@pytest.fixture
async def server() -> AsyncGenerator[DiscordServer]:
    async with DiscordServer(World(("Ann", "Ben"), "general", "a thread")) as server:
        yield server


@pytest.fixture
async def connected(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[DiscordServer]:
    """Return the stand-in with the bot connected, whose models answer from a script."""
    for owner, name, value in addresses(server.world.address):
        monkeypatch.setattr(owner, name, value)
    config = load_config(ROOT / "config.yaml").model_copy(update={"data": tmp_path})
    bot = create_bot(Engine(config, FakeBackend()))
    running = asyncio.create_task(bot.start("token"))
    await until(lambda: server.gateway.ready.is_set() or running.done(), "the bot did not connect")
    assert not running.done()
    yield server
    await bot.close()
    await running
    assert not server.unknown


async def test_a_command_is_acknowledged_and_answered(connected: DiscordServer) -> None:
    world = connected.world
    data = world.command_data("complete", {"prompt": "On a hill, a", "seed": 1}, None)
    interaction = await connected.command(world.people[0], world.thread, data)
    await until(lambda: _content(interaction) == "**On a hill, a** and then\n-# seed 1", "it was not answered")
    assert [action_of(button) for button in interaction.messages[0].buttons][:2] == ["continue", "another"]


async def test_a_press_is_answered(connected: DiscordServer) -> None:
    world, person = connected.world, connected.world.people[0]
    data = world.command_data("imagine", {"prompt": "a boat", "seed": 1}, None)
    drawn = await connected.command(person, world.channel, data)
    await until(lambda: bool(drawn.messages and drawn.messages[0].files), "nothing was drawn")
    vary = next(button for button in drawn.messages[0].buttons if action_of(button) == "vary")
    press = await connected.press(person, drawn.messages[0], vary["custom_id"])
    await until(lambda: bool(press.messages and press.messages[0].files), "the press was not answered")


async def test_a_mention_is_answered_in_a_reply(connected: DiscordServer) -> None:
    world = connected.world
    text = f"{world.bot.mention} complete On a hill, a"
    asked = await connected.write(world.people[1], world.channel, text)
    await until(
        lambda: [each.content for each in world.replies(asked)][:1] != ["Working on it…"], "it was not answered"
    )
    await until(lambda: bool(world.replies(asked)), "there is no reply")
    await until(lambda: "and then" in world.replies(asked)[0].content, "it was not answered")


async def test_a_menu_on_a_picture_is_answered_in_private(connected: DiscordServer) -> None:
    world = connected.world
    file = next(each.file for each in POOL if each.file and each.file.name.endswith(".png"))
    message = await connected.write(world.people[0], world.channel, "Look", file)
    menu = world.menu_data("Describe privately", message)
    interaction = await connected.command(world.people[1], world.channel, menu)
    await until(lambda: _content(interaction) == "a cat on a mat", "it was not answered")
    assert interaction.messages[0].ephemeral


async def test_an_interaction_is_acknowledged_once_and_in_time(server: DiscordServer) -> None:
    world = server.world
    interaction = world.new_interaction("command", world.people[0], world.channel, {})
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    assert await _post(server, f"/webhooks/1/{interaction.token}", {"content": "early"}) == (404, 10015)
    assert await _post(server, path, {"type": 5}) == (204, None)
    assert await _post(server, path, {"type": 5}) == (400, 40060)
    late = world.new_interaction("command", world.people[0], world.channel, {})
    late.sent -= 4
    assert await _post(server, f"/interactions/{late.id}/{late.token}/callback", {"type": 5}) == (404, 10062)


async def test_a_token_expires(server: DiscordServer) -> None:
    world = server.world
    interaction = world.new_interaction("command", world.people[0], world.channel, {})
    interaction.acknowledged = True
    interaction.sent -= 901
    assert await _post(server, f"/webhooks/1/{interaction.token}", {"content": "late"}) == (401, 50027)


async def test_a_call_to_an_unknown_route_is_counted(server: DiscordServer) -> None:
    assert await _post(server, "/guilds/1/bans", {}) == (501, 0)
    assert list(server.unknown) == ["POST /api/v10/guilds/1/bans"]


async def test_the_answer_to_a_call_is_held_back_after_its_effect(server: DiscordServer) -> None:
    world = server.world
    server.hold(1)
    sending = asyncio.create_task(_post(server, f"/channels/{world.channel.id}/messages", {"content": "Hello"}))
    await server.wait_for_hold(60)
    assert [message.content for message in world.history(world.channel)] == ["Hello"]
    assert not sending.done()
    server.release()
    assert (await sending)[0] == 200


async def _post(server: DiscordServer, path: str, body: Json) -> tuple[int, int | None]:
    """Return the status, and the code of an error."""
    async with ClientSession() as session, session.post(f"{server.world.address}/api/v10{path}", json=body) as answer:
        return answer.status, (await answer.json()).get("code") if answer.status != 204 else None


def _content(interaction: Interaction) -> str:
    return interaction.messages[0].content if interaction.messages else ""


# The accounting


class Case:
    """A request that was accepted, and what Discord shows of it."""

    def __init__(self, pooled: PooledRequest | None = PROMPT) -> None:
        self.world = World(("Ann",), "general", "a thread")
        person, place = self.world.people[0], self.world.channel
        self.interaction = self.world.new_interaction("command", person, place, {})
        self.interaction.delivered = self.interaction.acknowledged = True
        self.sent = SentRequest(person, Kills(), pooled, interaction=self.interaction)

    def shows(self, content: str, *labels: str, flags: int = 0, custom_id: str = "") -> Message:
        """Add a message of the bot."""
        message = Message(self.world.new_id(), self.world.channel, self.world.bot, content, flags=flags)
        buttons = [{"label": label, "custom_id": custom_id} for label in labels]
        message.components = [{"type": 1, "components": buttons}] if buttons else []
        self.interaction.messages.append(message)
        return message

    def state(self, kills: int = 0, parts: int = 0) -> State:
        return self.outcome(kills, parts).state

    def outcome(self, kills: int = 0, parts: int = 0) -> Outcome:
        return Accounting(self.world, {PROMPT: ANSWER}).outcome(self.sent, Kills(kills, parts))


def test_the_answer_of_before_is_right_and_another_one_is_wrong() -> None:
    case = Case()
    message = case.shows(ANSWER.text, "Continue")
    assert case.state() == "answered"
    message.content = ANSWER.text.replace("tree", "house")
    assert case.state() == "wrong"


@pytest.mark.parametrize(
    ("content", "flags", "custom_id"),
    [("", LOADING, ""), ("Working on it…", 0, ""), ("3 of 9", 0, "inkling:cancel:7"), ("", LOADING | EPHEMERAL, "")],
)
def test_a_message_that_shows_progress_is_open(content: str, flags: int, custom_id: str) -> None:
    case = Case()
    case.shows(content, *(["Cancel"] if custom_id else []), flags=flags, custom_id=custom_id)
    assert case.state(kills=3) == "open"


def test_a_second_answer_is_doubled() -> None:
    case = Case()
    case.shows(ANSWER.text, "Continue")
    case.shows(ANSWER.text, "Continue")
    assert case.state() == "doubled"


def test_progress_beside_an_answer_is_open() -> None:
    case = Case()
    case.shows(ANSWER.text, "Continue")
    case.shows("Working on it…")
    assert case.state() == "open"


@pytest.mark.parametrize(
    ("sentence", "kills_when_true"),
    [
        ("I was ended 2 times while a model worked on this, so I don't try it again. Ask for less.", 2),
        ("I was restarted before I had read everything that this needs. Ask again.", None),
        ("Cancelled.", None),
        ("Something went wrong on my side. Try again; if it happens again, tell the bot's operator.", None),
    ],
)
def test_a_sentence_ends_a_request_only_if_it_is_true(sentence: str, kills_when_true: int | None) -> None:
    case = Case()
    case.shows(sentence)
    assert [case.state(kills) for kills in (0, 1, 2)] == [
        "explained" if kills == kills_when_true else "wrong" for kills in (0, 1, 2)
    ]


@pytest.mark.parametrize("before", ["", "**On a hill, a** tr\n-# "])
def test_a_device_was_lost_three_times_only_if_three_parts_were_killed(before: str) -> None:
    case = Case()
    message = case.shows(
        f"{before}The device that worked on this was lost 3 times. Try something smaller.\n-# Error c883eea5"
    )
    assert [case.state(kills=3, parts=parts) for parts in (2, 3)] == ["wrong", "explained"]
    message.content = f"**On a hill, a** ho\n-# {message.content}"
    assert case.state(parts=3) == "wrong"


@pytest.mark.parametrize("note", ["seed 1 · stopped", "Cancelled."])
def test_a_cancelled_text_may_show_its_beginning(note: str) -> None:
    case = Case()
    message = case.shows(f"**On a hill, a** tr\n-# {note}", "Continue")
    assert case.state() == "wrong"
    case.sent.cancelled = True
    assert case.state() == "explained"
    message.content = message.content.replace(" tr", " ho")
    assert case.state() == "wrong"


def test_a_request_that_was_not_acknowledged_is_late_only_if_the_bot_was_there() -> None:
    case = Case()
    case.interaction.acknowledged = False
    assert case.state() == "open"
    case.sent.sent -= 4
    assert case.state() == "late"
    assert case.state(kills=1) == "not accepted"
    case.interaction.delivered = False
    assert case.state() == "not accepted"


def test_a_press_adds_one_variant_or_has_no_effect() -> None:
    case = Case(pooled=None)
    message = case.shows("a text", "Continue")
    case.interaction.messages.clear()
    case.interaction.pressed, case.sent.action, case.sent.before = message, "another", Shown.of(message)
    assert case.state() == "no effect"
    message.content = "another text"
    assert case.state() == "wrong"
    message.components = [{"type": 1, "components": [{"label": "2/2"}]}]
    assert case.state() == "answered"


def test_a_mention_without_a_reply_is_open() -> None:
    case = Case()
    case.sent.interaction = None
    case.sent.asked = case.world.add(Message(case.world.new_id(), case.world.channel, case.world.people[0], "complete"))
    assert case.state(kills=5) == "open"


def test_every_fault_is_a_row_that_fails() -> None:
    sent = Case().sent
    states: list[State] = ["late", "open", "doubled", "wrong", "answered"]
    outcomes = [(sent, Outcome(state)) for state in states]
    report = Report([Kill(3, 1, at_a_call=False)], outcomes, 1, ["On a hill"], ["GET /x"])
    failing = [row.name for row in rows(report) if row.cells()[0] == "wrong"]
    assert len(failing) == 6
    assert [row.name for row in rows(report) if row.cells()[0] == "missed"] == [
        "not acknowledged within three seconds, without a kill"
    ]
    assert [row.cells()[0] for row in rows(Report([], [(sent, Outcome("answered"))], 0, [], []))].count("wrong") == 0
