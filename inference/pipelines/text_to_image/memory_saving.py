"""Settings that need less memory: slower ones first, then smaller images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inference.pipelines.text_to_image.generation_settings import GenerationSettings
from inference.pipelines.text_to_image.init_image import MIN_SIDE, MULTIPLE
from inference.types.errors import Phrase

_SCALES = (0.75, 0.5)
"""Shares of the requested size that are tried once slicing is not enough."""


def with_less_memory(settings: GenerationSettings, requested: GenerationSettings) -> GenerationSettings | None:
    """Return the next settings that need less memory than `settings`; None if there are none."""
    if not settings.sliced:
        return replace(settings, sliced=True)
    if min(settings.width, settings.height) <= MIN_SIDE:
        return None
    sizes = ((_scale(requested.width, scale), _scale(requested.height, scale)) for scale in _SCALES)
    return next((replace(settings, width=w, height=h) for w, h in sizes if w < settings.width), None)


def memory_note(settings: GenerationSettings, requested: GenerationSettings) -> Phrase | None:
    """Return a note for the user about reduced settings; None if they are as requested."""
    if (settings.width, settings.height) != (requested.width, requested.height):
        return Phrase(
            "Memory was too short for {wanted}, so this was drawn at {size}.",
            wanted=f"{requested.width} × {requested.height}",
            size=f"{settings.width} × {settings.height}",
        )
    return Phrase("Memory was short, so this was drawn in slices, which takes longer.") if settings.sliced else None


class AttentionSlicing:
    """diffusers' options that save memory: attention slicing, and VAE decoding in tiles."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._enabled = False

    def set_enabled(self, enabled: bool) -> None:
        if enabled == self._enabled:
            return
        verb = "enable" if enabled else "disable"
        vae = getattr(self._pipe, "vae", None)
        for part, feature in ((self._pipe, "attention_slicing"), (vae, "tiling")):
            if hasattr(part, f"{verb}_{feature}"):
                getattr(part, f"{verb}_{feature}")()
        self._enabled = enabled


def _scale(side: int, scale: float) -> int:
    return max(MIN_SIDE, int(side * scale) // MULTIPLE * MULTIPLE)
