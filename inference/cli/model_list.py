"""`models` on the command line: each listed model with its state and size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inference.backends.backend import ModelStatus


def status_fields(status: ModelStatus) -> dict[str, Any]:
    spec = status.spec
    return {"task": spec.task, "name": spec.name, "repo": spec.repo, "state": status.state, "size": status.nbytes}


def status_table(statuses: Sequence[ModelStatus]) -> str:
    """One model a line: task, name, and how large it is where."""
    width = max((len(status.spec.name) for status in statuses), default=0)
    return "\n".join(
        f"{status.spec.task:<10}  {status.spec.name:<{width}}  {_whereabouts(status)}" for status in statuses
    )


def _whereabouts(status: ModelStatus) -> str:
    place = {"loaded": "in memory", "on disk": "on disk"}.get(status.state)
    return f"{size(status.nbytes):>8} {place}" if place else status.state


def size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.0f} MB"
