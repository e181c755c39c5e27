"""Limits and safety rules: the sections of config.yaml that requests are checked against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

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


class SafetySection(ConfigSection):
    """What the bot does not draw, and what it does not show. The models' own safety checkers always run."""

    flagged: Literal["spoiler", "hide"] = Field(
        default="spoiler",
        description="What a safety checker objects to: in age-restricted channels behind a spoiler, or never shown. "
        "Elsewhere it is never shown.",
    )
    unchecked: Literal["everywhere", "restricted"] = Field(
        default="everywhere",
        description="Where models that come without a safety checker may draw; `restricted`: age-restricted channels.",
    )
    words: tuple[str, ...] = Field(
        default=(), description="Prompts with one of these words or phrases are refused; capitals don't matter."
    )

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
    upload: Bytes = Field(default=25 * 10**6, description="Largest file people may hand in.")
    upload_megapixels: float = Field(default=50, gt=0, description="Largest picture people may hand in.")
