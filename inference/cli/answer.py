"""Runs one request on an engine of its own and prints what comes out."""

from __future__ import annotations

import argparse
import json
from contextlib import aclosing
from typing import Any

from inference.cli.output import as_fields, as_text, further_texts, status_fields, status_table, write_pictures
from inference.cli.progress import Display
from inference.engine import Engine
from inference.errors import InvalidRequest
from inference.types import Completion, Drawing, Request, Result, Value


async def answer(engine: Engine, request: Request, args: argparse.Namespace) -> None:
    """Print the answer; raises what `Engine.stream` raises, and InvalidRequest if a picture can't be written."""
    try:
        with Display(streaming=not args.json) as display:
            value = await _follow(engine, request, display)
            if isinstance(value, Completion):
                display.show_text(value.text)
    finally:
        await engine.close()
    images = _write(value, args)
    if args.json:
        print_json(as_fields(value, images))
    elif not display.printed:
        print(as_text(value, images))
    elif isinstance(value, Completion):
        print(*further_texts(value), sep="\n", end="\n" * bool(value.others))


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
