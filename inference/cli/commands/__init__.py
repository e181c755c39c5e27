"""The forms of the tasks on the command line, each in the module that has its task's name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.tasks import Task

__all__ = ["Shown", "TaskCommand", "command_of"]


def command_of(task: Task) -> TaskCommand[Any]:
    """Return the form of a task: `COMMAND` in its module."""
    return import_module(f"{__name__}.{task.name}").COMMAND
