"""What the operator lists: tasks and models."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

Task = Literal["complete", "fill", "summarize", "ask", "caption", "imagine", "mood"]
TASKS: tuple[Task, ...] = ("complete", "fill", "summarize", "ask", "caption", "imagine", "mood")

DType = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One model as the operator listed it for one task.

    `repo` is a hub id (`org/name`) or the absolute path of a folder; `revision` a branch, tag or
    commit; `loras` the absolute path of a folder of LoRA files, where the task has use for them;
    `at_once` how many pictures a diffusion model draws together, `enlarge` how many times larger than drawn they are
    shown, `guidance` and `temperature` what it takes where a request names none (None: what is usual);
    `companion` that of another repository's files, which some models need: filled in once they are on disk.
    Two specs with the same `key` share one copy in memory, whatever their tasks.
    """

    name: str
    task: Task
    repo: str
    revision: str | None = None
    dtype: DType = "auto"
    device: str = "auto"
    loras: str = ""
    at_once: int = 1
    enlarge: int = 1
    guidance: float | None = None
    temperature: float | None = None
    companion: str = ""

    @property
    def key(self) -> Hashable:
        return (self.repo, self.revision, self.dtype, self.device)
