"""Test sentiment. The expected scores come from the `text-classification` pipeline of transformers 4.57.6."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.pipelines import Pipeline
from inference.tasks import Mood, SentimentRequest, SentimentResult
from inference.types import Progress
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.harness import MemoryBatch, run


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return tiny_text.load_pipeline("mood", tiny_text.classifier(tmp_path_factory.mktemp("classifier")))


def mood(pipeline: Pipeline, text: str) -> Mood:
    (mood,) = moods(pipeline, text)
    return mood


def moods(pipeline: Pipeline, *texts: str) -> tuple[Mood, ...]:
    (result,) = run(pipeline, SentimentRequest(texts=texts))
    assert isinstance(result, SentimentResult)
    return result.moods


@pytest.mark.parametrize(("text", "score"), [("good day", 0.829846), ("I am a bad model .", 0.646711)])
def test_label_and_score_equal_those_of_the_transformers_pipeline(
    classifier: Pipeline, text: str, score: float
) -> None:
    result = mood(classifier, text)
    assert result.label == "positive"
    assert result.score == pytest.approx(score, abs=1e-5)


def test_the_score_of_a_long_text_is_the_average_of_its_windows(classifier: Pipeline) -> None:
    window = mood(classifier, "good day " * 31).score  # 62 words and two special tokens fill one window
    assert mood(classifier, "good day " * 62).score == pytest.approx(window, abs=1e-6)


def test_the_windows_of_a_long_text_are_weighted_by_their_length(classifier: Pipeline) -> None:
    whole, rest = mood(classifier, "good day " * 31).score, mood(classifier, "the").score
    assert mood(classifier, "good day " * 31 + "the").score == pytest.approx((64 * whole + 3 * rest) / 67, abs=1e-6)


def test_multi_label_classifiers_use_a_separate_probability_for_each_label(tmp_path: Path) -> None:
    multi_label = tiny_text.classifier(tmp_path / "a", problem_type="multi_label_classification")
    softmax = tiny_text.classifier(tmp_path / "b")
    text = "good day"
    assert (
        mood(tiny_text.load_pipeline("mood", multi_label), text).score
        != mood(tiny_text.load_pipeline("mood", softmax), text).score
    )


def test_a_request_gives_exactly_the_same_result_alone_and_in_a_batch(classifier: Pipeline) -> None:
    requests = [SentimentRequest(texts=(text,)) for text in ("good", "a bad day", "good day " * 200)]
    assert run(classifier, *requests) == [run(classifier, request)[0] for request in requests]


def test_a_cancelled_job_is_skipped(classifier: Pipeline) -> None:
    batch = MemoryBatch.of(SentimentRequest(texts=("good",)), SentimentRequest(texts=("bad",)))
    batch.jobs[0].cancel()
    batch.run(classifier)
    assert batch.jobs[0].outcome is None
    assert isinstance(batch.jobs[1].outcome, SentimentResult)


TEXTS = ("good", "a bad day", "good day " * 200, "the", "bad", "good day " * 31) * 12


def test_each_of_many_texts_has_the_same_mood_as_alone(classifier: Pipeline) -> None:
    for result, text in zip(moods(classifier, *TEXTS), TEXTS, strict=True):
        single = mood(classifier, text)
        assert result.label == single.label
        assert (result.score, result.valence) == pytest.approx((single.score, single.valence), abs=1e-6)


def test_progress_counts_the_finished_texts(classifier: Pipeline) -> None:
    batch = MemoryBatch.of(SentimentRequest(texts=TEXTS))
    batch.run(classifier)
    assert batch.jobs[0].events == [Progress(64, len(TEXTS))]


def test_a_cancelled_job_stops_between_batches(classifier: Pipeline) -> None:
    whole, cancelled = (MemoryBatch.of(SentimentRequest(texts=TEXTS)) for _ in range(2))
    cancelled.on_yield = lambda: cancelled.jobs[0].cancel() if cancelled.yield_points == 3 else None
    whole.run(classifier)
    cancelled.run(classifier)
    assert cancelled.yield_points == 3 < whole.yield_points


def test_the_valence_is_the_signed_distance_from_neutral(classifier: Pipeline) -> None:
    result = mood(classifier, "good day")
    assert result.valence == pytest.approx(2 * result.score - 1)


def test_labels_without_a_scale_have_no_valence(tmp_path: Path) -> None:
    folder = tiny_text.classifier(tmp_path, labels={0: "joy", 1: "surprise"})
    assert mood(tiny_text.load_pipeline("mood", folder), "good day").valence is None
