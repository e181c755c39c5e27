"""Schedulers by their usual names, and defaults for steps and guidance."""

from __future__ import annotations

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

from inference.pipelines.text_to_image.model_defaults import NO_DEFAULTS, ModelDefaults
from inference.pipelines.text_to_image.pipeline_traits import PipelineTraits
from inference.tasks import SAMPLERS, Sampler
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable, Phrase

_SCHEDULERS: dict[Sampler, tuple[Any, dict[str, Any]]] = {
    "DPM++ 2M Karras": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "Euler a": (EulerAncestralDiscreteScheduler, {}),
    "DDIM": (DDIMScheduler, {"clip_sample": False}),  # latents, unlike pixels, can exceed 1
    "UniPC": (UniPCMultistepScheduler, {}),
    "LCM": (LCMScheduler, {}),
    "PNDM": (PNDMScheduler, {"skip_prk_steps": True}),  # as published with Stable Diffusion
}
"""Class, and options that are not taken from the model's own scheduler."""

_DEFAULT_SAMPLER: Sampler = "DPM++ 2M Karras"
_STEPS: dict[Sampler | None, int] = {"PNDM": 50}
_DEFAULT_STEPS = 25
_DISTILLED_STEPS = 4
_FEWEST_FOR_FAST_MODE = 10
_LCM_STEPS = 6
_LCM_ORIGINAL_STEPS = 50
_DEFAULT_GUIDANCE = 7.5
_LCM_GUIDANCE = 8.5
_NO_GUIDANCE = 1.0


def require_usable_defaults(spec: ModelSpec, pipe: Any, defaults: ModelDefaults) -> None:
    """Raise ModelUnavailable if the operator chose a sampler that the model can't use."""
    try:
        Samplers(pipe).resolve(defaults.sampler)
    except InvalidRequest as error:
        raise ModelUnavailable(
            "{name} can't be loaded with `sampler`. {reason} The bot's operator has to change `sampler` of it in "
            "config.yaml.",
            name=spec.name,
            reason=Phrase(error.sentence, **error.values),
        ) from error


class Samplers:
    """The samplers that one pipeline can use, with the noise schedule of the model's training.

    `defaults` are those of this model, where they are known.
    """

    def __init__(self, pipe: Any, defaults: ModelDefaults = NO_DEFAULTS) -> None:
        traits = PipelineTraits(pipe)
        self._has_latent_unet = traits.has_latent_unet
        self._call_steps = traits.default("num_inference_steps")
        self._call_guidance = traits.default(traits.guidance_name)
        self._defaults = defaults
        self._scheduler = pipe.scheduler
        if defaults.scheduler and self._is_compatible():
            made_for: Any = defaults.scheduler
            self._scheduler = made_for.from_config(pipe.scheduler.config, **defaults.scheduler_options)
        condition = getattr(pipe.unet.config, "time_cond_proj_dim", None) if self._has_latent_unet else None
        self._guidance_embedded = condition is not None

    def resolve(self, requested: Sampler | None) -> Sampler | None:
        """Return the sampler for a request, None for the model's own. Raise InvalidRequest if it can't be used."""
        available = self._available()
        if requested and requested not in available:
            if not available:
                raise InvalidRequest("This model has no choice of sampler. Leave it out for the model's own.")
            raise InvalidRequest(
                "This model can't use the sampler {wanted}. Choose one of {names}, or leave it out for the model's "
                "own.",
                wanted=requested,
                names=", ".join(available),
            )
        return requested or self._defaults.sampler or self._default()

    def steps(self, sampler: Sampler | None, requested: int, strength: float | None) -> int:
        """Return the number of steps: the requested one, or the default if it is 0."""
        requested = requested or self._defaults.steps
        if sampler == "LCM":  # it skips most steps of a longer schedule
            max_steps = self._scheduler.config.get("original_inference_steps", _LCM_ORIGINAL_STEPS) * (strength or 1)
            return max(1, min(requested or _LCM_STEPS, int(max_steps)))
        if not self._has_latent_unet:
            return requested or int(self._call_steps or _DEFAULT_STEPS)
        return requested or (_DISTILLED_STEPS if self._is_distilled() else _STEPS.get(sampler, _DEFAULT_STEPS))

    def guidance_scale(self, sampler: Sampler | None) -> float:
        """Return the default guidance scale."""
        if sampler == "LCM" and self._has_latent_unet and self._defaults.guidance_scale is None:
            return _LCM_GUIDANCE if self._guidance_embedded else _NO_GUIDANCE
        if self._defaults.guidance_scale is not None:
            return self._defaults.guidance_scale
        if not self._has_latent_unet:
            return _DEFAULT_GUIDANCE if self._call_guidance is None else float(self._call_guidance)
        return _NO_GUIDANCE if self._is_distilled() else _DEFAULT_GUIDANCE

    def needs_few_steps(self, sampler: Sampler | None) -> bool:
        """Return whether the model draws in so few steps, without guidance, that none of them can be made cheaper."""
        return sampler == "LCM" or self._is_distilled() or 0 < self._defaults.steps < _FEWEST_FOR_FAST_MODE

    def scheduler(self, sampler: Sampler | None) -> Any:
        """Return a new scheduler for one call."""
        cls, options = (type(self._scheduler), {}) if sampler is None else _SCHEDULERS[sampler]
        return cls.from_config(self._scheduler.config, **options)

    def _available(self) -> tuple[Sampler, ...]:
        if isinstance(self._scheduler, LCMScheduler):
            return ("LCM",)
        if not self._is_compatible():
            return ()
        missing = {"LCM"} if not self._guidance_embedded else set[str]()
        if self._scheduler.config.get("rescale_betas_zero_snr"):
            missing |= {"DPM++ 2M Karras", "PNDM"}  # they don't support infinite noise
        return tuple(name for name in SAMPLERS if name not in missing)

    def _default(self) -> Sampler | None:
        if isinstance(self._scheduler, LCMScheduler):
            return "LCM"
        special = (
            self._is_distilled() or self._defaults.scheduler or self._scheduler.config.get("rescale_betas_zero_snr")
        )
        return _DEFAULT_SAMPLER if self._is_compatible() and not special else None

    def _is_compatible(self) -> bool:
        """Return whether the model predicts noise (or velocity) on a beta schedule, as all samplers require."""
        config = self._scheduler.config
        return (
            self._has_latent_unet
            and type(self._scheduler).__name__ in KarrasDiffusionSchedulers.__members__
            and "beta_schedule" in config
            and config.get("prediction_type") in ("epsilon", "v_prediction")
        )

    def _is_distilled(self) -> bool:
        """Return whether the model was distilled to draw in a few steps without guidance, as the "turbo" models."""
        config = self._scheduler.config
        return config.get("timestep_spacing") == "trailing" and not config.get("rescale_betas_zero_snr")
