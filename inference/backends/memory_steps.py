"""What is done for a diffusion model that does not fit: the ways to load it, those that lose least first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from inference.hub.loras import has_loras
from inference.types import ModelSpec, Offload, Quantize

QUANTIZES: tuple[Quantize, ...] = ("none", "int8", "int4")
"""The values of `quantize` that are tried, best first."""


def memory_steps(spec: ModelSpec, device: str) -> list[ModelSpec]:
    """Return `spec` with the values of `offload` and `quantize` to try on a device, best first.

    If the operator has set `offload`, or the runtime is not torch, nothing is chosen. A `quantize` that is set stays.
    Offloading changes no picture, so it is tried first. Off a GPU it is not combined with quantization: the networks
    are read from their files again each time, which have ordinary numbers. A model with LoRAs is not quantized, because
    a quantized one can't use them.
    """
    if spec.offload != "auto" or spec.runtime not in ("auto", "torch"):
        return [spec]
    offloads: tuple[Offload, ...] = ("none", "model", "group") if device == "cuda" else ("none", "model")
    may_quantize = spec.quantize == "none" and not has_loras(spec.loras)
    quantizes = QUANTIZES if may_quantize else (spec.quantize,)
    return [
        replace(spec, offload=offload, quantize=quantize)
        for quantize in quantizes
        for offload in offloads
        if offload == "none" or quantize == "none" or device == "cuda"
    ]


def first_that_fits(
    steps: Sequence[ModelSpec], size_of: Callable[[ModelSpec], int], allowed: int
) -> tuple[ModelSpec, int]:
    """Return the first of `steps` whose size in bytes is allowed, with its size; if none is, the smallest one."""
    sizes: list[tuple[ModelSpec, int]] = []
    for step in steps:
        sizes.append((step, size_of(step)))
        if sizes[-1][1] <= allowed:
            return sizes[-1]
    return min(sizes, key=lambda sized: sized[1])


def chosen_options(spec: ModelSpec, step: ModelSpec) -> str:
    """Return what was chosen for a model that would not fit, as options of config.yaml; empty if nothing was."""
    chosen = {"offload": step.offload} if step.offload not in ("none", "auto", spec.offload) else {}
    chosen |= {"quantize": step.quantize} if step.quantize != spec.quantize else {}
    return ", ".join(f"{name}: {value}" for name, value in chosen.items())
