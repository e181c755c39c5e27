"""Limits and safety rules: the sections of config.yaml that requests are checked against."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from inference.types import DType
from inference.types.sizes import parse_size


@dataclass(frozen=True, slots=True)
class Expected:
    """Metadata of a field: words for what it takes, where its type alone does not say it."""

    words: str


class ConfigSection(BaseModel):
    """A section of the config. Frozen; unknown keys are not allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_yes_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        numbers: tuple[Any, ...] = (int, float, float | None)
        return no_yes(value) if cls.model_fields[info.field_name or ""].annotation in numbers else value


def no_yes(value: Any) -> Any:
    """Refuse `yes` for a number; pydantic would take it as 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("yes_for_number", "must be a number")
    return value


SIZE = Expected("a size like 500 MB or 12 GiB")
Bytes = Annotated[int, BeforeValidator(parse_size), SIZE]


_HUB_NAME = r"[A-Za-z0-9_](?:[\w.-]{0,94}\w)?"
_HUB_ID = re.compile(rf"^(?!.*(?:--|\.\.|\.git$)){_HUB_NAME}(?:/{_HUB_NAME})?$", re.ASCII)


def expanded(path: Path) -> Path:
    """Return the path with the home folder in place of `~`. The `~` of an unknown user stays."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _check_repo(repo: str) -> str:
    repo = str(expanded(Path(repo))) if repo.startswith("~") else repo
    if not repo.startswith((".", "/")) and not _HUB_ID.match(repo):
        raise ValueError("neither a hub id nor a folder")
    return repo


def _check_optional_repo(repo: str) -> str:
    return _check_repo(repo) if repo else repo


WHOLE_CLUSTER = "cluster"
"""The name of all devices of the Ray cluster."""

_DEVICE = re.compile(rf"^({WHOLE_CLUSTER}|auto|mps|cuda|([\w.-]{{1,100}}/)?(cpu|cuda:\d{{1,3}}))$")


def _check_device(device: str) -> str:
    if not _DEVICE.match(device):
        raise ValueError("not a device")
    return device


def _devices(value: Any) -> tuple[str, ...]:
    devices = cast("list[Any]", list(value) if isinstance(value, list | tuple) else [value])
    if not devices or not all(isinstance(device, str) for device in devices):
        raise ValueError("names no device")
    return tuple(dict.fromkeys(map(_check_device, devices)))


Repo = Annotated[
    str, AfterValidator(_check_repo), Expected("a hub id like org/name, or a folder that starts with ., / or ~")
]
OptionalRepo = Annotated[
    str,
    AfterValidator(_check_optional_repo),
    Expected("a hub id like org/name, or a folder that starts with ., / or ~"),
]
Devices = Annotated[
    tuple[str, ...],
    BeforeValidator(_devices),
    Expected("one of: auto, cpu, mps, cuda, cuda:0 (or another number), cluster, pc2/cuda:0, or a list of them"),
]
"""One device, or a pool of devices of which each request takes one."""


def is_on_cluster(device: str) -> bool:
    """Return whether the device belongs to the Ray cluster, and not to this machine."""
    return device == WHOLE_CLUSTER or "/" in device


class ClassifierEntry(ConfigSection):
    """A model that classifies pictures or texts: a hub id or a folder, alone on its line or with options."""

    repo: Repo = Field(description="Hub id (`org/name`), or a folder, relative to this file.")
    threshold: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="How sure the model must be, from 0 to 1. With a lower number it objects more often.",
    )
    labels: tuple[str, ...] = Field(
        default=(),
        description="The model's labels that are objected to; by default those like nsfw, porn, toxic or hate.",
    )
    revision: str | None = Field(
        default=None, description="Branch, tag or commit; by default what `download` recorded."
    )
    device: Devices = Field(default=("auto",), description="`auto` follows the top-level `device`.")
    dtype: DType = Field(default="float32", description="The number format; these models are small.")


def from_line(value: Any) -> Any:
    """Return the section of a model that is alone on its line."""
    return {"repo": value} if isinstance(value, str) else value


Classifier = Annotated[
    ClassifierEntry | None, BeforeValidator(from_line), Expected("a hub id, a folder, or a section with `repo`")
]


class SafetySection(ConfigSection):
    """What the bot does not read, draw or show. The models' own safety checkers always run."""

    flagged: Literal["spoiler", "hide"] = Field(
        default="spoiler",
        description="What a safety checker objects to: in age-restricted channels behind a spoiler, or never shown. "
        "Elsewhere it is never shown.",
    )
    unchecked: Literal["everywhere", "restricted"] = Field(
        default="restricted",
        description="Where models that come without a safety checker may draw; `restricted`: only in age-restricted "
        "channels. With `pictures`, every picture is checked, and they may draw everywhere.",
    )
    words: tuple[str, ...] = Field(
        default=(),
        description="What people type is refused if it has one of these words or phrases; capitals don't matter.",
    )
    pictures: Classifier = Field(
        default=None,
        description="A model that checks the pictures which people send and which models draw; see below.",
    )
    texts: Classifier = Field(
        default=None, description="A model that checks the texts which people send and which models write; see below."
    )

    @property
    def restricts_unchecked(self) -> bool:
        """Whether models without a safety checker may draw only in age-restricted channels."""
        return self.unchecked == "restricted" and self.pictures is None

    @field_validator("words")
    @classmethod
    def _has_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("has an empty word, which would refuse every prompt. Remove it")
        return words


class Limits(ConfigSection):
    """What one request, one person and the whole queue may ask for."""

    queue: int = Field(default=64, ge=1, description="Requests that may wait or run on one device.")
    per_person: int = Field(default=4, ge=1, description="… of which one person may hold this many.")
    deadline_seconds: int = Field(default=840, ge=1, description="After this, a request ends with an apology.")
    batch: int = Field(default=16, ge=1, le=256, description="Requests that run together on one model.")
    prompt_characters: int = Field(default=6000, ge=1, description="Longest prompt, question or text to fill.")
    text_characters: int = Field(default=400_000, ge=1, description="Longest text to summarize or to ask about.")
    new_tokens: int = Field(default=512, ge=1, description="Longest continuation, in tokens.")
    alternatives: int = Field(default=4, ge=1, le=8, description="Most texts of one /complete.")
    messages: int = Field(default=1000, ge=2, description="Most messages of a channel that are read for one request.")
    files: int = Field(default=10, ge=1, le=10, description="Most files of one request.")
    steps: int = Field(default=100, ge=1, description="Most diffusion steps.")
    pictures: int = Field(default=4, ge=1, le=10, description="Most pictures of one /imagine.")
    side: int = Field(default=1024, ge=64, description="Longest side of a drawn picture, in pixels.")
    enlarged_side: int = Field(default=4096, ge=64, description="Longest side of an enlarged picture, in pixels.")
    upload: Bytes = Field(default=25 * 10**6, description="Largest file people may hand in.")
    upload_megapixels: float = Field(default=50, gt=0, description="Largest picture people may hand in.")
