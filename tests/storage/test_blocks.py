"""The tables of moderation: blocks, who asked for an answer, and who has reported a message."""

from __future__ import annotations

from storage import EVERYWHERE, Block, SentAnswer, Store
from tests.storage.conftest import NewStore

FOX = Block("person", 1, 5, "Spam", 100.0, 9, 10.0)
EVERY = Block("person", 1, EVERYWHERE, "", None, 9, 20.0)
SERVER = Block("server", 5, EVERYWHERE, "", None, 8, 30.0)


async def reopened(store: Store, new_store: NewStore) -> Store:
    await store.close()
    other = new_store()
    await other.open()
    return other


async def test_blocks_are_found_by_person_and_server_until_they_end(store: Store):
    await store.blocks.add(FOX)
    assert store.blocks.find(1, 5, now=99.0) == FOX
    assert store.blocks.find(1, 5, now=100.0) is None
    assert store.blocks.find(1, 6, now=99.0) is None
    assert store.blocks.find(1, None, now=99.0) is None
    assert store.blocks.find(2, 5, now=99.0) is None
    await store.blocks.add(SERVER)
    assert store.blocks.find(2, 5, now=99.0) == SERVER
    assert store.blocks.find(5, 6, now=99.0) is None, "a person with the id of a server"
    await store.blocks.add(EVERY)
    assert store.blocks.find(1, None, now=99.0) == EVERY


async def test_blocks_are_on_disk_and_ended_ones_are_deleted(store: Store, new_store: NewStore):
    for block in (SERVER, EVERY, FOX):
        await store.blocks.add(block)
    store = await reopened(store, new_store)
    assert store.blocks.active(now=50.0) == [FOX, EVERY, SERVER]
    assert store.blocks.on(5, now=50.0) == [FOX]
    await store.forget_expired(200.0)
    assert store.blocks.active(now=50.0) == [EVERY, SERVER]
    await store.blocks.forget_server(5)
    assert await store.blocks.remove("server", 5)
    store = await reopened(store, new_store)
    assert store.blocks.active(now=50.0) == [EVERY]
    await store.close()


async def test_a_second_block_replaces_the_first(store: Store, new_store: NewStore):
    later = Block("person", 1, 5, "Again", None, 7, 40.0)
    await store.blocks.add(FOX)
    await store.blocks.add(later)
    store = await reopened(store, new_store)
    assert store.blocks.active(now=50.0) == [later]
    await store.close()


async def test_who_blocked_is_forgotten_but_not_the_block(store: Store):
    await store.blocks.add(FOX)
    assert [(row["id"], row["by"]) for row in store.blocks.export_of(1)] == [(1, None)]
    assert [(row["id"], row["by"]) for row in store.blocks.export_of(9)] == [(None, 9)]
    await store.blocks.forget_author(9)
    assert store.blocks.count_by(9) == 0
    [block] = store.blocks.active(now=50.0)
    assert (block.id, block.by, block.reason) == (1, 0, "Spam")


async def test_who_asked_is_known_until_the_message_is_deleted_or_a_month_has_passed(store: Store):
    fox, hare = SentAnswer(1, "imagine", "dalle-mini"), SentAnswer(2, "complete", "gpt2")
    await store.sent_answers.keep(7, 70, hare)
    await store.sent_answers.keep(7, 70, fox)
    await store.sent_answers.keep(7, 71, hare, private=True)
    assert await store.sent_answers.first_of([69, 70, 71]) == fox
    [row] = await store.sent_answers.export_of(1)
    created = row["created"]
    await store.forget_expired(created + 2 * 24 * 3600)
    assert await store.sent_answers.first_of([71]) is None
    assert await store.sent_answers.first_of([70]) == fox
    await store.forget_expired(created + 31 * 24 * 3600)
    assert await store.sent_answers.first_of([70]) is None
    await store.sent_answers.keep(7, 72, fox)
    await store.forget_messages([72])
    assert await store.sent_answers.first_of([72]) is None


async def test_reports_are_counted_for_an_hour_even_if_the_reporter_deletes_everything(store: Store):
    assert await store.reports.add(1, 7, 70, now=1000.0)
    assert not await store.reports.add(1, 7, 70, now=1000.0)
    assert await store.reports.add(1, 7, 71, now=5000.0)
    assert await store.reports.add(2, 7, 70, now=1000.0)
    assert await store.reports.count_in_last_hour(1, now=5001.0) == 1
    await store.reports.forget_reporter(1, now=5001.0)
    assert (await store.reports.has(1, 70), await store.reports.has(1, 71)) == (False, True)
    await store.forget_expired(5000.0 + 3601)
    assert await store.reports.count_of(1) == 0
    assert await store.reports.has(2, 70)
