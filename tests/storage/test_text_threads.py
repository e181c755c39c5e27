"""What is kept of a text, and that it goes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from inference import CompleteRequest, Completion
from storage import Segment, Store, TextThread, Variant

REQUEST = CompleteRequest(prompt="Once", model="gpt2", stop=("END", "\n"), temperature=0.3, n=2, owner="1")
STORY = TextThread(REQUEST).with_segment(Completion(" upon", 7, (" there", " more"), finish_reason="stop", chat=True))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    store = Store(tmp_path / "inkling.db")
    await store.open()
    yield store
    await store.close()


async def test_a_text_is_kept_with_all_that_it_takes_to_go_on(store: Store):
    kept = await store.text_threads.keep(1, 2, 3, STORY)
    await store.close()
    await store.open()
    assert await store.text_threads.get(kept.id) == kept
    assert await store.text_threads.shown_by(3) == kept
    assert await store.text_threads.shown_by(4) is None
    assert (kept.owner, kept.channel, kept.message, kept.thread) == (1, 2, 3, STORY)


async def test_a_text_that_changes_stays_the_same_row(store: Store):
    kept = await store.text_threads.keep(1, 2, 3, STORY)
    longer = STORY.with_segment(Completion(" a time", 8))
    await store.text_threads.rewrite(kept.id, longer)
    found = await store.text_threads.get(kept.id)
    assert found is not None
    assert (found.thread, found.created) == (longer, kept.created)


async def test_what_was_forgotten_is_not_brought_back_by_a_change(store: Store):
    kept = await store.text_threads.keep(1, 2, 3, STORY)
    await store.text_threads.forget(kept.id)
    await store.text_threads.rewrite(kept.id, STORY)
    assert await store.text_threads.get(kept.id) is None


async def test_texts_go_with_messages_channels_and_people(store: Store):
    places = [(1, 5, 10), (1, 6, 11), (2, 7, 12), (3, 8, 13)]
    kept = [await store.text_threads.keep(*place, STORY) for place in places]
    await store.forget_messages([10])
    await store.forget_channels([6])
    await store.text_threads.forget_owner(2)
    assert [await store.text_threads.get(each.id) is not None for each in kept] == [False, False, False, True]


async def test_a_person_gets_all_that_is_kept_for_them_as_plain_data(store: Store):
    one = await store.text_threads.keep(1, 2, 3, STORY)
    await store.text_threads.keep(2, 2, 4, STORY)
    two = await store.text_threads.keep(1, 2, 5, STORY)
    exported = await store.text_threads.export_of(1)
    assert [each["id"] for each in exported] == [one.id, two.id]
    assert exported[0]["thread"]["request"]["prompt"] == "Once"
    assert exported[0]["thread"]["segments"][0]["variants"][0] == {
        "text": " upon",
        "seed": 7,
        "finish_reason": "stop",
    }
    json.dumps(exported)


async def test_a_row_of_a_version_with_other_fields_can_be_read(store: Store):
    kept = await store.text_threads.keep(1, 2, 3, STORY)
    async with store.database.writing() as connection:
        old = {
            "request": {"prompt": "Once", "mood": "dark"},
            "segments": [{"variants": [{"text": " upon", "seed": 7}]}],
        }
        await connection.execute("UPDATE text_threads SET thread = ?", (json.dumps(old),))
    found = await store.text_threads.get(kept.id)
    assert found is not None
    assert found.thread == TextThread(CompleteRequest(prompt="Once"), (Segment((Variant(" upon", 7),)),))


def test_takes_of_one_piece_have_seeds_in_a_row():
    assert STORY.segments[0].variants == (
        Variant(" upon", 7, finish_reason="stop"),
        Variant(" there", 8),
        Variant(" more", 9),
    )


def test_a_take_more_is_the_one_that_counts():
    retold = STORY.with_variant(Completion(" again", 99))
    assert retold.written == " again"
    assert retold.showing_variant(1).written == " there"
    assert retold.showing_variant(4) == retold
    assert retold.showing_variant(-1) == retold.showing_variant(0)
    assert retold.without_last_segment().written == ""
