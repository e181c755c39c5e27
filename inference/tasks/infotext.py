"""An image's generation parameters as text ("infotext"), in the format of AUTOMATIC1111's web UI:

a fox (in the snow:1.2)
Negative prompt: dogs
Steps: 25, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 512x512, Model: stable-diffusion-v1-4, Version: Inkling
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from inference.tasks import SAMPLERS, EditRequest, FastMode, ImageResult, ImagineRequest, Sampler, Variation
from inference.tasks.foreign_parameters import Settings, foreign_settings, json_object
from inference.text.prompt_syntax import read_loras
from inference.types.errors import EMPTY_PHRASE, InvalidRequest, Phrase, join_phrases

if TYPE_CHECKING:
    from inference.images.side_data import PictureFile

_T = TypeVar("_T")
_D = TypeVar("_D")

_VERSION = "Inkling"
_NEGATIVE = "Negative prompt:"
_TASK = "Task"
"""The setting that tells an edit from a drawing that starts from an image."""

_MAX_CHARACTERS = 50_000
"""Maximum length of a file's text that is read. Prompts at the default limit, written twice, take half of it."""

_SETTING_PATTERN = re.compile(r'(\w[\w \-/]{1,40}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
"""A key and its value, which is JSON text or ends at the next comma. Linear time: `re` holds the GIL."""

_JSON_TOKEN = re.compile(r'"(?:\\.|[^\\"])*(?:"|$)|[\[\]{}]')
_MAX_OPEN_BRACKETS = 8
"""Values that look like JSON and have no end, at most. Each costs a look at the rest of the line."""

_PLACES = ("parameters", "UserComment", "comment", "XPComment", "ImageDescription")
"""The texts of a file that may be infotext, the likeliest first."""
_AROUND_PROMPTS = "\ufeff \n"
"""What other programs write around a prompt, and what copying adds."""
_SEEDS = 2**32
_MULTIPLE = 8

_SAMPLERS: dict[str, Sampler] = {
    **{name.lower(): name for name in SAMPLERS},
    "plms": "PNDM",
    "dpm++ 2m": "DPM++ 2M Karras",  # with the schedule that "Automatic" selects
}


def to_text(request: ImagineRequest) -> str:
    """Return the parameters that repeat a request, for one image or several.

    Initial image and mask are given by their SHA-256. Options without a value are left out.
    """
    lines = [request.prompt]
    if request.negative_prompt:
        lines.append(f"{_NEGATIVE} {request.negative_prompt}")
    settings = _settings(request)
    if _prompts(_with_plain_line_ends("\n".join(lines))) != (request.prompt, request.negative_prompt):
        # Ambiguous prompts are also written in an unambiguous form.
        settings |= {"Prompt": request.prompt, "Negative": request.negative_prompt}
    settings |= {"Version": _VERSION}
    lines.append(", ".join(f"{key}: {_quote(value)}" for key, value in settings.items()))
    return "\n".join(lines)


def from_text(text: str) -> ImagineRequest:
    """Return the request described by a text of parameters. An initial image has to be added by the caller.

    For files of other programs, unknown settings and model names are ignored, LoRAs are optional, and the request's
    `note` says what was adjusted. Raise InvalidRequest if there are no settings, if one of Inkling's own has an invalid
    value, and if another program's text has neither steps nor a seed that can be read.
    """
    if settings := _settings_in_text(text) or foreign_settings({"parameters": text}):
        return _request(settings)
    raise InvalidRequest("There are no parameters of a picture here. Write a prompt instead.")


def read(data: bytes) -> ImagineRequest | None:
    """Return the request in an image file; None if there is none, or if its text is too long.

    Decodes the file's header, so call it off the event loop. Raise InvalidRequest for files that are no images, and if
    a setting has an invalid value.
    """
    from inference.images.decoding import side_data

    texts = _texts(side_data(data))
    short = [text for place in _PLACES if len(text := texts.get(place, "")) <= _MAX_CHARACTERS]
    settings = next(filter(None, map(_settings_in_text, short)), None) or foreign_settings(texts)
    return _request(settings) if settings else None


def _texts(file: PictureFile) -> dict[str, str]:
    """Return all texts of an image file by their names."""
    from inference.images import exif

    tags = file.tags
    names = {"ImageDescription": exif.DESCRIPTION, "Make": exif.MAKE, "Model": exif.MODEL}
    texts = {name: tags.text(tag) for name, tag in names.items()}
    windows = tags.value(exif.XP_COMMENT).decode("utf-16-le", errors="replace").strip("\0")
    return {**texts, "XPComment": windows, "UserComment": file.user_comment, **file.texts}


def _request(settings: Settings) -> ImagineRequest:
    """Return the request with these settings. Raise InvalidRequest as `from_text` does."""
    is_own = settings.get("Version") == _VERSION
    convert_setting = _SettingConverter(settings, is_strict=is_own)
    width, height = convert_setting("Size", _size, (0, 0))
    has_init_image = "Init image hash" in settings  # a strength alone belongs to another program's upscaler
    request = ImagineRequest(
        prompt=settings.get("Prompt", ""),
        negative_prompt=settings.get("Negative", ""),
        model=settings.get("Model", "") if is_own else "",
        width=width,
        height=height,
        steps=convert_setting("Steps", _whole, 0),
        guidance_scale=convert_setting("CFG scale", float, None),
        sampler=_sampler(settings.get("Sampler", ""), settings.get("Schedule type", "")),
        seed=convert_setting("Seed", _whole, None),
        count=convert_setting("Batch size", int, 1) if is_own else 1,  # others write it into each image of the batch
        variations=_variations(convert_setting),
        region=settings.get("Mask region", "") if has_init_image else "",
        strength=convert_setting("Denoising strength", float, None) if has_init_image else None,
        fast=_fast(convert_setting) if is_own else None,
        temperature=convert_setting("Temperature", float, 1.0),
        top_k=convert_setting("Top k", int, 0),
        lora=settings.get("Lora", "") if is_own else "",
    )
    if is_own:
        return _edit(request, convert_setting) if settings.get(_TASK) == EditRequest.task else request
    if not request.steps and request.seed is None:
        convert_setting.raise_error()
    return _adjusted(request, convert_setting.notes)


def _edit(request: ImagineRequest, convert_setting: _SettingConverter) -> EditRequest:
    """Return the edit with the values of `request`, which was read from the same settings."""
    values: dict[str, Any] = {field.name: getattr(request, field.name) for field in fields(request)}
    values |= {"region": "", "strength": None}
    return EditRequest(**values, image_guidance_scale=convert_setting("Image CFG scale", float, None))


def _adjusted(request: ImagineRequest, notes: Sequence[Phrase]) -> ImagineRequest:
    """Return the request of another program with values that are possible here, and a note about them."""
    notes = [*notes]
    if request.seed is not None and request.seed < 0:  # other programs write -1 for a seed of their choice
        request = replace(request, seed=None)
    elif request.seed is not None and request.seed >= _SEEDS:
        seed = request.seed % _SEEDS
        notes.append(
            Phrase("The file's seed {old} is too large for this bot; it took {new}.", old=request.seed, new=seed)
        )
        request = replace(request, seed=seed)
    width, height = (side // _MULTIPLE * _MULTIPLE for side in (request.width, request.height))
    if (width, height) != (request.width, request.height):
        old = f"{request.width}x{request.height}"
        notes.append(Phrase("The file's size {old} became {new}.", old=old, new=f"{width}x{height}"))
        request = replace(request, width=width, height=height)
    prompt, loras = read_loras(request.prompt)
    note = join_phrases(notes) if notes else EMPTY_PHRASE
    negative_prompt = request.negative_prompt.strip(_AROUND_PROMPTS)
    prompt = prompt.strip(_AROUND_PROMPTS)
    return replace(request, prompt=prompt, negative_prompt=negative_prompt, optional_loras=loras, note=note)


def request_for_image(request: ImagineRequest, result: ImageResult, index: int) -> ImagineRequest:
    """Return the request that repeats image `index` of `result`, with all options set."""
    picture = result.pictures[index]
    return repeatable(request, result, picture.seed, picture.variations)


def repeatable(
    request: ImagineRequest, result: ImageResult, seed: int, variations: tuple[Variation, ...] = ()
) -> ImagineRequest:
    """Return `request` for one image, with the settings of `result`.

    A model without samplers has its own number of steps, which may exceed the limit for users: it is not set.
    """
    if isinstance(request, EditRequest):
        request = replace(request, image_guidance_scale=result.image_guidance_scale)
    return replace(
        request,
        width=result.width,
        height=result.height,
        aspect=(0, 0),
        steps=result.steps if result.sampler else request.steps,
        guidance_scale=result.guidance_scale,
        sampler=sampler_named(result.sampler),
        strength=result.strength,
        fast=result.fast,
        seed=seed,
        variations=variations,
        count=1,
        note=EMPTY_PHRASE,
    )


def options_in(request: ImagineRequest) -> dict[str, str]:
    """Return the options that the request sets, by the names of /imagine's options, without images."""
    values = {
        "prompt": request.prompt,
        "negative": request.negative_prompt,
        "region": request.region,
        "strength": _number(request.strength),
        "size": f"{request.width}x{request.height}" if request.width and request.height else "",
        "steps": str(request.steps or ""),
        "guidance": _number(request.guidance_scale),
        "sampler": request.sampler or "",
        "seed": _number(request.seed),
        "model": request.model,
        "lora": request.lora,
    }
    return {name: value for name, value in values.items() if value}


def sampler_named(name: str) -> Sampler | None:
    """Return the sampler with this name, in any case; None if there is none."""
    return _SAMPLERS.get(name.strip().lower())


def _settings(request: ImagineRequest) -> dict[str, str]:
    """Return all settings that have a value, in the usual order."""
    settings = {
        "Steps": str(request.steps or ""),
        "Sampler": request.sampler or "",
        "CFG scale": _number(request.guidance_scale),
        "Image CFG scale": _number(request.image_guidance_scale) if isinstance(request, EditRequest) else "",
        "Seed": _number(request.seed),
        "Size": f"{request.width}x{request.height}" if request.width and request.height else "",
        "Batch size": str(request.count) if request.count > 1 else "",
        "Model": request.model,
        "Denoising strength": _number(request.strength),
        "Variation seed": ", ".join(str(variation.seed) for variation in request.variations),
        "Variation seed strength": ", ".join(_number(variation.strength) for variation in request.variations),
        "Lora": request.lora,
        "CFG end": _number(request.fast.guidance_end) if request.fast else "",
        "DeepCache interval": str(request.fast.cache_interval) if request.fast else "",
        "Temperature": "" if request.temperature == 1 else _number(request.temperature),
        "Top k": str(request.top_k or ""),
        _TASK: request.task if isinstance(request, EditRequest) else "",
        "Init image hash": sha256(request.image).hexdigest() if request.image else "",
        "Mask hash": sha256(request.mask).hexdigest() if request.mask else "",
        "Mask region": request.region,
    }
    return {key: value for key, value in settings.items() if value}


def _settings_in_text(text: str) -> Settings:
    """Return the settings of an infotext with both prompts; empty if it has no line of settings, or is JSON.

    Lines may follow: Dynamic Prompts adds the templates that the prompts were made from.
    """
    if json_object(text) is not None:
        return {}
    lines = _with_plain_line_ends(text).rstrip().split("\n")
    for index in reversed(range(len(lines))):
        if index == len(lines) - 1 or lines[index].startswith("Steps:"):
            settings = _settings_in_line(lines[index])
            if settings.keys() & {"Steps", "Seed", "Version"}:
                prompt, negative = _prompts("\n".join(lines[:index]))
                return {"Prompt": prompt, "Negative": negative, **settings}
    return {}


def _settings_in_line(line: str) -> Settings:
    """Return the settings of a line by their names. Values may be JSON, with commas and colons of their own."""
    settings: Settings = {}
    position, tries = 0, _MAX_OPEN_BRACKETS
    while match := _SETTING_PATTERN.search(line, position):
        key, value = match.groups()
        position = match.end()
        if value.startswith(("[", "{")) and tries:
            if end := _json_end(line, match.start(2)):
                value, position = line[match.start(2) : end], end
            else:
                tries -= 1
        settings[key] = _unquote(value)
    return settings


def _json_end(line: str, start: int) -> int | None:
    """Return the end of the list or object that begins at `start`; None if it does not end."""
    depth = 0
    for token in _JSON_TOKEN.finditer(line, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return None


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _prompts(body: str) -> tuple[str, str]:
    """Return prompt and negative prompt from the lines before the settings."""
    lines = body.split("\n")
    start = next((i for i, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[start:]).removeprefix(_NEGATIVE).removeprefix(" ")
    return "\n".join(lines[:start]), negative


class _SettingConverter:
    """Converts values of settings. An invalid one raises InvalidRequest if `is_strict`, or else leaves a note."""

    def __init__(self, settings: Mapping[str, str], *, is_strict: bool) -> None:
        self._settings = settings
        self._is_strict = is_strict
        self._invalid: list[str] = []

    def __call__(self, key: str, convert: Callable[[str], _T], default: _D) -> _T | _D:
        if key not in self._settings:
            return default
        try:
            return convert(self._settings[key])
        except ValueError:
            self._invalid.append(key)
            if self._is_strict:
                self.raise_error()
            return default

    @property
    def notes(self) -> list[Phrase]:
        return [
            Phrase("The file's {key} {value!r} can't be read, so it is left open.", key=key, value=self._value(key))
            for key in self._invalid
        ]

    def raise_error(self) -> None:
        """Raise InvalidRequest for the first invalid value, if there is one."""
        for key in self._invalid:
            raise InvalidRequest(
                "These parameters can't be read: {value!r} is no value for {key}. Write a prompt instead.",
                value=self._value(key),
                key=key,
            )

    def _value(self, key: str) -> str:
        return self._settings[key][:40]


def _variations(convert_setting: _SettingConverter) -> tuple[Variation, ...]:
    seeds = convert_setting("Variation seed", _list_of(int), [])
    strengths = convert_setting("Variation seed strength", _list_of(float), [])
    return tuple(map(Variation, seeds, strengths))


def _fast(convert_setting: _SettingConverter) -> FastMode | None:
    guidance_end = convert_setting("CFG end", float, None)
    cache_interval = convert_setting("DeepCache interval", int, None)
    return None if cache_interval is None else FastMode(guidance_end, cache_interval)


def _sampler(name: str, schedule: str) -> Sampler | None:
    """Return the sampler. Newer files have the schedule in a separate setting, as "DPM++ 2M" and "Karras"."""
    return sampler_named(f"{name} {schedule}") or sampler_named(name)


def _list_of(convert: Callable[[str], _T]) -> Callable[[str], list[_T]]:
    return lambda text: [convert(part) for part in text.split(",")]


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.replace("×", "x").split("x"))
    return width, height


def _whole(text: str) -> int:
    """Return a whole number, which some programs write as `20.0`."""
    return int(re.sub(r"\.0+\s*\Z", "", text))


def _number(value: float | None) -> str:
    """Return a number with all digits, so that it reads back unchanged; empty for None."""
    return "" if value is None else repr(value).removesuffix(".0")


def _quote(value: str) -> str:
    needs_no_quotes = value and not set(value) & set(',:\n\r"\\') and value == value.strip()
    return value if needs_no_quotes else json.dumps(value, ensure_ascii=False)


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value.strip()
    try:
        unquoted: Any = json.loads(value)
    except ValueError:
        return value.strip()
    return unquoted if isinstance(unquoted, str) else value
