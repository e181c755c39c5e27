"""Retrieval of the sentences of a text that are relevant to a question, with Okapi BM25.

Sources: Robertson and Zaragoza, 2009; words are compared by their first letters, so that "opens" equals "opening"
(McNamee and Mayfield, 2004).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from inference.pipelines.text_splitting import split_sentence
from inference.text.sentences import sentences

Span = tuple[int, int]

_STEM_LETTERS = 5
_STOP_WORDS_TEXT = (
    "a about an and any are as at be been but by can could did do does for from had has have he her his how i if in is "
    "it its may me my of on or our she should so than that the their them then there these they this those to was we "
    "were what when where which who whom whose why will with would you your"
)
"""Common words. In short texts, their frequency does not identify them."""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())

_QUESTION_WEIGHT = 0.5
"""The weight of questions compared with statements."""
_K1 = 1.2
_B = 0.75
_GAP = " …\n"
_MIN_SENTENCE_TOKENS = 8
"""The smallest size to which a long sentence is cut."""


def relevant_spans(text: str, question: str, max_sentences: int = 8) -> tuple[Span, ...]:
    """Return up to `max_sentences` spans of sentences that share words with `question`, the most relevant first."""
    spans = _spans(sentences(text))
    return tuple(spans[i] for i in _rank(text, spans, question)[:max_sentences])


def abridge(text: str, question: str, max_tokens: int, count: Callable[[str], int]) -> str:
    """Return the parts of `text` relevant to `question`, about `max_tokens` at most as counted by `count`.

    These are the most relevant sentences with their neighbours, in the order of the text; if none is relevant, the
    beginning. Long sentences are cut, so that a text without sentences works too.
    """
    longest = max(_MIN_SENTENCE_TOKENS, max_tokens // 4)  # room for a sentence with its two neighbours
    spans = _spans([piece for sentence in sentences(text) for piece in split_sentence(sentence, longest, count)])
    kept: set[int] = set()
    remaining = max_tokens
    for i in _rank(text, spans, question) or range(len(spans)):
        added = {j for j in (i - 1, i, i + 1) if 0 <= j < len(spans)} - kept
        size = count(_GAP) + sum(count(text[slice(*spans[j])]) for j in added)
        if size <= remaining:
            kept |= added
            remaining -= size
        elif kept:
            break
    return "".join(
        text[slice(*spans[i])] + ("" if i + 1 in kept or i + 1 == len(spans) else _GAP) for i in sorted(kept)
    )


def _spans(pieces: Sequence[str]) -> list[Span]:
    ends = list(accumulate(map(len, pieces)))
    return list(zip([0, *ends], ends, strict=False))


def _rank(text: str, spans: list[Span], question: str) -> list[int]:
    """Return the indices of the sentences that share words with `question`, best first."""
    words = [Counter(_words(text[slice(*span)])) for span in spans]
    document_frequency = Counter(word for counts in words for word in counts)
    average_length = sum(counts.total() for counts in words) / max(1, len(words))
    idf = {word: math.log(1 + (len(words) - n + 0.5) / (n + 0.5)) for word, n in document_frequency.items()}

    def score(counts: Counter[str]) -> float:
        length = _K1 * (1 - _B + _B * counts.total() / max(1.0, average_length))
        shared = counts.keys() & query_words
        return sum(idf[word] * counts[word] * (_K1 + 1) / (counts[word] + length) for word in shared)

    query_words = set(_words(question))
    weights = [_QUESTION_WEIGHT if text[slice(*span)].rstrip().endswith("?") else 1 for span in spans]
    scores = [score(counts) * weight for counts, weight in zip(words, weights, strict=True)]
    return sorted((i for i, value in enumerate(scores) if value), key=lambda i: -scores[i])


def _words(text: str) -> list[str]:
    return [word[:_STEM_LETTERS] for word in re.findall(r"\w+", text.lower()) if word not in STOP_WORDS]
