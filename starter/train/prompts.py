"""Prompts for the image model, and a tokenizer with each of their words as one token."""

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
"""Tokens of a prompt, including start and end tokens."""

_PROMPT_TEMPLATES = ("{}", "{}", "{}", "a {}", "the {}", "one {}", "a picture of a {}", "a drawing of a {}")
_WORD_END = "</w>"

Pair = tuple[str, str]


def new_tokenizer() -> CLIPTokenizer:
    """Return a tokenizer like CLIP's for lower-case text. Unknown words are split into letters."""
    letters = sorted(bytes_to_unicode().values())
    merges: Any = merges_for(_words(), _WORD_END)
    pieces = [*letters, *(letter + _WORD_END for letter in letters), *(first + second for first, second in merges)]
    special_tokens = ["<|startoftext|>", "<|endoftext|>"]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, *special_tokens]))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=LENGTH)


def merges_for(words: Iterable[str], end: str = "") -> list[Pair]:
    """Return byte-pair merges that make each of `words` one token, the most common pair first.

    `end` marks a last letter. The tokenizers library orders equally common pairs at random, so its runs differ.
    """
    words_as_pieces = [(*word[:-1], word[-1] + end) for word in sorted(set(words))]
    merges: list[Pair] = []
    while pairs := Counter(pair for pieces in words_as_pieces for pair in pairwise(pieces)):
        most_common = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(most_common)
        words_as_pieces = [_merge(pieces, most_common) for pieces in words_as_pieces]
    return merges


def random_prompt(name: str, generator: torch.Generator) -> str:
    """Return a random prompt for a thing: "red heart", "a picture of a red heart"."""
    return _PROMPT_TEMPLATES[int(torch.randint(len(_PROMPT_TEMPLATES), (1,), generator=generator))].format(name)


def encode_prompts(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Return token ids [n, 16]."""
    encoded = tokenizer(list(prompts), padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    return encoded["input_ids"]


def _words() -> list[str]:
    texts = [*(thing.name for thing in things()), *COLOURS, *(template.format("") for template in _PROMPT_TEMPLATES)]
    return " ".join(texts).split()


def _merge(pieces: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    if pair not in pairwise(pieces):
        return pieces
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)
