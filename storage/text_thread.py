"""A text that a person began and a model goes on with, piece by piece: plain data, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from inference import CompleteRequest, Completion, FinishReason


@dataclass(frozen=True, slots=True)
class Variant:
    """One way for a segment to go, the seed that repeats it, and why it ends there."""

    text: str
    seed: int
    finish_reason: FinishReason = "length"


@dataclass(frozen=True, slots=True)
class Segment:
    """What the model wrote in one go: one take or several, of which take `shown` (from 0) is part of the text."""

    variants: tuple[Variant, ...]
    shown: int = 0

    @property
    def variant(self) -> Variant:
        return self.variants[self.shown]

    @classmethod
    def of(cls, completion: Completion) -> Self:
        """Text i of a completion is repeated by its seed + i."""
        others = (Variant(text, completion.seed + i) for i, text in enumerate(completion.choices, 1))
        return cls((Variant(completion.text, completion.seed, completion.finish_reason), *others))


@dataclass(frozen=True, slots=True)
class TextThread:
    """What was asked for, with all its settings, and the pieces so far.

    `chat`: they answer the prompt. `follows`: it goes on from an earlier story, whose words are not part of this one.
    The prompt is empty where it is what somebody else wrote.
    """

    request: CompleteRequest
    segments: tuple[Segment, ...] = ()
    chat: bool = False
    follows: bool = False

    @property
    def foreign(self) -> bool:
        """Whether it goes on from what somebody else wrote, which is not kept here."""
        return not self.request.prompt

    @property
    def written(self) -> str:
        """All that the model wrote, without the prompt."""
        return "".join(piece.variant.text for piece in self.segments)

    def with_segment(self, completion: Completion) -> TextThread:
        """With one more piece."""
        return replace(self, segments=(*self.segments, Segment.of(completion)), chat=completion.chat)

    def with_variant(self, completion: Completion) -> TextThread:
        """With one more take of the last piece, which is the one that is shown."""
        last = self.segments[-1]
        variants = (*last.variants, *Segment.of(completion).variants)
        return replace(
            self.without_last_segment(), segments=(*self.segments[:-1], Segment(variants, len(last.variants)))
        )

    def showing_variant(self, shown: int) -> TextThread:
        """With take `shown` of the last piece, or the nearest that there is."""
        last = self.segments[-1]
        shown = max(0, min(shown, len(last.variants) - 1))
        return replace(self, segments=(*self.segments[:-1], replace(last, shown=shown)))

    def without_last_segment(self) -> TextThread:
        """Without the last piece."""
        return replace(self, segments=self.segments[:-1])
