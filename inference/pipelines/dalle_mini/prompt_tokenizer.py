"""Tokenization of prompts for DALL·E mini."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import BartTokenizer

from inference.text.prompt_normalization import normalize

_MAX_TAG_LENGTH = 60
"""The longest hashtag that is split, in characters. The time grows with its square."""


class HashtagSplitter:
    """Splits hashtags with the repository's list of English words, the most frequent first."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def split(self, tag: str) -> str:
        """Split `whiteocean` to `white ocean`. Return it unchanged without the list or known words."""
        if not self._ranks or len(tag) > _MAX_TAG_LENGTH:
            return tag
        best: list[tuple[float, str]] = [(0.0, "")]
        for end in range(1, len(tag) + 1):
            starts = range(end)
            best.append(min((best[i][0] + self._cost(tag[i:end]), f"{best[i][1]} {tag[i:end]}") for i in starts))
        return best[-1][1].strip()

    def _cost(self, word: str) -> float:
        """Return the cost of a word. By Zipf's law its probability is about 1/rank. Unknown words cost most."""
        rank = self._ranks.get(word)
        return math.log(rank) if rank else 1000.0

    @cached_property
    def _ranks(self) -> dict[str, int]:
        if not self._file.exists():
            return {}
        lines = self._file.read_text(encoding="utf-8").splitlines()
        return {line.split()[0]: rank for rank, line in enumerate(lines, start=1) if line.strip()}


@dataclass(frozen=True, slots=True)
class TokenizedPrompt:
    """The tokens of a prompt. `truncated` is the text that did not fit."""

    tokens: tuple[int, ...]
    mask: tuple[int, ...]
    truncated: str


class PromptTokenizer:
    """The tokenizer in `folder`, for texts of up to `length` tokens, filled up with padding."""

    def __init__(self, folder: Path, length: int) -> None:
        self._tokenizer: Any = BartTokenizer.from_pretrained(folder, local_files_only=True)
        self._hashtags = HashtagSplitter(folder / "enwiki-words-frequency.txt")
        self._length = length

    def tokenize(self, prompt: str) -> TokenizedPrompt:
        """Tokenize a prompt. The empty prompt is used for unconditional logits."""
        text = normalize(prompt, self._hashtags.split) if prompt else ""
        encoded = self._tokenizer(text, max_length=self._length, padding="max_length", truncation=True)
        spans = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        truncated = spans["offset_mapping"][self._length - 2 :]  # without start and end tokens
        return TokenizedPrompt(
            tuple(encoded["input_ids"]),
            tuple(encoded["attention_mask"]),
            text[truncated[0][0] :].strip() if truncated else "",
        )
