"""Test how the labels of a classifier become a numeric scale."""

from __future__ import annotations

import pytest

from inference.text.sentiment_scale import valences


@pytest.mark.parametrize(
    ("labels", "scale"),
    [
        (["NEGATIVE", "POSITIVE"], [-1, 1]),
        (["negative", "neutral", "positive"], [-1, 0, 1]),
        (["POS", "NEG", "NEU"], [1, -1, 0]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"], [-1, -0.5, 0, 0.5, 1]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_labels_from_negative_to_positive_give_a_scale(labels: list[str], scale: list[float]) -> None:
    assert valences(labels) == scale


@pytest.mark.parametrize("labels", [["joy", "anger"], ["LABEL_0", "LABEL_1"], ["positive"], ["positive", "joy"], []])
def test_other_labels_give_no_scale(labels: list[str]) -> None:
    assert valences(labels) is None
