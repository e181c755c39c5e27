"""Steps, guidance, sampler and size for requests that leave them open, from the operator or the model's makers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler, TCDScheduler

from inference.hub.local_folder import is_local
from inference.tasks import Sampler
from inference.types import ModelSpec

_TRAILING: dict[str, Any] = {"timestep_spacing": "trailing"}


@dataclass(frozen=True, slots=True)
class ModelDefaults:
    """What a model draws with where a request names nothing. 0 and None leave the choice to its family.

    `scheduler` is a class of diffusers and `scheduler_options` its options, for models that were distilled for one that
    their files don't name. `size` is width and height in pixels.
    """

    steps: int = 0
    guidance_scale: float | None = None
    sampler: Sampler | None = None
    size: tuple[int, int] | None = None
    scheduler: type | None = None
    scheduler_options: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, spec: ModelSpec) -> ModelDefaults:
        """Return the operator's values in the spec, and for the others those of the makers, by the model's name."""
        made = makers_defaults(f"{Path(spec.repo).name if is_local(spec) else spec.repo} {Path(spec.file).name}")
        scheduler = None if spec.sampler else made.scheduler
        return cls(
            steps=spec.steps or made.steps,
            guidance_scale=made.guidance_scale if spec.guidance_scale is None else spec.guidance_scale,
            sampler=cast("Sampler", spec.sampler) if spec.sampler else None,
            size=spec.size,
            scheduler=scheduler,
            scheduler_options=made.scheduler_options,
        )


NO_DEFAULTS = ModelDefaults()
"""Everything is left to the model's family."""

# The first pattern that is found in the repository's name counts. The figures are from the model cards on the hub:
# black-forest-labs/FLUX.1-schnell and FLUX.2-klein-4B, Tongyi-MAI/Z-Image-Turbo, stabilityai/stable-diffusion-3.5-*
# ByteDance/SDXL-Lightning and Hyper-SD, tianweiy/DMD2, h1t/TCD-SDXL-LoRA,
# PixArt-alpha/PixArt-LCM-XL-2-1024-MS and PixArt-Alpha-DMD-XL-2-512x512, lightx2v/Qwen-Image-Lightning,
# HiDream-ai/HiDream-I1-*, Alpha-VLLM/Lumina-Image-2.0, playgroundai/playground-v2.5-1024px-aesthetic and
# lodestones/Chroma. A guidance of 0 or 1 is none.
_BY_NAME: tuple[tuple[str, ModelDefaults], ...] = (
    (r"flux.*schnell", ModelDefaults(steps=4, guidance_scale=0)),
    (r"flux.*klein.*base", ModelDefaults(steps=50, guidance_scale=4)),
    (r"flux.*klein", ModelDefaults(steps=4, guidance_scale=1)),
    (r"z-?image.*turbo", ModelDefaults(steps=9, guidance_scale=0)),  # 9 steps are 8 runs of its network
    (r"stable-diffusion-3.*turbo|sd3.*turbo", ModelDefaults(steps=4, guidance_scale=0)),
    (r"stable-diffusion-3\.5-medium", ModelDefaults(steps=40, guidance_scale=4.5)),
    (r"stable-diffusion-3\.5", ModelDefaults(steps=28, guidance_scale=3.5)),
    (r"hidream.*fast", ModelDefaults(steps=16, guidance_scale=0)),
    (r"hidream.*dev", ModelDefaults(steps=28, guidance_scale=0)),
    (r"qwen.*lightning", ModelDefaults(steps=8, guidance_scale=1)),
    (r"pixart.*lcm", ModelDefaults(steps=4, guidance_scale=0)),
    (r"pixart.*dmd", ModelDefaults(steps=1, guidance_scale=1)),
    (r"lumina-image-2", ModelDefaults(steps=50, guidance_scale=4)),
    (r"playground-v2\.5", ModelDefaults(steps=50, guidance_scale=3)),
    (r"chroma1|/chroma", ModelDefaults(steps=40, guidance_scale=3)),
    (r"lightning", ModelDefaults(4, 0, scheduler=EulerDiscreteScheduler, scheduler_options=_TRAILING)),
    (
        r"hyper[-_]?sd|sdxl.*hyper|hyper.*sdxl",
        ModelDefaults(8, 0, scheduler=DDIMScheduler, scheduler_options=_TRAILING),
    ),
    (r"dmd2?(?![a-z0-9])", ModelDefaults(4, 0, scheduler=LCMScheduler)),
    (r"(?<![a-z])tcd(?![a-z])", ModelDefaults(4, 0, scheduler=TCDScheduler)),
)

_STEPS_IN_NAME = re.compile(r"(?<![0-9])([1-9]|1[0-9])[-_ ]?steps?(?![a-z])")
"""Distilled models often say for how many steps they were made: `sdxl_lightning_8step`."""


def makers_defaults(name: str) -> ModelDefaults:
    """Return what the makers of the model with this name say about it; nothing for a model that is not listed."""
    lowered = name.lower()
    found = next((values for pattern, values in _BY_NAME if re.search(pattern, lowered)), NO_DEFAULTS)
    named = _STEPS_IN_NAME.search(lowered)
    if not named or found.scheduler is None:
        return found
    return ModelDefaults(
        int(named[1]), found.guidance_scale, scheduler=found.scheduler, scheduler_options=found.scheduler_options
    )
