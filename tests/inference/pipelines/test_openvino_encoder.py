"""Test that encoder models give the same answers with OpenVINO as with torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inference.pipelines import Pipeline, load
from inference.tasks import Answer, AskRequest, FillMaskResult, FillRequest, Request, SentimentRequest, SentimentResult
from inference.types import ModelSpec, Output
from inference.types.errors import InvalidRequest, ModelUnavailable
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.harness import run

pytest.importorskip("openvino")

SENTENCE = "Anna met Bert in Rome."
LONG = (SENTENCE + " ") * 60  # four windows
SHORT_QUESTION, LONG_QUESTION = (AskRequest(question="Who?", context=context) for context in (SENTENCE, LONG))
SPEC = ModelSpec(name="tiny", task="ask", repo="org/tiny", runtime="openvino")


def load_both(folder: Path, task: str, save: Callable[[Path], Path]) -> tuple[Pipeline, Pipeline]:
    """Return a model of the hub's cache with OpenVINO, and with torch."""
    snapshot = folder / "models--org--tiny" / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    save(snapshot)
    spec = replace(SPEC, task=task)
    ours, theirs = (load(replace(spec, runtime=name), snapshot, tiny_text.FLOAT32) for name in ("openvino", "torch"))
    return ours, theirs


def outcomes(pipelines: tuple[Pipeline, Pipeline], *requests: Request) -> tuple[list[Output], list[Output]]:
    ours, theirs = (run(pipeline, *requests) for pipeline in pipelines)
    assert all(isinstance(outcome, Output) for outcome in (*ours, *theirs)), (ours, theirs)
    return ours, theirs  # type: ignore[return-value]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, Pipeline]:
    return load_both(tmp_path_factory.mktemp("reader"), "ask", tiny_text.reader)


@pytest.mark.parametrize("request_", [SHORT_QUESTION, LONG_QUESTION], ids=["short", "long"])
def test_answers_are_those_of_torch(readers: tuple[Pipeline, Pipeline], request_: AskRequest) -> None:
    [ours], [theirs] = outcomes(readers, request_)
    assert isinstance(ours, Answer)
    assert isinstance(theirs, Answer)
    assert (ours.text, ours.start) == (theirs.text, theirs.start)
    assert ours.score == pytest.approx(theirs.score, rel=1e-3)


def test_an_answer_is_the_same_alone_and_in_a_batch(readers: tuple[Pipeline, Pipeline]) -> None:
    [alone] = run(readers[0], LONG_QUESTION)
    assert run(readers[0], SHORT_QUESTION, LONG_QUESTION, SHORT_QUESTION)[1] == alone


@pytest.mark.parametrize("save", [tiny_text.bert_masked_lm, tiny_text.roberta_masked_lm])
def test_words_are_those_of_torch(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    [ours], [theirs] = outcomes(load_both(tmp_path, "fill", save), FillRequest(text="i am a [MASK] [MASK] .", top_k=3))
    assert isinstance(ours, FillMaskResult)
    assert isinstance(theirs, FillMaskResult)
    assert [[each.word for each in blank] for blank in ours.blanks] == [
        [each.word for each in blank] for blank in theirs.blanks
    ]


def test_moods_are_those_of_torch(tmp_path: Path) -> None:
    request = SentimentRequest(texts=("a good day", "a bad model .", "hello " * 90))
    [ours], [theirs] = outcomes(load_both(tmp_path, "mood", tiny_text.classifier), request)
    assert isinstance(ours, SentimentResult)
    assert isinstance(theirs, SentimentResult)
    assert [mood.label for mood in ours.moods] == [mood.label for mood in theirs.moods]
    assert [mood.score for mood in ours.moods] == pytest.approx([mood.score for mood in theirs.moods], rel=1e-4)


def test_a_text_longer_than_the_window_is_refused_as_with_torch(tmp_path: Path) -> None:
    refusals = [
        run(pipeline, FillRequest(text="hello " * 90 + "[MASK]"))
        for pipeline in load_both(tmp_path, "fill", tiny_text.bert_masked_lm)
    ]
    assert isinstance(refusals[0][0], InvalidRequest)
    assert str(refusals[0][0]) == str(refusals[1][0])


def test_half_precision_that_openvino_does_not_have_is_refused(tmp_path: Path) -> None:
    folder = tiny_text.reader(tmp_path)
    with pytest.raises(ModelUnavailable, match="it computes in float32 or bfloat16 only"):
        load(replace(SPEC, dtype="float16"), folder, tiny_text.FLOAT32)
