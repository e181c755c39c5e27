"""Arguments of `python -m inference`: the commands of the tasks, and the commands for models."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from inference.cli.commands import command_of
from inference.tasks import TASKS

_EPILOG = """Without --config, config.yaml in the current folder is read. --model takes a name from that file,
or any hub id or folder that holds a model of the task's kind."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Represents a byte of the command line that is not valid UTF-8."""

_NOT_GIVEN: Any = argparse.SUPPRESS
"""Leaves the default to the request, or to options before TASK."""


class _ArgumentParser(argparse.ArgumentParser):
    """Prints errors in one line, without the usage. A part of an option's name is not that option."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message} (see {self.prog} --help)\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments with `task`. Files are not opened.

    Exit with status 2 if they are invalid.
    """
    parser = _ArgumentParser(prog="python -m inference", description="Run one task on a local model.", epilog=_EPILOG)
    _add_switches(parser, config=Path("config.yaml"), json=False, verbose=False)
    commands = parser.add_subparsers(dest="task", required=True, metavar="TASK")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=summary, description=summary, epilog=_EPILOG, argument_default=argparse.SUPPRESS
        )
        _add_switches(command, config=_NOT_GIVEN, json=_NOT_GIVEN, verbose=_NOT_GIVEN)
        return command

    for task in TASKS:
        command = add(task.name, task.summary)
        command_of(task).add_arguments(command)
        command.add_argument("--model", help="instead of the task's first model")
    add("models", "list the models, and which are on disk")
    download = add("download", "fetch models, and record their commits so that later loads use the same")
    download.add_argument("names", nargs="*", default=[], metavar="NAME", help="name or hub id; without: all listed")
    argv = sys.argv[1:] if argv is None else argv
    for text in argv:
        if _SURROGATE.search(text):
            parser.error(f"{text!a} is not UTF-8")
    return parser.parse_args(argv)


def _add_switches(parser: argparse.ArgumentParser, *, config: Path, json: bool, verbose: bool) -> None:
    parser.add_argument("--config", type=Path, default=config, metavar="FILE", help="the settings")
    parser.add_argument("--json", action="store_true", default=json, help="one JSON object on stdout")
    parser.add_argument("--verbose", action="store_true", default=verbose, help="the log on stderr")
