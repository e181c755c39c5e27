"""Scripts for what the models answer, and hands that ask."""

from __future__ import annotations

from simcord import InteractionResult

from inference import Answer, AskRequest, ChatAnswerRequest, Request, Result
from tests.cogs.stage import Stage
from tests.fakes import Script, plausible

TOWER = "The tower is tall. It was built in 1889 by Eiffel. People like it. Work began in 1887."


def span(text: str, words: str, score: float = 0.9, **more: object) -> Answer:
    """`words` where they first stand in `text`."""
    start = text.index(words)
    return Answer(words, score, start, start + len(words), **more)  # pyright: ignore[reportArgumentType]


def finds(words: str, score: float = 0.9, *others: tuple[str, float]) -> Script:
    """A model that finds `words` in whatever it is asked about, and `others` behind them; "" for nothing."""

    def script(spec: object, request: Request) -> list[Result]:
        if not isinstance(request, AskRequest):
            return plausible(spec, request)  # pyright: ignore
        behind = tuple(span(request.context, *other) for other in others)
        if not words:
            return [Result(Answer("", score, 0, 0, alternatives=behind))]
        return [Result(span(request.context, words, score, alternatives=behind))]

    return script


def asked(stage: Stage) -> AskRequest:
    """The newest question about a text."""
    return next(request for request in reversed(stage.backend.requests) if isinstance(request, AskRequest))


def explained(stage: Stage) -> ChatAnswerRequest:
    """The newest question to a language model."""
    return next(request for request in reversed(stage.backend.requests) if isinstance(request, ChatAnswerRequest))


async def ask(stage: Stage, question: str = "When?", /, **options: object) -> InteractionResult:
    return await stage.alice.slash(stage.channel, "ask", question=question, **options)
