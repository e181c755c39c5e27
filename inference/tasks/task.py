"""What a task is: an entry of the registry, from which every list of tasks derives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inference.tasks.request import Request
from inference.types import Output


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One kind of work.

    `name` is its slash command, its key under `models` in config.yaml, and its command line, whose form is the module
    of that name in `inference.cli.commands`. `summary` says what it does. `requests` are the kinds of request that
    people make of it, `output` is what comes of them, and `parts` are the classes that both are made of.
    """

    name: str
    summary: str
    requests: tuple[type[Request], ...]
    output: type[Output]
    parts: tuple[type[Any], ...] = ()
