"""A text that a person began and a model goes on with, piece by piece: plain data, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from inference import CompleteRequest, Completion


@dataclass(frozen=True, slots=True)
class Take:
    """One way for a piece to go, and the seed that repeats it; `ended`: the model came to an end there."""

    text: str
    seed: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What the model wrote in one go: one take or several, of which take `shown` (from 0) is part of the text."""

    takes: tuple[Take, ...]
    shown: int = 0

    @property
    def take(self) -> Take:
        return self.takes[self.shown]

    @classmethod
    def of(cls, completion: Completion) -> Self:
        """Text i of a completion is repeated by its seed + i."""
        others = (Take(text, completion.seed + i) for i, text in enumerate(completion.others, 1))
        return cls((Take(completion.text, completion.seed, completion.ended), *others))


@dataclass(frozen=True, slots=True)
class Story:
    """What was asked for, with all its settings, and the pieces so far.

    `chat`: they answer the prompt. `follows`: it goes on from an earlier story, whose words are not part of this one.
    The prompt is empty where it is what somebody else wrote.
    """

    request: CompleteRequest
    pieces: tuple[Piece, ...] = ()
    chat: bool = False
    follows: bool = False

    @property
    def foreign(self) -> bool:
        """Whether it goes on from what somebody else wrote, which is not kept here."""
        return not self.request.prompt

    @property
    def written(self) -> str:
        """All that the model wrote, without the prompt."""
        return "".join(piece.take.text for piece in self.pieces)

    def continued(self, completion: Completion) -> Story:
        """With one more piece."""
        return replace(self, pieces=(*self.pieces, Piece.of(completion)), chat=completion.chat)

    def retold(self, completion: Completion) -> Story:
        """With one more take of the last piece, which is the one that is shown."""
        last = self.pieces[-1]
        takes = (*last.takes, *Piece.of(completion).takes)
        return replace(self.undone(), pieces=(*self.pieces[:-1], Piece(takes, len(last.takes))))

    def turned(self, shown: int) -> Story:
        """With take `shown` of the last piece, or the nearest that there is."""
        last = self.pieces[-1]
        shown = max(0, min(shown, len(last.takes) - 1))
        return replace(self, pieces=(*self.pieces[:-1], replace(last, shown=shown)))

    def undone(self) -> Story:
        """Without the last piece."""
        return replace(self, pieces=self.pieces[:-1])
