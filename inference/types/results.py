"""What comes of a request: a class a task."""

from __future__ import annotations

from dataclasses import dataclass

from inference.types.requests import Variation


@dataclass(frozen=True, slots=True)
class Completion:
    """The continuation, without the prompt; `seed` repeats it.

    `others` are the further texts of a request for several. `ended` tells that the model came to an end by itself, or
    to a stop string; `chat` that it answered the prompt instead of going on with it.
    """

    text: str
    seed: int
    others: tuple[str, ...] = ()
    ended: bool = False
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """One word for one blank; `score` is its probability, `text` the whole text with it filled in."""

    word: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Joint:
    """A word for every blank, chosen together; `score` is their probability, `text` the whole text with them."""

    words: tuple[str, ...]
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Filling:
    """Predictions for each blank alone, and `joint` ones for all of them, best first; `text` is that of the best."""

    blanks: tuple[tuple[Prediction, ...], ...]
    text: str
    joint: tuple[Joint, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """What a summary says of `text[start:end]` of the whole text, in `summary`."""

    summary: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`parts` is how many pieces the text was read in; `sections` what each stretch of the text says, in its order."""

    text: str
    parts: int
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. Extractive: `context[start:end] == text`; empty when the text does not say.

    `others` are the next best ones, best first, each about another place; they also say what might be meant where
    the text does not say. `windows` are the stretches (start, end) of the context that speak most of the question,
    best first. `generated` marks an answer in a model's own words, which has no span and no score (both 0).
    """

    text: str
    score: float
    start: int
    end: int
    generated: bool = False
    others: tuple[Answer, ...] = ()
    windows: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn picture as a PNG file, with the parameters that repeat it in its text chunk.

    `flagged` is what the safety checker objected to; its `png` is empty unless the request said `show_flagged`.
    """

    png: bytes
    seed: int
    flagged: bool = False
    variations: tuple[Variation, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """What /imagine returns, with the settings that were really used; `note` is what people should know of them.

    `sampler` is empty for models that have a way of their own, `strength` is None without a source picture.
    """

    pictures: tuple[Picture, ...]
    width: int
    height: int
    steps: int
    guidance: float
    sampler: str = ""
    strength: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mood:
    """`label` as the model names it, in lower case; `score` is its probability.

    `valence` tells how pleasant the text sounds, from -1 to 1: the mean of all labels' by their probabilities. It is
    None with a model whose labels are no scale from negative to positive (see `inference.valence`).
    """

    label: str
    score: float
    valence: float | None = None


@dataclass(frozen=True, slots=True)
class Moods:
    """One for each text, in their order."""

    moods: tuple[Mood, ...]


Value = Completion | Filling | Summary | Answer | Caption | Drawing | Moods
