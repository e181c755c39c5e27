"""A fake model with predictable texts, and helpers that press the buttons below them."""

from __future__ import annotations

from typing import cast

from simcord import InteractionResult, ResponseMessage

from cogs.client import Inkling
from inference import CompleteRequest, Completion, Event, ModelSpec, PartialText, Request, Result
from storage import Store
from tests.cogs.stage import Stage, first


def counting(spec: ModelSpec, request: Request) -> list[Event]:
    """Continue the count of the text: ` 1`, then ` 2`. Of several alternatives, the second is ` 1b`."""
    assert isinstance(request, CompleteRequest)
    assert request.seed is not None
    number = len(request.prefill.split()) + 1
    others = tuple(f" {number}{letter}" for letter in "bcdefgh"[: request.n - 1])
    return [PartialText(f" {number}"), Result(Completion(f" {number}", request.seed, others))]


def chatting(spec: ModelSpec, request: Request) -> list[Event]:
    """Do the same as a chat model."""
    chunk, result = counting(spec, request)
    assert isinstance(result, Result)
    completion = cast(Completion, result.output)
    return [chunk, Result(Completion(completion.text, completion.seed, completion.choices, chat=True))]


async def complete_count(stage: Stage, **options: object) -> ResponseMessage:
    """Run /complete with `Count:`, and return the message with the first number."""
    stage.backend.script = counting
    options = {"prompt": "Count:", "seed": 7} | options
    return first(await stage.alice.slash(stage.channel, "complete", **options))


def text(message: ResponseMessage) -> str:
    """Return the content without the small print."""
    return "\n".join(line for line in message.content.split("\n") if not line.startswith("-# "))


def newest_request(stage: Stage) -> CompleteRequest:
    request = stage.backend.requests[-1]
    assert isinstance(request, CompleteRequest)
    return request


def store(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store


async def stored_count(stage: Stage) -> int:
    """Return the number of texts in the store."""
    return len(await store(stage).database.read("SELECT * FROM completions"))


def private_text(result: InteractionResult) -> str:
    """Return the text of the private message to the owner after a press."""
    [note] = result.followups
    assert note.ephemeral
    return note.content
