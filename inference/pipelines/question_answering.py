"""Extractive question answering: the answer is a piece of the text, or nothing when the text does not say.

Answers equal those of the `question-answering` pipeline that transformers had up to 4.57, with
`handle_impossible_answer=True`: the same windows, candidates, alignment to words, and scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForQuestionAnswering

from inference.pipelines.answer_candidates import ScoredPassage, alternatives, best_passages
from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import read_tokenizer, run_rows, window
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import Answer, AskRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest

_WINDOW = 384
"""Tokens of question and context that the model reads at once; SQuAD's models were trained so."""

_STRIDE = 128
"""Tokens that two neighbouring windows share, so that no answer is cut in two."""

_LONGEST = 15
"""Tokens of an answer."""

_CANDIDATES = 12
"""Spans that each window proposes."""

_MASKED = -10_000.0


class QuestionAnswering(Pipeline):
    """A question answering model and its (fast) tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = min(_WINDOW, window(model, tokenizer))
        self._stride = min(_STRIDE, self._window // 2)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_model(AutoModelForQuestionAnswering, folder, placement), read_tokenizer(folder))

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._answer(job.request, lambda: yield_to_others(batch, job)))

    def _answer(self, request: Any, yield_point: Callable[[], None]) -> Answer:
        assert isinstance(request, AskRequest)
        encoded = self._encode(request)
        names = [name for name in self._tokenizer.model_input_names if name in encoded]
        rows = [{name: encoded[name][i] for name in names} for i in range(len(encoded.encodings))]
        logits = run_rows(self._model, rows, _logits, yield_point)
        pairs = zip(encoded.encodings, logits, strict=True)
        readings = [_WindowScores(request.context, *pair, self._tokenizer.cls_token_id) for pair in pairs]
        spans = _merged(span for reading in readings for span in reading.candidates)
        nothing = Answer("", min(reading.null for reading in readings), 0, 0)
        best = max([*spans, nothing], key=lambda answer: answer.score)
        return replace(best, **_evidence(request, best, spans, readings))

    def _encode(self, request: AskRequest) -> Any:
        """As many windows as the context needs, each with the whole question before it."""
        self._check_length(request)
        return self._tokenizer(
            request.question,
            request.context,
            truncation="only_second",
            max_length=self._window,
            stride=self._stride,
            return_overflowing_tokens=True,
            verbose=False,
        )

    def _check_length(self, request: AskRequest) -> None:
        """Refuse a question that leaves a long context so little room that it would take hundreds of windows."""
        room = self._window - self._tokenizer.num_special_tokens_to_add(pair=True)
        most = room - self._stride - self._stride // 4
        question = self._length(request.question)
        if question > most and question + self._length(request.context) > room:
            raise InvalidRequest(
                "The question is too long for this text: it has {count:,} tokens, and this model takes {most:,}. Ask "
                "it shorter.",
                count=question,
                most=most,
            )

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


class _WindowScores:
    """What the model says of one window of the context; `logits` is [2, tokens], of where answers start and end.

    "No answer" is a span that starts and ends at the first token; `null` is its probability. `candidates` are the
    likeliest spans, best first; they may overlap.
    """

    def __init__(self, context: str, encoding: Any, logits: Tensor, cls: int) -> None:
        of_context = [s == 1 for s in encoding.sequence_ids]
        allowed = torch.tensor([s or t == cls for s, t in zip(of_context, encoding.ids, strict=True)])
        start, end = logits.masked_fill(~allowed, _MASKED).softmax(dim=-1)
        self.null = float(start[0] * end[0])
        start[0] = end[0] = 0
        self._start, self._end = start * allowed, end * allowed
        self._context = context
        self._encoding = encoding
        self._tokens = [i for i, s in enumerate(of_context) if s]
        self.candidates = [self._answer(*span) for span in _best_spans(self._start, self._end, _CANDIDATES)]

    def peaks(self, most: int) -> list[Answer]:
        """The likeliest spans that don't overlap, up to `most`; best first."""
        start, end = self._start.clone(), self._end.clone()
        peaks: list[Answer] = []
        for first, last, score in (span for _ in range(most) for span in _best_spans(start, end, 1)):
            peaks.append(self._answer(first, last, score))
            start[first : last + 1] = end[first : last + 1] = 0
        return peaks

    def stretch(self) -> ScoredPassage | None:
        """What the window shows of the context; None where there is nothing."""
        if not self.candidates:
            return None
        offsets = self._encoding.offsets
        start, end = offsets[self._tokens[0]][0], offsets[self._tokens[-1]][1]
        return ScoredPassage(start, end, self.candidates[0]) if self._context[start:end].strip() else None

    def _answer(self, first: int, last: int, score: float) -> Answer:
        begin, stop = _characters(self._encoding, first, last)
        return Answer(self._context[begin:stop], score, begin, stop)


def _evidence(request: AskRequest, best: Answer, spans: list[Answer], readings: list[_WindowScores]) -> dict[str, Any]:
    """The alternatives to `best` and the stretches that speak of the question, from the likeliest windows."""
    pairs = [(stretch, reading) for reading in readings if (stretch := reading.stretch())]
    pairs.sort(key=lambda pair: -pair[0].best.score)
    known = {span.text.lower() for span in spans}
    peaks = (
        peak for _, reading in pairs[: request.alternatives + 1] for peak in reading.peaks(request.alternatives + 1)
    )
    others = [*spans, *(peak for peak in peaks if peak.text.lower() not in known)]
    return {
        "alternatives": alternatives(others, best, request.alternatives),
        "passages": best_passages(request.context, [stretch for stretch, _ in pairs]),
    }


def _logits(output: Any) -> Tensor:
    return torch.stack((output.start_logits, output.end_logits), dim=1)  # [windows, 2, tokens]


def _best_spans(start: Tensor, end: Tensor, most: int) -> Iterator[tuple[int, int, float]]:
    """First token, last token and probability of the likeliest spans that aren't too long, best first."""
    spans = torch.outer(start, end).triu().tril(_LONGEST - 1)  # [first, last]
    scores, places = spans.flatten().topk(min(most, spans.numel()))
    for score, place in zip(scores.tolist(), places.tolist(), strict=True):
        if score > 0:
            yield place // len(end), place % len(end), score


def _characters(encoding: Any, first: int, last: int) -> tuple[int, int]:
    """Where the words of these two tokens begin and end; the tokens themselves, for tokenizers without words."""
    words = encoding.token_to_word(first), encoding.token_to_word(last)
    if None in words:
        return encoding.offsets[first][0], encoding.offsets[last][1]
    return encoding.word_to_chars(words[0], 1)[0], encoding.word_to_chars(words[1], 1)[1]


def _merged(answers: Iterable[Answer]) -> list[Answer]:
    """Answers that read the same, from overlapping windows or other places, as the first of them.

    Their scores add up, and may so exceed 1.
    """
    merged: dict[str, Answer] = {}
    for answer in answers:
        same = answer.text.lower()
        known = merged.get(same)
        merged[same] = replace(known, score=known.score + answer.score) if known else answer
    return list(merged.values())
