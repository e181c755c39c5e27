"""Expected numbers were made by transformers 4.57.6's `text-classification` pipeline on the same tiny model."""

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
    return tiny_text.read("mood", tiny_text.classifier(tmp_path_factory.mktemp("classifier")))


def mood(pipeline: Pipeline, text: str) -> Mood:
    (mood,) = moods(pipeline, text)
    return mood


def moods(pipeline: Pipeline, *texts: str) -> tuple[Mood, ...]:
    (found,) = run(pipeline, SentimentRequest(texts=texts))
    assert isinstance(found, SentimentResult)
    return found.moods


@pytest.mark.parametrize(("text", "score"), [("good day", 0.829846), ("I am a bad model .", 0.646711)])
def test_label_and_score_are_those_of_the_old_pipeline(classifier: Pipeline, text: str, score: float) -> None:
    found = mood(classifier, text)
    assert found.label == "positive"
    assert found.score == pytest.approx(score, abs=1e-5)


def test_a_long_text_is_the_average_of_its_windows(classifier: Pipeline) -> None:
    window = mood(classifier, "good day " * 31).score  # 62 words and two special tokens fill one window
    assert mood(classifier, "good day " * 62).score == pytest.approx(window, abs=1e-6)


def test_every_window_of_a_long_text_counts_by_its_length(classifier: Pipeline) -> None:
    whole, rest = mood(classifier, "good day " * 31).score, mood(classifier, "the").score
    assert mood(classifier, "good day " * 31 + "the").score == pytest.approx((64 * whole + 3 * rest) / 67, abs=1e-6)


def test_a_label_that_excludes_no_other_has_its_own_probability(tmp_path: Path) -> None:
    alone = tiny_text.classifier(tmp_path / "a", problem_type="multi_label_classification")
    shared = tiny_text.classifier(tmp_path / "b")
    text = "good day"
    assert mood(tiny_text.read("mood", alone), text).score != mood(tiny_text.read("mood", shared), text).score


def test_a_request_gives_the_same_bits_alone_and_in_a_batch(classifier: Pipeline) -> None:
    requests = [SentimentRequest(texts=(text,)) for text in ("good", "a bad day", "good day " * 200)]
    assert run(classifier, *requests) == [run(classifier, request)[0] for request in requests]


def test_a_cancelled_job_is_skipped(classifier: Pipeline) -> None:
    batch = MemoryBatch.of(SentimentRequest(texts=("good",)), SentimentRequest(texts=("bad",)))
    batch.jobs[0].cancel()
    batch.run(classifier)
    assert batch.jobs[0].outcome is None
    assert isinstance(batch.jobs[1].outcome, SentimentResult)


TEXTS = ("good", "a bad day", "good day " * 200, "the", "bad", "good day " * 31) * 12


def test_each_of_many_texts_has_the_mood_it_has_alone(classifier: Pipeline) -> None:
    for found, text in zip(moods(classifier, *TEXTS), TEXTS, strict=True):
        alone = mood(classifier, text)
        assert found.label == alone.label
        assert (found.score, found.valence) == pytest.approx((alone.score, alone.valence), abs=1e-6)


def test_many_texts_report_how_many_are_done(classifier: Pipeline) -> None:
    batch = MemoryBatch.of(SentimentRequest(texts=TEXTS))
    batch.run(classifier)
    assert batch.jobs[0].events == [Progress(64, len(TEXTS))]


def test_a_cancelled_job_stops_between_batches(classifier: Pipeline) -> None:
    whole, left = (MemoryBatch.of(SentimentRequest(texts=TEXTS)) for _ in range(2))
    left.on_yield = lambda: left.jobs[0].cancel() if left.yield_points == 3 else None
    whole.run(classifier)
    left.run(classifier)
    assert left.yield_points == 3 < whole.yield_points


def test_valence_tells_how_far_a_text_is_from_the_middle(classifier: Pipeline) -> None:
    found = mood(classifier, "good day")
    assert found.valence == pytest.approx(2 * found.score - 1)


def test_without_a_scale_there_is_no_valence(tmp_path: Path) -> None:
    folder = tiny_text.classifier(tmp_path, labels={0: "joy", 1: "surprise"})
    assert mood(tiny_text.read("mood", folder), "good day").valence is None
