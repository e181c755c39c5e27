"""The schema of config.yaml, and `load_config()`, which reports all problems at once, each with its position.

The file has no secrets: `DISCORD_TOKEN` and `HF_TOKEN` come from the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError

from inference.config.problems import ConfigError, file_problems, problem_text, unknown_key
from inference.config.quotas import QuotasSection
from inference.config.yaml_errors import YamlProblem
from inference.config.yaml_file import Position, YamlFile, read_yaml
from inference.limits import (
    SIZE,
    ClassifierEntry,
    ConfigSection,
    Device,
    Expected,
    Limits,
    Repo,
    SafetySection,
    expanded,
    from_line,
    no_yes,
)
from inference.tasks import MAX_CACHE_INTERVAL, PICTURE_CLASSIFIER, TASK_NAMES, TEXT_CLASSIFIER
from inference.types import DType, ModelSpec, Quantize, Runtime
from inference.types.addresses import Address, parse_address
from inference.types.durations import parse_duration
from inference.types.errors import InvalidRequest
from inference.types.sizes import parse_size


def _memory(value: Any) -> Any:
    return value if value == "auto" else parse_size(value)


def _unload_after(value: Any) -> Any:
    return value if value in (None, "never") else parse_duration(value)


_UNLOAD_AFTER = Expected("never, or a duration like 90 s, 10 min or 2 h")
UnloadAfter = Annotated[Literal["never"] | int, BeforeValidator(_unload_after), _UNLOAD_AFTER]
OwnUnloadAfter = Annotated[Literal["never"] | int | None, BeforeValidator(_unload_after), _UNLOAD_AFTER]
Folder = Annotated[Path, AfterValidator(expanded)]
ListenAddress = Annotated[
    Address | None, BeforeValidator(parse_address), Expected("a host and a port, like 127.0.0.1:9464")
]
Memory = Annotated[Literal["auto"] | int, BeforeValidator(_memory), Expected(f"auto, or {SIZE.words}")]


HubId = Annotated[str, Field(pattern=r"^([\w.-]+/[\w.-]+)?$"), Expected("a hub id like org/name")]


class ModelEntry(ConfigSection):
    """A model of a task: a hub id or a folder, alone on its line or with options."""

    repo: Repo = Field(
        description="Hub id (`org/name`), or a folder or GGUF file, relative to this file, starting with `.`, `/` or "
        "`~`."
    )
    name: str = Field(default="", description="What people type; by default the last part of `repo`.")
    revision: str | None = Field(
        default=None, description="Branch, tag or commit; by default what `download` recorded."
    )
    file: str = Field(
        default="",
        description="A GGUF file of the repository or folder, by its name or a pattern like `*Q4_K_M.gguf`; by default "
        "the one with 8 bits, or else with the most.",
    )
    dtype: DType = Field(default="auto", description="`auto` follows the top-level `dtype`.")
    device: Device = Field(default="auto", description="`auto` follows the top-level `device`.")
    quantize: Quantize = Field(
        default="none",
        description="`int8` or `int4`: a language model keeps the weights of its linear layers in 8 or 4 bits, which "
        "takes less memory. The texts change a little with `int8`, and become worse with `int4`.",
    )
    runtime: Runtime = Field(
        default="auto",
        description="The library that computes. `auto` takes the fastest one that is installed and can run the model "
        "on its device: `openvino` or `llama.cpp`, which are optional, or else `torch`.",
    )
    max_batch_size: int | None = Field(
        default=None,
        ge=1,
        le=8,
        description="Pictures of one request that a diffusion model draws together; by default 4 on a CUDA GPU and 1 "
        "elsewhere. A picture that is drawn with others equals only nearly the same one drawn alone.",
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

    fast_guidance_end: float = Field(
        default=1,
        ge=0,
        le=1,
        description="`fast` pictures of a diffusion model: the share of the steps, from the first on, that have "
        "guidance. A step without it takes a little over half the time, but pictures lose details. 1: all steps.",
    )
    fast_cache_interval: int = Field(
        default=2,
        ge=1,
        le=MAX_CACHE_INTERVAL,
        description="`fast` pictures of a diffusion model: the deep layers of its network run in every such step, and "
        "the steps between reuse what they computed. 1: in every step.",
    )
    preview_decoder: HubId = Field(
        default="",
        description="Hub id of a small decoder (`AutoencoderTiny` of diffusers) that shows the unfinished pictures "
        "of a diffusion model: `madebyollin/taesd` for Stable Diffusion 1 and 2, `madebyollin/taesdxl` for XL. By "
        "default colours are only estimated, which needs no model.",
    )

    temperature: float | None = Field(
        default=None,
        ge=0,
        le=5,
        description="How boldly a language model of `chat` or `complete` writes where people don't say; by default "
        "0.7 and 0.8. Small chat models want less.",
    )
    thinking: bool = Field(
        default=False,
        description="Whether a model of `chat` that can think does so before it replies. It takes longer and is right "
        "more often. Some models always think.",
    )

    unload_after: OwnUnloadAfter = Field(default=None, description="By default the top-level `unload_after`.")

    @property
    def _is_file(self) -> bool:
        return self.repo.startswith(("/", ".")) and self.repo.endswith(".gguf")

    @property
    def folder_or_id(self) -> str:
        """The hub id or the folder; for a GGUF file, the folder that it is in."""
        return str(Path(self.repo).parent) if self._is_file else self.repo

    @property
    def gguf_file(self) -> str:
        """The GGUF file in the folder or repository; empty if none is named."""
        return Path(self.repo).name if self._is_file else self.file

    @property
    def short_name(self) -> str:
        return self.name or self.repo.rstrip("/").rsplit("/", 1)[-1]


def _check_task(name: Any) -> Any:
    if name not in TASK_NAMES:
        raise ValueError(unknown_key(name, TASK_NAMES))
    return name


def _check_names(models: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
    """Refuse two models of one task with the same name."""
    names = [model.short_name for model in models]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"several models are called {', '.join(duplicates)}. Give each another `name`")
    return models


def _with_all_tasks(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    return {task: lists.get(task, ()) for task in TASK_NAMES}


ModelEntryOrLine = Annotated[
    ModelEntry, BeforeValidator(from_line), Expected("a hub id, a folder, or a section with `repo`")
]
ModelList = Annotated[tuple[ModelEntryOrLine, ...], AfterValidator(_check_names)]
ModelLists = Annotated[dict[Annotated[str, BeforeValidator(_check_task)], ModelList], AfterValidator(_with_all_tasks)]
"""The models of each task; the first is the default. A task without models is switched off."""


ServerIds = tuple[Annotated[int, BeforeValidator(no_yes)], ...]


class DiscordSection(ConfigSection):
    """How the bot meets Discord."""

    guild_ids: ServerIds = Field(
        default=(), description="Servers in which commands appear at once; empty registers them everywhere."
    )
    servers: ServerIds = Field(
        default=(),
        description="The only servers in which the bot answers; empty: all. In others it stays, and tells each person "
        "in private that its operator limits it to certain servers. A person who has installed the bot and uses it in "
        "a server counts as that server. Direct messages have a key of their own.",
    )
    direct_messages: bool = Field(
        default=True,
        description="Whether the bot answers in direct messages and in groups; if not, it says so in private.",
    )
    message_content: bool = Field(
        default=False,
        description="Whether the bot asks Discord for the words of messages that don't mention it, so that people "
        "can write to it in its threads without a mention. Switch on *Message Content Intent* in Discord's developer "
        "portal first: your application, *Bot*, *Privileged Gateway Intents*.",
    )


class Config(ConfigSection):
    """The whole file."""

    models: ModelLists = Field(default_factory=dict, validate_default=True)
    discord: DiscordSection = DiscordSection()
    safety: SafetySection = SafetySection()
    limits: Limits = Limits()
    quotas: QuotasSection = QuotasSection()
    system: str = Field(
        default="You are Inkling, a helpful assistant on a Discord server. Answer briefly and plainly.",
        max_length=2000,
        description="What chat models are told about themselves before each conversation.",
    )
    device: Device = Field(default="auto", description="auto (cuda, then mps, then cpu), cpu, mps, cuda or cuda:N.")
    dtype: DType = Field(
        default="auto", description="auto: bfloat16 where the hardware has it, float16 on older GPUs, else float32."
    )
    memory: Memory = Field(
        default="auto", description="Memory for loaded models, e.g. `12 GiB`; auto takes 70 % of what the device has."
    )
    unload_after: UnloadAfter = Field(
        default="never",
        description="A model that nobody has used for so long leaves the memory, e.g. `10 min`, so that other programs "
        "can have it. `never`: it stays until another model needs its place.",
    )
    download: bool = Field(
        default=True, description="Fetch a missing model on its first use; false: only `download` does."
    )
    log: Literal["text", "json"] = Field(
        default="text", description="How the log is written: lines of text, or one JSON object a line."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important messages in the log; libraries never write more than `info`."
    )
    metrics: ListenAddress = Field(
        default=None,
        description="Where `/metrics`, `/health` and `/ready` are served, without a password; by default nowhere.",
    )
    data: Folder = Field(default=Path("data"), description="Where the bot keeps its own files, relative to this file.")
    loras: Folder = Field(
        default=Path("data/loras"), description="A folder of LoRA files (.safetensors) that people may choose from."
    )

    _file: Path | None = PrivateAttr(default=None)
    _lines: dict[Position, int] = PrivateAttr(default_factory=dict[Position, int])
    """The lines of the models in the file, as far as there is one."""

    @property
    def file(self) -> Path | None:
        """The file that the settings were read from, if they were."""
        return self._file

    def with_lines(self, line: Callable[[Position], int], file: Path | None = None) -> Config:
        """Return the config with the lines of its models, which `line` looks up, in `file`."""
        config = self.model_copy()
        config._file = file
        config._lines = {position: line(position) for position, _ in self.listed()}
        return config

    def model_problem(self, position: Position, sentence: str) -> str:
        """Return a problem of one model, with its position in the file."""
        return problem_text(self.model_line(position), position, sentence)

    def model_line(self, position: Position) -> int:
        """Return the line of the model at this position; 0 if it is not in a file."""
        return self._lines.get(position, 0)

    def listed(self) -> list[tuple[Position, ModelSpec]]:
        """Return all models with their positions: those of the tasks, and the classifiers under `safety`."""
        models = [(("models", task, i), spec) for task in TASK_NAMES for i, spec in enumerate(self.specs(task))]
        classifiers = [self.picture_classifier, self.text_classifier]
        return [*models, *((tuple(spec.task.split(".")), spec) for spec in classifiers if spec)]

    @property
    def picture_classifier(self) -> ModelSpec | None:
        return self._classifier(PICTURE_CLASSIFIER, self.safety.pictures)

    @property
    def text_classifier(self) -> ModelSpec | None:
        return self._classifier(TEXT_CLASSIFIER, self.safety.texts)

    def _classifier(self, task: str, entry: ClassifierEntry | None) -> ModelSpec | None:
        if entry is None:
            return None
        return ModelSpec(
            name=entry.repo.rstrip("/").rsplit("/", 1)[-1],
            task=task,
            repo=entry.repo,
            revision=entry.revision,
            dtype=entry.dtype,
            device=self.device if entry.device == "auto" else entry.device,
            labels=entry.labels,
        )

    def specs(self, task: str) -> tuple[ModelSpec, ...]:
        """Return the task's models, default first, with the top-level device and dtype filled in."""
        return tuple(
            ModelSpec(
                name=model.short_name,
                task=task,
                repo=model.folder_or_id,
                file=model.gguf_file,
                revision=model.revision,
                dtype=self.dtype if model.dtype == "auto" else model.dtype,
                device=self.device if model.device == "auto" else model.device,
                quantize=model.quantize,
                runtime=model.runtime,
                loras=str(self.loras) if task == "imagine" else "",
                max_batch_size=model.max_batch_size,
                upscale=model.upscale,
                guidance_scale=model.guidance_scale,
                fast_guidance_end=model.fast_guidance_end,
                fast_cache_interval=model.fast_cache_interval,
                preview_decoder=model.preview_decoder if task == "imagine" else "",
                temperature=model.temperature,
                system=self.system,
                thinking=model.thinking,
                largest_side=self.limits.side,
                unload_after=self._unload_after(model),
            )
            for model in self.models[task]
        )

    def _unload_after(self, model: ModelEntry) -> int | None:
        """Return the seconds after which the model leaves the memory if nobody uses it; None: it stays."""
        unload_after = self.unload_after if model.unload_after is None else model.unload_after
        return None if unload_after == "never" else unload_after

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


_REASONS: dict[type[OSError], str] = {
    FileNotFoundError: "there is no such file",
    IsADirectoryError: "it is a folder, and must be a file",
    PermissionError: "the user who runs this may not read it",
}


def load_config(path: Path) -> Config:
    """Read and check the file. Raise ConfigError with all problems.

    Folders are made absolute, relative to the file's own folder.
    """
    file = _read(path)
    try:
        config = Config.model_validate({} if file.data is None else file.data)
    except ValidationError as error:
        raise ConfigError(path, file_problems(file, Config, error.errors())) from error
    if file.problems:
        raise ConfigError(path, file_problems(file, Config))
    return _with_absolute_folders(config.with_lines(file.line, path.absolute()), path.resolve().parent)


def data_folder(path: Path) -> Path:
    """Return the `data` folder that the file names, whatever else is wrong with it. Raise ConfigError."""
    entries = _read(path).data
    named = entries.get("data") if isinstance(entries, dict) else None
    return (path.resolve().parent / expanded(Path(str(named or Config.model_fields["data"].default)))).resolve()


def _read(path: Path) -> YamlFile:
    try:
        return read_yaml(expanded(path))
    except OSError as error:
        raise ConfigError(path, [_REASONS.get(type(error), f"it can't be read: {error.strerror}")]) from error
    except YamlProblem as problem:
        raise ConfigError(path, [str(problem)]) from problem


def _with_absolute_folders(config: Config, folder: Path) -> Config:
    lists = {
        task: tuple(_with_absolute_folder(model, folder) for model in models) for task, models in config.models.items()
    }
    safety = config.safety
    classifiers = {"pictures": safety.pictures, "texts": safety.texts}
    return config.model_copy(
        update={
            "models": lists,
            "safety": safety.model_copy(
                update={key: entry and _with_absolute_classifier(entry, folder) for key, entry in classifiers.items()}
            ),
            "data": (folder / config.data).resolve(),
            "loras": (folder / config.loras).resolve(),
        }
    )


def _with_absolute_classifier(entry: ClassifierEntry, folder: Path) -> ClassifierEntry:
    if not entry.repo.startswith((".", "/")):
        return entry
    return entry.model_copy(update={"repo": str((folder / entry.repo).resolve())})


def _with_absolute_folder(model: ModelEntry, folder: Path) -> ModelEntry:
    """Return the entry with an absolute folder; hub ids are not changed."""
    if not model.repo.startswith((".", "/")):
        return model
    path = folder / model.repo
    # A GGUF file may be a link into the cache of the hub, where files have other names.
    absolute = path.parent.resolve() / path.name if model.gguf_file == path.name else path.resolve()
    return model.model_copy(update={"repo": str(absolute)})
