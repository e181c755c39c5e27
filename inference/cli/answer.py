"""Runs one request on an engine of its own and prints what comes out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.cli.documents import NOTHING, Documents
from inference.cli.evidence import evidence
from inference.cli.output import as_fields, as_text, heading, status_fields, status_table, texts, write_pictures
from inference.cli.progress import Display
from inference.cli.requests import explaining
from inference.engine import Engine
from inference.errors import InvalidRequest
from inference.types import (
    Answer,
    AskRequest,
    CompleteRequest,
    Completion,
    Drawing,
    Request,
    Result,
    Summary,
    Value,
)

_GENERATED = "(Written by a language model, which can be wrong.)"


async def answer(engine: Engine, request: Request, args: argparse.Namespace, documents: Documents = NOTHING) -> None:
    """Print the answer; raises what `Engine.stream` raises, and InvalidRequest if a picture can't be written."""
    try:
        value, images = await _answer(engine, request, args, documents)
        fields = as_fields(value, images, documents)
        if isinstance(request, AskRequest) and isinstance(value, Answer) and args.own_words:
            fields["own_words"] = await _in_own_words(engine, request, value, args, documents)
    finally:
        await engine.close()
    if args.json:
        print_json(fields)


async def _in_own_words(
    engine: Engine, request: AskRequest, found: Answer, args: argparse.Namespace, documents: Documents
) -> str:
    if not args.json:
        print("\nIn a model's own words:\n", flush=True)
    value, _ = await _answer(engine, explaining(request, found), args, documents, found.windows)
    assert isinstance(value, Answer)
    return value.text


async def _answer(
    engine: Engine,
    request: Request,
    args: argparse.Namespace,
    documents: Documents,
    windows: tuple[tuple[int, int], ...] = (),
) -> tuple[Value, list[Path]]:
    """The value and the files of its pictures; printed, unless it is to be JSON. `windows` is what it was made from."""
    with Display(streaming=not args.json, heading=_heading(request)) as display:
        value = await _follow(engine, request, display)
        if isinstance(value, Completion):
            display.show_text(value.text)
    if isinstance(value, Answer) and windows:
        value = replace(value, windows=windows)
    images = _write(value, args)
    if not args.json:
        _print(value, images, documents, display)
    return value, images


def _heading(request: Request) -> str:
    if not isinstance(request, CompleteRequest) or request.n == 1:
        return ""
    return heading(0, request.n, request.seed or 0)


def _print(value: Value, images: Sequence[Path], documents: Documents, display: Display) -> None:
    """What is not printed yet."""
    if not display.printed:
        print(as_text(value, images, documents))
    elif isinstance(value, Completion):
        print("".join(f"\n{text}\n" for text in texts(value)[1:]), end="")
    elif isinstance(value, Answer):
        print("".join(f"{line}\n" for line in evidence(value, documents)), end="")
    if isinstance(value, Summary) or (isinstance(value, Answer) and value.generated and value.text):
        sys.stdout.flush()
        print(_GENERATED, file=sys.stderr)


async def list_models(engine: Engine, *, as_json: bool) -> None:
    """Print each listed model with its state and size."""
    try:
        statuses = await engine.statuses()
    finally:
        await engine.close()
    if as_json:
        print_json({"models": [status_fields(status) for status in statuses]})
    else:
        print(status_table(statuses))


def print_json(fields: dict[str, Any]) -> None:
    print(json.dumps(fields, ensure_ascii=False))


async def _follow(engine: Engine, request: Request, display: Display) -> Value:
    async with aclosing(engine.stream(request)) as events:
        async for event in events:
            display.show(event)
            if isinstance(event, Result):
                return event.value
    raise AssertionError("a stream ends with a Result or an error")


def _write(value: Value, args: argparse.Namespace) -> list[Path]:
    if not isinstance(value, Drawing):
        return []
    try:
        return write_pictures(value, args.output)
    except OSError as error:
        raise InvalidRequest("{file} can't be written: {reason}.", file=args.output, reason=error.strerror) from error
