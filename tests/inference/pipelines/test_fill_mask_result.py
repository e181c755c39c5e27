"""Test how predicted tokens become words for blanks."""

from __future__ import annotations

import pytest

from inference import FillMaskResult, InvalidRequest
from inference.pipelines.fill_mask_result import fill_mask_result


def result_of(*words: tuple[str, float], top_k: int = 3) -> FillMaskResult:
    return fill_mask_result(["play", " the day"], [words], [([word], score) for word, score in words], top_k)


def joint_texts(*combinations: tuple[str, float], top_k: int) -> list[str]:
    """Return the joint predictions for two blanks, each as one text."""
    joint_predictions = [(text.split(), score) for text, score in combinations]
    result = fill_mask_result(["", " ", ""], [[("a", 1.0)], [("b", 1.0)]], joint_predictions, top_k)
    return [" ".join(combination.words) for combination in result.joint]


def test_the_scores_of_tokens_with_the_same_word_are_added() -> None:
    result = result_of(("ing", 0.4), ("s", 0.3), ("s", 0.2))
    assert [(p.word, p.score) for p in result.blanks[0]] == [("s", 0.5), ("ing", 0.4)]
    assert [(combination.words, combination.score) for combination in result.joint] == [(("s",), 0.5), (("ing",), 0.4)]
    assert result.text == "plays the day"


def test_a_token_without_a_word_is_left_out() -> None:
    result = result_of(("", 0.6), ("s", 0.3))
    assert [p.word for p in result.blanks[0]] == ["s"]
    assert result.text == "plays the day"


def test_a_blank_without_any_word_is_an_error() -> None:
    with pytest.raises(InvalidRequest, match="no word for this blank"):
        result_of(("", 0.6))


def test_only_the_requested_number_of_predictions_is_kept() -> None:
    result = result_of(("s", 0.4), ("ing", 0.3), ("ed", 0.2), top_k=2)
    assert [p.word for p in result.blanks[0]] == ["s", "ing"]
    assert len(result.joint) == 2


def test_a_word_is_in_at_most_half_of_the_joint_predictions() -> None:
    combinations = [
        ("book table", 0.3),
        ("book shelf", 0.2),
        ("book desk", 0.1),
        ("cup table", 0.05),
        ("hat floor", 0.04),
    ]
    assert joint_texts(*combinations, top_k=4) == ["book table", "book shelf", "cup table", "hat floor"]


def test_an_unlikely_combination_does_not_replace_a_likely_one() -> None:
    combinations = [("book table", 0.3), ("book shelf", 0.2), ("book desk", 0.1), ("cup table", 0.001)]
    assert joint_texts(*combinations, top_k=3) == ["book table", "book shelf", "book desk"]
