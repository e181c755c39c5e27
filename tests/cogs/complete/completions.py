"""A fake model with predictable texts, and helpers that press the buttons below them."""

from __future__ import annotations

from typing import cast

from simcord import InteractionResult, ResponseMessage

from cogs.client import Inkling
from inference import CompleteRequest, Completion, Event, ModelSpec, PartialText, Request, Result
from storage import Store
from tests.cogs.stage import Stage, first


def counting(spec: ModelSpec, request: Request) -> list[Event]:
    """Counts on from what is written: ` 1`, then ` 2`; of several takes, the second is ` 1b`."""
    assert isinstance(request, CompleteRequest)
    assert request.seed is not None
    number = len(request.prefill.split()) + 1
    others = tuple(f" {number}{letter}" for letter in "bcdefgh"[: request.n - 1])
    return [PartialText(f" {number}"), Result(Completion(f" {number}", request.seed, others))]


def chatting(spec: ModelSpec, request: Request) -> list[Event]:
    """The same, by a model that answers."""
    chunk, result = counting(spec, request)
    assert isinstance(result, Result)
    completion = cast(Completion, result.output)
    return [chunk, Result(Completion(completion.text, completion.seed, completion.choices, chat=True))]


async def counted(stage: Stage, **options: object) -> ResponseMessage:
    """`Count:` and the first number."""
    stage.backend.script = counting
    options = {"prompt": "Count:", "seed": 7} | options
    return first(await stage.alice.slash(stage.channel, "complete", **options))


def text(message: ResponseMessage) -> str:
    """What it says, without small print."""
    return "\n".join(line for line in message.content.split("\n") if not line.startswith("-# "))


def newest(stage: Stage) -> CompleteRequest:
    request = stage.backend.requests[-1]
    assert isinstance(request, CompleteRequest)
    return request


def store(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store


async def kept(stage: Stage) -> int:
    """How many texts there are in the store."""
    return len(await store(stage).database.read("SELECT * FROM completions"))


def private(result: InteractionResult) -> str:
    """Return the text of the private message to the owner after a press."""
    [note] = result.followups
    assert note.ephemeral
    return note.content
