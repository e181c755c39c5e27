"""Words for blanks, whatever tokens they come from."""

from __future__ import annotations

import pytest

from inference import FillMaskResult, InvalidRequest
from inference.pipelines.fill_mask_result import fill_mask_result


def filled(*words: tuple[str, float], most: int = 3) -> FillMaskResult:
    return fill_mask_result(["play", " the day"], [words], [([word], score) for word, score in words], most)


def joint(*ways: tuple[str, float], most: int) -> list[str]:
    """For two blanks, the words of each way written as one text."""
    together = [(text.split(), score) for text, score in ways]
    found = fill_mask_result(["", " ", ""], [[("a", 1.0)], [("b", 1.0)]], together, most)
    return [" ".join(way.words) for way in found.joint]


def test_tokens_that_write_the_same_word_count_as_one() -> None:
    found = filled(("ing", 0.4), ("s", 0.3), ("s", 0.2))
    assert [(p.word, p.score) for p in found.blanks[0]] == [("s", 0.5), ("ing", 0.4)]
    assert [(way.words, way.score) for way in found.joint] == [(("s",), 0.5), (("ing",), 0.4)]
    assert found.text == "plays the day"


def test_a_token_without_a_word_is_left_out() -> None:
    found = filled(("", 0.6), ("s", 0.3))
    assert [p.word for p in found.blanks[0]] == ["s"]
    assert found.text == "plays the day"


def test_no_word_at_all_is_said() -> None:
    with pytest.raises(InvalidRequest, match="no word for this blank"):
        filled(("", 0.6))


def test_no_more_than_asked_for_are_kept() -> None:
    found = filled(("s", 0.4), ("ing", 0.3), ("ed", 0.2), most=2)
    assert [p.word for p in found.blanks[0]] == ["s", "ing"]
    assert len(found.joint) == 2


def test_one_word_fills_its_blank_in_half_of_the_joint_ways_only() -> None:
    ways = [("book table", 0.3), ("book shelf", 0.2), ("book desk", 0.1), ("cup table", 0.05), ("hat floor", 0.04)]
    assert joint(*ways, most=4) == ["book table", "book shelf", "cup table", "hat floor"]


def test_an_unlikely_way_replaces_none() -> None:
    ways = [("book table", 0.3), ("book shelf", 0.2), ("book desk", 0.1), ("cup table", 0.001)]
    assert joint(*ways, most=3) == ["book table", "book shelf", "book desk"]
