"""The models of config.yaml: an entry for each, and a list for each task."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from inference.config.problems import OWN_SENTENCE, unknown_key
from inference.limits import ConfigSection, Devices, Expected, OptionalRepo, Repo, from_line
from inference.tasks import MAX_CACHE_INTERVAL, TASK_NAMES, Sampler
from inference.types import DType, ModelServer, Offload, Quantize, Runtime
from inference.types.durations import parse_duration


def _unload_after(value: Any) -> Any:
    return value if value in (None, "never") else parse_duration(value)


_UNLOAD_AFTER = Expected("never, or a duration like 90 s, 10 min or 2 h")
UnloadAfter = Annotated[Literal["never"] | int, BeforeValidator(_unload_after), _UNLOAD_AFTER]
OwnUnloadAfter = Annotated[Literal["never"] | int | None, BeforeValidator(_unload_after), _UNLOAD_AFTER]
HubId = Annotated[str, Field(pattern=r"^([\w.-]+/[\w.-]+)?$"), Expected("a hub id like org/name")]


def _size(value: Any) -> Any:
    """Return width and height from `768x512`, or from one number for both."""
    parts = re.fullmatch(r"(\d+)(?:\s*[x×]\s*(\d+))?", str(value).strip())
    if not parts or isinstance(value, bool):
        raise ValueError("must be a size like 768x512, or one number for both sides")
    width = int(parts[1])
    return width, int(parts[2] or width)


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    if any(side % 8 or not 8 <= side <= 4096 for side in size):
        raise ValueError("both sides must be multiples of 8, and at most 4096")
    return size


ImageSize = Annotated[
    tuple[int, int],
    BeforeValidator(_size),
    AfterValidator(_check_size),
    Expected("a size like `768x512`, or one number"),
]


def _server_url(value: str) -> str:
    """Return the address without a slash at its end, and with `/v1` if it has no path."""
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise ValueError("not the address of a server")
    if address.username or address.password:
        raise PydanticCustomError(
            OWN_SENTENCE,
            "has a name or a password in it. Put the server's key into an environment variable, and name that under "
            "`api_key_env`",
        )
    _ = address.port  # raises ValueError for one that is none
    path = address.path.rstrip("/").removesuffix("/chat/completions")
    return f"{address.scheme}://{address.netloc}{path or '/v1'}"


ServerUrl = Annotated[
    str,
    AfterValidator(_server_url),
    Expected("the address of a server with http:// or https://, a host and a port, like http://127.0.0.1:8000/v1"),
]


def _variable_name(value: str) -> str:
    """Refuse what may be a key itself, without repeating it."""
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        raise PydanticCustomError(
            OWN_SENTENCE,
            "must be the name of an environment variable in capitals, like VLLM_KEY, and not the key itself",
        )
    return value


VariableName = Annotated[str, AfterValidator(_variable_name), Expected("the name of an environment variable")]

SERVER_TASKS = ("chat", "complete", "ask", "summarize", "caption")
"""The tasks that models on a server can do."""

_FOR_SERVERS = ("api_key_env", "sees_pictures", "context_length", "max_concurrency")
"""The options that only models on a server have."""

_FOR_BOTH = ("openai", "repo", "name", "temperature", "thinking")
"""The options of every model."""


_TASKS_OF_OPTIONS = {
    **dict.fromkeys(("max_batch_size", "upscaler", "sampler", "size"), ("imagine",)),
    **dict.fromkeys(("fast_guidance_end", "fast_cache_interval"), ("imagine",)),
    **dict.fromkeys(("steps", "guidance_scale", "preview_decoder", "offload"), ("imagine", "edit")),
    "upscale": ("imagine", "upscale"),
}
"""The tasks that have an option for pictures."""


class ModelEntry(ConfigSection):
    """A model of a task: a hub id or a folder, alone on its line or with options, or a model on a server."""

    repo: Repo = Field(
        default="",
        description="Hub id (`org/name`), or a folder or GGUF file, relative to this file, starting with `.`, `/` or "
        "`~`.",
    )
    openai: ServerUrl = Field(
        default="",
        description="In place of `repo`: the address of a server that runs the model and speaks OpenAI's API (vLLM, "
        "llama-server, Ollama, LM Studio, `transformers serve`). `name` is then the model's name there. What people "
        "write goes to that server; see [models on a server](adding-a-model.md#models-on-a-server).",
    )
    name: str = Field(
        default="",
        description="What people type; by default the last part of `repo`. Of a model on a server: its name there.",
    )
    api_key_env: VariableName = Field(
        default="",
        description="Of a model on a server: the environment variable with the server's key, if it wants one.",
    )
    sees_pictures: bool = Field(
        default=False,
        description="Of a model on a server: whether it can see pictures. Under `caption` every model can.",
    )
    context_length: int | None = Field(
        default=None,
        ge=256,
        description="Of a model on a server: how many tokens it reads and writes in all; by default what the server "
        "says, or else 4096.",
    )
    max_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Of a model on a server: the most requests that the server gets at one time; by default "
        "`limits.batch`. The others wait in the bot's own queue. Of several models on one server, the least counts.",
    )
    revision: str | None = Field(
        default=None, description="Branch, tag or commit; by default what `download` recorded."
    )
    file: str = Field(
        default="",
        description="A GGUF file of the repository or folder, by its name or a pattern like `*Q4_K_M.gguf`; by default "
        "the one with 8 bits, or else with the most. For a diffusion model, a `.safetensors` or `.gguf` file with the "
        "whole model or its transformer; a path that starts with `./` or `/` is a file outside of `repo`.",
    )
    dtype: DType = Field(default="auto", description="`auto` follows the top-level `dtype`.")
    device: Devices = Field(
        default=("auto",), description="A device or a list of devices; `auto` follows the top-level `device`."
    )
    quantize: Quantize = Field(
        default="none",
        description="`int8`, `fp8` (8-bit floats) or `int4`: a language or diffusion model keeps the weights of its "
        "linear layers in 8 or 4 bits, which takes less memory. Texts and pictures change a little with `int8`, more "
        "with `fp8`, and become worse with `int4`.",
    )
    offload: Offload = Field(
        default="auto",
        description="`model`: the text encoders of a diffusion model and the network that draws are in memory only "
        "while they work. On a CUDA GPU they wait in main memory, with `group` also parts of them; elsewhere they are "
        "read from disk for each picture, which takes seconds. `auto`: only if the model would not fit into `memory` "
        "otherwise; if that does not help, `quantize` is chosen too. `none`: never, and such a model is refused.",
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
        description="How many times larger than drawn the pictures of a diffusion model are shown; for small models. "
        "For a model of `upscale`, how many times it enlarges, where that is less than the model's own factor.",
    )
    upscaler: OptionalRepo = Field(
        default="",
        description="A super-resolution model (hub id or folder) that enlarges the pictures of a diffusion model "
        "`upscale` times. By default their pixels are only interpolated, which looks blurred.",
    )
    steps: int = Field(
        default=0,
        ge=0,
        le=150,
        description="Steps of a diffusion model where people name none; by default what its makers say, or else 25.",
    )
    sampler: Sampler | None = Field(
        default=None,
        description="Sampler of a diffusion model where people name none; by default DPM++ 2M Karras, or its own.",
    )
    size: ImageSize | None = Field(
        default=None,
        description="Size of a diffusion model's pictures where people name none, like `768x512` or `640`; by default "
        "the size that it was trained for.",
    )
    guidance_scale: float | None = Field(
        default=None,
        ge=0,
        le=30,
        description="Guidance of a diffusion model where people name none; by default what its makers say, or 7.5.",
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

    @model_validator(mode="after")
    def _is_here_or_on_a_server(self) -> Self:
        if bool(self.repo) == bool(self.openai):
            raise PydanticCustomError(
                OWN_SENTENCE,
                "must have either `repo` (a hub id or a folder), or `openai` (the address of a server), and not both",
            )
        if self.upscaler and self.upscale == 1:
            raise PydanticCustomError(OWN_SENTENCE, "has `upscaler`, which needs an `upscale` of 2 or more")
        if self.openai and not self.name:
            raise PydanticCustomError(OWN_SENTENCE, "must have `name`, the model's name on the server")
        wrong = [
            name
            for name in ModelEntry.model_fields
            if name in self.model_fields_set and name not in _FOR_BOTH and (name in _FOR_SERVERS) != bool(self.openai)
        ]
        if wrong:
            raise PydanticCustomError(
                OWN_SENTENCE,
                "has options that a model on a server does not have, since the server decides this itself: {names}. "
                "Remove them"
                if self.openai
                else "has options that only a model on a server (`openai`) has: {names}. Remove them",
                {"names": ", ".join(f"`{name}`" for name in wrong)},
            )
        return self

    @property
    def server(self) -> ModelServer | None:
        """The server that runs the model; None if this bot does."""
        if not self.openai:
            return None
        return ModelServer(
            url=self.openai,
            api_key_env=self.api_key_env,
            sees_pictures=self.sees_pictures,
            context_length=self.context_length,
            max_concurrency=self.max_concurrency,
        )

    @property
    def _is_file(self) -> bool:
        return self.repo.startswith(("/", ".")) and self.repo.endswith((".gguf", ".safetensors"))

    @property
    def folder_or_id(self) -> str:
        """The hub id or the folder; for a GGUF file, the folder that it is in; on a server, the name there."""
        if self.openai:
            return self.name
        return str(Path(self.repo).parent) if self._is_file else self.repo

    @property
    def weights_file(self) -> str:
        """The GGUF file in the folder or repository; empty if none is named."""
        return Path(self.repo).name if self._is_file else self.file

    @property
    def short_name(self) -> str:
        return self.name or self.repo.rstrip("/").rsplit("/", 1)[-1]

    def relative_to(self, folder: Path) -> ModelEntry:
        """Return the entry with absolute paths; hub ids and names of files in a repository are not changed."""
        if self.file.startswith("./"):
            return self.model_copy(update={"file": str((folder / self.file).absolute())}).relative_to(folder)
        if self.upscaler.startswith("."):
            absolute = (folder / self.upscaler).resolve()
            return self.model_copy(update={"upscaler": str(absolute)}).relative_to(folder)
        if not self.repo.startswith((".", "/")):
            return self
        path = folder / self.repo
        # A GGUF file may be a link into the cache of the hub, where files have other names.
        absolute = path.parent.resolve() / path.name if self.weights_file == path.name else path.resolve()
        return self.model_copy(update={"repo": str(absolute)})


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


def _check_server_tasks(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    """Refuse models on a server under tasks that need another kind of model."""
    for task, models in lists.items():
        if task not in SERVER_TASKS and (names := [model.name for model in models if model.openai]):
            raise ValueError(
                f"{', '.join(names)} is on a server (`openai`), which can't do `{task}`. List it under one of: "
                f"{', '.join(SERVER_TASKS)}"
            )
    return lists


def _check_picture_options(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    """Refuse options that nothing would read, such as a sampler of a model that edits."""
    for task, models in lists.items():
        for model in models:
            for name in sorted(model.model_fields_set & _TASKS_OF_OPTIONS.keys()):
                if task not in _TASKS_OF_OPTIONS[name]:
                    tasks = " and ".join(f"`{each}`" for each in _TASKS_OF_OPTIONS[name])
                    raise PydanticCustomError(
                        OWN_SENTENCE,
                        "{model} under `{task}` has the option `{name}`, which only models of {tasks} have. Remove it",
                        {"model": model.short_name, "task": task, "name": name, "tasks": tasks},
                    )
    return lists


def _with_all_tasks(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    return {task: lists.get(task, ()) for task in TASK_NAMES}


ModelEntryOrLine = Annotated[
    ModelEntry, BeforeValidator(from_line), Expected("a hub id, a folder, or a section with `repo` or `openai`")
]
ModelList = Annotated[tuple[ModelEntryOrLine, ...], AfterValidator(_check_names)]
ModelLists = Annotated[
    dict[Annotated[str, BeforeValidator(_check_task)], ModelList],
    AfterValidator(_check_server_tasks),
    AfterValidator(_check_picture_options),
    AfterValidator(_with_all_tasks),
]
"""The models of each task; the first is the default. A task without models is switched off."""
