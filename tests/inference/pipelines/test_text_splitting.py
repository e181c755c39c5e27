"""Cutting a text into its sentences, without a model."""

from __future__ import annotations

import pytest

from inference.pipelines.text_splitting import sentences


def test_sentences_end_at_their_signs_and_keep_the_space_after_them() -> None:
    text = 'It rains... "Who?!" (He.) 3.5 m\n\nEnd. 終わり。」はい'
    assert sentences(text) == ["It rains... ", '"Who?!" ', "(He.) ", "3.5 m\n\n", "End. ", "終わり。」", "はい"]


@pytest.mark.parametrize("signs", [".", "?!", ".'", "。", "\n", " ", "a", "'"])
def test_endless_signs_are_no_endless_work(signs: str) -> None:
    text = signs * 200_000 + "a"
    assert "".join(sentences(text)) == text
