"""Drawing with less memory, where there is not enough: slower first, smaller after that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inference.pipelines.text_to_image.generation_settings import GenerationSettings
from inference.pipelines.text_to_image.init_image import MULTIPLE, SMALLEST
from inference.types.errors import Phrase

_SCALES = (0.75, 0.5)
"""Of the wanted size, once slices are not enough."""


def with_less_memory(plan: GenerationSettings, wanted: GenerationSettings) -> GenerationSettings | None:
    """The next rung down from `plan` on the ladder that starts at `wanted`; None when it can't get any smaller."""
    if not plan.sliced:
        return replace(plan, sliced=True)
    if min(plan.width, plan.height) <= SMALLEST:
        return None
    rungs = (replace(plan, width=_scaled(wanted.width, by), height=_scaled(wanted.height, by)) for by in _SCALES)
    return next((rung for rung in rungs if rung.width < plan.width), None)


def memory_note(plan: GenerationSettings, wanted: GenerationSettings) -> Phrase | None:
    """What people should know of a drawing by `plan`."""
    if (plan.width, plan.height) != (wanted.width, wanted.height):
        return Phrase(
            "Memory was too short for {wanted}, so this was drawn at {size}.",
            wanted=f"{wanted.width} × {wanted.height}",
            size=f"{plan.width} × {plan.height}",
        )
    return Phrase("Memory was short, so this was drawn in slices, which takes longer.") if plan.sliced else None


class AttentionSlicing:
    """diffusers' own ways to save memory: attention by slices; decoding picture by picture, and by tiles."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._on = False

    def switch(self, on: bool) -> None:
        if on == self._on:
            return
        verb = "enable" if on else "disable"
        for part, what in ((self._pipe, "attention_slicing"), (self._pipe.vae, "slicing"), (self._pipe.vae, "tiling")):
            if hasattr(part, f"{verb}_{what}"):
                getattr(part, f"{verb}_{what}")()
        self._on = on


def _scaled(side: int, scale: float) -> int:
    return max(SMALLEST, int(side * scale) // MULTIPLE * MULTIPLE)
