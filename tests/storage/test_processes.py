"""Test that several processes of the bot share one Postgres database, each for its own shards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from storage import EVERYWHERE, Block, DeviceSeconds, PersonSettings, Shards, ShardsTaken, StorageError, Store
from storage.postgres import PostgresServer
from storage.postgres_schema import POSTGRES_STEPS
from tests.postgres_cluster import PostgresCluster
from tests.storage.lossy_proxy import LossyProxy, lossy_proxy
from tests.waiting import until

_NOON = 20_000.5 * 86400
_SERVERS = {shard: shard << 22 for shard in range(4)}
"""The id of a server on each shard of 4."""

Start = Callable[[str], Store]
"""Returns the store of a process with these shards, which has yet to be opened."""


@pytest.fixture
def start(address: str, tmp_path: Path) -> Start:
    return lambda shards: Store(tmp_path / shards[:1] / "inkling.db", address, Shards.parse(shards))


@pytest.fixture
async def stores(start: Start) -> AsyncGenerator[tuple[Store, Store]]:
    """Return the stores of two processes that started at the same time, with an empty database."""
    one, two = start("0-1/4"), start("2-3/4")
    await asyncio.gather(one.open(), two.open())
    yield one, two
    await one.close()
    await two.close()


async def test_changed_settings_are_known_to_the_other_process(stores: tuple[Store, Store]):
    one, two = stores
    await one.settings.people.change(1, lambda own: replace(own, language="de"))
    await one.settings.servers.change(5, lambda own: replace(own, persona="You are a “pirate”."))
    await two.refresh()
    assert (two.settings.person(1).language, two.settings.server(5).persona) == ("de", "You are a “pirate”.")
    await two.settings.people.forget(1)
    await one.refresh()
    assert one.settings.person(1) == PersonSettings()


async def test_a_change_builds_on_what_the_other_process_stored_just_before(stores: tuple[Store, Store]):
    one, two = stores
    await asyncio.gather(
        one.settings.people.change(1, lambda own: replace(own, language="de")),
        two.settings.people.change(1, lambda own: replace(own, private=True)),
    )
    for store in stores:
        await store.refresh()
        assert store.settings.person(1) == PersonSettings(language="de", private=True)


async def test_a_new_block_is_reported_to_the_other_process_and_its_end_is_known(stores: tuple[Store, Store]):
    one, two = stores
    block = Block("person", 1, EVERYWHERE, "Spam", None, 9, 10.0)
    await one.blocks.add(block)
    assert (await two.refresh()).blocks == [block]
    assert two.blocks.find(1, None, now=20.0) == block
    assert (await two.refresh()).blocks == []
    assert await two.blocks.remove("person", 1)
    await one.refresh()
    assert one.blocks.find(1, None, now=20.0) is None


async def test_the_seconds_of_a_person_are_added_up(stores: tuple[Store, Store]):
    one, two = stores
    one.device_use.add(1, 5, 2.0, _NOON)
    two.device_use.add(1, 6, 3.0, _NOON)
    await one.device_use.flush()
    await two.device_use.flush()
    one.device_use.add(1, 5, 10.0, _NOON)  # not written yet
    two.device_use.add(1, 5, 100.0, _NOON)
    await two.device_use.flush()
    assert (await one.refresh()).device_use == [DeviceSeconds(1, 6, 3.0), DeviceSeconds(1, 5, 100.0)]
    assert (await two.refresh()).device_use == [DeviceSeconds(1, 5, 2.0)]
    assert one.device_use.of_person(1, _NOON) == 115.0
    assert two.device_use.of_person(1, _NOON) == 105.0
    await one.device_use.flush()
    assert (await one.refresh()).device_use == []
    assert (await two.refresh()).device_use == [DeviceSeconds(1, 5, 10.0)]
    assert (two.device_use.of_person(1, _NOON), two.device_use.of_server(5, _NOON)) == (115.0, 112.0)


async def test_what_open_jobs_in_another_process_will_take_is_known(stores: tuple[Store, Store]):
    one, two = stores
    jobs = [await one.jobs.add(1, _SERVERS[shard], 2, None, "", "", cost=20.0) for shard in (0, 1)]
    await two.jobs.add(1, _SERVERS[2], 2, None, "", "", cost=300.0)
    await one.jobs.set_cost(jobs[0], 25.0)
    for store in stores:
        await store.refresh()
    assert [store.jobs.reserved_elsewhere(1) for store in stores] == [300.0, 45.0]
    await one.jobs.end(jobs[1], goes_on=False)
    await two.refresh()
    assert [two.jobs.reserved_elsewhere(owner) for owner in (1, 2)] == [25.0, 0.0]


async def test_a_shard_has_one_process(stores: tuple[Store, Store], start: Start):
    with pytest.raises(
        StorageError, match=r"Another process of the bot runs shard 1 of 4 with this database\. Stop it"
    ):
        await start("1/4").open()
    await stores[0].close()
    again = start("1/4")
    await again.open()
    await again.close()


async def test_all_processes_count_the_same_number_of_shards(stores: tuple[Store, Store], start: Start):
    with pytest.raises(StorageError, match=r"counts 4 shards in all, and this one 8 shards\. Stop the others"):
        await start("7/8").open()
    with pytest.raises(StorageError, match="counts 4 shards in all, and this one 1 shard"):
        await start("0/1").open()


async def owners(store: Store) -> list[int]:
    return [job.owner for job in await store.jobs.open_jobs()]


async def test_a_job_goes_on_with_who_holds_its_shard_and_a_direct_message_with_shard_0(
    stores: tuple[Store, Store], start: Start
):
    one, two = stores
    for shard, server in _SERVERS.items():
        await one.jobs.add(shard, server, 2, None, "", "")
    await two.jobs.add(9, 0, 2, None, "", "")
    assert (await owners(one), await owners(two)) == ([0, 1, 9], [2, 3])
    for store in stores:
        await store.close()
    last = start("3/4")
    await last.open()
    assert await owners(last) == [3]
    await last.close()
    doubled = start("0-3/8")
    await doubled.open()
    assert await owners(doubled) == [0, 1, 2, 3, 9]
    await doubled.close()


async def test_the_end_of_a_process_counts_only_for_its_own_jobs(stores: tuple[Store, Store], start: Start):
    one, two = stores
    for store, shard in ((one, 0), (two, 2)):
        await store.jobs.start(await store.jobs.add(shard, _SERVERS[shard], 2, None, "", ""))
    await two.close()
    again = start("2-3/4")
    await again.open()
    assert [job.deaths for job in await again.jobs.open_jobs()] == [1]
    await again.close()
    assert [job.deaths for job in await one.jobs.open_jobs()] == [0]
    await one.jobs.count_deaths()
    assert [job.deaths for job in await one.jobs.open_jobs()] == [1]


async def test_a_question_that_is_answered_in_two_processes_becomes_jobs_once(stores: tuple[Store, Store]):
    question = await stores[0].questions.keep(1, 2, 3, 100.0, target="", state="", picture=b"", work="")
    begun = await asyncio.gather(
        *(store.jobs.add_from_question(question, 1, 0, 2, [("target", "work")]) for store in stores)
    )
    assert sorted(map(len, begun)) == [0, 1]
    assert len(await stores[0].jobs.open_jobs()) == 1


async def test_the_sessions_of_a_bucket_take_turns_over_all_processes(stores: tuple[Store, Store]):
    waits = await asyncio.gather(*(store.identifies.claim(0, 5.0) for store in (*stores, *stores)))
    assert [round(wait) for wait in sorted(waits)] == [0, 5, 10, 15]


async def test_a_database_of_a_newer_version_is_refused(address: str, start: Start):
    server = PostgresServer(address, "inkling", (*POSTGRES_STEPS, "SELECT 1"))
    server.open()
    server.close()
    with pytest.raises(StorageError, match="a newer version of the bot wrote it"):
        await start("0/1").open()


async def test_a_database_that_is_not_there_is_named_without_its_password(address: str, tmp_path: Path):
    missing = address.replace("/test", "/nowhere").replace("inkling@", "inkling:secret@")
    with pytest.raises(
        StorageError, match=r"The database nowhere\d+ on .* can't be used: .*Check that it runs"
    ) as raised:
        await Store(tmp_path / "inkling.db", missing).open()
    assert "secret" not in str(raised.value)


async def test_a_text_may_have_the_character_that_postgres_refuses(stores: tuple[Store, Store]):
    await stores[0].thoughts.keep(1, 2, 3, "A\0fox")
    kept = await stores[1].thoughts.of_message(3)
    assert kept is not None
    assert kept.text == "A\N{REPLACEMENT CHARACTER}fox"


def end_connections(address: str) -> None:
    """Let the server end all connections to the database but the one that asks for it."""
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )


async def test_lost_connections_are_replaced(stores: tuple[Store, Store], address: str, start: Start):
    one, _ = stores
    end_connections(address)
    await one.settings.people.change(1, lambda own: replace(own, language="de"))
    job = await one.jobs.add(1, 0, 2, None, "", "")
    assert [stored.id for stored in await one.jobs.open_jobs()] == [job]
    await one.refresh()
    with pytest.raises(StorageError, match="runs shard 0"):
        await start("0/4").open()


async def test_what_changed_while_a_connection_was_lost_is_known_afterwards(stores: tuple[Store, Store], address: str):
    one, two = stores
    end_connections(address)
    await one.settings.people.change(1, lambda own: replace(own, language="de"))
    one.device_use.add(1, 5, 2.0, _NOON)
    await one.device_use.flush()
    block = Block("person", 1, EVERYWHERE, "Spam", None, 9, 10.0)
    await one.blocks.add(block)
    assert (await two.refresh()).blocks == [block]
    assert (two.settings.person(1).language, two.device_use.of_person(1, _NOON)) == ("de", 2.0)


async def test_a_process_that_waits_in_vain_for_its_turn_to_write_can_write_later(
    stores: tuple[Store, Store], address: str
):
    one, two = stores
    async with one.database.writing():
        change = asyncio.create_task(two.thoughts.keep(1, 2, 3, "A fox"))
        await until(lambda: cancel_waiting(address), "nobody waits")
        with pytest.raises(StorageError, match="can't be written"):
            await change
    await two.thoughts.keep(1, 2, 3, "A hare")
    assert await one.thoughts.count_of(1) == 1


def cancel_waiting(address: str) -> bool:
    """Cancel the statement that waits for a lock, if there is one."""
    with psycopg.connect(address, autocommit=True) as session:
        query = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(session.execute(query).fetchall())


async def test_a_transaction_whose_connection_is_lost_is_not_stored_in_part(stores: tuple[Store, Store], address: str):
    one, _ = stores

    async def write() -> None:
        async with one.job_database.writing() as connection:
            await connection.execute("INSERT INTO opened_forms VALUES ('first', 1, 2, 3, 0, '', 0)")
            end_connections(address)
            await connection.execute("INSERT INTO opened_forms VALUES ('second', 1, 2, 3, 0, '', 0)")

    with pytest.raises(StorageError, match="can't be written"):
        await write()
    assert await one.opened_forms.count_of(1) == 0
    await one.opened_forms.keep(1, 2, 3, 100.0, "")
    assert await one.opened_forms.count_of(1) == 1


@pytest.mark.parametrize("lost", ["before the commit", "after the commit"])
async def test_what_a_lost_connection_has_stored_is_told_truly(
    address: str, tmp_path: Path, lost: Literal["before the commit", "after the commit"]
):
    [name, folder] = address.split("?host=")
    async with lossy_proxy(Path(folder)) as proxy:
        store = Store(tmp_path / "inkling.db", f"{name}?host={proxy.folder}")
        await store.open()
        try:
            await told_truly(store, proxy, lost)
        finally:
            await store.close()


async def told_truly(store: Store, proxy: LossyProxy, lost: Literal["before the commit", "after the commit"]) -> None:
    proxy.lost = lost
    if lost == "before the commit":
        with pytest.raises(StorageError, match="can't be written"):
            await store.jobs.add(1, 0, 2, None, "", "")
        assert await store.jobs.open_jobs() == []
    else:
        job = await store.jobs.add(1, 0, 2, None, "", "")
        assert [each.id for each in await store.jobs.open_jobs()] == [job]
    proxy.lost = lost
    store.device_use.add(1, 5, 2.0, _NOON)
    with suppress(StorageError):
        await store.device_use.flush()
    await store.device_use.flush()
    assert [row["seconds"] for row in await store.device_use.export_of(1)] == [2.0]


@pytest.fixture
def own_cluster() -> Generator[PostgresCluster]:
    """Return a server that the test may stop."""
    cluster = PostgresCluster()
    yield cluster
    cluster.remove()


async def test_what_could_not_be_stored_while_the_server_was_away_is_stored_when_it_is_back(
    own_cluster: PostgresCluster, tmp_path: Path
):
    store = Store(tmp_path / "inkling.db", own_cluster.new_database())
    await store.open()
    ended = await store.jobs.add(1, 0, 2, None, "", "")
    store.device_use.add(1, 5, 2.0, _NOON)
    own_cluster.stop()
    for work in (store.jobs.end(ended, goes_on=False), store.jobs.add(1, 0, 2, None, "", ""), store.device_use.flush()):
        with pytest.raises(StorageError, match="can't be written"):
            await work
    with pytest.raises(StorageError, match="can't be read"):
        await store.refresh()
    own_cluster.start()
    await until(lambda: is_back(store), "the databases are not used again")
    await store.jobs.end_again()
    await store.device_use.flush()
    assert await store.jobs.open_jobs() == []
    assert [row["seconds"] for row in await store.device_use.export_of(1)] == [2.0]
    await store.close()


async def is_back(store: Store) -> bool:
    """Return whether both databases can be used again."""
    try:
        await store.refresh()
        await store.job_database.transact(lambda _: None)
    except StorageError:
        return False
    return True


def test_the_locks_of_a_lost_connection_are_waited_for_with_pauses_before_another_process_is_blamed(address: str):
    now = [0.0]

    def process() -> PostgresServer:
        return PostgresServer(address, "inkling", POSTGRES_STEPS, shards=Shards(0, 0, 1), clock=lambda: now[0])

    server, holder = process(), process()
    server.open()
    end_connections(address)
    holder.open()  # as the server holds the locks of a connection whose end it has not noticed
    for time, reason in (
        (0.0, "its shards are still locked, perhaps by the connection that was lost"),
        (29.9, "its shards are still locked, perhaps by the connection that was lost"),
    ):
        now[0] = time
        with pytest.raises(psycopg.OperationalError, match=reason):
            server.read("SELECT 1")
    now[0] = 34.0
    with pytest.raises(ShardsTaken, match=r"has taken over\. Another process of the bot runs shard 0 of 1"):
        server.read("SELECT 1")
    holder.close()
    assert len(server.read("SELECT 1")) == 1
    server.close()


def test_a_server_that_is_away_is_tried_again_after_longer_and_longer_pauses(own_cluster: PostgresCluster):
    now = [0.0]
    server = PostgresServer(own_cluster.new_database(), "inkling", POSTGRES_STEPS, clock=lambda: now[0])
    server.open()
    own_cluster.stop()
    with pytest.raises(psycopg.OperationalError):
        server.read("SELECT 1")
    now[0] = 0.25
    with pytest.raises(psycopg.OperationalError):
        server.read("SELECT 1")
    own_cluster.start()
    now[0] = 0.7
    with pytest.raises(psycopg.OperationalError):  # without a try, so that nobody waits
        server.read("SELECT 1")
    now[0] = 0.75
    assert len(server.read("SELECT 1")) == 1
    server.close()
