"""A model as the operator lists it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

DType = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One model as the operator listed it for one task.

    `repo` is a hub id (`org/name`) or the absolute path of a folder; `revision` a branch, tag or
    commit; `loras` the absolute path of a folder of LoRA files, where the task has use for them;
    `max_batch_size` how many pictures a diffusion model draws together, `upscale` how many times larger than drawn
    they are shown, `guidance_scale` and `temperature` what it takes where a request names none (None: what is usual);
    `system` what a chat model is told about itself, `largest_side` the bound in pixels of a picture's inferred size;
    `companion` that of another repository's files, which some models need: filled in once they are on disk.
    Two specs with the same `key` share one copy in memory, whatever their tasks.
    """

    name: str
    task: str
    repo: str
    revision: str | None = None
    dtype: DType = "auto"
    device: str = "auto"
    loras: str = ""
    max_batch_size: int = 1
    upscale: int = 1
    guidance_scale: float | None = None
    temperature: float | None = None
    system: str = ""
    largest_side: int = 1024
    companion: str = ""

    @property
    def key(self) -> Hashable:
        return (self.repo, self.revision, self.dtype, self.device)
