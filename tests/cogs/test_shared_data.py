"""The bot as one of several processes, which share a Postgres database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import cast

import pytest
from discord.ext import commands

from bot import create_bot
from cogs.client import Inkling
from cogs.shared_data import SharedData
from inference import Config, DeviceUsed, Queued, QuotasSection
from storage import (
    EVERYWHERE,
    Block,
    BlockTable,
    DeviceUseTable,
    JobTable,
    PersonSettings,
    SettingsTables,
    Shards,
    ShardsTaken,
    StorageError,
    Store,
)
from storage.database import Database
from storage.postgres import PostgresServer
from storage.postgres_schema import POSTGRES_STEPS
from tests.cogs.imagine.images import restart
from tests.cogs.settings.panels import panel, private_text
from tests.cogs.stage import PatientEngine, Stage, first, refusal
from tests.fakes import plausible
from tests.postgres_cluster import PostgresCluster
from tests.waiting import until


@pytest.fixture
def config(config: Config, address: str) -> Config:
    quotas = QuotasSection.model_validate({"person": "10 min"})
    return config.model_copy(update={"database": address, "quotas": quotas})


@pytest.fixture
async def other(stage: Stage, address: str) -> AsyncGenerator[Database]:
    """Return the database as another process uses it, which does not claim any shards."""
    database = Database(PostgresServer(address, "inkling", POSTGRES_STEPS))
    await database.open()
    yield database
    await database.close()


def bot_of(stage: Stage) -> Inkling:
    return cast(Inkling, stage.bot)


async def take_over(stage: Stage) -> None:
    """Let the bot look for changes, as it does each second."""
    cog = cast(SharedData, bot_of(stage).get_cog("SharedData"))
    await cog.take_over()


async def test_a_request_is_answered_with_the_data_in_postgres(stage: Stage):
    assert first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).content.startswith("**Once**")
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await stage.alice.click(drawing, label="Re-roll")
    assert len(stage.backend.requests) == 3
    assert await bot_of(stage).store.images.count_of(stage.alice.id) == 2
    assert await bot_of(stage).store.jobs.open_jobs() == []


async def test_a_block_that_another_process_sets_ends_what_runs_here(stage: Stage, other: Database):
    stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
    asked = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    await BlockTable(other).add(Block("person", stage.alice.id, EVERYWHERE, "Spam", None, 1, 2.0))
    await take_over(stage)
    await until(lambda: asked.content.startswith("Cancelled, since the bot's operator has blocked you."), asked.content)
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith("The bot's operator has blocked you.")


async def test_what_a_person_used_in_another_process_counts_here(stage: Stage, other: Database):
    use = DeviceUseTable(other)
    use.add(stage.alice.id, 5, 540.0, bot_of(stage).quotas.clock())
    await use.flush()
    await take_over(stage)
    assert "9 min of 10 min used" in panel(await stage.alice.slash(stage.channel, "quota")).content
    stage.backend.seconds_per_work = 2.0
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300))
    assert "but you have 1 min of your 10 min" in said


async def test_what_a_person_used_in_another_process_counts_once_in_the_fair_order_here(stage: Stage, other: Database):
    stage.backend.use(stage.alice.id, 5, 7.0)
    use = DeviceUseTable(other)
    for seconds in (40.0, 60.0):
        use.add(stage.alice.id, 5, seconds, bot_of(stage).quotas.clock())
        await use.flush()
        await take_over(stage)
    await take_over(stage)
    charged = stage.backend.charged
    assert {(each.device, each.owner, each.group) for each in charged} == {("", str(stage.alice.id), "5")}
    assert sum(each.seconds for each in charged) == 100.0


async def test_what_was_used_before_an_error_counts_when_the_database_is_back(stage: Stage, other: Database):
    use, store, away = DeviceUseTable(other), bot_of(stage).store, cast(JobTable, AwayJobs())
    use.add(stage.alice.id, 0, 40.0, bot_of(stage).quotas.clock())
    await use.flush()
    there, store.jobs = store.jobs, away
    await take_over(stage)
    assert stage.backend.charged == []
    store.jobs = there
    await take_over(stage)
    assert stage.backend.charged == [DeviceUsed("", str(stage.alice.id), "", 40.0)]


async def test_what_was_used_long_ago_is_no_recent_use(stage: Stage, other: Database, monkeypatch: pytest.MonkeyPatch):
    loop, use = asyncio.get_running_loop(), DeviceUseTable(other)
    await take_over(stage)
    use.add(stage.alice.id, 0, 40.0, bot_of(stage).quotas.clock())
    await use.flush()
    later = loop.time() + 61
    monkeypatch.setattr(loop, "time", lambda: later)
    await take_over(stage)
    monkeypatch.undo()
    assert stage.backend.charged == []
    assert bot_of(stage).quotas.used_by(stage.alice.id) == 40.0


async def test_the_log_says_which_shards_the_process_runs_and_which_database_it_shares(
    stage: Stage, config: Config, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "cogs")
    await restart(stage, config, Shards(0, 0, 1))
    name = bot_of(stage).store.database.name
    assert name.startswith("The database ")
    assert f"Shard 0 of 1. {name} is shared with other processes of the bot" in caplog.messages


class TestOnOneOfTwoShards:
    """The bot as the process of shard 0 of 2."""

    @pytest.fixture
    def simcord_bot(self, config: Config, engine: PatientEngine) -> commands.AutoShardedBot:
        return create_bot(engine, Shards(0, 0, 2))

    @pytest.fixture
    async def other(self, stage: Stage, address: str) -> AsyncGenerator[Store]:
        """Return the store of the process of shard 1."""
        other = Store(bot_of(stage).config.data / "other" / "inkling.db", address, Shards(1, 1, 2))
        await other.open()
        yield other
        await other.close()

    async def test_what_runs_here_ends_and_is_deleted_if_its_person_has_everything_deleted_there(
        self, stage: Stage, other: Store
    ):
        await stage.alice.slash(stage.channel, "complete", prompt="Once")
        stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
        [ended, goes_on] = [
            first(await person.slash(stage.channel, "complete", prompt="Once")) for person in (stage.alice, stage.bob)
        ]
        await other.announce_deletion(stage.alice.id)
        await other.refresh()
        assert await bot_of(stage).store.completions.count_of(stage.alice.id) == 1
        await take_over(stage)
        await until(lambda: ended.content == "Cancelled, since you had everything deleted.", ended.content)
        assert await bot_of(stage).store.completions.count_of(stage.alice.id) == 0
        assert goes_on.content.startswith("Number 3 in line")

    async def test_a_deletion_is_not_announced_to_the_process_that_made_it(self, stage: Stage, other: Store):
        await other.announce_deletion(stage.alice.id)
        assert (await other.refresh()).deleted_people == []
        assert (await bot_of(stage).store.refresh()).deleted_people == [stage.alice.id]

    async def test_what_open_requests_in_another_process_will_take_counts_here(self, stage: Stage, other: Store):
        await other.jobs.add(stage.alice.id, 1 << 22, 2, None, "", "", cost=590.0)
        await take_over(stage)
        stage.backend.seconds_per_work = 2.0
        said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300))
        assert "but you have 10 s of your 10 min" in said
        said = panel(await stage.alice.slash(stage.channel, "quota")).content
        assert "Your open requests will take about 9 min 50 s" in said


async def test_what_a_person_sets_in_another_process_holds_here(stage: Stage, other: Database):
    await SettingsTables(other).people.change(stage.alice.id, lambda _: PersonSettings(language="de"))
    await take_over(stage)
    assert "Deine Rechenzeit heute" in panel(await stage.alice.slash(stage.channel, "quota")).content


async def test_while_the_database_is_away_requests_go_on_and_new_ones_are_refused_with_a_sentence(
    stage: Stage, cluster: PostgresCluster, config: Config, caplog: pytest.LogCaptureFixture
):
    name = config.database.removeprefix("postgresql://inkling@/").partition("?")[0]
    settings = panel(await stage.alice.slash(stage.channel, "privacy"))
    await stage.alice.click(settings, label="Delete all of it")
    stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
    before = first(await stage.bob.slash(stage.channel, "mood", text="fine"))
    cluster.rename_database(name, "away")
    for _ in range(2):
        await take_over(stage)
    assert caplog.text.count("changes of other processes are not known until the database is back") == 1
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert said.startswith("I can't read or store anything at the moment, so this was not done.")
    for command, answer in (("help", "**To try first**"), ("queue", "**Processor**"), ("models", "`Qwen3-0.6B`")):
        assert refusal(await stage.alice.slash(stage.channel, command)).startswith(answer)
    said = private_text(await stage.alice.click(settings, label="Delete for good"))
    assert said.startswith("I can't read or store anything at the moment, so this was not done.")
    assert "can't be written" in caplog.text
    assert "Traceback" not in caplog.text
    cluster.rename_database("away", name)
    await until(lambda: _has_open_jobs(stage), "the request of before is lost")
    await take_over(stage)
    assert "the database is back" in caplog.text
    assert before.content == "Number 3 in line, about 40 s"
    stage.backend.script = plausible
    await restart(stage, config)
    assert "%" in before.content, "it is answered after a restart"
    assert first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).content.startswith("**Once**")


class AwayDatabase:
    """A database that can't be used, for a reason that changes."""

    reason = "it is away"

    async def notices(self) -> list[str] | None:
        raise StorageError(self.reason)


class AwayJobs:
    """A table in a database that can't be used."""

    async def refresh(self) -> None:
        raise StorageError("it is away")


async def test_each_reason_why_the_database_can_not_be_used_is_logged_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    store, away = bot_of(stage).store, AwayDatabase()
    there, store.database = store.database, cast(Database, away)
    for away.reason in ("its shards are still locked", "another process runs them"):
        for _ in range(2):
            await take_over(stage)
        assert caplog.text.count(f"until the database is back: {away.reason}") == 1
    store.database = there
    await take_over(stage)
    assert "the database is back" in caplog.text


class TakenDatabase:
    """A database in which another process has claimed the shards."""

    def __init__(self, there: Database) -> None:
        self.close, self.compact = there.close, there.compact

    async def notices(self) -> list[str] | None:
        raise ShardsTaken("another process runs shard 0 of 1")


async def test_a_process_whose_shards_another_one_has_ends_and_leaves_its_requests_to_it(
    stage: Stage, config: Config, caplog: pytest.LogCaptureFixture
):
    stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
    asked = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    bot = bot_of(stage)
    bot.store.database = cast(Database, TakenDatabase(bot.store.database))
    for _ in range(2):
        await take_over(stage)
    await until(bot.is_closed, "it goes on")
    await until(lambda: not bot.sessions.targets(), "a request goes on")
    assert asked.content == "Number 3 in line, about 40 s"
    assert "ERROR" not in caplog.text
    stage.backend.script = plausible
    await restart(stage, config)
    await until(lambda: asked.content.startswith("**Once**"), "it is lost")


async def _has_open_jobs(stage: Stage) -> bool:
    with contextlib.suppress(StorageError):
        return bool(await bot_of(stage).store.jobs.open_jobs())
    return False
