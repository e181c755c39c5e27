"""Test how the thoughts before answers are stored and deleted."""

from __future__ import annotations

from storage import Store, StoredThoughts

_DAY = 24 * 3600


async def kept(store: Store, *messages: int) -> list[int]:
    """Return those of `messages` whose thoughts are stored."""
    return [message for message in messages if await store.thoughts.of_message(message)]


async def test_thoughts_are_found_by_the_message_that_shows_the_answer_also_after_a_restart(store: Store):
    await store.thoughts.keep(1, 2, 3, "A fox is red.")
    await store.close()
    await store.open()
    assert await store.thoughts.of_message(3) == StoredThoughts(1, 2, 3, "A fox is red.")
    assert await store.thoughts.of_message(4) is None


async def test_a_new_answer_in_the_same_message_replaces_the_thoughts(store: Store):
    await store.thoughts.keep(1, 2, 3, "A fox is red.")
    await store.thoughts.keep(1, 2, 3, "A hare is brown.")
    assert await store.thoughts.of_message(3) == StoredThoughts(1, 2, 3, "A hare is brown.")
    assert await store.thoughts.count_of(1) == 1


async def test_thoughts_are_stored_for_a_month_and_private_ones_for_a_day(store: Store):
    await store.thoughts.keep(1, 2, 3, "A fox is red.")
    await store.thoughts.keep(1, 2, 4, "A hare is brown.", private=True)
    created = (await store.thoughts.export_of(1))[0]["created"]
    await store.forget_expired(created + 0.9 * _DAY)
    assert await kept(store, 3, 4) == [3, 4]
    await store.forget_expired(created + 1.1 * _DAY)
    assert await kept(store, 3, 4) == [3]
    await store.forget_expired(created + 29 * _DAY)
    assert await kept(store, 3) == [3]
    await store.forget_expired(created + 31 * _DAY)
    assert await kept(store, 3) == []


async def test_thoughts_are_deleted_with_their_message_their_channel_and_their_person(store: Store):
    for owner, channel, message in ((1, 5, 10), (1, 6, 11), (2, 7, 12), (3, 8, 13)):
        await store.thoughts.keep(owner, channel, message, "A fox is red.")
    await store.forget_messages([10])
    await store.forget_channels([6])
    await store.thoughts.forget_owner(2)
    assert await kept(store, 10, 11, 12, 13) == [13]


async def test_the_export_of_a_person_has_their_thoughts_and_no_others(store: Store):
    await store.thoughts.keep(1, 2, 3, "A fox is red.")
    await store.thoughts.keep(2, 2, 4, "A hare is brown.")
    [row] = await store.thoughts.export_of(1)
    assert (row["channel"], row["message"], row["text"]) == (2, 3, "A fox is red.")
    assert row["expires"] == row["created"] + 30 * _DAY
