"""Test to which labels of widely used classifiers the bot objects."""

from __future__ import annotations

import pytest

from inference.text.objected_labels import objected_labels


@pytest.mark.parametrize(
    ("labels", "objected"),
    [
        (["normal", "nsfw"], ["nsfw"]),  # Falconsai/nsfw_image_detection
        (["sfw", "nsfw"], ["nsfw"]),  # AdamCodd/vit-base-nsfw-detector
        (["SFW", "NSFW"], ["NSFW"]),
        (["drawings", "hentai", "neutral", "porn", "sexy"], ["hentai", "porn", "sexy"]),
        (
            ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"],  # unitary/toxic-bert
            ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"],
        ),
        (["non-toxic", "toxic"], ["toxic"]),  # martin-ha/toxic-comment-model
        (["nothate", "hate"], ["hate"]),  # facebook/roberta-hate-speech-dynabench-r4-target
        (["toxicity", "male", "female", "muslim", "sexual_explicit"], ["toxicity", "sexual_explicit"]),
        (["LABEL_0", "LABEL_1"], []),
    ],
)
def test_known_labels_are_objected_to_by_default(labels: list[str], objected: list[str]) -> None:
    assert objected_labels(labels, ()) == objected


def test_the_operator_may_name_others_in_any_spelling() -> None:
    assert objected_labels(["LABEL_0", "LABEL_1"], ["label-1"]) == ["LABEL_1"]
    with pytest.raises(KeyError, match="LABEL_2"):
        objected_labels(["LABEL_0", "LABEL_1"], ["LABEL_2"])
