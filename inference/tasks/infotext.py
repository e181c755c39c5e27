"""A picture's parameters as text, the way AUTOMATIC1111's tools write and read them:

a fox (in the snow:1.2)
Negative prompt: dogs
Steps: 25, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 512x512, Model: stable-diffusion-v1-4, Version: Inkling
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from inference.tasks import SAMPLERS, ImageResult, ImagineRequest, Sampler, Variation
from inference.types.errors import InvalidRequest

_T = TypeVar("_T")
_D = TypeVar("_D")

_VERSION = "Inkling"
_NEGATIVE = "Negative prompt:"

_LONGEST = 50_000
"""Characters of a file's text that are read; prompts at their usual limit, written twice, take half of that."""

_SETTING = re.compile(r'(\w[\w \-/]{1,40}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
"""A key, and a value that is a JSON text or goes up to the next comma. Found in linear time: `re` holds the GIL."""

_SAMPLERS: dict[str, Sampler] = {
    **{name.lower(): name for name in SAMPLERS},
    "plms": "PNDM",
    "dpm++ 2m": "DPM++ 2M Karras",  # the schedule that "Automatic" chooses for it
}


def to_text(request: ImagineRequest) -> str:
    """What repeats a request, of one picture or of several. A source picture and its mask are named by their SHA-256.

    Wishes that the request leaves open are left out.
    """
    lines = [request.prompt]
    if request.negative_prompt:
        lines.append(f"{_NEGATIVE} {request.negative_prompt}")
    settings = _settings(request)
    if _prompts("\n".join(lines)) != (request.prompt, request.negative_prompt):
        # Prompts that look like something else are also there in a form that can't be mistaken.
        settings |= {"Prompt": request.prompt, "Negative": request.negative_prompt}
    settings |= {"Version": _VERSION}
    lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in settings.items()))
    return "\n".join(lines)


def from_text(text: str) -> ImagineRequest:
    """The request that a text of parameters describes; a source picture has to be added, where it names one.

    Of other programs' files, unknown settings are ignored, and models, whose names are not ours. Raises InvalidRequest
    where there are no settings, or one has no such value.
    """
    body, _, last = text.rstrip().rpartition("\n")
    settings = {key: _unquoted(value) for key, value in _SETTING.findall(last)}
    if not settings.keys() & {"Steps", "Seed", "Version"}:
        raise InvalidRequest("There are no parameters of a picture here. Write a prompt instead.")
    prompt, negative = _prompts(body)
    read = _Reader(settings)
    width, height = read("Size", _size, (0, 0))
    ours = settings.get("Version") == _VERSION
    has_source = "Init image hash" in settings  # a strength alone is that of another program's upscaler
    return ImagineRequest(
        prompt=settings.get("Prompt", prompt),
        negative_prompt=settings.get("Negative", negative),
        model=settings.get("Model", "") if ours else "",
        width=width,
        height=height,
        steps=read("Steps", int, 0),
        guidance_scale=read("CFG scale", float, None),
        sampler=_sampler(settings.get("Sampler", ""), settings.get("Schedule type", "")),
        seed=read("Seed", int, None),
        count=read("Batch size", int, 1) if ours else 1,  # others write it into each picture of the batch
        variations=_variations(read),
        region=settings.get("Mask region", "") if has_source else "",
        strength=read("Denoising strength", float, None) if has_source else None,
        temperature=read("Temperature", float, 1.0),
        top_k=read("Top k", int, 0),
        lora=settings.get("Lora", ""),
    )


def read(data: bytes) -> ImagineRequest | None:
    """The request in a picture file, as it is found in PNG, JPEG and WebP; None without, and for a far too long text.

    Decodes the file's head, so call it off the loop. Raises InvalidRequest for files that are no pictures, and what
    `from_text` raises.
    """
    from inference.images.decoding import parameters_in

    text = parameters_in(data)
    return from_text(text) if 0 < len(text) <= _LONGEST else None


def request_for_image(request: ImagineRequest, drawing: ImageResult, index: int) -> ImagineRequest:
    """The request that draws picture `index` of `drawing` alone, with nothing left open."""
    picture = drawing.pictures[index]
    return repeatable(request, drawing, picture.seed, picture.variations)


def repeatable(
    request: ImagineRequest, drawing: ImageResult, seed: int, variations: tuple[Variation, ...] = ()
) -> ImagineRequest:
    """`request` for one picture, with the settings that `drawing` was made with.

    A model without a sampler has its own number of steps, maybe beyond the limit for what people ask for.
    """
    return replace(
        request,
        width=drawing.width,
        height=drawing.height,
        steps=drawing.steps if drawing.sampler else request.steps,
        guidance_scale=drawing.guidance_scale,
        sampler=sampler_named(drawing.sampler),
        strength=drawing.strength,
        seed=seed,
        variations=variations,
        count=1,
    )


def options_in(request: ImagineRequest) -> dict[str, str]:
    """What the request does not leave open, by the names of /imagine's options; without its pictures."""
    values = {
        "prompt": request.prompt,
        "negative": request.negative_prompt,
        "region": request.region,
        "strength": _number(request.strength),
        "size": f"{request.width}x{request.height}" if request.width and request.height else "",
        "steps": str(request.steps or ""),
        "guidance_scale": _number(request.guidance_scale),
        "sampler": request.sampler or "",
        "seed": _number(request.seed),
        "model": request.model,
        "lora": request.lora,
    }
    return {name: value for name, value in values.items() if value}


def sampler_named(name: str) -> Sampler | None:
    """The sampler of that name, however it is capitalised; None for one that there is not."""
    return _SAMPLERS.get(name.strip().lower())


def _settings(request: ImagineRequest) -> dict[str, str]:
    """The settings that are not left open, in the usual order."""
    settings = {
        "Steps": str(request.steps or ""),
        "Sampler": request.sampler or "",
        "CFG scale": _number(request.guidance_scale),
        "Seed": _number(request.seed),
        "Size": f"{request.width}x{request.height}" if request.width and request.height else "",
        "Batch size": str(request.count) if request.count > 1 else "",
        "Model": request.model,
        "Denoising strength": _number(request.strength),
        "Variation seed": ", ".join(str(variation.seed) for variation in request.variations),
        "Variation seed strength": ", ".join(_number(variation.strength) for variation in request.variations),
        "Lora": request.lora,
        "Temperature": "" if request.temperature == 1 else _number(request.temperature),
        "Top k": str(request.top_k or ""),
        "Init image hash": sha256(request.image).hexdigest() if request.image else "",
        "Mask hash": sha256(request.mask).hexdigest() if request.mask else "",
        "Mask region": request.region,
    }
    return {key: value for key, value in settings.items() if value}


def _prompts(body: str) -> tuple[str, str]:
    """Prompt and negative prompt, from the lines above the settings."""
    lines = body.split("\n")
    start = next((i for i, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[start:]).removeprefix(_NEGATIVE).removeprefix(" ")
    return "\n".join(lines[:start]), negative


class _Reader:
    """Converts settings; raises InvalidRequest where one has another kind of value."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def __call__(self, key: str, convert: Callable[[str], _T], default: _D) -> _T | _D:
        if key not in self._settings:
            return default
        try:
            return convert(self._settings[key])
        except ValueError as error:
            raise InvalidRequest(
                "These parameters can't be read: {value!r} is no value for {key}. Write a prompt instead.",
                value=self._settings[key][:40],
                key=key,
            ) from error


def _variations(read: _Reader) -> tuple[Variation, ...]:
    seeds, strengths = read("Variation seed", _list_of(int), []), read("Variation seed strength", _list_of(float), [])
    return tuple(map(Variation, seeds, strengths))


def _sampler(name: str, schedule: str) -> Sampler | None:
    """Newer files name the schedule apart, as in "DPM++ 2M" with "Karras"."""
    return sampler_named(f"{name} {schedule}") or sampler_named(name)


def _list_of(convert: Callable[[str], _T]) -> Callable[[str], list[_T]]:
    return lambda text: [convert(part) for part in text.split(",")]


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def _number(value: float | None) -> str:
    """In full, so that it reads back as the same number; nothing for None."""
    return "" if value is None else repr(value).removesuffix(".0")


def _quoted(value: str) -> str:
    plain = value and not set(value) & set(',:\n\r"\\') and value == value.strip()
    return value if plain else json.dumps(value, ensure_ascii=False)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value.strip()
    try:
        unquoted: Any = json.loads(value)
    except ValueError:
        return value.strip()
    return unquoted if isinstance(unquoted, str) else value
