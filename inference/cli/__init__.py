"""The command line: runs one task and prints the result, as text or JSON.

Exit status: 0; 2 for invalid input or an unavailable model; 1 for a model that failed while it ran; 130 on Ctrl-C.
Generated text is labelled on stderr. Errors are one line on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from inference import Config, ConfigError, Engine, InvalidRequest, ModelUnavailable, create_engine, load_config
from inference.cli.answer import answer, list_models
from inference.cli.arguments import parse
from inference.cli.commands import command_of
from inference.cli.download import create_hub, download
from inference.cli.error_messages import error_message
from inference.cli.logging_setup import set_up_logging
from inference.cli.output import escape_unprintable
from inference.tasks import task_named
from inference.types.errors import InferenceError

if TYPE_CHECKING:
    from inference.hub.hub import Hub

EngineFactory = Callable[[Config], Engine]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Raise SystemExit(2) for invalid arguments."""
    escape_unprintable()
    args = parse(argv)
    set_up_logging(verbose=args.verbose)
    if not sys.stdout:
        return _fail("There is nowhere to write to: stdout is closed.", 1)
    try:
        status = execute(args)
        sys.stdout.flush()
    except OSError as error:  # other input and output errors were converted before
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # buffered output is flushed at exit
        return 1 if isinstance(error, BrokenPipeError) else _fail(f"stdout can't be written: {error.strerror}.", 1)
    return status


def execute(
    args: argparse.Namespace,
    engine_factory: EngineFactory = create_engine,
    hub_factory: Callable[[Config], Hub] = create_hub,
) -> int:
    """Run one command with the given engine and hub. Of the process, only the handling of letters is changed."""
    escape_unprintable()
    try:
        config = load_config(args.config)
        if args.task == "download":
            return download(config, hub_factory(config), args.names, as_json=args.json)
        asyncio.run(_run(config, args, engine_factory))
    except ConfigError as error:
        hint = "" if args.config.exists() else " (--config FILE takes the settings from another file)"
        return _fail(f"{error.path}: {'; '.join(error.problems)}{hint}", 2)
    except (InvalidRequest, ModelUnavailable) as error:
        return _fail(error_message(error), 2)
    except InferenceError as error:
        return _fail(error_message(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(config: Config, args: argparse.Namespace, engine_factory: EngineFactory) -> None:
    if args.task == "models":
        return await list_models(engine_factory(config), as_json=args.json)
    command = command_of(task_named(args.task))
    documents = command.read_documents(args)
    request = command.build_request(args, documents)
    if "/" in request.model:  # an id or a folder; a plain name must be listed
        about_picture = request.asks_about_picture(request.given_inputs())
        config = config.with_model("caption" if about_picture else request.task, request.model)
    return await answer(engine_factory(config), command, request, args, documents)


def _fail(message: str, status: int) -> int:
    print(message, file=sys.stderr)
    return status
