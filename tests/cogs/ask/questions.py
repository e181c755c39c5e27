"""Scripts for the answers of the models, and helpers that ask questions."""

from __future__ import annotations

from simcord import InteractionResult

from inference import Answer, AskRequest, ChatAnswerRequest, Request, Result
from tests.cogs.stage import Stage
from tests.fakes import Script, plausible

TOWER = "The tower is tall. It was built in 1889 by Eiffel. People like it. Work began in 1887."


def span(text: str, words: str, score: float = 0.9, **more: object) -> Answer:
    """Return an answer: the first occurrence of `words` in `text`."""
    start = text.index(words)
    return Answer(words, score, start, start + len(words), **more)  # pyright: ignore[reportArgumentType]


def finds(words: str, score: float = 0.9, *others: tuple[str, float]) -> Script:
    """Return the script of a model that finds `words`, or nothing if they are empty, and `others` as alternatives."""

    def script(spec: object, request: Request) -> list[Result]:
        if not isinstance(request, AskRequest):
            return plausible(spec, request)  # pyright: ignore
        alternatives = tuple(span(request.context, *other) for other in others)
        if not words:
            return [Result(Answer("", score, 0, 0, alternatives=alternatives))]
        return [Result(span(request.context, words, score, alternatives=alternatives))]

    return script


def newest_ask_request(stage: Stage) -> AskRequest:
    """Return the newest request about a text."""
    return next(request for request in reversed(stage.backend.requests) if isinstance(request, AskRequest))


def newest_chat_request(stage: Stage) -> ChatAnswerRequest:
    """Return the newest request to a language model."""
    return next(request for request in reversed(stage.backend.requests) if isinstance(request, ChatAnswerRequest))


async def ask(stage: Stage, question: str = "When?", /, **options: object) -> InteractionResult:
    return await stage.alice.slash(stage.channel, "ask", question=question, **options)
