"""The list of models for the command line, with state and size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inference.backends.backend import ModelStatus
from inference.types.sizes import size_text


def status_fields(status: ModelStatus) -> dict[str, Any]:
    spec = status.spec
    return {
        "task": spec.task,
        "name": spec.name,
        "repo": spec.repo,
        "state": status.state,
        "size": status.nbytes,
        "way": status.way,
    }


def status_table(statuses: Sequence[ModelStatus]) -> str:
    """Return one line per model: task, name, size and state, and how it writes several texts."""
    width = max((len(status.spec.name) for status in statuses), default=0)
    longest = max((len(status.spec.task) for status in statuses), default=0)
    return "\n".join(
        f"{status.spec.task:<{longest}}  {status.spec.name:<{width}}  {_state_text(status)}" for status in statuses
    )


def _state_text(status: ModelStatus) -> str:
    if status.spec.server:
        return f"on the server {status.spec.server.host}{f': {status.problem}' * bool(status.problem)}"
    location = {"loaded": "in memory", "on disk": "on disk"}.get(status.state)
    return (
        f"{size_text(status.nbytes):>8} {location}{f', {status.way}' * bool(status.way)}" if location else status.state
    )
