"""A prompt as the tokens of DALL·E mini."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import BartTokenizer

from inference.text.prompt_normalization import normalized

_LONGEST_TAG = 60
"""Characters of a hashtag that is taken apart; the work grows with their square."""


class BytePairMerges:
    """The repository's list of English words, the most frequent first; it tells where the words of a hashtag end."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def split(self, tag: str) -> str:
        """`whiteocean` → `white ocean`; unchanged where the list is missing or knows no such words."""
        if not self._ranks or len(tag) > _LONGEST_TAG:
            return tag
        best: list[tuple[float, str]] = [(0.0, "")]
        for end in range(1, len(tag) + 1):
            starts = range(end)
            best.append(min((best[i][0] + self._cost(tag[i:end]), f"{best[i][1]} {tag[i:end]}") for i in starts))
        return best[-1][1].strip()

    def _cost(self, word: str) -> float:
        """By Zipf's law, the n-th word has a probability of about 1/n. A strange one costs more than any known ones."""
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
    """A prompt as tokens; `unread` is what did not fit."""

    tokens: tuple[int, ...]
    mask: tuple[int, ...]
    unread: str


class PromptTokenizer:
    """The tokenizer of the repository in `folder`, for texts of up to `length` tokens, filled up with padding."""

    def __init__(self, folder: Path, length: int) -> None:
        self._tokenizer: Any = BartTokenizer.from_pretrained(folder, local_files_only=True)
        self._words = BytePairMerges(folder / "enwiki-words-frequency.txt")
        self._length = length

    def read(self, prompt: str) -> TokenizedPrompt:
        """The empty prompt is what the model draws without being told anything."""
        text = normalized(prompt, self._words.split) if prompt else ""
        encoded = self._tokenizer(text, max_length=self._length, padding="max_length", truncation=True)
        spans = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        unread = spans["offset_mapping"][self._length - 2 :]  # without the marks of start and end
        return TokenizedPrompt(
            tuple(encoded["input_ids"]),
            tuple(encoded["attention_mask"]),
            text[unread[0][0] :].strip() if unread else "",
        )
