"""The specification of a model."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Literal, Self

DType = Literal["auto", "float32", "bfloat16", "float16"]
Quantize = Literal["none", "int8", "fp8", "int4"]
Offload = Literal["auto", "none", "model", "group"]
Runtime = Literal["auto", "torch", "openvino", "llama.cpp"]


@dataclass(frozen=True, slots=True)
class GGUFSummary:
    """The architecture in a GGUF file, as llama.cpp calls it, and the number of its parameters."""

    architecture: str
    num_parameters: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelServer:
    """A server that runs models, and speaks OpenAI's API at `url` (up to `/v1`), as one model of it is listed.

    `api_key_env` is the name of the environment variable with its key; empty if it wants none. `sees_pictures` says
    whether the model does. `context_length` is what the model reads and writes in tokens (None: what the server says).
    `max_concurrency` is the number of requests that the server gets at one time (None: the limit of a batch).
    """

    url: str
    api_key_env: str = ""
    sees_pictures: bool = False
    context_length: int | None = None
    max_concurrency: int | None = None

    @property
    def host(self) -> str:
        """The host and the port: what people are told of the server."""
        return self.url.partition("://")[2].partition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One model as listed in the config for one task.

    `task` is empty for a model of any task. `repo` is a hub id (`org/name`) or the absolute path of a folder;
    `revision` a branch, tag or commit; `loras` the absolute path of a folder with LoRA files. `max_batch_size` is the
    number of images of a request that a diffusion model draws together (None: by its device), and `upscale` the factor
    by which they are enlarged (for a model that enlarges: by which it does, 1 if by its own). `fast_guidance_end`
    and `fast_cache_interval` are what its fast mode leaves out. `preview_decoder` is the hub id of a small decoder
    for its previews, and `upscaler` the id or the folder of a model that enlarges its images (once its files are on
    disk, their folder). `steps`, `sampler`, `size` (width and height), `guidance_scale` and `temperature` are
    defaults for requests that set none (0, empty, None: the usual value). `system` is the system message of chat
    models, and `thinking` says whether those that can think do so before they reply. `largest_side` is the limit in
    pixels for an inferred image size. `companion` is the folder of another repository that some models need; it is
    filled in once its files are on disk. `verdict` is what the pipeline found when it last loaded these files (see
    `Pipeline.verdict`). `file` is the name of a GGUF file, or a pattern for it; empty leaves the choice to
    `repository_files.py`. `gguf` is what the hub says about a GGUF file that is not downloaded yet, and
    `weight_files` are the names and sizes of the files of a diffusion model that is not. `quantize` makes the linear
    layers smaller when the model is loaded, and `offload` keeps networks of a diffusion model out of the memory while
    they do not work ("auto": both are chosen, if they are left open and the model would not fit). `runtime` is the
    library that computes (see `pipelines/runtimes.py`). `labels` are those of a classifier that are objected to, if the
    config names some. `unload_after` is the time in seconds after which the model leaves the memory if nobody uses it
    (None: never). `server` is the server that runs the model, for which `repo` is its name there (None: this bot runs
    it). `pool` has the devices of which one runs each request, if there are several; `device` is the first of them.
    Specs with equal `key` share one copy in memory, also across tasks.
    """

    name: str
    task: str
    repo: str
    revision: str | None = None
    file: str = ""
    dtype: DType = "auto"
    device: str = "auto"
    quantize: Quantize = "none"
    offload: Offload = "auto"
    runtime: Runtime = "auto"
    labels: tuple[str, ...] = ()
    loras: str = ""
    max_batch_size: int | None = None
    upscale: int = 1
    steps: int = 0
    sampler: str = ""
    size: tuple[int, int] | None = None
    guidance_scale: float | None = None
    fast_guidance_end: float = 1
    fast_cache_interval: int = 2
    preview_decoder: str = ""
    upscaler: str = ""
    temperature: float | None = None
    system: str = ""
    thinking: bool = False
    largest_side: int = 1024
    companion: str = ""
    verdict: str = ""
    gguf: GGUFSummary | None = None
    weight_files: tuple[tuple[str, int], ...] = ()
    unload_after: int | None = None
    server: ModelServer | None = None
    pool: tuple[str, ...] = ()

    @property
    def placements(self) -> tuple[Self, ...]:
        """The same model on each of its devices."""
        return tuple(replace(self, device=device, pool=()) for device in self.pool) or (self,)

    @property
    def key(self) -> Hashable:
        # a diffusion model keeps these
        drawing = (self.loras, self.max_batch_size, self.upscale, self.steps, self.sampler, self.size)
        fast = (self.fast_guidance_end, self.fast_cache_interval)
        files = (self.repo, self.revision, self.file, self.preview_decoder, self.upscaler)
        placed = (self.dtype, self.device, self.quantize, self.offload, self.runtime)
        return (*files, *placed, *drawing, self.guidance_scale, *fast, self.server)
