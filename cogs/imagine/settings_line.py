"""The line of settings that people edit, and a text that says what they changed.

Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Size: 512x512, Model: stable-diffusion-v1-4
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from difflib import SequenceMatcher
from itertools import takewhile

from cogs.common import neutral
from cogs.i18n import tr
from inference import SAMPLERS, EditRequest, FastMode, ImagineRequest, InvalidRequest, Phrase, infotext

_LONGEST_QUOTE = 60
"""The most characters of a changed passage to show."""

_MOST_QUOTES = 4
"""The most changed passages of a prompt to show."""

_NAMES = ("Steps", "Sampler", "CFG scale", "Size", "Model", "Lora", "Temperature", "Top k", "Fast")
"""The settings of drawings."""

_NAMES_FOR_EDITS = ("Steps", "CFG scale", "Image CFG scale", "Size", "Model", "Temperature", "Top k")
"""The settings of edits."""

_DEFAULTS = {field.name: field.default for field in fields(ImagineRequest)}

_MOST_COMPARED = 200
"""The most words to compare, since the time grows with their cube."""


def settings_line(request: ImagineRequest) -> str:
    """Return the settings that the request does not leave to the model."""
    settings = {
        "Steps": request.steps or "",
        "Sampler": request.sampler or "",
        "CFG scale": _number(request.guidance_scale) or "",
        "Image CFG scale": _image_guidance(request) or "",
        "Size": f"{request.width}x{request.height}" if request.width and request.height else "",
        "Model": request.model,
        "Temperature": "" if request.temperature == _DEFAULTS["temperature"] else _number(request.temperature),
        "Top k": request.top_k or "",
        "Fast": "yes" if request.fast else "",
    }
    loras = [f"Lora: {lora.strip()}" for lora in request.lora.split(",") if lora.strip()]
    return ", ".join([*(f"{name}: {value}" for name, value in settings.items() if value != ""), *loras])


def with_settings(request: ImagineRequest, line: str) -> ImagineRequest:
    """Return `request` with the settings in `line`; others stay. Raise InvalidRequest.

    LoRAs in the line replace those of before.
    """
    loras: list[str] = []
    for part in filter(None, map(str.strip, line.split(","))):
        name, colon, value = map(str.strip, part.partition(":"))
        if not colon or name.lower() not in (*_READERS, "lora"):
            raise InvalidRequest(
                "I don't understand {part!r} in the settings. They are {names}, each with a colon and a value.",
                part=neutral(part[:40]),
                names=", ".join(_NAMES_FOR_EDITS if isinstance(request, EditRequest) else _NAMES),
            )
        if name.lower() == "lora":
            loras.append(value)
        else:
            request = _READERS[name.lower()](request, value)
    return replace(request, lora=", ".join(loras)) if loras else request


def options_of(request: ImagineRequest) -> dict[str, str]:
    """Return the options of its command that draw this request again, without pictures."""
    is_edit = isinstance(request, EditRequest)
    options = {
        "instruction" if is_edit else "prompt": request.prompt,
        "negative": "" if is_edit else request.negative_prompt,  # Remix has it, /edit has not
        "region": request.region,
        "strength": _number(request.strength) or "",
        "seed": "" if request.seed is None else str(request.seed),
        "advanced": settings_line(request),
    }
    return {name: value for name, value in options.items() if value}


def changes(old: ImagineRequest, new: ImagineRequest) -> str:
    """Return the changes: `steps 25 → 30 · prompt +"at night"`, or `nothing changed`. A new random seed is none."""
    pairs = {
        tr("steps"): (old.steps or None, new.steps or None),
        tr("sampler"): (old.sampler, new.sampler),
        tr("guidance"): (_number(old.guidance_scale), _number(new.guidance_scale)),
        tr("image guidance"): (_image_guidance(old), _image_guidance(new)),
        tr("size"): (_size(old), _size(new)),
        tr("model"): (old.model, new.model or None),
        tr("seed"): (old.seed, old.seed if new.seed is None else new.seed),
        tr("strength"): (_number(old.strength), _number(new.strength)),
        tr("LoRA"): (old.lora or tr("none"), new.lora or tr("none")),
        tr("temperature"): (_number(old.temperature), _number(new.temperature)),
        tr("top-k"): (old.top_k, new.top_k),
        tr("fast"): (tr("yes") if old.fast else tr("no"), tr("yes") if new.fast else tr("no")),
    }
    parts = [f"{name} {_value(was)} → {_value(now)}" for name, (was, now) in pairs.items() if was != now]
    parts += _word_changes(tr("prompt"), old.prompt, new.prompt)
    parts += _word_changes(tr("without"), old.negative_prompt, new.negative_prompt)
    return " · ".join(parts) or tr("nothing changed")


def number(name: Phrase, value: str) -> float:
    """Return the typed number, which may have a decimal comma; raise InvalidRequest."""
    try:
        return float(value.replace(",", "."))
    except ValueError as error:
        raise InvalidRequest(
            "The {name} must be a number, not {value!r}.", name=name, value=neutral(value[:40])
        ) from error


def whole_number(name: Phrase, value: str) -> int:
    """Return the typed whole number; raise InvalidRequest."""
    if not re.fullmatch(r"\d{1,20}", value, re.ASCII):
        raise InvalidRequest("The {name} must be a whole number, not {value!r}.", name=name, value=neutral(value[:40]))
    return int(value)


def _with_size(request: ImagineRequest, value: str) -> ImagineRequest:
    if not (match := re.fullmatch(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", value, re.ASCII | re.IGNORECASE)):
        raise InvalidRequest("The size must look like 512x768, not {value!r}.", value=neutral(value[:40]))
    return replace(request, width=int(match[1]), height=int(match[2]))


def _with_sampler(request: ImagineRequest, value: str) -> ImagineRequest:
    if not (sampler := infotext.sampler_named(value)):
        raise InvalidRequest(
            "There is no sampler {name!r}. There is: {names}.", name=neutral(value[:40]), names=", ".join(SAMPLERS)
        )
    return replace(request, sampler=sampler)


def _with_image_guidance(request: ImagineRequest, value: str) -> ImagineRequest:
    if not isinstance(request, EditRequest):
        raise InvalidRequest("The Image CFG scale is a setting of /edit. Leave it out.")
    return replace(request, image_guidance_scale=number(Phrase("Image CFG scale"), value))


def _with_fast(request: ImagineRequest, value: str) -> ImagineRequest:
    if value.lower() not in ("yes", "no"):
        raise InvalidRequest("Fast must be yes or no, not {value!r}.", value=neutral(value[:40]))
    return replace(request, fast=FastMode() if value.lower() == "yes" else None)


_READERS: dict[str, Callable[[ImagineRequest, str], ImagineRequest]] = {
    "steps": lambda request, value: replace(request, steps=whole_number(Phrase("steps"), value)),
    "sampler": _with_sampler,
    "cfg scale": lambda request, value: replace(request, guidance_scale=number(Phrase("CFG scale"), value)),
    "image cfg scale": _with_image_guidance,
    "size": _with_size,
    "model": lambda request, value: replace(request, model=value),
    "temperature": lambda request, value: replace(request, temperature=number(Phrase("temperature"), value)),
    "top k": lambda request, value: replace(request, top_k=whole_number(Phrase("top-k"), value)),
    "fast": _with_fast,
}


def _number(value: float | None) -> str | None:
    """Return the number with all its digits, `7.5` or `7`; None for None."""
    return None if value is None else repr(float(value)).removesuffix(".0")


def _image_guidance(request: ImagineRequest) -> str | None:
    return _number(request.image_guidance_scale) if isinstance(request, EditRequest) else None


def _size(request: ImagineRequest) -> str | None:
    return f"{request.width} × {request.height}" if request.width and request.height else None


def _value(value: object) -> str:
    return tr("the model's own") if value is None else neutral(str(value))


def _word_changes(name: str, old: str, new: str) -> list[str]:
    """Return the removed and added words: `prompt −"by day" +"at night"`."""
    passages = _passages(old.split(), new.split())
    shown = [f"−{_quote(was)}" for was, _ in passages if was] + [f"+{_quote(now)}" for _, now in passages if now]
    if len(shown) > _MOST_QUOTES:
        shown = [*shown[:_MOST_QUOTES], "…"]
    return [f"{name} {' '.join(shown)}"] if shown else []


def _passages(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """Return the old and the new words for each difference."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    before, after = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(before), len(after)) > _MOST_COMPARED:
        return [(" ".join(before), " ".join(after))]
    places = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(" ".join(before[a:b]), " ".join(after[c:d])) for kind, a, b, c, d in places if kind != "equal"]


def _common(some: list[str], others: list[str]) -> int:
    """Return the number of words at the beginning that are the same in both."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False)))


def _quote(text: str) -> str:
    return f'"{neutral(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")}"'
