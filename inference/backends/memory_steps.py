"""What is done for a diffusion model that does not fit: the ways to load it, those that lose least first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from inference.hub.loras import has_loras
from inference.types import ModelSpec, Offload, Quantize

_QUANTIZES: tuple[Quantize, ...] = ("none", "int8", "int4")


def memory_steps(spec: ModelSpec, device: str) -> list[ModelSpec]:
    """Return `spec` with the values of `offload` and `quantize` to try on a device, best first.

    What the operator has set stays; `offload: none` leaves `quantize` as it is too, and so
    do other runtimes. Offloading changes no picture, so it comes first. From disk, only networks in ordinary numbers
    are read. A model that has LoRAs is not quantized, since it would take none of them.
    """
    if spec.offload != "auto" or spec.runtime not in ("auto", "torch"):
        return [spec]
    offloads: tuple[Offload, ...] = ("none", "model", "group") if device == "cuda" else ("none", "model")
    may_quantize = spec.quantize == "none" and not has_loras(spec.loras)
    quantizes = _QUANTIZES if may_quantize else (spec.quantize,)
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


def help_given(spec: ModelSpec, step: ModelSpec) -> str:
    """Return what was chosen for a model that would not fit, as options of config.yaml; empty if nothing was."""
    chosen = {"offload": step.offload} if step.offload not in ("none", "auto", spec.offload) else {}
    chosen |= {"quantize": step.quantize} if step.quantize != spec.quantize else {}
    return ", ".join(f"{name}: {value}" for name, value in chosen.items())
