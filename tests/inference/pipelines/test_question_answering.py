"""Test extractive answers. The expected answers come from the `question-answering` pipeline of transformers 4.57.6,
with `handle_impossible_answer=True`.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from inference import document_text
from inference.pipelines import Pipeline
from inference.pipelines.answer_candidates import alternatives
from inference.tasks import Answer, AskRequest
from inference.types.errors import InvalidRequest, RequestCancelled
from tests.inference.documents.sample_documents import book
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.harness import MemoryBatch, run

SENTENCE = "Anna met Bert in Rome."
NAMES, TOWNS = ["Zoë", "Carla", "Dora", "Emil"], ["Oslo", "Bern", "Prague", "Lima"]
LONG = (SENTENCE + " ") * 60  # four windows
FOREIGN = " Zoë’s café – 東京!\n\nAnd 🎈 again."

Readers = dict[int, Pipeline]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    """Return the models by the seed of their weights."""
    return {
        seed: tiny_text.load_pipeline("ask", tiny_text.reader(tmp_path_factory.mktemp("reader"), seed))
        for seed in (1, 5)
    }


def ask(pipeline: Pipeline, question: str, context: str) -> Answer:
    (answer,) = run(pipeline, AskRequest(question=question, context=context))
    assert isinstance(answer, Answer)
    return answer


@pytest.mark.parametrize(
    ("seed", "question", "context", "text", "start", "score"),
    [
        (1, "Who?", SENTENCE, "met Bert in Rome", 5, 0.060984),
        (1, "Who?", "No.", "No", 0, 0.263355),
        (1, "Where is it?", LONG, "Bert in Rome", 170, 0.000922),
        (1, "Où?", FOREIGN, "’s café", 4, 0.013806),
        (5, "Who?", SENTENCE, "Bert in Rome", 9, 0.022652),
        (5, "Who?", "No.", "", 0, 0.165325),
        (5, "Where is it?", LONG, "Bert", 101, 0.001151),
        (5, "Où?", FOREIGN, "東京!\n\n", 14, 0.024317),
    ],
)
def test_answers_equal_those_of_the_transformers_pipeline(
    readers: Readers, seed: int, question: str, context: str, text: str, start: int, score: float
) -> None:
    answer = ask(readers[seed], question, context)
    assert (answer.text, answer.start, answer.end) == (text, start, start + len(text))
    assert answer.score == pytest.approx(score, abs=2e-6)


def test_the_positions_of_an_answer_are_those_of_its_text(readers: Readers) -> None:
    for context in (SENTENCE, LONG, FOREIGN):
        answer = ask(readers[1], "Who?", context)
        assert answer.text
        assert context[answer.start : answer.end] == answer.text


def test_an_empty_context_has_no_answer(readers: Readers) -> None:
    assert ask(readers[1], "Who?", "").text == ""


def test_a_request_gives_exactly_the_same_result_alone_and_in_a_batch(readers: Readers) -> None:
    requests = [AskRequest(question="Who?", context=context) for context in (LONG * 5, SENTENCE, LONG, FOREIGN)]
    assert run(readers[5], *requests) == [run(readers[5], request)[0] for request in requests]


def test_a_question_too_long_for_a_window_with_context_is_refused(readers: Readers) -> None:
    (error,) = run(readers[1], AskRequest(question="?" * 221, context=SENTENCE * 10))
    assert isinstance(error, InvalidRequest)
    assert "221 tokens, and this model takes 220" in error.user_message
    assert ask(readers[1], "?" * 220, SENTENCE * 10).text


def test_a_long_question_with_a_short_context_is_answered(readers: Readers) -> None:
    assert ask(readers[1], "?" * 300, SENTENCE).text


def test_a_long_context_yields_between_windows(readers: Readers) -> None:
    short, long = (MemoryBatch.of(AskRequest(question="Who?", context=LONG * n)) for n in (1, 20))
    short.run(readers[1])
    long.run(readers[1])
    assert long.yield_points > short.yield_points + 5


def test_a_cancelled_job_stops_between_windows(readers: Readers) -> None:
    batch = MemoryBatch.of(
        AskRequest(question="Who?", context=LONG * 20), AskRequest(question="Who?", context=SENTENCE)
    )
    batch.on_yield = lambda: batch.yield_points == 3 and batch.jobs[0].cancel()
    cancelled, answer = batch.run(readers[1])
    assert isinstance(cancelled, RequestCancelled)
    assert isinstance(answer, Answer)
    assert batch.yield_points <= 6


def test_alternatives_do_not_overlap_and_differ_in_text(readers: Readers) -> None:
    context = " ".join(f"{name} met Bert in {town}." for name, town in zip(NAMES * 9, TOWNS * 9, strict=True))
    answer = ask(readers[1], "Who?", context)
    spans = [range(each.start, each.end) for each in (answer, *answer.alternatives)]
    assert len(answer.alternatives) == 3
    assert len({position for span in spans for position in span}) == sum(map(len, spans))
    assert len({each.text.lower() for each in (answer, *answer.alternatives)}) == 4
    assert all(context[other.start : other.end] == other.text for other in answer.alternatives)
    scores = [other.score for other in answer.alternatives]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[0] < answer.score


def test_only_the_requested_number_of_alternatives_is_returned(readers: Readers) -> None:
    (none,) = run(readers[1], AskRequest(question="Who?", context=LONG, alternatives=0))
    (one,) = run(readers[1], AskRequest(question="Who?", context=LONG, alternatives=1))
    assert isinstance(none, Answer)
    assert isinstance(one, Answer)
    assert (none.alternatives, len(one.alternatives)) == ((), 1)


def test_an_empty_answer_has_alternatives(readers: Readers) -> None:
    answer = ask(readers[5], "Who?", "No.")
    assert answer.text == ""
    assert [other.text for other in answer.alternatives] == ["No"]


def test_passages_are_separate_and_consist_of_whole_sentences(readers: Readers) -> None:
    context = LONG * 20
    passages = ask(readers[5], "Where is it?", context).passages
    assert len(passages) == 3
    for start, end in passages:
        assert context[start:end].startswith("Anna")
        assert context[start:end].endswith("Rome.")
    by_position = sorted(passages)
    assert all(one[1] < other[0] for one, other in pairwise(by_position))


def test_a_short_context_is_one_passage(readers: Readers) -> None:
    assert ask(readers[1], "Who?", f" {SENTENCE}\n").passages == ((1, 1 + len(SENTENCE)),)
    assert ask(readers[1], "Who?", " ").passages == ()


def test_a_document_of_a_hundred_pages_is_read_completely(readers: Readers) -> None:
    context = document_text(book(sentence="The keeper is called Marta."), "book.pdf")
    answer = ask(readers[5], "Who is the keeper?", context)
    assert context[answer.start : answer.end] == answer.text
    assert max(end for _, end in answer.passages) > len(context) / 3


def test_a_span_that_overlaps_a_better_one_is_not_an_alternative() -> None:
    best, overlapping, separate = (
        Answer("in old Rome", 0.5, 10, 21),
        Answer("Rome, Italy", 0.4, 17, 28),
        Answer("Oslo", 0.1, 40, 44),
    )
    assert alternatives([best, overlapping, separate], best, 3) == (separate,)
    assert alternatives([overlapping, separate], Answer("", 0.9, 0, 0), 3) == (overlapping, separate)
