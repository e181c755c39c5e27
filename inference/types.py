"""The vocabulary shared by cogs, engine and pipelines: specs, requests, events and results.

Everything here is frozen plain data (text, numbers, bytes), so that a request can be queued, stored
or sent to another machine. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import ClassVar, Literal

Task = Literal["complete", "fill", "summarize", "ask", "caption", "imagine", "mood"]
TASKS: tuple[Task, ...] = ("complete", "fill", "summarize", "ask", "caption", "imagine", "mood")

DType = Literal["auto", "float32", "bfloat16", "float16"]

_WRITING = "writing"
"""The batch key of all that language models write: such texts grow together, whatever they are for."""

_SHORT = 8.0
"""The most that is read between two steps of a long job, in pieces of 1500 characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One model as the operator listed it for one task.

    `repo` is a hub id (`org/name`) or the absolute path of a folder; `revision` a branch, tag or
    commit; `loras` the absolute path of a folder of LoRA files, where the task has use for them;
    `at_once` how many pictures a diffusion model draws together, `enlarge` how many times larger than drawn they are
    shown, `guidance` and `temperature` what it takes where a request names none (None: what is usual);
    `companion` that of another repository's files, which some models need: filled in once they are on disk.
    Two specs with the same `key` share one copy in memory, whatever their tasks.
    """

    name: str
    task: Task
    repo: str
    revision: str | None = None
    dtype: DType = "auto"
    device: str = "auto"
    loras: str = ""
    at_once: int = 1
    enlarge: int = 1
    guidance: float | None = None
    temperature: float | None = None
    companion: str = ""

    @property
    def key(self) -> Hashable:
        return (self.repo, self.revision, self.dtype, self.device)


# --- requests ---------------------------------------------------------------------------------


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


# --- results ----------------------------------------------------------------------------------


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

# --- events -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queued:
    """`position` counts from 1, the next to run; `eta` is seconds until it starts, when known."""

    position: int
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Loading:
    """The model's files are being fetched (`fraction` from 0 to 1) or read (`fraction` is None)."""

    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The model is there, and works on the request from now on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `total` is done; `preview` is a small picture (PNG) where the task has one."""

    step: int
    total: int
    preview: bytes | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """All the text so far (not just what is new), so that only the latest one matters.

    Of several texts it is the first one; `chat` as in `Completion`.
    """

    text: str
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The last event of every request that succeeds."""

    value: Value


Event = Queued | Loading | Started | Progress | Chunk | Result

LoadProgress = Callable[[float | None], None]
"""Told the fraction fetched (0 to 1) while downloading, None while reading from disk."""
