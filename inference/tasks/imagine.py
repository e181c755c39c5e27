"""Draw images, from text or from other images."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Set
from dataclasses import dataclass, replace
from typing import Literal, Self

from inference.images.regions import check_region
from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_seed, check_text, check_upload, check_within, new_seed
from inference.tasks.request import Request
from inference.tasks.task import Task
from inference.text.prompt_syntax import PromptSyntax, read_syntax
from inference.types import ModelSpec, Output
from inference.types.errors import EMPTY_PHRASE, InvalidRequest, Phrase, join_phrases

_MOST_ASPECT = 4
"""The most that one side may be longer than the other by `aspect`, as a factor."""

_MAX_VARIATIONS = 16
"""The largest number of variations of one image. Each costs as much as drawing the noise again."""

_SHALLOW_STEP = 0.2
"""About the share of a step's time in which only the shallow layers run (docs/performance.md, as the next)."""

_UNGUIDED_STEP = 0.6
"""About the share of a step's time without guidance."""

_MAX_NOTE_CHARACTERS = 200
"""Maximum length of names from a file in a note about them."""

Sampler = Literal["DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "LCM", "PNDM"]
MAX_CACHE_INTERVAL = 10
"""The most steps in which a fast image reuses what the deep layers computed once."""

SAMPLERS: tuple[Sampler, ...] = ("DPM++ 2M Karras", "Euler a", "DDIM", "UniPC", "LCM", "PNDM")
"""Sampling methods of diffusion models, by their usual names."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A rotation of the initial noise towards that of `seed`, by spherical interpolation; `strength` is from 0 to 1."""

    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class FastMode:
    """What a diffusion model leaves out to draw faster. None and 0 select the model's own values.

    Guidance is computed in the first `guidance_end` of the steps, as a share; a step without it runs the network once
    in place of twice. The deep layers of the network run in every `cache_interval`-th step, and their output is reused
    in the steps between (DeepCache, arXiv 2312.00858).
    """

    guidance_end: float | None = None
    cache_interval: int = 0

    @property
    def work(self) -> float:
        """Return about the share of the time that such a picture takes, for forecasts of waiting times.

        Values left to the model count as the usual ones.
        """
        end = DEFAULT_FAST_MODE.guidance_end if self.guidance_end is None else self.guidance_end
        assert end is not None
        deep = 1 / (self.cache_interval or DEFAULT_FAST_MODE.cache_interval)
        return (end + (1 - end) * _UNGUIDED_STEP) * (deep + (1 - deep) * _SHALLOW_STEP)


DEFAULT_FAST_MODE = FastMode(guidance_end=1, cache_interval=2)
"""Measured: an earlier end of guidance changes pictures more than it saves (docs/performance.md)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagineRequest(Request):
    """Draw `count` images of `prompt` with `width` × `height` pixels.

    Image i uses seed `seed + i`. With `variations`, all start from `seed`, and the last variation's seed is increased
    instead. For steps, guidance, sampler, size and strength, zero (or None, or an empty text) selects the
    model's default. `aspect` is width and height of the model's own size in another shape, such as (16, 9).

    With `image`, a file, drawing starts from that image. `strength` is how much it may change, from 0 to 1. `mask` (a
    file; white is drawn anew, black is kept), `region` (see `inference.images.regions`), or else the image's own
    transparency keeps the rest unchanged. `largest_side` limits a size inferred from the image, in pixels.

    With `fast`, a diffusion model leaves out some of its work, so that the same seed looks a little different.
    `temperature` and `top_k` (0: all) are for models that generate image tokens. `lora` names some of the operator's
    LoRA files, perhaps with weights: "ink, fox:0.8". `optional_loras`, each with a weight, are those that a file of
    another program names: the operator may not have them. `show_flagged` returns images that the safety checker flags,
    marked as such; it is only used in age-restricted channels. `require_safety_checker` refuses models without one.
    `has_classifier` says that a classifier of the operator checks the images, so that no note on a missing safety
    checker is needed. `mark_origin` marks the images as drawn by a model.
    `note` tells the user what was adjusted when the request was read from a file; the result shows it.
    """

    task = "imagine"
    inputs = ("image", "mask", "region")
    starts_alone = True

    prompt: str
    negative_prompt: str = ""
    width: int = 0
    height: int = 0
    aspect: tuple[int, int] = (0, 0)
    steps: int = 0
    guidance_scale: float | None = None
    sampler: Sampler | None = None
    seed: int | None = None
    variations: tuple[Variation, ...] = ()
    count: int = 1
    image: bytes = b""
    mask: bytes = b""
    region: str = ""
    strength: float | None = None
    fast: FastMode | None = None
    largest_side: int = 1024
    temperature: float = 1.0
    top_k: int = 0
    lora: str = ""
    optional_loras: tuple[str, ...] = ()
    show_flagged: bool = False
    require_safety_checker: bool = False
    has_classifier: bool = False
    mark_origin: bool = False
    note: Phrase = EMPTY_PHRASE

    @property
    def batch_key(self) -> Hashable:
        sampling = (self.steps, self.guidance_scale, self.sampler, self.strength, self.temperature, self.top_k)
        return (self.task, self.width, self.height, self.aspect, bool(self.image), *sampling, self.lora, self.fast)

    @property
    def work(self) -> float:
        pixels = (self.width or 512) * (self.height or 512)
        return (self.steps or 25) * self.count * pixels / 512**2 * (self.fast.work if self.fast else 1)

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("prompt"), self.prompt, limits.prompt_characters)
        if len(self.negative_prompt) > limits.prompt_characters:
            raise InvalidRequest(
                "The negative prompt is longer than {most:,} characters.", most=limits.prompt_characters
            )
        _check_side(Phrase("width"), self.width, limits)
        _check_side(Phrase("height"), self.height, limits)
        if any(self.aspect):
            _check_aspect(*self.aspect)
        if self.steps:
            check_within(Phrase("steps"), self.steps, 1, limits.steps)
        if self.guidance_scale is not None:
            check_within(Phrase("guidance"), self.guidance_scale, 0, 30)
        check_within(Phrase("count"), self.count, 1, limits.pictures)
        check_within(Phrase("temperature"), self.temperature, 0, 5)
        check_within(Phrase("top-k"), self.top_k, 0, 100_000)
        check_seed(self.seed)
        if self.fast:
            _check_fast(self.fast)
        _check_variations(self.variations)
        self._check_init_image_options(given)

    def check_inputs(self, limits: Limits) -> None:
        check_upload(self.image, limits)
        check_upload(self.mask, limits)
        if self.region:
            check_region(self.region)

    def decode_inputs(self, limits: Limits) -> None:
        from inference.images.decoding import check_picture

        for picture in filter(None, (self.image, self.mask)):
            check_picture(picture, limits.upload_megapixels)

    def typed_texts(self) -> tuple[str, ...]:
        return (self.prompt, self.negative_prompt)

    def given_pictures(self) -> tuple[bytes, ...]:
        return tuple(filter(None, (self.image, self.mask)))

    def normalized(self) -> Self:
        """Return the request with LoRAs, aspect ratio, seed and unwanted words taken out of its prompt."""
        request = self
        while (read := read_syntax(request.prompt)).prompt != request.prompt:
            request = request._with_syntax(read)  # again: a second check must not change the request
        return request

    def _with_syntax(self, read: PromptSyntax) -> Self:
        shape = {"aspect": read.aspect, "width": 0, "height": 0} if any(read.aspect) else {}
        return replace(
            self,
            **shape,
            prompt=read.prompt,
            negative_prompt=", ".join(filter(None, (self.negative_prompt, read.without))),
            seed=self.seed if read.seed is None else read.seed,
            lora=", ".join(filter(None, (self.lora, *read.loras))),
        )

    def with_available_loras(self, available: Collection[str]) -> Self:
        """Return the request with the optional LoRAs that are `available`, and a note that names the others."""
        names = {lora: lora.rpartition(":")[0] for lora in self.optional_loras}
        found = [lora for lora, name in names.items() if name in available]
        missing = dict.fromkeys(name for name in names.values() if name not in available)
        notes = [self.note] if self.note else []
        if missing:
            text = ", ".join(missing)[:_MAX_NOTE_CHARACTERS]
            notes.append(Phrase("LoRAs in the file that this bot does not have were left out: {names}.", names=text))
        return replace(
            self,
            lora=", ".join(filter(None, (self.lora, *found))),
            optional_loras=(),
            note=join_phrases(notes) if notes else EMPTY_PHRASE,
        )

    def resolved(self, spec: ModelSpec) -> Self:
        """Return the request with a seed, and with the model's name for the image's parameters."""
        seed = new_seed() if self.seed is None else self.seed
        return replace(self, model=spec.name, largest_side=spec.largest_side, seed=seed)

    def _check_init_image_options(self, given: Set[str]) -> None:
        if "image" not in given and (given or self.strength is not None):
            raise InvalidRequest("A mask, a region and a strength belong to a picture to start from. Add that picture.")
        if {"mask", "region"} <= given:
            raise InvalidRequest("Give a mask or a region, not both.")
        if self.strength is not None:
            check_within(Phrase("strength"), self.strength, 0.01, 1)


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One image as a PNG file, with its generation parameters in the text chunk.

    `flagged` images were flagged by the safety checker. Their `png` is empty unless the request has `show_flagged`.
    """

    png: bytes
    seed: int
    flagged: bool = False
    variations: tuple[Variation, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageResult(Output):
    """The images of a request with the settings that were used. `note` is for the user.

    `sampler` is empty for models without a choice. `strength` is None without an initial image, `fast` unless the
    request has it, and `image_guidance_scale` unless the image was edited by a model that has one. `outpainting_side`
    is the longest side of a larger picture that the model can draw around one of its pictures, in pixels; 0 if it can't
    inpaint. `size_multiple` is the number of pixels of which both sides of its pictures are multiples. `enlarged` is
    width and height of a picture that was enlarged afterwards, zeros if none was.
    """

    pictures: tuple[GeneratedImage, ...]
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: str = ""
    strength: float | None = None
    fast: FastMode | None = None
    outpainting_side: int = 0
    size_multiple: int = 8
    enlarged: tuple[int, int] = (0, 0)
    note: Phrase = EMPTY_PHRASE
    image_guidance_scale: float | None = None

    @property
    def charged(self) -> float:
        """Return the share of the pictures that are shown: what the safety checker withholds is not charged."""
        return sum(bool(picture.png) for picture in self.pictures) / len(self.pictures)


def _check_side(name: Phrase, side: int, limits: Limits) -> None:
    """Check a side in pixels. 0 selects the model's own."""
    if not side:
        return
    check_within(name, side, 8, limits.side)
    if side % 8:
        raise InvalidRequest(
            "The {name} must be a multiple of 8, for example {example}.", name=name, example=side // 8 * 8
        )


def _check_aspect(width: int, height: int) -> None:
    if not (width and height and 1 / _MOST_ASPECT <= width / height <= _MOST_ASPECT):
        raise InvalidRequest(
            "The aspect ratio must be between {most}:1 and 1:{most}, not {width}:{height}.",
            most=_MOST_ASPECT,
            width=width,
            height=height,
        )


def _check_fast(fast: FastMode) -> None:
    if fast.guidance_end is not None:
        check_within(Phrase("end of guidance"), fast.guidance_end, 0, 1)
    check_within(Phrase("interval of the cache"), fast.cache_interval, 0, MAX_CACHE_INTERVAL)


def _check_variations(variations: tuple[Variation, ...]) -> None:
    if len(variations) > _MAX_VARIATIONS:
        raise InvalidRequest(
            "A picture can be varied {most} times in a row at most. Vary an earlier one, or write a new prompt.",
            most=_MAX_VARIATIONS,
        )
    for variation in variations:
        check_within(Phrase("strength of a variation"), variation.strength, 0, 1)
        check_seed(variation.seed)


TASK = Task(
    name="imagine",
    summary="draw a picture",
    requests=(ImagineRequest,),
    output=ImageResult,
    parts=(
        Variation,
        FastMode,
        GeneratedImage,
    ),
)
