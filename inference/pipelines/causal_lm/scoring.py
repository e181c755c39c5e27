"""Tasks that score given words with a causal model instead of generating text."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from math import prod
from typing import Any

import torch

from inference.pipelines.causal_lm.model_runner import ModelRunner, SequenceCache
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.fill_mask_result import fill_mask_result
from inference.tasks import FillMaskResult, FillRequest, Mood, SentimentRequest, SentimentResult
from inference.tasks.fill import split_at_blanks
from inference.types.errors import InvalidRequest

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MAX_CANDIDATES = 24
_MAX_BLANKS = 12
_QUESTION = "\n\nThe feeling of this text is"
_NEUTRAL_TEXT = "N/A"


class Scorer:
    """Fills blanks and rates sentiment with one model. `window` is the largest number of tokens it can process."""

    def __init__(self, runner: ModelRunner[Any], tokenizer: Tokenizer, window: int) -> None:
        self._runner = runner
        self._tokenizer = tokenizer
        self._window = window

    def fill(self, request: FillRequest, yield_point: Callable[[], None]) -> FillMaskResult:
        """Fill the blanks from left to right.

        A causal model reads from the left only. So the text before a blank proposes words, and the text after it, up to
        the next blank, ranks them. Scores are shares among the candidates. Joint predictions differ only in the last
        blank. `yield_point` is called before each call of the model. Raise InvalidRequest if there are too many blanks.
        """
        pieces = split_at_blanks(request.text)
        if len(pieces) - 1 > _MAX_BLANKS:
            raise InvalidRequest(
                "This text has {count} blanks; this model fills up to {most}. Leave some of them out.",
                count=len(pieces) - 1,
                most=_MAX_BLANKS,
            )
        before = pieces[0]
        blanks: list[list[tuple[str, float]]] = []
        for after in pieces[1:]:
            words = self._ranked_words(before, after, yield_point)[: request.top_k]
            blanks.append(words)
            before += words[0][0] + after
        best = [words[0] for words in blanks[:-1]]
        joint = [([*(w for w, _ in best), word], score * prod(s for _, s in best)) for word, score in blanks[-1]]
        return fill_mask_result(pieces, blanks, joint, request.top_k)

    def sentiment(self, request: SentimentRequest, yield_point: Callable[[], None]) -> SentimentResult:
        """Rate each text: is "positive" or "negative" the likelier continuation, compared with a neutral text?

        Subtracting the model's own preference is contextual calibration (Zhao et al. 2021,
        https://arxiv.org/abs/2102.09690). `yield_point` is called before each call of the model.
        """
        bias = self._log_odds(_NEUTRAL_TEXT)
        moods: list[Mood] = []
        for text in request.texts:
            yield_point()
            moods.append(_mood(self._log_odds(text) - bias))
        return SentimentResult(tuple(moods))

    def _log_odds(self, text: str) -> float:
        """Cut the end of a text that exceeds the window: one long message must not fail a list of them."""
        tokens = self._tokenizer.encode_prompt(text + _QUESTION)
        if len(tokens) > self._window:
            question = self._tokenizer.encode(_QUESTION)
            tokens = tokens[: self._window - len(question)] + question
        with self._cache(len(tokens)) as cache:
            logits = self._runner.prefill([cache], [tokens])[0]
        positive, negative = (self._tokenizer.encode(word)[0] for word in (" positive", " negative"))
        return float(logits[positive] - logits[negative])

    def _ranked_words(self, before: str, after: str, yield_point: Callable[[], None]) -> list[tuple[str, float]]:
        """Return words that fit between `before` and `after`, best first, with their shares."""
        context = self._tokenizer.encode_prompt(before.rstrip()) or [self._tokenizer.bos_token_id]
        rest = self._tokenizer.encode(after)
        self._check_fits([*context, *rest, 0])
        scores: list[float] = []
        yield_point()
        with self._cache(len(context) + 1 + len(rest)) as cache:
            candidates = self._candidates(self._runner.prefill([cache], [context])[0], spaced=before[-1:].isspace())
            for token, _, score in candidates:
                yield_point()
                scores.append(score + self._log_likelihood(cache, token, rest))
        shares = torch.softmax(torch.tensor(scores), dim=0).tolist()
        ranked = sorted(zip(candidates, shares, strict=True), key=lambda pair: -pair[1])
        return [(word, share) for (_, word, _), share in ranked]

    @contextmanager
    def _cache(self, capacity: int) -> Generator[SequenceCache]:
        """Yield the cache of a new sequence, and free its memory at the end."""
        cache = self._runner.new_cache(capacity)
        try:
            yield cache
        finally:
            cache.clear()

    def _candidates(self, logits: torch.Tensor, *, spaced: bool) -> list[tuple[int, str, float]]:
        """Return the likeliest tokens that are words, with their log-probabilities."""
        candidates: dict[str, tuple[int, str, float]] = {}
        scores, tokens = torch.log_softmax(logits, dim=-1).topk(min(40 * _MAX_CANDIDATES, len(logits)))
        for token, score in zip(tokens.tolist(), scores.tolist(), strict=True):
            text = self._tokenizer.decode([token])
            word = text.strip()
            if _WORD.fullmatch(word) and (text[0].isspace() or not spaced) and word not in candidates:
                candidates[word] = (token, word, score)
            if len(candidates) == _MAX_CANDIDATES:
                break
        if not candidates:
            raise InvalidRequest("This model has no word for this blank. Write more before it.")
        return list(candidates.values())

    def _log_likelihood(self, cache: SequenceCache, word: int, rest: list[int]) -> float:
        """Return log P(rest | context, word). `cache` holds the context."""
        logits = self._runner.score(cache, [word, *rest])
        scores = torch.log_softmax(logits[: len(rest)], dim=-1)
        return float(scores.gather(1, torch.tensor(rest, dtype=torch.long)[:, None]).sum())

    def _check_fits(self, tokens: list[int]) -> list[int]:
        if len(tokens) > self._window:
            raise InvalidRequest(
                "This text has {count:,} tokens; this model takes {most:,}. Shorten it.",
                count=len(tokens),
                most=self._window,
            )
        return tokens


def _mood(log_odds: float) -> Mood:
    positive = float(torch.sigmoid(torch.tensor(log_odds)))
    label, score = ("positive", positive) if positive >= 0.5 else ("negative", 1 - positive)
    return Mood(label, score, 2 * positive - 1)
