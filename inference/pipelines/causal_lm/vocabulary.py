"""A tokenizer as the rest of this package wants it: text to token ids and back, without options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer


class Vocabulary:
    """The tokenizer in `folder`."""

    def __init__(self, folder: Path) -> None:
        # transformers annotates nearly every value of a tokenizer as a union of what all of them may return.
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    @property
    def longest(self) -> int:
        """The most tokens the tokenizer's author allows; 10**30 where they didn't say."""
        return int(self._tokenizer.model_max_length)

    @property
    def end(self) -> int | None:
        return self._tokenizer.eos_token_id

    @property
    def start(self) -> int:
        """What a text follows that has nothing before it."""
        first = self._tokenizer.bos_token_id
        return self._tokenizer.eos_token_id if first is None else first

    @property
    def can_chat(self) -> bool:
        return self._tokenizer.chat_template is not None

    def prompt(self, text: str) -> list[int]:
        """A text to begin with, after the special tokens that the model was trained with (OPT: `</s>`)."""
        return self._tokenizer(text)["input_ids"]

    def chat(self, message: str, system: str) -> list[int]:
        """What the user says, in the model's own template, up to where the reply begins."""
        turns = [{"role": "system", "content": system}, {"role": "user", "content": message}]
        return self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)

    def tokens(self, text: str) -> list[int]:
        """A piece of text in the middle of another."""
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    def text(self, tokens: list[int]) -> str:
        """What the tokens say, without special ones and without repairing anyone's spaces."""
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
