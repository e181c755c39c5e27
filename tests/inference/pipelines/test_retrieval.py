"""Test which sentences of a text are relevant to a question. No model is needed."""

from __future__ import annotations

from inference.pipelines.retrieval import abridge, relevant_spans

_FILLER = "The weather was mild that day. Nobody said a word about it. "
_RELEVANT = "The glass museum opens at four. "


def _count_words(text: str) -> int:
    return len(text.split())


def test_the_sentence_with_the_rarest_shared_words_is_first() -> None:
    text = _FILLER * 20 + _RELEVANT + _FILLER * 20 + "The museum was mild. "
    found = [text[start:end] for start, end in relevant_spans(text, "When is the glass museum opening?")]
    assert found[:2] == [_RELEVANT, "The museum was mild. "]


def test_a_sentence_without_shared_words_is_not_returned() -> None:
    assert relevant_spans("It rains. It snows.", "Who?") == ()
    assert relevant_spans("", "Who?") == ()


def test_statements_are_ranked_before_questions_and_stop_words_are_ignored() -> None:
    text = "When does the train leave? When does it rain? The train leaves at five."
    found = [text[start:end] for start, end in relevant_spans(text, "When does the train leave?")]
    assert found == ["The train leaves at five.", "When does the train leave? "]


def test_only_the_requested_number_of_sentences_is_returned() -> None:
    assert len(relevant_spans(_RELEVANT * 30, "Which museum?", max_sentences=3)) == 3


def test_an_abridged_text_keeps_relevant_sentences_and_their_neighbours_in_order() -> None:
    text = "Welcome. " + _FILLER * 20 + _RELEVANT + _FILLER * 20 + "The museum is far. Bring boots. " + _FILLER * 20
    assert abridge(text, "When does the museum open?", 40, _count_words) == (
        f"Nobody said a word about it. {_RELEVANT}The weather was mild that day.  …\n"
        "Nobody said a word about it. The museum is far. Bring boots.  …\n"
    )


def test_an_abridged_text_stays_within_the_limit() -> None:
    text = _FILLER * 200 + (_RELEVANT + _FILLER) * 200
    assert 300 < _count_words(abridge(text, "When does the museum open?", 400, _count_words)) <= 400


def test_without_a_relevant_sentence_the_beginning_is_kept() -> None:
    text = "".join(f"Sentence {number} is here. " for number in range(100))
    assert abridge(text, "Who?", 12, _count_words).startswith("Sentence 0 is here. Sentence 1 is here.")


def test_a_text_without_sentences_is_split_into_pieces() -> None:
    text = "word " * 500 + "the museum opens at four " + "word " * 500
    found = abridge(text, "When does the museum open?", 100, _count_words)
    assert "the museum opens at four" in found
    assert 20 < _count_words(found) <= 100


def test_the_beginning_of_a_text_without_spaces_is_kept() -> None:
    assert abridge("a" * 10_000, "Who?", 100, len).startswith("a" * 75)
