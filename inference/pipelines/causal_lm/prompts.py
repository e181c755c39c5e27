"""How each task is put to a causal language model, and how its words become a result.

A plan is a generator: it yields the prompts it wants continued, gets their texts, and returns the
result. The decoding loop runs many plans at once and knows nothing of tasks.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from inference.errors import InvalidRequest
from inference.pipelines.causal_lm.vocabulary import Vocabulary
from inference.pipelines.parts import split_into_parts
from inference.types import (
    Answer,
    AskRequest,
    CompleteRequest,
    Completion,
    Request,
    SummarizeRequest,
    Summary,
    Value,
)

_SILENCE = "The text does not say."
_ANSWER_TOKENS = 96
_SUMMARY_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids to continue, and how; `stop` ends the text before any of these strings."""

    tokens: list[int]
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


Plan = Generator[list[Prompt], list[str], Value]


class Planner:
    """Makes plans for one model: `window` is the most tokens it can read and write in one go."""

    def __init__(self, vocabulary: Vocabulary, window: int) -> None:
        self._vocabulary = vocabulary
        self._window = window

    def plan(self, request: Request) -> Plan:
        """Raises InvalidRequest, on the first step, if the request does not fit the window."""
        match request:
            case CompleteRequest():
                return self._complete(request)
            case AskRequest():
                return self._ask(request)
            case SummarizeRequest():
                return self._summarize(request)
            case _:
                raise InvalidRequest(f"This model can't do {request.task}. Choose another one.")

    def _complete(self, request: CompleteRequest) -> Plan:
        tokens = self._vocabulary.prompt(request.prompt)
        prompt = Prompt(
            self._fitting(tokens, request.max_new_tokens),
            request.max_new_tokens,
            request.temperature,
            request.top_p,
            request.seed or 0,
        )
        (text,) = yield [prompt]
        return Completion(text, prompt.seed)

    def _ask(self, request: AskRequest) -> Plan:
        task = (
            f"Answer the question from the text alone, in one short sentence. "
            f'If the text does not contain the answer, write "{_SILENCE}"'
        )
        prompt = self._instruct(f"{task}\n\nText: {request.context}\n\nQuestion: {request.question}", "Answer:")
        (text,) = yield [self._short(prompt, _ANSWER_TOKENS)]
        said = text.strip().strip('"')
        return Answer("" if said.startswith(_SILENCE.rstrip(".")) else said, 0.0, 0, 0, generated=True)

    def _summarize(self, request: SummarizeRequest) -> Plan:
        def prompt(text: str) -> Prompt:
            task = "Summarize the text in two or three sentences. Write only the summary."
            return self._short(self._instruct(f"{task}\n\nText: {text}", "Summary:"), _SUMMARY_TOKENS)

        room = self._window - _SUMMARY_TOKENS - len(prompt("").tokens)
        parts = split_into_parts(request.text, min(room, 1500), self._count)
        summaries = yield [prompt(part) for part in parts]
        return Summary("\n\n".join(text.strip() for text in summaries), len(parts))

    def _instruct(self, task: str, cue: str) -> list[int]:
        """The task as one chat turn, or, for a model that can't chat, as a text to go on with."""
        if self._vocabulary.can_chat:
            return self._vocabulary.chat(task)
        return self._vocabulary.prompt(f"{task}\n\n{cue}")

    def _short(self, tokens: list[int], max_new_tokens: int) -> Prompt:
        """Greedy; a model that can't chat is stopped at the end of its paragraph."""
        stop = () if self._vocabulary.can_chat else ("\n\n",)
        return Prompt(self._fitting(tokens, max_new_tokens), max_new_tokens, stop=stop)

    def _fitting(self, tokens: list[int], new: int) -> list[int]:
        if not tokens:
            raise InvalidRequest("There is nothing to continue. Write something first.")
        if len(tokens) + new > self._window:
            raise InvalidRequest(
                f"This text has {len(tokens):,} tokens, and with {new} new ones this model takes "
                f"{self._window - new:,}. Shorten it, or choose a model that reads more."
            )
        return tokens

    def _count(self, text: str) -> int:
        return len(self._vocabulary.tokens(text))
