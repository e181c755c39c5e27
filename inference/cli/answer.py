"""Runs one request on a new engine and prints the result."""

from __future__ import annotations

import argparse
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from inference.cli.commands import Shown, TaskCommand
from inference.cli.commands.ask import in_own_words
from inference.cli.display import TerminalDisplay
from inference.cli.documents import NO_DOCUMENTS, Documents
from inference.cli.model_list import status_fields, status_table
from inference.cli.output import print_json
from inference.engine import Engine
from inference.tasks import Answer, AskRequest, ChatReply, Completion, Request, Summary
from inference.types import Output, Result

_GENERATED_NOTICE = "(Written by a language model, which can be wrong.)"
_UNSUPPORTED_NOTICE = "(Not reliable: the text does not have the numbers {}.)"
_DOWNLOAD_NOTICE = "(To fetch those that are not downloaded: .venv/bin/python -m inference download [NAME])"


async def answer(
    engine: Engine,
    command: TaskCommand[Any],
    request: Request,
    args: argparse.Namespace,
    documents: Documents = NO_DOCUMENTS,
) -> None:
    """Print the answer. Raise the errors of `Engine.stream`, and InvalidRequest if an image can't be written."""
    try:
        output, shown = await _answer(engine, command, request, args, documents)
        fields = command.to_json(output, shown)
        if isinstance(request, AskRequest) and isinstance(output, Answer) and args.own_words:
            fields["own_words"] = await _in_own_words(engine, command, request, output, args, documents)
    finally:
        await engine.close()
    if args.json:
        print_json(fields)


async def _in_own_words(
    engine: Engine,
    command: TaskCommand[Any],
    request: AskRequest,
    answer: Answer,
    args: argparse.Namespace,
    documents: Documents,
) -> str:
    if not args.json:
        print("\nIn a model's own words:\n", flush=True)
    chat_request = in_own_words(request, answer)
    output, _ = await _answer(engine, command, chat_request, args, documents, answer.passages)
    assert isinstance(output, Answer)
    return output.text


async def _answer(
    engine: Engine,
    command: TaskCommand[Any],
    request: Request,
    args: argparse.Namespace,
    documents: Documents,
    passages: tuple[tuple[int, int], ...] = (),
) -> tuple[Output, Shown]:
    """Return the result, and print it unless JSON is requested. `passages` are those that an answer was based on."""
    with TerminalDisplay(streaming=not args.json, heading=command.heading(request)) as display:
        output = await _follow(engine, request, display)
        if isinstance(output, Completion | ChatReply):
            display.show_text(output.text)
    if isinstance(output, Answer) and passages:
        output = replace(output, passages=passages)
    shown = Shown(command.write_files(output, args), documents)
    if not args.json:
        _print(command, output, shown, streamed=bool(display.printed))
    return output, shown


def _print(command: TaskCommand[Any], output: Output, shown: Shown, *, streamed: bool) -> None:
    """Print the part of the result that was not streamed."""
    if streamed:
        print(command.after_stream(output, shown), end="")
    else:
        print(command.to_text(output, shown))
    if command.is_generated(output):
        sys.stdout.flush()
        print(_GENERATED_NOTICE, file=sys.stderr)
    if isinstance(output, Answer | Summary) and output.unsupported_figures:
        print(_UNSUPPORTED_NOTICE.format(", ".join(output.unsupported_figures)), file=sys.stderr)


async def list_models(engine: Engine, *, as_json: bool) -> None:
    """Print every listed model with its state and size."""
    try:
        statuses = await engine.statuses()
    finally:
        await engine.close()
    if as_json:
        print_json({"models": [status_fields(status) for status in statuses]})
        return
    print(status_table(statuses))
    if any(status.state == "not downloaded" for status in statuses):
        sys.stdout.flush()
        print(_DOWNLOAD_NOTICE, file=sys.stderr)


async def _follow(engine: Engine, request: Request, display: TerminalDisplay) -> Output:
    checked = engine.check(request)
    await engine.require_device(checked)
    async with aclosing(engine.stream(checked)) as events:
        async for event in events:
            display.show(event)
            if isinstance(event, Result):
                return event.output
    raise AssertionError("a stream ends with a Result or an error")
