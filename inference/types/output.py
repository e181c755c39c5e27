"""The base class of results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """The result of a request. Subclasses are in `inference.tasks`, beside their requests."""

    @property
    def charged(self) -> float:
        """Return the share of the work that counts against the person who asked, from 0 to 1."""
        return 1.0
