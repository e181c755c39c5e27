"""Test splitting a text into sentences. No model is needed."""

from __future__ import annotations

import pytest

from inference.pipelines.text_splitting import sentences


def test_sentences_end_at_punctuation_and_keep_the_space_after_it() -> None:
    text = 'It rains... "Who?!" (He.) 3.5 m\n\nEnd. 終わり。」はい'
    assert sentences(text) == ["It rains... ", '"Who?!" ', "(He.) ", "3.5 m\n\n", "End. ", "終わり。」", "はい"]


@pytest.mark.parametrize("characters", [".", "?!", ".'", "。", "\n", " ", "a", "'"])
def test_repeated_punctuation_is_split_in_time(characters: str) -> None:
    text = characters * 200_000 + "a"
    assert "".join(sentences(text)) == text
