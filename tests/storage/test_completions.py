"""Test how generated texts are stored and deleted."""

from __future__ import annotations

import json

from inference import CompleteRequest, Completion
from storage import CompletionHistory, Segment, Store, Variant

REQUEST = CompleteRequest(prompt="Once", model="gpt2", stop=("END", "\n"), temperature=0.3, n=2, owner="1")
HISTORY = CompletionHistory(REQUEST).with_segment(
    Completion(" upon", 7, (" there", " more"), finish_reason="stop", chat=True)
)


async def test_a_text_is_stored_with_everything_needed_to_continue_it(store: Store):
    kept = await store.completions.keep(1, 2, 3, HISTORY)
    await store.close()
    await store.open()
    assert await store.completions.get(kept.id) == kept
    assert await store.completions.shown_by(3) == kept
    assert await store.completions.shown_by(4) is None
    assert (kept.owner, kept.channel, kept.message, kept.history) == (1, 2, 3, HISTORY)


async def test_changing_a_text_updates_its_row(store: Store):
    kept = await store.completions.keep(1, 2, 3, HISTORY)
    longer = HISTORY.with_segment(Completion(" a time", 8))
    await store.completions.rewrite(kept.id, longer)
    found = await store.completions.get(kept.id)
    assert found is not None
    assert (found.history, found.created) == (longer, kept.created)


async def test_changing_a_deleted_text_does_not_restore_it(store: Store):
    kept = await store.completions.keep(1, 2, 3, HISTORY)
    await store.completions.forget(kept.id)
    await store.completions.rewrite(kept.id, HISTORY)
    assert await store.completions.get(kept.id) is None


async def test_deleting_a_message_channel_or_person_deletes_their_texts(store: Store):
    places = [(1, 5, 10), (1, 6, 11), (2, 7, 12), (3, 8, 13)]
    kept = [await store.completions.keep(*place, HISTORY) for place in places]
    await store.forget_messages([10])
    await store.forget_channels([6])
    await store.completions.forget_owner(2)
    assert [await store.completions.get(each.id) is not None for each in kept] == [False, False, False, True]


async def test_the_export_of_a_person_contains_all_their_texts_as_plain_data(store: Store):
    one = await store.completions.keep(1, 2, 3, HISTORY)
    await store.completions.keep(2, 2, 4, HISTORY)
    two = await store.completions.keep(1, 2, 5, HISTORY)
    exported = await store.completions.export_of(1)
    assert [each["id"] for each in exported] == [one.id, two.id]
    assert exported[0]["history"]["request"]["prompt"] == "Once"
    assert exported[0]["history"]["segments"][0]["variants"][0] == {
        "text": " upon",
        "seed": 7,
        "finish_reason": "stop",
    }
    json.dumps(exported)


async def test_a_row_with_unknown_and_missing_fields_can_be_read(store: Store):
    kept = await store.completions.keep(1, 2, 3, HISTORY)
    async with store.database.writing() as connection:
        old = {
            "request": {"prompt": "Once", "mood": "dark"},
            "segments": [{"variants": [{"text": " upon", "seed": 7}]}],
        }
        await connection.execute("UPDATE completions SET history = ?", (json.dumps(old),))
    found = await store.completions.get(kept.id)
    assert found is not None
    assert found.history == CompletionHistory(CompleteRequest(prompt="Once"), (Segment((Variant(" upon", 7),)),))


def test_the_variants_of_a_segment_have_consecutive_seeds():
    assert HISTORY.segments[0].variants == (
        Variant(" upon", 7, finish_reason="stop"),
        Variant(" there", 8),
        Variant(" more", 9),
    )


def test_a_new_variant_becomes_the_shown_variant():
    regenerated = HISTORY.with_variant(Completion(" again", 99))
    assert regenerated.written == " again"
    assert regenerated.showing_variant(1).written == " there"
    assert regenerated.showing_variant(4) == regenerated
    assert regenerated.showing_variant(-1) == regenerated.showing_variant(0)
    assert regenerated.without_last_segment().written == ""
