"""Answer a question, from a text or from a language model's knowledge."""

from __future__ import annotations

from collections.abc import Hashable, Set
from dataclasses import dataclass

from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_text, check_upload, check_within
from inference.tasks.request import GENERATION_BATCH_KEY, MAX_SHORT_WORK, Request, TextSource
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import Phrase

_PICTURE_BATCH_KEY = "picture question"


@dataclass(frozen=True, kw_only=True, slots=True)
class AskRequest(Request):
    """Answer `question` from `context` only, with up to `alternatives` other answers."""

    task = "ask"
    inputs = ("context",)

    question: str
    context: str = ""
    text_source: TextSource = "typed"
    alternatives: int = 3

    @property
    def batch_key(self) -> Hashable:
        return GENERATION_BATCH_KEY

    @property
    def work(self) -> float:
        return 1.0 + len(self.context) / 1500

    @property
    def short(self) -> bool:
        return self.work <= MAX_SHORT_WORK

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("question"), self.question, limits.prompt_characters)
        check_within(Phrase("number of alternatives"), self.alternatives, 0, 10)

    def check_inputs(self, limits: Limits) -> None:
        check_text(Phrase("text to ask about"), self.context, limits.text_characters)

    def typed_texts(self) -> tuple[str, ...]:
        return _typed(self)

    def given_texts(self) -> tuple[str, ...]:
        return _given(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatAnswerRequest(Request):
    """Generate an answer to `question`: about `image`, from `context`, or without both from the model's knowledge.

    `image` has the bytes of an image file. Only some models can see it (see `Engine.models_for_pictures`).
    """

    task = "complete"
    inputs = ("context", "image")

    question: str
    context: str = ""
    text_source: TextSource = "typed"
    image: bytes = b""
    max_new_tokens: int = 160

    @property
    def batch_key(self) -> Hashable:
        return _PICTURE_BATCH_KEY if self.image else GENERATION_BATCH_KEY

    @property
    def work(self) -> float:
        return float(self.max_new_tokens)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("question"), self.question, limits.prompt_characters)
        check_within(Phrase("length"), self.max_new_tokens, 1, limits.new_tokens)

    def asks_about_picture(self, given: Set[str]) -> bool:
        return "image" in given

    def check_inputs(self, limits: Limits) -> None:
        if self.context:
            check_text(Phrase("text to ask about"), self.context, limits.text_characters)
        if self.image:
            check_upload(self.image, limits)

    def typed_texts(self) -> tuple[str, ...]:
        return _typed(self)

    def given_texts(self) -> tuple[str, ...]:
        return _given(self)

    def given_pictures(self) -> tuple[bytes, ...]:
        return (self.image,) if self.image else ()

    def decode_inputs(self, limits: Limits) -> None:
        from inference.images.decoding import check_picture

        if self.image:
            check_picture(self.image, limits.upload_megapixels)


@dataclass(frozen=True, slots=True)
class Answer(Output):
    """An answer. An extractive one satisfies `context[start:end] == text`; it is empty if the text does not say.

    `alternatives` are the next best answers, best first, each from another position; an empty answer may have some too.
    `passages` are the most relevant spans (start, end) of the context, best first. A `generated` answer has no span and
    no score (all are 0); `unsupported_figures` are its numbers that are not in the context.
    """

    text: str
    score: float
    start: int
    end: int
    generated: bool = False
    alternatives: tuple[Answer, ...] = ()
    passages: tuple[tuple[int, int], ...] = ()
    unsupported_figures: tuple[str, ...] = ()

    def written_texts(self) -> tuple[str, ...]:
        return (self.text, *(answer.text for answer in self.alternatives))


def _typed(request: AskRequest | ChatAnswerRequest) -> tuple[str, ...]:
    return (request.question, request.context) if request.text_source == "typed" else (request.question,)


def _given(request: AskRequest | ChatAnswerRequest) -> tuple[str, ...]:
    return (request.question,) if request.text_source == "channel" else (request.question, request.context)


TASK = Task(
    name="ask",
    summary="answer a question from documents; without them, from what a language model knows",
    requests=(AskRequest, ChatAnswerRequest),
    output=Answer,
)
