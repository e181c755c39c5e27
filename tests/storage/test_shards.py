"""The shards of Discord's gateway that a process runs."""

from __future__ import annotations

import pytest

from storage import Shards


@pytest.mark.parametrize(("text", "shards"), [("0-7/32", Shards(0, 7, 32)), ("31/32", Shards(31, 31, 32))])
def test_a_range_of_shards_is_read(text: str, shards: Shards):
    assert Shards.parse(text) == shards


@pytest.mark.parametrize("text", ["", "7", "7-0/32", "0-32/32", "0-7/0", "-1/4", "a/b"])
def test_shards_that_are_not_there_are_refused(text: str):
    with pytest.raises(ValueError, match="shard"):
        Shards.parse(text)


@pytest.mark.parametrize(("text", "words"), [("0-7/16", "Shards 0 to 7 of 16"), ("3/16", "Shard 3 of 16")])
def test_shards_in_words(text: str, words: str):
    assert str(Shards.parse(text)) == words
