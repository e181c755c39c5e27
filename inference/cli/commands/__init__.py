"""The tasks' commands on the command line. Each is in a module with the task's name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.tasks import Task

__all__ = ["Shown", "TaskCommand", "command_of"]


def command_of(task: Task) -> TaskCommand[Any]:
    """Return the command of a task: `COMMAND` in its module."""
    return import_module(f"{__name__}.{task.name}").COMMAND
