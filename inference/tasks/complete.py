"""Continue a text, or chat with a model."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_sampling, check_text, check_within
from inference.tasks.messages import FinishReason, Message, SamplingRequest
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import InvalidRequest, Phrase

_MAX_STOP_STRINGS = 4
_MAX_STOP_STRING_LENGTH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteRequest(SamplingRequest):
    """Continue `prompt`, or answer it with a chat model.

    `repetition_penalty` divides the scores of tokens that already occur (Keskar et al. 2019, 1 is off). The text ends
    before any of the strings in `stop`. With `whole_sentences` it ends with the first sentence that ends after two
    thirds of `max_new_tokens`. `n` texts are generated, text i from seed `seed + i`.

    `prefill` is the text generated so far, to be continued. `messages` are earlier messages, oldest first. A model
    without a chat template reads their texts and the prompt as one text, with nothing in between. If all of this is too
    long for the model, the oldest part is dropped.
    """

    task = "complete"

    prompt: str
    prefill: str = ""
    messages: tuple[Message, ...] = ()
    whole_sentences: bool = False
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    n: int = 1

    @property
    def work(self) -> float:
        return float(self.max_new_tokens * self.n)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("prompt"), self.prompt, limits.prompt_characters)
        check_sampling(limits, self.max_new_tokens, self.temperature, self.top_p, self.seed)
        check_within(Phrase("repetition penalty"), self.repetition_penalty, 1, 2)
        check_within(Phrase("number of texts"), self.n, 1, limits.alternatives)
        _check_stop_strings(self.stop)

    def typed_texts(self) -> tuple[str, ...]:
        """Return the prompt and what people wrote before it. What the model wrote was checked when it wrote it."""
        return (self.prompt, *(message.content for message in self.messages if message.role == "user"))


@dataclass(frozen=True, slots=True)
class Completion(Output):
    """The continuation, without the prompt. The same `seed` repeats it.

    `choices` are the other texts of a request for several. `chat` is true if the model answered the prompt instead of
    continuing it.
    """

    text: str
    seed: int
    choices: tuple[str, ...] = ()
    finish_reason: FinishReason = "length"
    chat: bool = False

    def written_texts(self) -> tuple[str, ...]:
        return (self.text, *self.choices)


def _check_stop_strings(stop: tuple[str, ...]) -> None:
    if len(stop) > _MAX_STOP_STRINGS or any(not 1 <= len(text) <= _MAX_STOP_STRING_LENGTH for text in stop):
        raise InvalidRequest(
            "A text can have up to {most} stop sequences of 1 to {characters} characters each.",
            most=_MAX_STOP_STRINGS,
            characters=_MAX_STOP_STRING_LENGTH,
        )


TASK = Task(
    name="complete",
    summary="continue a text, or talk to a chat model",
    requests=(CompleteRequest,),
    output=Completion,
)
