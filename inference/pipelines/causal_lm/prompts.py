"""How each task is put to a causal language model, and how its words become a result.

A plan is a generator: it yields the prompts it wants continued, gets their texts, and returns the
result. The decoding loop runs many plans at once and knows nothing of tasks.
"""

from __future__ import annotations

import re
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

_ASK_LEAD = "According to the text,"
_SUMMARY_LEAD = "In short,"
_ANSWER_TOKENS = 96
_SUMMARY_TOKENS = 160
_PART_TOKENS = 1500
"""Small models lose the thread of longer texts, also where their window would hold them."""


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
        prompt = self._instruct(
            f"Text:\n{request.context}\n\nQuestion: {request.question}",
            lead=_ASK_LEAD,
            system="You answer questions about a text, in one short sentence.",
        )
        (text,) = yield [self._short(prompt, _ANSWER_TOKENS)]
        answer = text.strip()
        said = answer if is_grounded(answer, request.context, request.question) else ""
        return Answer(said[:1].upper() + said[1:], 0.0, 0, 0, generated=True)

    def _summarize(self, request: SummarizeRequest) -> Plan:
        def prompt(text: str) -> Prompt:
            return self._short(
                self._instruct(
                    f"Summarize:\n\n{text}", lead=_SUMMARY_LEAD, system="You summarize texts in two or three sentences."
                ),
                _SUMMARY_TOKENS,
            )

        room = self._window - _SUMMARY_TOKENS - len(prompt("").tokens)
        parts = split_into_parts(request.text, min(room, _PART_TOKENS), self._count)
        summaries = yield [prompt(part) for part in parts]
        tidy = (text.strip() for text in summaries)
        return Summary("\n\n".join(text[:1].upper() + text[1:] for text in tidy), len(parts))

    def _instruct(self, message: str, lead: str, system: str) -> list[int]:
        """Tokens after which the model writes its reply, whose first words, `lead`, are given to it.

        A model that can't chat gets it all as one text to go on with.
        """
        if self._vocabulary.can_chat:
            return self._vocabulary.chat(message, system) + self._vocabulary.tokens(lead)
        return self._vocabulary.prompt(f"{message}\n\n{lead}")

    def _short(self, tokens: list[int], max_new_tokens: int) -> Prompt:
        """Greedy, and one paragraph at most."""
        return Prompt(self._fitting(tokens, max_new_tokens), max_new_tokens, stop=("\n\n",))

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


def is_grounded(answer: str, context: str, question: str) -> bool:
    """Whether at least half of what the answer adds to the question stands in the text.

    A language model answers also when the text does not say; its names and figures then come from
    elsewhere.
    """
    asked, known = _words(question), _words(context)
    added = _words(answer) - asked
    return bool(answer) and (not added or len(added & known) * 2 >= len(added))


def _words(text: str) -> set[str]:
    """Words and figures that carry meaning, roughly: those of four letters and more, and all figures."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word[0].isdigit()}
