"""What the painter reads: ways to ask for a thing, and a tokenizer that knows these words whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import things

LENGTH = 16
"""Tokens of a prompt, with the marks of start and end."""

_WAYS = ("{}", "{}", "{}", "a {}", "the {}", "one {}", "a picture of a {}", "a drawing of a {}")
_END = "</w>"

Pair = tuple[str, str]


def new_tokenizer() -> CLIPTokenizer:
    """CLIP's own way of cutting lower-case text; words that it does not know are spelt."""
    letters = sorted(bytes_to_unicode().values())
    merges: Any = merges_for(_words(), _END)
    pieces = [*letters, *(letter + _END for letter in letters), *(one + other for one, other in merges)]
    marks = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, *marks]))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def merges_for(words: Iterable[str], end: str = "") -> list[Pair]:
    """Byte-pair merges that make each of `words` one piece, the commonest pair first; `end` marks a last letter.

    The tokenizers library leaves it to chance which of equally common pairs is first, and then no two runs are alike.
    """
    cut = [(*word[:-1], word[-1] + end) for word in sorted(set(words))]
    merges: list[Pair] = []
    while pairs := Counter(pair for pieces in cut for pair in pairwise(pieces)):
        commonest = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(commonest)
        cut = [_merged(pieces, commonest) for pieces in cut]
    return merges


def asked(name: str, generator: torch.Generator) -> str:
    """One way to ask for a thing: "red heart", "a picture of a red heart"."""
    return _WAYS[int(torch.randint(len(_WAYS), (1,), generator=generator))].format(name)


def tokens_of(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Token numbers [n, 16]."""
    encoded = tokenizer(list(prompts), padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    return encoded["input_ids"]


def _words() -> list[str]:
    texts = [*(thing.name for thing in things()), *COLOURS, *(way.format("") for way in _WAYS)]
    return " ".join(texts).split()


def _merged(pieces: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    if pair not in pairwise(pieces):
        return pieces
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)
