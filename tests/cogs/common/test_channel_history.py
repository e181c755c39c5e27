"""Transcripts: the position of each message in the text, and a summary of what was not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cogs.common.channel_history import Transcript, TranscriptMessage

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def transcript(seen: int = 2) -> Transcript:
    messages = (
        TranscriptMessage(1, "Ann", "Lunch?", DAY, "link 1", 0),
        TranscriptMessage(2, "Bo", "At noon.\nOr one.", DAY, "link 2", 12),
    )
    return Transcript("\n".join(map(str, messages)), messages, seen)


@pytest.mark.parametrize(("words", "name"), [("Ann:", "Ann"), ("Lunch", "Ann"), ("Bo:", "Bo"), ("Or one.", "Bo")])
def test_a_position_in_the_text_belongs_to_its_message(words: str, name: str):
    past = transcript()
    assert past.message_at(past.text.index(words)).name == name


def test_boundaries_are_where_messages_begin():
    past = transcript()
    assert [past.text[border:].split(":")[0] for border in past.boundaries] == ["Ann", "Bo"]


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (transcript(), "2 messages read"),
        (
            replace(transcript(seen=5), without_text=2, not_talk=1),
            "2 messages read; 2 more skipped: no text; 1 more skipped: by me, to me, or a system message of Discord",
        ),
        (replace(transcript(), complete=False), "2 messages read; older ones were left out"),
        (
            replace(transcript(seen=3), hidden=1),
            "2 messages read; Discord hides the text of 1 from bots without the message content intent",
        ),
        (
            replace(transcript(seen=9), not_talk=7, asked=3, exhausted=True),
            "2 messages read, though you asked for 3: there are no more; "
            "7 more skipped: by me, to me, or system messages of Discord",
        ),
        (
            replace(transcript(), asked=3, complete=False),
            "2 messages read of the 3 that you asked for; older ones were left out",
        ),
        (replace(transcript(), asked=2, exhausted=True), "2 messages read"),
    ],
)
def test_coverage_accounts_for_every_message(past: Transcript, words: str):
    assert past.coverage() == words


def test_coverage_shows_the_number_of_parts_if_there_are_several():
    assert transcript().coverage(3) == "2 messages read, 3 parts"
