"""The operator's file: its schema, and `load()`, which reports every problem at once with its place.

Secrets are not here: `DISCORD_TOKEN` and `HF_TOKEN` come from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from inference.errors import InvalidRequest
from inference.types import TASKS, DType, ModelSpec, Task

GIB = 1024**3
_HUB_NAME = r"[A-Za-z0-9_](?:[\w.-]{0,94}\w)?"
_HUB_ID = re.compile(rf"^(?!.*(?:--|\.\.|\.git$)){_HUB_NAME}(?:/{_HUB_NAME})?$", re.ASCII)
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(MiB|GiB|MB|GB)\s*", re.IGNORECASE)
_UNITS = {"mib": 1024**2, "gib": GIB, "mb": 10**6, "gb": 10**9}


class ConfigError(Exception):
    """The file can't be used; `problems` has a line for each reason, with its place in the file."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join([f"{path}: {len(problems)} problem(s)", *(f"  {line}" for line in problems)]))


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _size(value: Any) -> int:
    """`12 GiB` → bytes; a bare number is bytes already."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(float(match[1]) * _UNITS[match[2].lower()]) if match else value
    if not isinstance(size, int) or size < 1:
        raise ValueError("should be a size like 500 MB or 12 GiB")
    return size


def _memory(value: Any) -> Any:
    return value if value == "auto" else _size(value)


Bytes = Annotated[int, BeforeValidator(_size)]


class Model(_Section):
    """A model of a task: a hub id or a folder, alone on its line or with options."""

    repo: str = Field(description="Hub id (`org/name`), or a folder, relative to this file, starting with `.` or `/`.")
    name: str = Field(default="", description="What people type; by default the last part of `repo`.")
    revision: str | None = Field(
        default=None, description="Branch, tag or commit; by default what `download` recorded."
    )
    dtype: DType = Field(default="auto", description="`auto` follows the top-level `dtype`.")
    device: str = Field(default="auto", description="`auto` follows the top-level `device`.")
    at_once: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Pictures that a diffusion model draws together. More than one is faster on a GPU, and then they "
        "equal only nearly those drawn alone.",
    )

    enlarge: int = Field(
        default=1,
        ge=1,
        le=8,
        description="How many times larger than drawn the pictures of a diffusion model are shown; for small models.",
    )
    guidance: float | None = Field(
        default=None, ge=0, le=30, description="Guidance of a diffusion model where people name none; by default 7.5."
    )

    temperature: float | None = Field(
        default=None,
        ge=0,
        le=5,
        description="How boldly a language model of `complete` writes where people don't say; by default 0.8. "
        "Small chat models want less.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_line(cls, value: Any) -> Any:
        return {"repo": value} if isinstance(value, str) else value

    @field_validator("repo")
    @classmethod
    def _is_id_or_folder(cls, repo: str) -> str:
        if not repo.startswith((".", "/")) and not _HUB_ID.match(repo):
            raise ValueError(f"{repo!r} is neither a hub id like org/name nor a folder starting with . or /")
        return repo

    @field_validator("device")
    @classmethod
    def _is_device(cls, device: str) -> str:
        return _check_device(device)

    @property
    def short_name(self) -> str:
        return self.name or self.repo.rstrip("/").rsplit("/", 1)[-1]


def _check_device(device: str) -> str:
    if not re.match(r"^(auto|cpu|mps|cuda(:\d+)?)$", device):
        raise ValueError(f"{device!r} is not one of auto, cpu, mps, cuda, cuda:N")
    return device


ModelList = tuple[Model, ...]


class Models(_Section):
    """The models of each task; the first is the default. A task without models is switched off, and says so."""

    complete: ModelList = ()
    fill: ModelList = ()
    summarize: ModelList = ()
    ask: ModelList = ()
    caption: ModelList = ()
    imagine: ModelList = ()
    mood: ModelList = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Models:
        for task in TASKS:
            names = [model.short_name for model in getattr(self, task)]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{task} lists {', '.join(twice)} twice; give one of them another `name`")
        return self


class Discord(_Section):
    """How the bot meets Discord."""

    guild_ids: tuple[int, ...] = Field(
        default=(), description="Servers in which commands appear at once; empty registers them everywhere."
    )


class Safety(_Section):
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
            raise ValueError("an empty word would refuse every prompt")
        return words


class Limits(_Section):
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


class Config(_Section):
    """The whole file."""

    models: Models = Models()
    discord: Discord = Discord()
    safety: Safety = Safety()
    limits: Limits = Limits()
    system: str = Field(
        default="You are Inkling, a helpful assistant on a Discord server. Answer briefly and plainly.",
        max_length=2000,
        description="What chat models are told about themselves before each conversation.",
    )
    device: str = Field(default="auto", description="auto (cuda, then mps, then cpu), cpu, mps, cuda or cuda:N.")
    dtype: DType = Field(
        default="auto", description="auto: bfloat16 where the hardware has it, float16 on older GPUs, else float32."
    )
    memory: Annotated[Literal["auto"] | int, BeforeValidator(_memory)] = Field(
        default="auto", description="Memory for loaded models, e.g. `12 GiB`; auto takes 70 % of what the device has."
    )
    download: bool = Field(
        default=True, description="Fetch a missing model on its first use; false: only `download` does."
    )
    data: Path = Field(default=Path("data"), description="Where the bot keeps its own files, relative to this file.")
    loras: Path = Field(
        default=Path("data/loras"), description="A folder of LoRA files (.safetensors) that people may choose from."
    )

    @field_validator("device")
    @classmethod
    def _is_device(cls, device: str) -> str:
        return _check_device(device)

    def specs(self, task: Task) -> tuple[ModelSpec, ...]:
        """The task's models, default first, with top-level device and dtype filled in."""
        return tuple(
            ModelSpec(
                name=model.short_name,
                task=task,
                repo=model.repo,
                revision=model.revision,
                dtype=self.dtype if model.dtype == "auto" else model.dtype,
                device=self.device if model.device == "auto" else model.device,
                loras=str(self.loras) if task == "imagine" else "",
                at_once=model.at_once,
                enlarge=model.enlarge,
                guidance=model.guidance,
                temperature=model.temperature,
            )
            for model in getattr(self.models, task)
        )

    def with_model(self, task: Task, repo: str) -> Config:
        """A config in which `task` can use `repo`, a hub id or a folder: this one if it lists it, by id or by name.

        The added model goes by its whole id. Raises InvalidRequest for what is neither.
        """
        models: ModelList = getattr(self.models, task)
        if any(repo in (model.short_name, model.repo) for model in models):
            return self
        try:
            added = _anchored(Model(repo=repo, name=repo), Path.cwd())
        except ValidationError as error:
            raise InvalidRequest(
                "{repo!r} is neither a hub id like org/name nor a folder starting with . or /.", repo=repo
            ) from error
        return self.model_copy(update={"models": self.models.model_copy(update={task: (*models, added)})})


def load(path: Path) -> Config:
    """Read and check `path`; raises ConfigError with every problem found.

    Folders named in the file are made absolute against the file's own folder.
    """
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ConfigError(path, [f"can't be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(path, [f"is not YAML: {' '.join(str(error).split())}"]) from error
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(path, [_problem(item) for item in error.errors()]) from error
    return _absolute(config, path.resolve().parent)


def _problem(item: Any) -> str:
    """`limits.queue: input should be a valid integer (found 'many')`"""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    if item["type"] == "extra_forbidden":
        return f"{place}: unknown key"
    message = item["msg"].removeprefix("Value error, ")
    value = repr(item["input"])
    found = "" if isinstance(item["input"], dict | list) or value in message else f" (found {value})"
    return f"{place or 'file'}: {message[0].lower()}{message[1:]}{found}"


def _absolute(config: Config, folder: Path) -> Config:
    lists = {task: tuple(_anchored(model, folder) for model in getattr(config.models, task)) for task in TASKS}
    return config.model_copy(
        update={
            "models": Models(**lists),
            "data": (folder / config.data).resolve(),
            "loras": (folder / config.loras).resolve(),
        }
    )


def _anchored(model: Model, folder: Path) -> Model:
    """With a folder made absolute; a hub id stays as it is."""
    local = model.repo.startswith((".", "/"))
    return model.model_copy(update={"repo": str((folder / model.repo).resolve())}) if local else model
