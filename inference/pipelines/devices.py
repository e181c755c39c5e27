"""Device and dtype of models, and memory budgets. Imports torch."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch

from inference.pipelines.main_memory import MEMORY_SHARE, main_memory_budget
from inference.types import DType
from inference.types.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class Placement:
    """The device and dtype of a model's weights."""

    device: torch.device
    dtype: torch.dtype

    @property
    def channels_last(self) -> bool:
        """Whether convolutions run faster in this memory format: in half precision, on CPUs and GPUs."""
        return self.device.type in ("cpu", "cuda")


def place(device: str, dtype: DType) -> Placement:
    """Resolve `auto` values. Raise ModelUnavailable if this machine lacks the device."""
    resolved = find_device(device)
    return Placement(resolved, _default_dtype(resolved) if dtype == "auto" else getattr(torch, dtype))


def find_device(name: str) -> torch.device:
    """Return the device. `auto` is the first available of cuda, mps and cpu; `cuda` is the first CUDA device."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    missing = (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise ModelUnavailable("The device {name!r} of the bot's settings is not on this machine.", name=name)
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def present_devices() -> list[str]:
    """Return the names of the devices of this machine, the fastest first."""
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


@functools.cache
def _default_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    """Check for AMX, AVX512-BF16 or Arm's BF16 extension: without one, bfloat16 is emulated and slower than float32."""
    return any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def memory_budget(device: torch.device) -> int:
    """Return the default memory budget for loaded models on `device`, in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * MEMORY_SHARE)
    return main_memory_budget()


def empty_cache(device: torch.device) -> None:
    """Return a GPU's unused memory to it. Do nothing on a CPU."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def release_memory(device: torch.device) -> None:
    """Return unused memory to the device. On a CPU this takes up to a tenth of a second."""
    empty_cache(device)
    if device.type == "cpu" and (trim := _malloc_trim()):
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    """Return glibc's `malloc_trim`; None in other C libraries. glibc keeps freed tensors of a few MB for itself.

    Source: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def held_memory(device: torch.device) -> int | None:
    """Return what this process holds of the device's memory in bytes, unused parts included; None on a CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else None
