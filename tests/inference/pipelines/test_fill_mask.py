"""Expected numbers were made by transformers 4.57.6's `fill-mask` pipeline on the same tiny models."""

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
    return tiny_text.read("fill", tiny_text.bert_filler(tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return tiny_text.read("fill", tiny_text.roberta_filler(tmp_path_factory.mktemp("roberta")))


def fill(pipeline: Pipeline, text: str, top_k: int = 3) -> FillMaskResult:
    (filling,) = run(pipeline, FillRequest(text=text, top_k=top_k))
    assert isinstance(filling, FillMaskResult)
    return filling


@pytest.mark.parametrize("blank", ["[MASK]", "[mask]", "[Mask]", "<mask>", "___", "________"])
def test_every_way_to_write_a_blank_is_filled_as_by_the_old_pipeline(bert: Pipeline, blank: str) -> None:
    predictions = fill(bert, f"Hello,  I am a {blank} MODEL.").blanks[0]
    assert [p.word for p in predictions] == ["role", "[CLS]", "the"]
    assert [p.score for p in predictions] == pytest.approx([0.520321, 0.103544, 0.102145], abs=1e-5)


def test_a_model_with_another_mask_token_takes_the_same_blanks(roberta: Pipeline) -> None:
    predictions = fill(roberta, "The ___ at the sea").blanks[0]
    assert [p.word for p in predictions] == ["V", "|", "4"]
    assert [p.score for p in predictions] == pytest.approx([0.073597, 0.031951, 0.030054], abs=1e-5)
    assert fill(roberta, "The <mask> at the sea") == fill(roberta, "The [MASK] at the sea")


def test_pieces_of_characters_and_spaces_are_no_words(roberta: Pipeline) -> None:
    words = [p.word for p in fill(roberta, "The ___ at the sea", top_k=1000).blanks[0]]
    assert "" not in words
    assert "\ufffd" not in words
    assert len(set(words)) == len(words)


def test_what_the_tokenizer_reads_as_its_own_mask_is_a_blank_too(tmp_path: Path) -> None:
    folder = tiny_text.bert_filler(tmp_path)
    (folder / "tokenizer_config.json").write_text('{"mask_token": "[PAD]", "do_lower_case": true}', encoding="utf-8")
    filling = fill(tiny_text.read("fill", folder), "I [PAD] a ___ day")
    assert filling.text == "I {} a {} day".format(*filling.joint[0].words)


def test_the_callers_own_casing_and_spacing_stay(bert: Pipeline) -> None:
    filling = fill(bert, "Hello,  I am\ta ___ MODEL …")
    assert filling.blanks[0][2].text == f"Hello,  I am\ta {filling.blanks[0][2].word} MODEL …"


def test_each_blank_is_predicted_with_the_best_words_in_the_others(bert: Pipeline) -> None:
    filling = fill(bert, "I ___ a [MASK] day")
    first, second = filling.joint[0].words
    assert filling.text == filling.joint[0].text == f"I {first} a {second} day"
    assert [p.text for p in filling.blanks[0]] == [f"I {p.word} a {second} day" for p in filling.blanks[0]]
    assert [p.text for p in filling.blanks[1]] == [f"I {first} a {p.word} day" for p in filling.blanks[1]]


def test_the_words_of_one_blank_are_also_those_of_all_blanks(bert: Pipeline) -> None:
    filling = fill(bert, "a ___ day", top_k=9)
    assert [(*joint.words, joint.score, joint.text) for joint in filling.joint] == [
        (p.word, p.score, p.text) for p in filling.blanks[0]
    ]


@pytest.mark.parametrize(("text", "reads"), [("a ___ day", 1), ("___ a ___ day", 2)])
def test_the_text_without_words_is_read_once(text: str, reads: int, tmp_path: Path) -> None:
    pipeline = tiny_text.read("fill", tiny_text.bert_filler(tmp_path))
    model: Any = pipeline._model  # pyright: ignore
    seen: list[object] = []
    model.register_forward_pre_hook(lambda *call: seen.append(call))
    fill(pipeline, text)
    assert len(seen) == reads


def test_a_word_is_chosen_in_the_light_of_those_chosen_before(bert: Pipeline) -> None:
    text = "I ___ a ___ day ."
    filling = fill(bert, text, top_k=5)
    surest = max((0, 1), key=lambda blank: filling.blanks[blank][0].score)
    assert len({joint.words for joint in filling.joint}) == 5
    for joint in filling.joint:
        with_one = text.replace("___", "{}").format(*(joint.words[i] if i == surest else "___" for i in (0, 1)))
        known = {p.word: p.score for p in fill(bert, text, 99).blanks[surest]}[joint.words[surest]]
        then = {p.word: p.score for p in fill(bert, with_one, 99).blanks[0]}[joint.words[1 - surest]]
        assert joint.score == pytest.approx(known * then, rel=1e-4)


def test_joint_fillings_come_best_first(bert: Pipeline) -> None:
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


def test_a_piece_inside_a_word_loses_its_mark(bert: Pipeline) -> None:
    words = {p.word for p in fill(bert, "play___ the day", top_k=100).blanks[0]}
    assert "ing" in words
    assert "##ing" not in words


def test_more_predictions_than_words_are_all_words(bert: Pipeline) -> None:
    predictions = fill(bert, "a ___ day", top_k=10_000).blanks[0]
    assert sum(p.score for p in predictions) == pytest.approx(1, abs=1e-4)


def test_a_text_over_the_window_is_refused_with_its_length(bert: Pipeline) -> None:
    (error,) = run(bert, FillRequest(text="day " * 70 + "___"))
    assert isinstance(error, InvalidRequest)
    assert "73 tokens, and this model reads 64" in error.user_message


def test_a_text_of_exactly_the_window_is_filled(bert: Pipeline) -> None:
    assert fill(bert, "day " * 61 + "___").blanks


def test_roberta_keeps_two_of_its_positions_to_itself(roberta: Pipeline) -> None:
    assert fill(roberta, "!" * 509 + "___").blanks
    (error,) = run(roberta, FillRequest(text="!" * 510 + "___"))
    assert isinstance(error, InvalidRequest)


def test_a_request_gives_the_same_bits_alone_and_in_a_batch(bert: Pipeline) -> None:
    requests = [FillRequest(text=text) for text in ("a ___ day", "I am a good ___ model .", "the ___")]
    assert run(bert, *requests) == [run(bert, request)[0] for request in requests]


def test_a_refused_request_leaves_the_others_alone(bert: Pipeline) -> None:
    error, filling = run(bert, FillRequest(text="day " * 70 + "___"), FillRequest(text="a ___ day"))
    assert isinstance(error, InvalidRequest)
    assert isinstance(filling, FillMaskResult)


def test_a_model_without_a_mask_token_is_unavailable_for_blanks(tmp_path: Path) -> None:
    folder = tiny_text.bert_filler(tmp_path)
    (folder / "tokenizer_config.json").write_text('{"mask_token": null, "do_lower_case": true}', encoding="utf-8")
    with pytest.raises(ModelUnavailable, match="no mask token"):
        tiny_text.read("fill", folder)
