"""The models of config.yaml: an entry for each, and a list for each task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from inference.config.problems import unknown_key
from inference.limits import ConfigSection, Device, Expected, OptionalRepo, Repo, from_line
from inference.tasks import MAX_CACHE_INTERVAL, TASK_NAMES
from inference.types import DType, Quantize, Runtime
from inference.types.durations import parse_duration


def _unload_after(value: Any) -> Any:
    return value if value in (None, "never") else parse_duration(value)


_UNLOAD_AFTER = Expected("never, or a duration like 90 s, 10 min or 2 h")
UnloadAfter = Annotated[Literal["never"] | int, BeforeValidator(_unload_after), _UNLOAD_AFTER]
OwnUnloadAfter = Annotated[Literal["never"] | int | None, BeforeValidator(_unload_after), _UNLOAD_AFTER]
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
        description="How many times larger than drawn the pictures of a diffusion model are shown; for small models. "
        "For a model of `upscale`, how many times it enlarges, where that is less than the model's own factor.",
    )
    upscaler: OptionalRepo = Field(
        default="",
        description="A super-resolution model (hub id or folder) that enlarges the pictures of a diffusion model "
        "`upscale` times. By default their pixels are only interpolated, which looks blurred.",
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

    def relative_to(self, folder: Path) -> ModelEntry:
        """Return the entry with absolute folders; hub ids are not changed."""
        if self.upscaler.startswith("."):
            absolute = (folder / self.upscaler).resolve()
            return self.model_copy(update={"upscaler": str(absolute)}).relative_to(folder)
        if not self.repo.startswith((".", "/")):
            return self
        path = folder / self.repo
        # A GGUF file may be a link into the cache of the hub, where files have other names.
        absolute = path.parent.resolve() / path.name if self.gguf_file == path.name else path.resolve()
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


def _with_all_tasks(lists: dict[str, ModelList]) -> dict[str, ModelList]:
    return {task: lists.get(task, ()) for task in TASK_NAMES}


ModelEntryOrLine = Annotated[
    ModelEntry, BeforeValidator(from_line), Expected("a hub id, a folder, or a section with `repo`")
]
ModelList = Annotated[tuple[ModelEntryOrLine, ...], AfterValidator(_check_names)]
ModelLists = Annotated[dict[Annotated[str, BeforeValidator(_check_task)], ModelList], AfterValidator(_with_all_tasks)]
"""The models of each task; the first is the default. A task without models is switched off."""
