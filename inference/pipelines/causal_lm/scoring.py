"""What a causal model tells without writing: how likely words are in their place."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod

import torch

from inference.pipelines.causal_lm.model_runner import KVCache, ModelRunner
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.fill_mask_result import fill_mask_result
from inference.tasks import FillMaskResult, FillRequest, Mood, SentimentRequest, SentimentResult
from inference.text.mask_tokens import split_at_blanks
from inference.types.errors import InvalidRequest

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PROPOSALS = 24
_MOST_BLANKS = 12
_QUESTION = "\n\nThe feeling of this text is"
_NOTHING = "N/A"


class Scorer:
    """Fills blanks and tells moods with one model; `window` is the most tokens it can read."""

    def __init__(self, decoder: ModelRunner, vocabulary: Tokenizer, window: int) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._window = window

    def fill(self, request: FillRequest, pause: Callable[[], None]) -> FillMaskResult:
        """Fill the blanks from left to right.

        A causal model reads from the left alone: so what stands before a blank proposes words, and what follows, up to
        the next blank, judges them. Scores are shares among the proposals. Words for all blanks together differ in the
        last blank alone. `pause` is called before each look at the model. Raises InvalidRequest for too many blanks.
        """
        pieces = split_at_blanks(request.text)
        if len(pieces) - 1 > _MOST_BLANKS:
            raise InvalidRequest(
                "This text has {count} blanks; this model fills up to {most}. Leave some of them out.",
                count=len(pieces) - 1,
                most=_MOST_BLANKS,
            )
        before = pieces[0]
        blanks: list[list[tuple[str, float]]] = []
        for after in pieces[1:]:
            words = self._words(before, after, pause)[: request.top_k]
            blanks.append(words)
            before += words[0][0] + after
        first = [words[0] for words in blanks[:-1]]
        together = [([*(w for w, _ in first), word], score * prod(s for _, s in first)) for word, score in blanks[-1]]
        return fill_mask_result(pieces, blanks, together, request.top_k)

    def moods(self, request: SentimentRequest, pause: Callable[[], None]) -> SentimentResult:
        """Whether "positive" or "negative" continues each text better than it continues no text at all.

        Taking off what the model prefers anyway is contextual calibration (Zhao et al. 2021,
        https://arxiv.org/abs/2102.09690). `pause` is called before each look at the model.
        """
        nothing = self._log_odds(_NOTHING)
        moods: list[Mood] = []
        for text in request.texts:
            pause()
            moods.append(_mood(self._log_odds(text) - nothing))
        return SentimentResult(tuple(moods))

    def _log_odds(self, text: str) -> float:
        """Of a text too long for the window, the end goes: one such message must not fail a list of them."""
        tokens = self._vocabulary.prompt(text + _QUESTION)
        if len(tokens) > self._window:
            question = self._vocabulary.tokens(_QUESTION)
            tokens = tokens[: self._window - len(question)] + question
        logits = self._decoder.prompt(KVCache(len(tokens)), tokens)[0]
        positive, negative = (self._vocabulary.tokens(word)[0] for word in (" positive", " negative"))
        return float(logits[positive] - logits[negative])

    def _words(self, before: str, after: str, pause: Callable[[], None]) -> list[tuple[str, float]]:
        """Words between `before` and `after`, best first, with their shares."""
        context = self._vocabulary.prompt(before.rstrip()) or [self._vocabulary.start]
        rest = self._vocabulary.tokens(after)
        self._fitting([*context, *rest, 0])
        sequence = KVCache(len(context) + 1 + len(rest))
        pause()
        proposals = self._proposals(self._decoder.prompt(sequence, context)[0], spaced=before[-1:].isspace())
        scores: list[float] = []
        for token, _, score in proposals:
            pause()
            scores.append(score + self._log_likelihood(sequence, len(context), token, rest))
        shares = torch.softmax(torch.tensor(scores), dim=0).tolist()
        ranked = sorted(zip(proposals, shares, strict=True), key=lambda pair: -pair[1])
        return [(word, share) for (_, word, _), share in ranked]

    def _proposals(self, logits: torch.Tensor, *, spaced: bool) -> list[tuple[int, str, float]]:
        """The likeliest tokens that are words, with their log-probabilities."""
        found: dict[str, tuple[int, str, float]] = {}
        scores, tokens = torch.log_softmax(logits, dim=-1).topk(min(40 * _PROPOSALS, len(logits)))
        for token, score in zip(tokens.tolist(), scores.tolist(), strict=True):
            text = self._vocabulary.text([token])
            word = text.strip()
            if _WORD.fullmatch(word) and (text[0].isspace() or not spaced) and word not in found:
                found[word] = (token, word, score)
            if len(found) == _PROPOSALS:
                break
        if not found:
            raise InvalidRequest("This model has no word for this blank. Write more before it.")
        return list(found.values())

    def _log_likelihood(self, sequence: KVCache, start: int, word: int, rest: list[int]) -> float:
        """log P(rest | what stands before, word); `sequence` is used again for every word."""
        sequence.length = start
        logits = self._decoder.read(sequence, [word, *rest])
        scores = torch.log_softmax(logits[: len(rest)], dim=-1)
        return float(scores.gather(1, torch.tensor(rest, dtype=torch.long)[:, None]).sum())

    def _fitting(self, tokens: list[int]) -> list[int]:
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
