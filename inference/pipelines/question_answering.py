"""Extractive question answering: the answer is a span of the text, or empty if the text does not say.

Answers equal those of the `question-answering` pipeline of transformers up to 4.57, with
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
from inference.pipelines.encoder_models import read_encoder, read_tokenizer, run_batched, window
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import weight_bytes
from inference.tasks import Answer, AskRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest

_MAX_WINDOW = 384
"""Tokens of question and context in one window, as in the training of SQuAD models."""

_STRIDE = 128
"""Tokens that neighbouring windows share, so that no answer is cut in two."""

_MAX_ANSWER_TOKENS = 15
"""Maximum length of an answer in tokens."""

_NUM_CANDIDATES = 12
"""Candidate spans of each window."""

_MASKED = -10_000.0


class QuestionAnswering(Pipeline):
    """A question answering model and its (fast) tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = min(_MAX_WINDOW, window(model, tokenizer))
        self._stride = min(_STRIDE, self._window // 2)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        tokenizer = read_tokenizer(folder)
        return cls(read_encoder(AutoModelForQuestionAnswering, spec, folder, placement, tokenizer), tokenizer)

    def run(self, batch: Batch) -> None:
        run_jobs(batch, lambda job: self._answer(job.request, lambda: yield_to_others(batch, job)))

    def _answer(self, request: Any, yield_point: Callable[[], None]) -> Answer:
        assert isinstance(request, AskRequest)
        encoded = self._encode(request)
        names = [name for name in self._tokenizer.model_input_names if name in encoded]
        inputs = [{name: encoded[name][i] for name in names} for i in range(len(encoded.encodings))]
        logits = run_batched(self._model, inputs, _logits, yield_point)
        pairs = zip(encoded.encodings, logits, strict=True)
        windows = [_WindowScores(request.context, *pair, self._tokenizer.cls_token_id) for pair in pairs]
        spans = _merge_equal(span for window in windows for span in window.candidates)
        no_answer = Answer("", min(window.null for window in windows), 0, 0)
        best = max([*spans, no_answer], key=lambda answer: answer.score)
        return replace(best, **_alternatives_and_passages(request, best, spans, windows))

    def _encode(self, request: AskRequest) -> Any:
        """Split the context into as many windows as needed, each with the whole question before it."""
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
        """Refuse a question that leaves so little room for a long context that it would take hundreds of windows."""
        room = self._window - self._tokenizer.num_special_tokens_to_add(pair=True)
        max_question = room - self._stride - self._stride // 4
        num_question_tokens = self._length(request.question)
        if num_question_tokens > max_question and num_question_tokens + self._length(request.context) > room:
            raise InvalidRequest(
                "The question is too long for this text: it has {count:,} tokens, and this model takes {most:,}. Ask "
                "it shorter.",
                count=num_question_tokens,
                most=max_question,
            )

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


class _WindowScores:
    """The scores of one window of the context. `logits` is [2, tokens], for the start and the end of answers.

    "No answer" is a span that starts and ends at the first token, with probability `null`. `candidates` are the
    likeliest spans, best first. They may overlap.
    """

    def __init__(self, context: str, encoding: Any, logits: Tensor, cls_token_id: int) -> None:
        is_context = [s == 1 for s in encoding.sequence_ids]
        allowed = torch.tensor([s or t == cls_token_id for s, t in zip(is_context, encoding.ids, strict=True)])
        start, end = logits.masked_fill(~allowed, _MASKED).softmax(dim=-1)
        self.null = float(start[0] * end[0])
        start[0] = end[0] = 0
        self._start, self._end = start * allowed, end * allowed
        self._context = context
        self._encoding = encoding
        self._tokens = [i for i, s in enumerate(is_context) if s]
        self.candidates = [self._answer(*span) for span in _best_spans(self._start, self._end, _NUM_CANDIDATES)]

    def distinct_spans(self, max_count: int) -> list[Answer]:
        """Return up to `max_count` of the likeliest spans that don't overlap, best first."""
        start, end = self._start.clone(), self._end.clone()
        found: list[Answer] = []
        for first, last, score in (span for _ in range(max_count) for span in _best_spans(start, end, 1)):
            found.append(self._answer(first, last, score))
            start[first : last + 1] = end[first : last + 1] = 0
        return found

    def passage(self) -> ScoredPassage | None:
        """Return the window's part of the context; None if it is empty."""
        if not self.candidates:
            return None
        offsets = self._encoding.offsets
        start, end = offsets[self._tokens[0]][0], offsets[self._tokens[-1]][1]
        return ScoredPassage(start, end, self.candidates[0]) if self._context[start:end].strip() else None

    def _answer(self, first: int, last: int, score: float) -> Answer:
        start, end = _characters(self._encoding, first, last)
        return Answer(self._context[start:end], score, start, end)


def _alternatives_and_passages(
    request: AskRequest, best: Answer, spans: list[Answer], windows: list[_WindowScores]
) -> dict[str, Any]:
    """Return alternatives to `best` and relevant passages, from the likeliest windows."""
    pairs = [(passage, window) for window in windows if (passage := window.passage())]
    pairs.sort(key=lambda pair: -pair[0].best.score)
    known_texts = {span.text.lower() for span in spans}
    max_count = request.alternatives + 1
    new_spans = (span for _, window in pairs[:max_count] for span in window.distinct_spans(max_count))
    all_spans = [*spans, *(span for span in new_spans if span.text.lower() not in known_texts)]
    return {
        "alternatives": alternatives(all_spans, best, request.alternatives),
        "passages": best_passages(request.context, [passage for passage, _ in pairs]),
    }


def _logits(output: Any) -> Tensor:
    return torch.stack((output.start_logits, output.end_logits), dim=1)  # [windows, 2, tokens]


def _best_spans(start: Tensor, end: Tensor, max_count: int) -> Iterator[tuple[int, int, float]]:
    """Yield first token, last token and probability of the likeliest spans of allowed length, best first."""
    spans = torch.outer(start, end).triu().tril(_MAX_ANSWER_TOKENS - 1)  # [first, last]
    scores, indices = spans.flatten().topk(min(max_count, spans.numel()))
    for score, index in zip(scores.tolist(), indices.tolist(), strict=True):
        if score > 0:
            yield index // len(end), index % len(end), score


def _characters(encoding: Any, first: int, last: int) -> tuple[int, int]:
    """Return start and end of the words of these tokens; of the tokens themselves for tokenizers without words."""
    words = encoding.token_to_word(first), encoding.token_to_word(last)
    if None in words:
        return encoding.offsets[first][0], encoding.offsets[last][1]
    return encoding.word_to_chars(words[0], 1)[0], encoding.word_to_chars(words[1], 1)[1]


def _merge_equal(answers: Iterable[Answer]) -> list[Answer]:
    """Merge answers with equal text, from overlapping windows or other positions, into the first of them.

    Their scores are added, so they may exceed 1.
    """
    merged: dict[str, Answer] = {}
    for answer in answers:
        key = answer.text.lower()
        known = merged.get(key)
        merged[key] = replace(known, score=known.score + answer.score) if known else answer
    return list(merged.values())
