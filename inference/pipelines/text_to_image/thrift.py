"""Drawing with less memory, where there is not enough: slower first, smaller after that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inference.pipelines.text_to_image.plan import Plan

_SCALES = (1.0, 1.0, 0.75, 0.5)
"""Of the wanted size, on each rung; from the second on, the picture is computed in slices and tiles."""

_SMALLEST = 64
_MULTIPLE = 8


class Thrift:
    """A ladder that one drawing goes down, a rung each time memory runs out; `restore` climbs up again."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._rung = 0

    @property
    def saving(self) -> bool:
        return self._rung > 0

    def save_more(self, plan: Plan) -> bool:
        """Take the next rung; False when there is none, or when `plan` can't get any smaller."""
        if self._rung + 1 >= len(_SCALES) or (self._rung and min(plan.width, plan.height) <= _SMALLEST):
            return False
        self._rung += 1
        if self._rung == 1:
            self._switch("enable")
        return True

    def restore(self) -> None:
        if self._rung:
            self._switch("disable")
        self._rung = 0

    def shrunk(self, plan: Plan) -> Plan:
        """`plan` as large as this rung allows."""
        scale = _SCALES[self._rung]
        return replace(plan, width=_scaled(plan.width, scale), height=_scaled(plan.height, scale))

    def note(self, wanted: Plan) -> str:
        """What people should know of it."""
        drawn = self.shrunk(wanted)
        if (drawn.width, drawn.height) == (wanted.width, wanted.height):
            return "Memory was short, so this was drawn in slices, which takes longer."
        return (
            f"Memory was too short for {wanted.width} × {wanted.height}, "
            f"so this was drawn at {drawn.width} × {drawn.height}."
        )

    def _switch(self, verb: str) -> None:
        """diffusers' own ways to save memory: attention by slices; decoding picture by picture, and by tiles."""
        for part, what in ((self._pipe, "attention_slicing"), (self._pipe.vae, "slicing"), (self._pipe.vae, "tiling")):
            if hasattr(part, f"{verb}_{what}"):
                getattr(part, f"{verb}_{what}")()


def _scaled(side: int, scale: float) -> int:
    return side if scale == 1 else max(_SMALLEST, int(side * scale) // _MULTIPLE * _MULTIPLE)
