"""The description of a task: an entry of the registry, from which all lists of tasks are derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inference.tasks.request import Request
from inference.types import Output


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One kind of work.

    `name` is its slash command, its key under `models` in config.yaml, and its command on the command line, which is in
    the module of that name in `inference.cli.commands`. `summary` says what it does. `requests` are its request
    classes, `output` is its result class, and `parts` are other classes used in their fields.
    """

    name: str
    summary: str
    requests: tuple[type[Request], ...]
    output: type[Output]
    parts: tuple[type[Any], ...] = ()
