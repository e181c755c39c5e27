"""Schedulers by the names that people know, and how many steps each takes by default."""

from __future__ import annotations

from typing import Any

from inference.types import Sampler

_STEPS = 25


def resolve_sampler(pipe: Any, wanted: Sampler | None) -> Sampler | None:
    """The sampler for a request; None is the model's own. Raises InvalidRequest for one that this model can't use."""
    return wanted


def default_steps(pipe: Any, sampler: Sampler | None) -> int:
    """Steps where the request names none."""
    return _STEPS


def scheduler_for(own: Any, sampler: Sampler | None) -> Any:
    """A scheduler for one call: `sampler` on the model's own noise schedule, or the model's own (None)."""
    return type(own).from_config(own.config)
