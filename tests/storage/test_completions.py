"""What is kept of a text, and that it goes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from inference import CompleteRequest, Completion
from storage import CompletionHistory, Segment, Store, Variant

REQUEST = CompleteRequest(prompt="Once", model="gpt2", stop=("END", "\n"), temperature=0.3, n=2, owner="1")
STORY = CompletionHistory(REQUEST).with_segment(
    Completion(" upon", 7, (" there", " more"), finish_reason="stop", chat=True)
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    store = Store(tmp_path / "inkling.db")
    await store.open()
    yield store
    await store.close()


async def test_a_text_is_kept_with_all_that_it_takes_to_go_on(store: Store):
    kept = await store.completions.keep(1, 2, 3, STORY)
    await store.close()
    await store.open()
    assert await store.completions.get(kept.id) == kept
    assert await store.completions.shown_by(3) == kept
    assert await store.completions.shown_by(4) is None
    assert (kept.owner, kept.channel, kept.message, kept.history) == (1, 2, 3, STORY)


async def test_a_text_that_changes_stays_the_same_row(store: Store):
    kept = await store.completions.keep(1, 2, 3, STORY)
    longer = STORY.with_segment(Completion(" a time", 8))
    await store.completions.rewrite(kept.id, longer)
    found = await store.completions.get(kept.id)
    assert found is not None
    assert (found.history, found.created) == (longer, kept.created)


async def test_what_was_forgotten_is_not_brought_back_by_a_change(store: Store):
    kept = await store.completions.keep(1, 2, 3, STORY)
    await store.completions.forget(kept.id)
    await store.completions.rewrite(kept.id, STORY)
    assert await store.completions.get(kept.id) is None


async def test_texts_go_with_messages_channels_and_people(store: Store):
    places = [(1, 5, 10), (1, 6, 11), (2, 7, 12), (3, 8, 13)]
    kept = [await store.completions.keep(*place, STORY) for place in places]
    await store.forget_messages([10])
    await store.forget_channels([6])
    await store.completions.forget_owner(2)
    assert [await store.completions.get(each.id) is not None for each in kept] == [False, False, False, True]


async def test_a_person_gets_all_that_is_kept_for_them_as_plain_data(store: Store):
    one = await store.completions.keep(1, 2, 3, STORY)
    await store.completions.keep(2, 2, 4, STORY)
    two = await store.completions.keep(1, 2, 5, STORY)
    exported = await store.completions.export_of(1)
    assert [each["id"] for each in exported] == [one.id, two.id]
    assert exported[0]["history"]["request"]["prompt"] == "Once"
    assert exported[0]["history"]["segments"][0]["variants"][0] == {
        "text": " upon",
        "seed": 7,
        "finish_reason": "stop",
    }
    json.dumps(exported)


async def test_a_row_of_a_version_with_other_fields_can_be_read(store: Store):
    kept = await store.completions.keep(1, 2, 3, STORY)
    async with store.database.writing() as connection:
        old = {
            "request": {"prompt": "Once", "mood": "dark"},
            "segments": [{"variants": [{"text": " upon", "seed": 7}]}],
        }
        await connection.execute("UPDATE completions SET history = ?", (json.dumps(old),))
    found = await store.completions.get(kept.id)
    assert found is not None
    assert found.history == CompletionHistory(CompleteRequest(prompt="Once"), (Segment((Variant(" upon", 7),)),))


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
