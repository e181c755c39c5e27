"""Runs one request on an engine of its own and prints what comes out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from inference.cli.output import (
    GENERATED,
    as_fields,
    as_text,
    further_texts,
    status_fields,
    status_table,
    write_pictures,
)
from inference.cli.progress import Display
from inference.cli.requests import explaining
from inference.engine import Engine
from inference.errors import InvalidRequest
from inference.types import Answer, AskRequest, Completion, Drawing, Request, Result, Value


async def answer(engine: Engine, request: Request, args: argparse.Namespace) -> None:
    """Print the answer; raises what `Engine.stream` raises, and InvalidRequest if a picture can't be written."""
    try:
        value, fields = await _answer(engine, request, args)
        if isinstance(request, AskRequest) and isinstance(value, Answer) and args.own_words:
            _, own = await _answer(engine, explaining(request, value), args, heading="\nIn a model's own words:\n")
            fields["own_words"] = own["answer"]
    finally:
        await engine.close()
    if args.json:
        print_json(fields)


async def _answer(
    engine: Engine, request: Request, args: argparse.Namespace, heading: str = ""
) -> tuple[Value, dict[str, Any]]:
    """The value and its fields; printed, unless they are to be JSON."""
    if heading and not args.json:
        print(heading, flush=True)
    with Display(streaming=not args.json) as display:
        value = await _follow(engine, request, display)
        if isinstance(value, Completion):
            display.show_text(value.text)
    images = _write(value, args)
    if not args.json:
        _print(value, images, display)
    return value, as_fields(value, images)


def _print(value: Value, images: Sequence[Path], display: Display) -> None:
    """What is not printed yet."""
    if not display.printed:
        print(as_text(value, images))
    elif isinstance(value, Completion):
        print(*further_texts(value), sep="\n", end="\n" * bool(value.others))
    elif isinstance(value, Answer):
        print(GENERATED)


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


def _write(value: Value, args: argparse.Namespace) -> list[Any]:
    if not isinstance(value, Drawing):
        return []
    try:
        return write_pictures(value, args.output)
    except OSError as error:
        raise InvalidRequest("{file} can't be written: {reason}.", file=args.output, reason=error.strerror) from error
