"""Test predictions for blanks. The expected scores come from the `fill-mask` pipeline of transformers 4.57.6."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference.pipelines import Pipeline
from inference.tasks import FillMaskResult, FillRequest
from inference.types.errors import InvalidRequest, ModelUnavailable, RequestCancelled
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.harness import MemoryBatch, run


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return tiny_text.load_pipeline("fill", tiny_text.bert_masked_lm(tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return tiny_text.load_pipeline("fill", tiny_text.roberta_masked_lm(tmp_path_factory.mktemp("roberta")))


def fill(pipeline: Pipeline, text: str, top_k: int = 3) -> FillMaskResult:
    (result,) = run(pipeline, FillRequest(text=text, top_k=top_k))
    assert isinstance(result, FillMaskResult)
    return result


@pytest.mark.parametrize("blank", ["[MASK]", "[mask]", "[Mask]", "<mask>", "___", "________"])
def test_every_form_of_blank_gets_the_predictions_of_the_transformers_pipeline(bert: Pipeline, blank: str) -> None:
    predictions = fill(bert, f"Hello,  I am a {blank} MODEL.").blanks[0]
    assert [p.word for p in predictions] == ["role", "[CLS]", "the"]
    assert [p.score for p in predictions] == pytest.approx([0.520321, 0.103544, 0.102145], abs=1e-5)


def test_a_model_with_another_mask_token_accepts_the_same_blanks(roberta: Pipeline) -> None:
    predictions = fill(roberta, "The ___ at the sea").blanks[0]
    assert [p.word for p in predictions] == ["V", "|", "4"]
    assert [p.score for p in predictions] == pytest.approx([0.073597, 0.031951, 0.030054], abs=1e-5)
    assert fill(roberta, "The <mask> at the sea") == fill(roberta, "The [MASK] at the sea")


def test_predictions_contain_no_incomplete_characters_or_spaces(roberta: Pipeline) -> None:
    words = [p.word for p in fill(roberta, "The ___ at the sea", top_k=1000).blanks[0]]
    assert "" not in words
    assert "\ufffd" not in words
    assert len(set(words)) == len(words)


def test_the_mask_token_of_the_tokenizer_is_a_blank_too(tmp_path: Path) -> None:
    folder = tiny_text.bert_masked_lm(tmp_path)
    (folder / "tokenizer_config.json").write_text('{"mask_token": "[PAD]", "do_lower_case": true}', encoding="utf-8")
    result = fill(tiny_text.load_pipeline("fill", folder), "I [PAD] a ___ day")
    assert result.text == "I {} a {} day".format(*result.joint[0].words)


def test_the_case_and_spacing_of_the_text_are_kept(bert: Pipeline) -> None:
    result = fill(bert, "Hello,  I am\ta ___ MODEL …")
    assert result.blanks[0][2].text == f"Hello,  I am\ta {result.blanks[0][2].word} MODEL …"


def test_the_text_of_each_prediction_has_the_best_words_in_the_other_blanks(bert: Pipeline) -> None:
    result = fill(bert, "I ___ a [MASK] day")
    first, second = result.joint[0].words
    assert result.text == result.joint[0].text == f"I {first} a {second} day"
    assert [p.text for p in result.blanks[0]] == [f"I {p.word} a {second} day" for p in result.blanks[0]]
    assert [p.text for p in result.blanks[1]] == [f"I {first} a {p.word} day" for p in result.blanks[1]]


def test_with_one_blank_the_joint_predictions_equal_its_predictions(bert: Pipeline) -> None:
    result = fill(bert, "a ___ day", top_k=9)
    assert [(*joint.words, joint.score, joint.text) for joint in result.joint] == [
        (p.word, p.score, p.text) for p in result.blanks[0]
    ]


@pytest.mark.parametrize(("text", "forward_passes"), [("a ___ day", 1), ("___ a ___ day", 2)])
def test_the_text_with_all_blanks_empty_is_encoded_once(text: str, forward_passes: int, tmp_path: Path) -> None:
    pipeline = tiny_text.load_pipeline("fill", tiny_text.bert_masked_lm(tmp_path))
    model: Any = pipeline._model  # pyright: ignore
    calls: list[object] = []
    model.register_forward_pre_hook(lambda *call: calls.append(call))
    fill(pipeline, text)
    assert len(calls) == forward_passes


def test_a_word_is_predicted_with_the_earlier_words_filled_in(bert: Pipeline) -> None:
    text = "I ___ a ___ day ."
    result = fill(bert, text, top_k=5)
    most_certain = max((0, 1), key=lambda blank: result.blanks[blank][0].score)
    assert len({joint.words for joint in result.joint}) == 5
    for joint in result.joint:
        with_one_word = text.replace("___", "{}").format(
            *(joint.words[i] if i == most_certain else "___" for i in (0, 1))
        )
        first_score = {p.word: p.score for p in fill(bert, text, 99).blanks[most_certain]}[joint.words[most_certain]]
        second_score = {p.word: p.score for p in fill(bert, with_one_word, 99).blanks[0]}[joint.words[1 - most_certain]]
        assert joint.score == pytest.approx(first_score * second_score, rel=1e-4)


def test_joint_predictions_are_sorted_by_score(bert: Pipeline) -> None:
    scores = [joint.score for joint in fill(bert, "___ am ___ good ___ .", top_k=20).joint]
    assert len(scores) == 20
    assert scores == sorted(scores, reverse=True)


def test_too_many_blanks_are_refused(bert: Pipeline) -> None:
    (error,) = run(bert, FillRequest(text="___ " * 33))
    assert isinstance(error, InvalidRequest)
    assert "33 blanks; this model fills up to 32" in error.user_message


def test_filling_yields_between_two_blanks(bert: Pipeline) -> None:
    batch = MemoryBatch.of(FillRequest(text="___ a ___ day ___"))
    batch.on_yield = lambda: batch.yield_points == 3 and batch.jobs[0].cancel()
    (outcome,) = batch.run(bert)
    assert isinstance(outcome, RequestCancelled)


def test_a_subword_is_returned_without_its_prefix(bert: Pipeline) -> None:
    words = {p.word for p in fill(bert, "play___ the day", top_k=100).blanks[0]}
    assert "ing" in words
    assert "##ing" not in words


def test_a_top_k_above_the_vocabulary_size_gives_all_words(bert: Pipeline) -> None:
    predictions = fill(bert, "a ___ day", top_k=10_000).blanks[0]
    assert sum(p.score for p in predictions) == pytest.approx(1, abs=1e-4)


def test_a_text_longer_than_the_window_is_refused_with_its_length(bert: Pipeline) -> None:
    (error,) = run(bert, FillRequest(text="day " * 70 + "___"))
    assert isinstance(error, InvalidRequest)
    assert "73 tokens, and this model reads 64" in error.user_message


def test_a_text_as_long_as_the_window_is_filled(bert: Pipeline) -> None:
    assert fill(bert, "day " * 61 + "___").blanks


def test_two_positions_of_roberta_cannot_be_used(roberta: Pipeline) -> None:
    assert fill(roberta, "!" * 509 + "___").blanks
    (error,) = run(roberta, FillRequest(text="!" * 510 + "___"))
    assert isinstance(error, InvalidRequest)


def test_a_request_gives_exactly_the_same_result_alone_and_in_a_batch(bert: Pipeline) -> None:
    requests = [FillRequest(text=text) for text in ("a ___ day", "I am a good ___ model .", "the ___")]
    assert run(bert, *requests) == [run(bert, request)[0] for request in requests]


def test_a_refused_request_does_not_affect_the_others(bert: Pipeline) -> None:
    error, result = run(bert, FillRequest(text="day " * 70 + "___"), FillRequest(text="a ___ day"))
    assert isinstance(error, InvalidRequest)
    assert isinstance(result, FillMaskResult)


def test_a_model_without_a_mask_token_is_refused(tmp_path: Path) -> None:
    folder = tiny_text.bert_masked_lm(tmp_path)
    (folder / "tokenizer_config.json").write_text('{"mask_token": null, "do_lower_case": true}', encoding="utf-8")
    with pytest.raises(ModelUnavailable, match="no mask token"):
        tiny_text.load_pipeline("fill", folder)
