"""What of a text speaks of a question, without a model."""

from __future__ import annotations

from inference.pipelines.retrieval import abridge, relevant_spans

_FILLER = "The weather was mild that day. Nobody said a word about it. "
_MUSEUM = "The glass museum opens at four. "


def _count(text: str) -> int:
    return len(text.split())


def test_the_sentence_that_shares_the_rarest_words_comes_first() -> None:
    text = _FILLER * 20 + _MUSEUM + _FILLER * 20 + "The museum was mild. "
    found = [text[start:end] for start, end in relevant_spans(text, "When is the glass museum opening?")]
    assert found[:2] == [_MUSEUM, "The museum was mild. "]


def test_what_shares_no_words_is_not_named() -> None:
    assert relevant_spans("It rains. It snows.", "Who?") == ()
    assert relevant_spans("", "Who?") == ()


def test_what_tells_comes_before_what_asks_and_small_words_tell_nothing() -> None:
    text = "When does the train leave? When does it rain? The train leaves at five."
    found = [text[start:end] for start, end in relevant_spans(text, "When does the train leave?")]
    assert found == ["The train leaves at five.", "When does the train leave? "]


def test_there_are_only_as_many_as_asked_for() -> None:
    assert len(relevant_spans(_MUSEUM * 30, "Which museum?", max_sentences=3)) == 3


def test_an_abridged_text_keeps_the_telling_sentences_with_their_neighbours_in_order() -> None:
    text = "Welcome. " + _FILLER * 20 + _MUSEUM + _FILLER * 20 + "The museum is far. Bring boots. " + _FILLER * 20
    assert abridge(text, "When does the museum open?", 40, _count) == (
        f"Nobody said a word about it. {_MUSEUM}The weather was mild that day.  …\n"
        "Nobody said a word about it. The museum is far. Bring boots.  …\n"
    )


def test_an_abridged_text_fits() -> None:
    text = _FILLER * 200 + (_MUSEUM + _FILLER) * 200
    assert 300 < _count(abridge(text, "When does the museum open?", 400, _count)) <= 400


def test_without_a_telling_sentence_the_beginning_is_kept() -> None:
    text = "".join(f"Sentence {number} is here. " for number in range(100))
    assert abridge(text, "Who?", 12, _count).startswith("Sentence 0 is here. Sentence 1 is here.")


def test_a_text_without_sentences_is_cut_into_pieces() -> None:
    text = "word " * 500 + "the museum opens at four " + "word " * 500
    found = abridge(text, "When does the museum open?", 100, _count)
    assert "the museum opens at four" in found
    assert 20 < _count(found) <= 100


def test_of_endless_letters_the_beginning_is_kept() -> None:
    assert abridge("a" * 10_000, "Who?", 100, len).startswith("a" * 75)
