"""One text that a server writes: thoughts, answer and calls of tools are told apart while it grows."""

from __future__ import annotations

import json
from typing import Any

from inference.backends.openai import errors
from inference.backends.openai.client import Delta
from inference.backends.openai.prompts import ServerPrompt
from inference.pipelines.causal_lm.growing_text import GrowingText
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.reasoning import split_thoughts
from inference.types import PartialText

_CHECK_EVERY = 8
"""After so many pieces it is looked for repetitions, which takes time on the event loop."""


class ServerText:
    """The text that follows one prompt. With a `reasoning_budget`, the thoughts are no part of its tokens."""

    def __init__(self, prompt: Prompt[ServerPrompt], reasoning_budget: int) -> None:
        self._prompt = prompt
        self._growing = GrowingText(prompt)
        self._reasoning_budget = reasoning_budget
        self._raw = ""
        self._field = ""
        """The thoughts that the server has sent apart from the text."""
        self._thoughts = ""
        self._calls: dict[int, tuple[str, str]] = {}
        """The names and the arguments of calls so far."""
        self._num_pieces = 0
        self._num_visible = 0
        self._finish_reason = ""
        self.num_tokens = 0
        self.finished = False
        """Whether the text has ended, although the server would go on."""

    @property
    def max_tokens(self) -> int:
        """The most tokens that the server may write."""
        return self._prompt.max_new_tokens + self._reasoning_budget

    @property
    def thinks(self) -> bool:
        """Whether the model has written thoughts."""
        return bool(self._thoughts)

    @property
    def partial(self) -> PartialText:
        thoughts = self._thoughts if self._prompt.thoughts else ""
        return PartialText(self._growing.stable_text(finished=False), self._prompt.chat, thoughts)

    @property
    def continuation(self) -> Continuation:
        """The whole text. Raise GenerationFailed if the model has only thought."""
        self._update(may_repeat=True, grows=False)
        calls = self._calls_as_text()
        if self._thoughts and not self._growing.text and not calls and self._finish_reason == "length":
            raise errors.only_thoughts()
        is_whole = self._growing.stopped or not (
            self._growing.ended or self.finished or self._finish_reason == "length"
        )
        thoughts = self._thoughts if self._prompt.thoughts else ""
        return Continuation(self._growing.text + calls, "stop" if is_whole else "length", thoughts)

    def add(self, delta: Delta) -> None:
        """Add what the server has sent. Afterwards the text may be `finished`."""
        self._raw += delta.text
        self._field += delta.thoughts
        self._finish_reason = delta.finish_reason or self._finish_reason
        for part in delta.tool_calls:
            name, arguments = self._calls.get(part.index, ("", ""))
            self._calls[part.index] = (name or part.name, arguments + part.arguments)
        self.num_tokens = delta.num_tokens or self.num_tokens + bool(delta.text or delta.thoughts or delta.tool_calls)
        if delta.text or delta.thoughts:
            self._num_pieces += 1
            self._update(may_repeat=self._num_pieces % _CHECK_EVERY == 0)
            self._num_visible += bool(self._growing.text)
            is_full = bool(self._reasoning_budget) and self._num_visible >= self._prompt.max_new_tokens
            self.finished = self._growing.ended or is_full

    def _update(self, *, may_repeat: bool, grows: bool = True) -> None:
        if self._growing.ended:
            return
        content = self._prompt.tokens
        if content.messages:
            tagged, text = split_thoughts(self._raw)
            self._thoughts = (self._field or tagged).strip()
            text = _after_prefill(content.prefill, text, grows=grows) if content.prefill else text.lstrip()
        else:
            text = self._raw
        self._growing.set(text, self._num_visible, may_repeat=may_repeat)

    def _calls_as_text(self) -> str:
        """Return the calls as Qwen and others write them, which is how a conversation keeps them."""
        found = [_call_as_text(name, arguments) for _, (name, arguments) in sorted(self._calls.items())]
        return "".join(found) if self._prompt.calls_tools else ""


def _after_prefill(prefill: str, text: str, *, grows: bool) -> str:
    """Return what follows the prefill. Servers that begin a new message may repeat it, or leave out a blank."""
    text = text.lstrip() if not prefill or prefill[-1].isspace() else text
    if text.lstrip().startswith(prefill):
        return text.lstrip().removeprefix(prefill)
    if prefill.startswith(text.lstrip()) and (grows or not text.strip()):
        return ""  # it may go on to repeat all of it
    begins_word = text[:1].isalnum() and prefill[-1:] in ".!?…,;:"
    return f" {text}" if begins_word else text


def _call_as_text(name: str, arguments: str) -> str:
    call: dict[str, Any] = {"name": name}
    try:
        call["arguments"] = json.loads(arguments or "{}")
    except ValueError:
        return ""  # a part of one, at the end of the tokens
    return f"<tool_call>{json.dumps(call, ensure_ascii=False)}</tool_call>"
