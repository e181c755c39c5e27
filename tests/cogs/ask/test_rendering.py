"""How answers are shown: in their sentence, with a score and other answers, or as missing."""

from __future__ import annotations

import pytest

from inference import Answer, AskRequest, Result
from tests.cogs.ask.questions import TOWER, ask, finds
from tests.cogs.stage import Stage, buttons, first, followup


async def test_the_answer_is_shown_in_its_sentence(stage: Stage):
    stage.backend.script = finds("1889")
    result = await ask(stage, text=TOWER)
    assert first(result).content == "> When?\n\nIt was built in **1889** by Eiffel.\n-# Sure"
    assert stage.backend.requests == [AskRequest(question="When?", context=TOWER, owner=str(stage.alice.id))]
    assert buttons(first(result)) == ["Show context", "In own words"]


@pytest.mark.parametrize(
    ("score", "words"), [(1.12, "Sure"), (0.8, "Sure"), (0.79, "Likely"), (0.5, "Likely"), (0.49, "A guess")]
)
async def test_the_score_is_shown_in_plain_words(stage: Stage, score: float, words: str):
    stage.backend.script = finds("1889", score)
    assert first(await ask(stage, text=TOWER)).content.endswith(f"\n-# {words}")


async def test_other_answers_are_listed_with_their_sentences(stage: Stage):
    stage.backend.script = finds("1889", 0.6, ("1887", 0.3), ("Eiffel", 0.05), ("tower", 0.019))
    assert first(await ask(stage, text=TOWER)).content == (
        "> When?\n\nIt was built in **1889** by Eiffel.\n-# Likely\n"
        "Other possible answers in the text:\n"
        "1. Work began in **1887**.\n"
        "2. It was built in 1889 by **Eiffel**."
    )


async def test_a_missing_answer_is_reported(stage: Stage):
    stage.backend.script = finds("")
    result = await ask(stage, "Who?", text=TOWER)
    assert first(result).content == "> Who?\n\nThe text does not say."
    assert buttons(first(result)) == ["In own words"]


async def test_the_best_guess_is_labelled_as_a_guess(stage: Stage):
    stage.backend.script = finds("", 0.8, ("1887", 0.1), ("1889", 0.05))
    result = await ask(stage, "Who?", text=TOWER)
    assert first(result).content == ("> Who?\n\nThe text does not say.\nPerhaps: Work began in **1887**.\n-# A guess")
    assert buttons(first(result)) == ["Show context", "In own words"]


async def test_an_unlikely_guess_is_not_shown(stage: Stage):
    stage.backend.script = finds("", 0.99, ("1887", 0.01))
    assert first(await ask(stage, "Who?", text=TOWER)).content == "> Who?\n\nThe text does not say."


async def test_a_model_that_answers_in_its_own_words_is_labelled(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("In *1889*.", 0, 0, 0, generated=True))]
    result = await ask(stage, text=TOWER)
    assert (
        first(result).content
        == "> When?\n\nIn \\*1889\\*.\n-# This model always answers in its own words, which may be wrong"
    )
    assert buttons(first(result)) == []


async def test_an_answer_in_own_words_shows_the_evidence_below(stage: Stage):
    window = (TOWER.index("It was"), TOWER.index(" People"))
    stage.backend.script = lambda spec, request: [Result(Answer("In 1889.", 0, 0, 0, True, passages=(window,)))]
    result = await ask(stage, file=("a.txt", TOWER.encode()))
    assert first(result).content == (
        "> When?\n\nIn 1889.\n-# This model always answers in its own words, which may be wrong\n"
        "What I found there:\nIt was built in 1889 by Eiffel.\n-# a.txt"
    )
    assert buttons(first(result)) == ["Show context"]
    shown = await stage.alice.click(first(result).message, label="Show context")
    assert "tall. **It was built in 1889 by Eiffel.** People" in followup(shown).content


async def test_without_a_reliable_answer_the_best_passage_is_shown(stage: Stage):
    text = "The tower was built in 1889. It is blue."
    nothing = Answer("", 0, 0, 0, generated=True, passages=((0, 28),))
    stage.backend.script = lambda spec, request: [Result(nothing)]
    result = await stage.alice.slash(stage.channel, "ask", question="When was the tower built?", text=text)
    assert "this part is about the question:\nThe tower was built in 1889." in first(result).content
    assert "does not say" not in first(result).content


async def test_an_empty_generated_answer_is_reported(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Answer("", 0, 0, 0, generated=True))]
    assert first(await ask(stage, text=TOWER)).content == "> When?\n\nThe text does not say."


async def test_quoted_text_neither_pings_nor_formats(stage: Stage):
    stage.backend.script = finds("*y*")
    assert "It is **\\*y\\*** for" in first(await ask(stage, text="A. It is *y* for @everyone.")).content
