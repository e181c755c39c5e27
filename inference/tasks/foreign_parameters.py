"""Parameters that other programs write into pictures as JSON.

These are ComfyUI, InvokeAI, NovelAI, Fooocus, SwarmUI and Draw Things. Only what is plain to see is read: prompts,
seed, steps, guidance, size, and a sampler that is known here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from inference.tasks.comfyui_graph import graph_fields, is_graph, is_workflow, workflow_graph

Settings = dict[str, str]
"""Values by the names that infotext has for them: Prompt, Negative, Steps, Seed, CFG scale, Size, Sampler."""

_PLACES = (
    *("invokeai_metadata", "sd-metadata", "parameters", "UserComment", "Comment", "comment", "prompt"),
    *("Make", "Model", "ImageDescription", "generation_data", "workflow"),
)
"""The texts of a file that may be JSON, the likeliest first."""
_PREFIX = re.compile(r"\s*(?:(?:prompt|workflow):\s*)?(?=\{)", re.IGNORECASE)
"""ComfyUI puts the name before JSON in the EXIF of a WebP."""
_WRAPPERS = ("sui_image_params", "image", "meta", "Comment")
"""Keys of an object whose value holds the parameters."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "Prompt": ("positive_prompt", "prompt", "c", "base_caption"),
    "Negative": ("negative_prompt", "negativeprompt", "negative", "uc"),
    "Steps": ("steps", "num_inference_steps"),
    "Seed": ("seed", "noise_seed"),
    "CFG scale": ("cfg_scale", "cfgscale", "guidance_scale", "scale", "cfg"),
    "Sampler": ("sampler", "sampler_name", "scheduler"),
}
_FORMS = {
    "Steps": re.compile(r"(\d{1,4})(?:\.0+)?"),
    "Seed": re.compile(r"(\d{1,20})(?:\.0+)?"),
    "CFG scale": re.compile(r"(\d{1,3}(?:\.\d+)?)"),
}
"""Values that are read. Others are left to the model."""
_SIZE = re.compile(r"\D*(\d{2,5})\D+(\d{2,5})\D*")
_SAMPLERS = {
    **dict.fromkeys(("euler_ancestral", "euler_a"), "Euler a"),
    **dict.fromkeys(("dpmpp_2m", "dpmpp_2m_k", "dpmpp_2m_karras"), "DPM++ 2M Karras"),
    **dict.fromkeys(("uni_pc", "unipc"), "UniPC"),
    **dict.fromkeys(("pndm", "plms"), "PNDM"),
    "ddim": "DDIM",
    "lcm": "LCM",
}

_MAX_LINE_CHARACTERS = 50_000
"""Maximum length of a line of commands that is read: `shlex` takes quadratic time."""
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_OPTION = {"-s": "steps", "-S": "seed", "-W": "width", "-H": "height", "-C": "cfg_scale", "-A": "sampler"}
"""Options in the line of commands that InvokeAI wrote first."""


def foreign_settings(texts: Mapping[str, str]) -> Settings:
    """Return the settings in the texts of a picture's file, by their names; empty if none of them has a prompt."""
    for fields in _candidates(texts):
        if settings := _settings(fields):
            return settings
    return {}


def _candidates(texts: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Yield what may be parameters, the likeliest first."""
    for place in _PLACES:
        if (value := json_object(texts.get(place, ""))) is not None:
            yield from _inner(value, texts.get("Description", ""))
    if 0 < len(line := texts.get("Dream", "")) <= _MAX_LINE_CHARACTERS:
        yield _command_line(line)
    yield texts  # some programs write a text for each parameter


def json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text holds; None if it holds none."""
    if not (prefix := _PREFIX.match(text)):
        return None
    try:
        value = json.loads(text[prefix.end() :])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _inner(value: dict[str, Any], description: str) -> Iterator[Mapping[str, Any]]:
    """Yield an object, and those inside of it that may hold the parameters, in a form that `_settings` reads."""
    if is_workflow(value):
        value = workflow_graph(value)
    if is_graph(value):
        yield graph_fields(value)
        return
    for name in _WRAPPERS:
        inner = value.get(name)
        inner = json_object(inner) if isinstance(inner, str) else inner
        if isinstance(inner, dict):
            yield _without_brackets(inner) if name == "image" else inner
    yield value if "prompt" in value or not description else {**value, "prompt": description}


def _settings(fields: Mapping[str, Any]) -> Settings:
    """Return the settings among `fields`, of any spelling; empty without a prompt."""
    by_name = {re.sub(r"[\s\-]+", "_", str(name).lower()): value for name, value in fields.items()}
    settings: Settings = {}
    for name, spellings in _NAMES.items():
        values = (_plain(by_name[spelling]) for spelling in spellings if spelling in by_name)
        if value := next(filter(None, values), ""):
            settings[name] = value
    for name, form in _FORMS.items():
        if name in settings:
            match = form.fullmatch(settings.pop(name).strip())
            settings |= {name: match[1]} if match else {}
    settings |= _size(by_name)
    if sampler := _SAMPLERS.get(settings.pop("Sampler", "").lower().removeprefix("k_")):
        settings["Sampler"] = sampler
    has_more = settings.keys() & {"Seed", "Steps", "Size"}
    return settings if settings.get("Prompt", "").strip() and has_more else {}


def _plain(value: Any) -> str:
    """Return a value as text: of a list, as InvokeAI writes it, all prompts; empty if it is of another kind."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, (_plain(part.get("prompt")) for part in value if isinstance(part, dict))))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _size(fields: Mapping[str, Any]) -> Settings:
    sides = f"{_plain(fields.get('width'))}x{_plain(fields.get('height'))}"
    texts = (sides, _plain(fields.get("resolution")), _plain(fields.get("size")))
    match = next(filter(None, map(_SIZE.fullmatch, texts)), None)
    return {"Size": f"{match[1]}x{match[2]}"} if match else {}


def _command_line(line: str) -> Mapping[str, Any]:
    """Return the fields of a line such as `"a fox [dogs]" -s 20 -S 5 -W 512 -H 512 -C 7.5 -A k_euler_a`."""
    try:
        prompt, *words = shlex.split(line)
    except ValueError:
        return {}
    options = re.findall(r"(-[sSWHCA]) ?([\w.]+)", " ".join(words))
    return _without_brackets({"prompt": prompt, **{_OPTION[name]: value for name, value in options}})


def _without_brackets(fields: dict[str, Any]) -> dict[str, Any]:
    """Move what is in brackets to the negative prompt, where InvokeAI had it at first."""
    prompt = _plain(fields.get("prompt"))
    negative = ", ".join(_BRACKETS.findall(prompt))
    return {"negative_prompt": negative, **fields, "prompt": _BRACKETS.sub("", prompt).strip()}
