"""What the painter reads: ways to ask for a thing, and a tokenizer that knows these words whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import CLIPTokenizer

from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import things

LENGTH = 16
"""Tokens of a prompt, with the marks of start and end."""

_VOCABULARY = 3000
_WAYS = ("{}", "{}", "{}", "a {}", "the {}", "one {}", "a picture of a {}", "a drawing of a {}")


def new_tokenizer() -> CLIPTokenizer:
    """CLIP's own way of cutting lower-case text, with the starter's vocabulary."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    blank = CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[])
    # A word that occurs once is a word too.
    tokenizer = blank.train_new_from_iterator(_texts(), _VOCABULARY, min_frequency=1)
    tokenizer.model_max_length = LENGTH
    return tokenizer


def asked(name: str, generator: torch.Generator) -> str:
    """One way to ask for a thing: "red heart", "a picture of a red heart"."""
    return _WAYS[int(torch.randint(len(_WAYS), (1,), generator=generator))].format(name)


def tokens_of(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Token numbers [n, 16]."""
    encoded = tokenizer(list(prompts), padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt")
    return encoded["input_ids"]


def _texts() -> list[str]:
    names = [thing.name for thing in things()]
    return [*names, *COLOURS, *(way.format("") for way in _WAYS)]
