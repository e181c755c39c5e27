"""What one caller wants of one model: a class a task."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, Literal

from inference.types.spec import Task

_WRITING = "writing"
"""The batch key of all that language models write: such texts grow together, whatever they are for."""

_SHORT = 8.0
"""The most that is read between two steps of a long job, in pieces of 1500 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What one caller wants of one model; a subclass a task.

    `model` is a name from the config, or empty for the task's first model. `owner` is whose share of
    the queue the request uses.
    """

    task: ClassVar[Task]

    model: str = ""
    owner: str = ""

    @property
    def batch_key(self) -> Hashable:
        """Requests for one model with equal keys may run in one batch."""
        return self.task

    @property
    def work(self) -> float:
        """How much there is to do, in a unit of the task's own; the scheduler learns seconds a unit."""
        return 1.0

    @property
    def short(self) -> bool:
        """Whether the work is brief enough to run between two steps of a long job."""
        return False


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said earlier in a conversation."""

    speaker: Literal["person", "model"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteRequest(Request):
    """Continue `prompt`, or with a chat model answer it.

    `temperature` 0 is greedy, None what is usual for the model; `top_p` is the nucleus (Holtzman et al. 2019);
    `repetition_penalty` divides the scores of tokens that are there already (Keskar et al. 2019, 1 is off). The text
    ends before any of the strings in `stop`. `n` texts are written, text i from seed `seed + i`.

    `written` is what the model has written of this text so far, to go on from; `turns` what was said before, oldest
    first: a model that does not chat reads their texts and the prompt as one text, with nothing added in between.
    Where all of that is more than the model reads, the oldest goes. `system` tells a chat model who it is.
    """

    task = "complete"

    prompt: str
    written: str = ""
    turns: tuple[Turn, ...] = ()
    system: str = ""
    max_new_tokens: int = 64
    temperature: float | None = None
    top_p: float = 0.95
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None

    @property
    def batch_key(self) -> Hashable:
        return _WRITING

    @property
    def work(self) -> float:
        return float(self.max_new_tokens * self.n)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainRequest(Request):
    """Answer `question` in a language model's own words: from `context`, or without one from what the model knows."""

    task = "complete"

    question: str
    context: str = ""
    max_new_tokens: int = 160

    @property
    def batch_key(self) -> Hashable:
        return _WRITING

    @property
    def work(self) -> float:
        return float(self.max_new_tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class FillRequest(Request):
    """Fill each `[MASK]` or `___` in `text`; `top_k` predictions a blank, and as many for all blanks together."""

    task = "fill"

    text: str
    top_k: int = 5

    @property
    def short(self) -> bool:
        return True


Length = Literal["short", "medium", "long", "bullets"]
LENGTHS: tuple[Length, ...] = ("short", "medium", "long", "bullets")


@dataclass(frozen=True, kw_only=True, slots=True)
class SummarizeRequest(Request):
    """Shorten `text`, of any length.

    `borders` are places in `text` where something new begins, such as another speaker's words: parts end there rather
    than elsewhere.
    """

    task = "summarize"

    text: str
    length: Length = "medium"
    borders: tuple[int, ...] = ()

    @property
    def batch_key(self) -> Hashable:
        return _WRITING

    @property
    def work(self) -> float:
        return 1.0 + len(self.text) / 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class AskRequest(Request):
    """Answer `question` from `context` alone, with up to `alternatives` other answers."""

    task = "ask"

    question: str
    context: str
    alternatives: int = 3

    @property
    def batch_key(self) -> Hashable:
        return _WRITING

    @property
    def work(self) -> float:
        return 1.0 + len(self.context) / 1500

    @property
    def short(self) -> bool:
        return self.work <= _SHORT


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptionRequest(Request):
    """Describe a picture, given as the bytes of an image file."""

    task = "caption"

    image: bytes

    @property
    def short(self) -> bool:
        return True


Sampler = Literal["DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "LCM", "PNDM"]
SAMPLERS: tuple[Sampler, ...] = ("DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "LCM", "PNDM")
"""How a diffusion model gets from noise to a picture, by the names that people know."""


@dataclass(frozen=True, slots=True)
class Variation:
    """One turn of the starting noise towards that of `seed`, by spherical interpolation; `strength` from 0 to 1."""

    seed: int
    strength: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagineRequest(Request):
    """Draw `prompt`: `count` pictures of `width` × `height` pixels.

    Picture i is drawn from seed `seed + i`; with `variations`, all start from `seed`, and the last variation's
    seed counts up instead. A zero (or None, or an empty text) for steps, guidance, sampler, size or strength means
    the model's own.

    With `image`, a file, drawing starts from that picture: `strength` is how far it may go from it, from 0 to 1.
    `mask` (a file: white is drawn anew, black stays) or `region` (see `inference.regions`), or else the picture's own
    transparency, keeps the rest as it is. `largest_side` bounds a size that is inferred from the picture, in pixels.

    `temperature` and `top_k` (0: all) are for models that draw token by token. `lora` is the name of one of the
    operator's LoRA files. `show_flagged` hands out what the safety checker objects to, marked: only where Discord
    restricts the channel by age. `checked` is for models with a safety checker alone.
    """

    task = "imagine"

    prompt: str
    negative_prompt: str = ""
    width: int = 0
    height: int = 0
    steps: int = 0
    guidance: float | None = None
    sampler: Sampler | None = None
    seed: int | None = None
    variations: tuple[Variation, ...] = ()
    count: int = 1
    image: bytes = b""
    mask: bytes = b""
    region: str = ""
    strength: float | None = None
    largest_side: int = 1024
    temperature: float = 1.0
    top_k: int = 0
    lora: str = ""
    show_flagged: bool = False
    checked: bool = False

    @property
    def batch_key(self) -> Hashable:
        how = (self.steps, self.guidance, self.sampler, self.strength, self.temperature, self.top_k, self.lora)
        return (self.task, self.width, self.height, bool(self.image), *how)

    @property
    def work(self) -> float:
        pixels = (self.width or 512) * (self.height or 512)
        return (self.steps or 25) * self.count * pixels / 512**2


@dataclass(frozen=True, kw_only=True, slots=True)
class SentimentRequest(Request):
    """Tell for each of `texts` whether it sounds positive or negative."""

    task = "mood"

    texts: tuple[str, ...]

    @property
    def work(self) -> float:
        return sum(1.0 + len(text) / 1500 for text in self.texts)

    @property
    def short(self) -> bool:
        return self.work <= _SHORT
