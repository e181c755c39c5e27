"""/fill: words as bars, and buttons that put them into the text."""

from __future__ import annotations

import pytest
from simcord import InteractionResult

from bot import create_bot
from cogs.fill.rendering import with_words
from inference import Config, FillMaskResult, FillRequest, JointPrediction, Prediction, Result
from tests.cogs.stage import PatientEngine, Stage, buttons, first, refusal

_TABLE = [
    "`role    ▰▰▰▰▰▰▱▱▱▱  60%`",
    "`fashion ▰▰▰▱▱▱▱▱▱▱  30%`",
    "`new     ▰▱▱▱▱▱▱▱▱▱  10%`",
]


def _highlighted(result: InteractionResult) -> list[str]:
    """Return the labels of the highlighted buttons."""
    rows = first(result).components
    return [button["label"] for row in rows for button in row["components"] if button["style"] == 1]


async def test_words_are_shown_as_bars_best_first_with_the_best_in_the_text(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="I am a [MASK] model.")
    assert first(result).content.splitlines() == ["I am a **role** model.", *_TABLE]
    assert buttons(first(result)) == ["role", "fashion", "new"]
    assert _highlighted(result) == ["role"]
    assert stage.backend.requests == [FillRequest(text="I am a [MASK] model.", owner=str(stage.alice.id))]


async def test_a_button_puts_its_word_into_the_text_and_another_button_replaces_it(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="I *am* a [MASK] model.\nYes `I` am.")
    for word in ("fashion", "role"):
        await stage.alice.click(first(result), label=word)
        assert first(result).content.splitlines() == [rf"I \*am\* a **{word}** model.", r"Yes \`I\` am.", *_TABLE]
        assert _highlighted(result) == [word]
        assert buttons(first(result)) == ["role", "fashion", "new"]


async def test_buttons_work_after_a_restart(stage: Stage, config: Config, engine: PatientEngine):
    result = await stage.alice.slash(stage.channel, "fill", text="I am a [MASK] model.")
    await stage.env.restart_bot(create_bot(engine))
    await stage.alice.click(first(result), label="new")
    assert first(result).content.splitlines()[0] == "I am a **new** model."


async def test_other_people_can_not_choose(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="I am a [MASK] model.")
    assert refusal(await stage.bob.click(first(result), label="new")).startswith("Only the person who asked can choose")
    assert first(result).content.splitlines()[0] == "I am a **role** model."


async def test_several_blanks_are_filled_together_best_first(stage: Stage):
    joint = (
        JointPrediction(("cat", "mat"), 0.2, ""),
        JointPrediction(("dog", "rug"), 0.1, ""),
        JointPrediction(("`x`", "y"), 0.0001, ""),
    )
    blanks = ((Prediction("cat", 0.5, ""),), (Prediction("mat", 0.5, ""),))
    stage.backend.script = lambda spec, request: [Result(FillMaskResult(blanks, "", joint))]
    result = await stage.alice.slash(stage.channel, "fill", text="The [MASK] sat on the ___.")
    assert first(result).content.splitlines() == [
        "The **cat** sat on the **mat**.",
        "`cat · mat ▰▰▱▱▱▱▱▱▱▱  20%`",
        "`dog · rug ▰▱▱▱▱▱▱▱▱▱  10%`",
        "`'x' · y   ▱▱▱▱▱▱▱▱▱▱  <1%`",
        "**Blank 1**",
        "`cat ▰▰▰▰▰▱▱▱▱▱  50%`",
        "**Blank 2**",
        "`mat ▰▰▰▰▰▱▱▱▱▱  50%`",
    ]
    await stage.alice.click(first(result), label="`x` · y")
    assert first(result).content.splitlines()[0] == r"The **\`x\`** sat on the **y**."


async def test_blanks_that_were_not_predicted_together_are_listed_separately(stage: Stage):
    blanks = tuple((Prediction(word, 0.5, ""),) for word in ("one", "`two`"))
    stage.backend.script = lambda spec, request: [Result(FillMaskResult(blanks, "one `two`"))]
    result = await stage.alice.slash(stage.channel, "fill", text="___ ___")
    assert first(result).content.splitlines() == [
        r"**one** **\`two\`**",
        "**Blank 1**",
        "`one ▰▰▰▰▰▱▱▱▱▱  50%`",
        "**Blank 2**",
        "`'two' ▰▰▰▰▰▱▱▱▱▱  50%`",
    ]
    assert buttons(first(result)) == []


async def test_only_words_that_fit_on_a_button_have_a_button(stage: Stage):
    words = ("", "two words", "x" * 81, "fine", *"abcdef")
    guesses = tuple(Prediction(word, 0.1, "") for word in words)
    stage.backend.script = lambda spec, request: [Result(FillMaskResult((guesses,), ""))]
    result = await stage.alice.slash(stage.channel, "fill", text="A ___.")
    assert buttons(first(result)) == ["fine", "a", "b", "c", "d"]
    assert first(result).content.splitlines()[:2] == ["A **fine**.", "`fine ▰▱▱▱▱▱▱▱▱▱  10%`"]


async def test_a_text_that_another_word_would_make_too_long_has_no_buttons(stage: Stage):
    guesses = (Prediction("a", 0.5, ""), Prediction("b" * 50, 0.4, ""))
    stage.backend.script = lambda spec, request: [Result(FillMaskResult((guesses,), ""))]
    result = await stage.alice.slash(stage.channel, "fill", text="word " * 349 + "[MASK]")
    assert not result.followups
    assert buttons(first(result)) == []


async def test_a_text_of_several_messages_has_no_buttons(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="word " * 390 + "[MASK]")
    assert result.followups
    assert buttons(first(result)) == []


async def test_a_text_without_blanks_is_refused_and_the_error_explains_blanks(stage: Stage):
    result = await stage.alice.slash(stage.channel, "fill", text="nothing missing")
    assert "[MASK] or ___" in refusal(result)


@pytest.mark.parametrize("words", [("a",), ("*",), ("**",), ("`",), ("\\",), ("##ing",)])
def test_any_word_can_be_replaced_by_the_first_word_again(words: tuple[str, ...]):
    message = "\\*\\*Not\\*\\* **one** blank\n`one ▰ 1%`\n`**b** ▰ 1%`"
    assert with_words(with_words(message, words), ("one",)) == message
