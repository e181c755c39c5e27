"""The base of every result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """What comes of a request; a subclass for each kind of work, beside its request in `inference.tasks`."""
