"""The schema of config.yaml, and `load_config()`, which reports all problems at once, each with its position.

The file has no secrets: `DISCORD_TOKEN` and `HF_TOKEN` come from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator, model_validator

from inference.limits import ConfigSection, Limits, SafetySection, parse_size
from inference.tasks import TASK_NAMES
from inference.types import DType, ModelSpec
from inference.types.errors import InvalidRequest

_HUB_NAME = r"[A-Za-z0-9_](?:[\w.-]{0,94}\w)?"
_HUB_ID = re.compile(rf"^(?!.*(?:--|\.\.|\.git$)){_HUB_NAME}(?:/{_HUB_NAME})?$", re.ASCII)


class ConfigError(Exception):
    """The file is not valid. `problems` has one line for each problem, with its position in the file."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join([f"{path}: {len(problems)} problem(s)", *(f"  {line}" for line in problems)]))


def _memory(value: Any) -> Any:
    return value if value == "auto" else parse_size(value)


class ModelEntry(ConfigSection):
    """A model of a task: a hub id or a folder, alone on its line or with options."""

    repo: str = Field(description="Hub id (`org/name`), or a folder, relative to this file, starting with `.` or `/`.")
    name: str = Field(default="", description="What people type; by default the last part of `repo`.")
    revision: str | None = Field(
        default=None, description="Branch, tag or commit; by default what `download` recorded."
    )
    dtype: DType = Field(default="auto", description="`auto` follows the top-level `dtype`.")
    device: str = Field(default="auto", description="`auto` follows the top-level `device`.")
    max_batch_size: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Pictures that a diffusion model draws together. More than one is faster on a GPU, and then they "
        "equal only nearly those drawn alone.",
    )

    upscale: int = Field(
        default=1,
        ge=1,
        le=8,
        description="How many times larger than drawn the pictures of a diffusion model are shown; for small models.",
    )
    guidance_scale: float | None = Field(
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


ModelList = tuple[ModelEntry, ...]


def _check_task(name: str) -> str:
    if name not in TASK_NAMES:
        raise ValueError(f"there is no such task; there is: {', '.join(TASK_NAMES)}")
    return name


def _check_names(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    """Refuse duplicate names. Add empty lists for missing tasks."""
    for task, models in lists.items():
        names = [model.short_name for model in models]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise ValueError(f"{task} lists {', '.join(duplicates)} twice; give one of them another `name`")
    return {task: lists.get(task, ()) for task in TASK_NAMES}


ModelLists = Annotated[dict[Annotated[str, AfterValidator(_check_task)], ModelList], AfterValidator(_check_names)]
"""The models of each task; the first is the default. A task without models is switched off."""


class DiscordSection(ConfigSection):
    """How the bot meets Discord."""

    guild_ids: tuple[int, ...] = Field(
        default=(), description="Servers in which commands appear at once; empty registers them everywhere."
    )


class Config(ConfigSection):
    """The whole file."""

    models: ModelLists = Field(default_factory=dict, validate_default=True)
    discord: DiscordSection = DiscordSection()
    safety: SafetySection = SafetySection()
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

    def specs(self, task: str) -> tuple[ModelSpec, ...]:
        """Return the task's models, default first, with the top-level device and dtype filled in."""
        return tuple(
            ModelSpec(
                name=model.short_name,
                task=task,
                repo=model.repo,
                revision=model.revision,
                dtype=self.dtype if model.dtype == "auto" else model.dtype,
                device=self.device if model.device == "auto" else model.device,
                loras=str(self.loras) if task == "imagine" else "",
                max_batch_size=model.max_batch_size,
                upscale=model.upscale,
                guidance_scale=model.guidance_scale,
                temperature=model.temperature,
                system=self.system,
                largest_side=self.limits.side,
            )
            for model in self.models[task]
        )

    def with_model(self, task: str, repo: str) -> Config:
        """Return a config in which `task` can use `repo`, a hub id or a folder.

        It is the same config if it lists the model by id or name. An added model's name is its whole id. Raise
        InvalidRequest if `repo` is neither.
        """
        models = self.models[task]
        if any(repo in (model.short_name, model.repo) for model in models):
            return self
        try:
            added = _with_absolute_folder(ModelEntry(repo=repo, name=repo), Path.cwd())
        except ValidationError as error:
            raise InvalidRequest(
                "{repo!r} is neither a hub id like org/name nor a folder starting with . or /.", repo=repo
            ) from error
        return self.model_copy(update={"models": {**self.models, task: (*models, added)}})


def load_config(path: Path) -> Config:
    """Read and check the file. Raise ConfigError with all problems.

    Folders are made absolute, relative to the file's own folder.
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
    return _with_absolute_folders(config, path.resolve().parent)


def _problem(item: Any) -> str:
    """Return a line like `limits.queue: input should be a valid integer (found 'many')`."""
    parts = [part for part in item["loc"] if part != "[key]"]  # pydantic marks a wrong key with "[key]"
    position = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    if item["type"] == "extra_forbidden":
        return f"{position}: unknown key"
    message = item["msg"].removeprefix("Value error, ")
    value = repr(item["input"])
    found_value = "" if isinstance(item["input"], dict | list) or value in message else f" (found {value})"
    return f"{position or 'file'}: {message[0].lower()}{message[1:]}{found_value}"


def _with_absolute_folders(config: Config, folder: Path) -> Config:
    lists = {
        task: tuple(_with_absolute_folder(model, folder) for model in models) for task, models in config.models.items()
    }
    return config.model_copy(
        update={
            "models": lists,
            "data": (folder / config.data).resolve(),
            "loras": (folder / config.loras).resolve(),
        }
    )


def _with_absolute_folder(model: ModelEntry, folder: Path) -> ModelEntry:
    """Return the entry with an absolute folder; hub ids are not changed."""
    local = model.repo.startswith((".", "/"))
    return model.model_copy(update={"repo": str((folder / model.repo).resolve())}) if local else model
