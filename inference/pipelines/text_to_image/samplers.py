"""Schedulers by the names that people know, and what each takes where a request says nothing."""

from __future__ import annotations

import inspect
from typing import Any

from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    UniPCMultistepScheduler,
)
from diffusers.schedulers import KarrasDiffusionSchedulers

from inference.tasks import SAMPLERS, Sampler
from inference.types.errors import InvalidRequest

_SCHEDULERS: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    "DPM++ 2M Karras": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "Euler a": (EulerAncestralDiscreteScheduler, {}),
    "DDIM": (DDIMScheduler, {"clip_sample": False}),  # latents, unlike pixels, go beyond 1
    "UniPC": (UniPCMultistepScheduler, {}),
    "LCM": (LCMScheduler, {}),
    "PNDM": (PNDMScheduler, {"skip_prk_steps": True}),  # as Stable Diffusion was published
}
"""Class, and what it does not take over from the scheduler that the model comes with."""

_DEFAULT: Sampler = "DPM++ 2M Karras"
_STEPS: dict[Sampler | None, int] = {"PNDM": 50}
_USUAL_STEPS = 25
_FEW_STEPS = 4
_LCM_STEPS = 6
_LCM_LONGEST = 50
_GUIDANCE = 7.5
_LCM_GUIDANCE = 8.5
_NO_GUIDANCE = 1.0


class Samplers:
    """Those that one pipeline can use, on the noise schedule that its model was trained with.

    `guidance_scale` is the operator's choice where a request names none.
    """

    def __init__(self, pipe: Any, guidance_scale: float | None = None) -> None:
        self._usual_guidance = _GUIDANCE if guidance_scale is None else guidance_scale
        self._own = pipe.scheduler
        self._parameters = inspect.signature(pipe.__call__).parameters
        self._has_unet = hasattr(pipe, "unet")
        self._guidance_embedded = self._has_unet and getattr(pipe.unet.config, "time_cond_proj_dim", None) is not None

    def resolve(self, wanted: Sampler | None) -> Sampler | None:
        """The sampler for a request; None is the model's own. Raises InvalidRequest for one that it can't use."""
        there = self._there()
        if wanted and wanted not in there:
            if not there:
                raise InvalidRequest("This model has no choice of sampler. Leave it out for the model's own.")
            raise InvalidRequest(
                "This model can't use the sampler {wanted}. Choose one of {names}, or leave it out for the model's "
                "own.",
                wanted=wanted,
                names=", ".join(there),
            )
        return wanted or self._default()

    def steps(self, sampler: Sampler | None, wanted: int, strength: float | None) -> int:
        """How many to take; the usual number if none are wanted."""
        if sampler == "LCM":  # made to skip most of a longer schedule's steps
            longest = self._own.config.get("original_inference_steps", _LCM_LONGEST) * (strength or 1)
            return max(1, min(wanted or _LCM_STEPS, int(longest)))
        return wanted or (_FEW_STEPS if self._distilled() else _STEPS.get(sampler, _USUAL_STEPS))

    def guidance_scale(self, sampler: Sampler | None) -> float:
        """Where the request names none."""
        if not self._has_unet:
            usual = self._parameters["guidance_scale"].default if "guidance_scale" in self._parameters else None
            return float(usual) if isinstance(usual, int | float) else self._usual_guidance
        if sampler == "LCM":
            return _LCM_GUIDANCE if self._guidance_embedded else _NO_GUIDANCE
        return _NO_GUIDANCE if self._distilled() else self._usual_guidance

    def scheduler(self, sampler: Sampler | None) -> Any:
        """A scheduler for one call."""
        kind, options = (type(self._own), {}) if sampler is None else _SCHEDULERS[sampler]
        return kind.from_config(self._own.config, **options)

    def _there(self) -> tuple[Sampler, ...]:
        if isinstance(self._own, LCMScheduler):
            return ("LCM",)
        if not self._plain():
            return ()
        missing = {"LCM"} if not self._guidance_embedded else set[str]()
        if self._own.config.get("rescale_betas_zero_snr"):
            missing |= {"DPM++ 2M Karras", "PNDM"}  # they have no place for noise without end
        return tuple(name for name in SAMPLERS if name not in missing)

    def _default(self) -> Sampler | None:
        if isinstance(self._own, LCMScheduler):
            return "LCM"
        special = self._distilled() or self._own.config.get("rescale_betas_zero_snr")
        return _DEFAULT if self._plain() and not special else None

    def _plain(self) -> bool:
        """Whether the model predicts noise (or its velocity) on a schedule of betas, which all samplers share."""
        config = self._own.config
        return (
            self._has_unet
            and type(self._own).__name__ in KarrasDiffusionSchedulers.__members__
            and "beta_schedule" in config
            and config.get("prediction_type") in ("epsilon", "v_prediction")
        )

    def _distilled(self) -> bool:
        """Whether the model was taught to draw in a few steps without guidance, as the "turbo" ones."""
        config = self._own.config
        return config.get("timestep_spacing") == "trailing" and not config.get("rescale_betas_zero_snr")
