"""The schema of config.yaml.

The file has no secrets: `DISCORD_TOKEN`, `HF_TOKEN` and `PGPASSWORD` come from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from inference.config.database import DatabaseUrl
from inference.config.models import ModelEntry, ModelLists, UnloadAfter
from inference.config.origin import OriginSection
from inference.config.problems import OWN_SENTENCE, problem_text
from inference.config.quotas import QuotasSection
from inference.config.yaml_file import Position
from inference.limits import (
    SIZE,
    ClassifierEntry,
    ConfigSection,
    Devices,
    Expected,
    Limits,
    SafetySection,
    expanded,
    is_on_cluster,
    no_yes,
)
from inference.tasks import PICTURE_CLASSIFIER, TASK_NAMES, TEXT_CLASSIFIER
from inference.types import DType, ModelSpec
from inference.types.addresses import Address, parse_address
from inference.types.errors import InvalidRequest
from inference.types.sizes import parse_size


def _memory(value: Any) -> Any:
    return value if value == "auto" else parse_size(value)


Folder = Annotated[Path, AfterValidator(expanded)]
ListenAddress = Annotated[
    Address | None, BeforeValidator(parse_address), Expected("a host and a port, like 127.0.0.1:9464")
]
Memory = Annotated[Literal["auto"] | int, BeforeValidator(_memory), Expected(f"auto, or {SIZE.words}")]


def _ray_address(value: str) -> str:
    if value not in ("", "auto") and not re.fullmatch(r"[\w.-]+:\d{1,5}", value):
        raise ValueError("not the address of a cluster")
    return value


RayAddress = Annotated[
    str, AfterValidator(_ray_address), Expected("auto, or the host and the port of the head, like 192.168.1.10:6379")
]

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
    origin: OriginSection = OriginSection()
    system: str = Field(
        default="You are Inkling, a helpful assistant on a Discord server. Answer briefly and plainly.",
        max_length=2000,
        description="What chat models are told about themselves before each conversation.",
    )
    device: Devices = Field(
        default=("auto",),
        description="Where models run: auto (cuda, then mps, then cpu), cpu, mps, cuda or cuda:N. With a list such as "
        "`[cuda:0, cuda:1]` each request goes to the device that is expected to start it first. On a Ray cluster: "
        "`pc2/cuda:0`, a device of the node pc2, or `cluster`, all devices of all nodes "
        "(see [More than one machine](scaling.md)).",
    )
    ray: RayAddress = Field(
        default="",
        description="The Ray cluster with further devices: `auto` for the one that this machine belongs to, or the "
        "address of its head, such as `192.168.1.10:6379`.",
    )
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
    database: DatabaseUrl = Field(
        default="",
        description="A Postgres database for what the bot keeps about people and requests, which several processes of "
        "the bot can share, e.g. `postgresql://inkling@db.example/inkling`; by default files in `data`. Its password "
        "comes from the environment variable `PGPASSWORD`.",
    )
    loras: Folder = Field(
        default=Path("data/loras"), description="A folder of LoRA files (.safetensors) that people may choose from."
    )

    _file: Path | None = PrivateAttr(default=None)
    _lines: dict[Position, int] = PrivateAttr(default_factory=dict[Position, int])
    """The lines in the file, if there is one, of the models and of what says where they run."""

    @model_validator(mode="after")
    def _has_cluster_for_its_devices(self) -> Self:
        named = [device for _, spec in self.listed() for device in spec.pool or (spec.device,) if is_on_cluster(device)]
        if named and not self.ray:
            raise PydanticCustomError(
                OWN_SENTENCE,
                "has the device `{device}` of a cluster, but does not name the cluster. Write its address under `ray`, "
                "or `ray: auto` if this machine belongs to it",
                {"device": named[0]},
            )
        return self

    @property
    def file(self) -> Path | None:
        """The file that the settings were read from, if they were."""
        return self._file

    def with_lines(self, line: Callable[[Position], int], file: Path | None = None) -> Config:
        """Return the config with the lines that problems are told with, which `line` looks up, in `file`."""
        config = self.model_copy()
        config._file = file
        models = [position for position, _ in self.listed()]
        devices = [(*position, "device") for position in models]
        config._lines = {position: line(position) for position in (("device",), ("ray",), *models, *devices)}
        return config

    def device_position(self, position: Position) -> Position:
        """Return where the file says on which devices the model at `position` runs: at itself, or at the top."""
        if position[0] == "models":
            _, task, index = position
            entry = self.models[str(task)][int(index)]
        else:
            entry = self.safety.pictures if position[-1] == "pictures" else self.safety.texts
        return ("device",) if entry is None or entry.device == ("auto",) else (*position, "device")

    def problem(self, position: Position, sentence: str) -> str:
        """Return a problem of a model or its device, with its position in the file."""
        return problem_text(self.line(position), position, sentence)

    def line(self, position: Position) -> int:
        """Return the line of the model or the device at this position; 0 if it is not in a file."""
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
            **self._devices(entry.device),
            labels=entry.labels,
        )

    def specs(self, task: str) -> tuple[ModelSpec, ...]:
        """Return the task's models, default first, with the top-level device and dtype filled in."""
        return tuple(
            ModelSpec(
                name=model.short_name,
                task=task,
                repo=model.folder_or_id,
                file=model.weights_file,
                revision=model.revision,
                dtype=self.dtype if model.dtype == "auto" else model.dtype,
                **self._devices(model.device),
                quantize=model.quantize,
                offload=model.offload,
                runtime=model.runtime,
                loras=str(self.loras) if task == "imagine" else "",
                max_batch_size=model.max_batch_size,
                upscale=model.upscale,
                steps=model.steps,
                sampler=model.sampler or "",
                size=model.size,
                guidance_scale=model.guidance_scale,
                fast_guidance_end=model.fast_guidance_end,
                fast_cache_interval=model.fast_cache_interval,
                preview_decoder=model.preview_decoder if task in ("imagine", "edit") else "",
                upscaler=model.upscaler if task == "imagine" else "",
                temperature=model.temperature,
                system=self.system,
                thinking=model.thinking,
                largest_side=self.limits.enlarged_side if task == "upscale" else self.limits.side,
                unload_after=self._unload_after(model),
                server=model.server,
            )
            for model in self.models[task]
        )

    def _devices(self, devices: tuple[str, ...]) -> dict[str, Any]:
        """Return the fields of a spec for these devices of a model."""
        devices = self.device if devices == ("auto",) else devices
        return {"device": devices[0], "pool": devices if len(devices) > 1 else ()}

    def _unload_after(self, model: ModelEntry) -> int | None:
        """Return the seconds after which the model leaves the memory if nobody uses it; None: it stays."""
        unload_after = self.unload_after if model.unload_after is None else model.unload_after
        return None if unload_after == "never" else unload_after

    def on_device(self, device: str, data: Path) -> Config:
        """Return the settings of one device elsewhere: all models on it, own files in `data`, and no limits of queues.

        The bot that sends its requests there keeps to the limits.
        """
        models = {
            task: tuple(model.model_copy(update={"device": ("auto",)}) for model in models)
            for task, models in self.models.items()
        }
        limits = self.limits.model_copy(update={"queue": 10**9, "per_person": 10**9})
        pictures, texts = (
            entry and entry.model_copy(update={"device": ("auto",)})
            for entry in (self.safety.pictures, self.safety.texts)
        )
        safety = self.safety.model_copy(update={"pictures": pictures, "texts": texts})
        update = {"device": (device,), "data": data, "limits": limits, "models": models, "safety": safety}
        return self.model_copy(update=update)

    def with_model(self, task: str, repo: str) -> Config:
        """Return a config in which `task` can use `repo`, a hub id or a folder.

        It is the same config if it lists the model by id or name. An added model's name is its whole id. Raise
        InvalidRequest if `repo` is neither.
        """
        models = self.models[task]
        if any(repo in (model.short_name, model.repo) for model in models):
            return self
        try:
            added = ModelEntry(repo=repo, name=repo).relative_to(Path.cwd())
        except ValidationError as error:
            raise InvalidRequest(
                "{repo!r} is neither a hub id like org/name nor a folder starting with . or /.", repo=repo
            ) from error
        return self.model_copy(update={"models": {**self.models, task: (*models, added)}})
