"""One call of a diffusers pipeline: subjects in, pictures out, a word after every step."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting
from PIL import Image

from inference.pipelines.numerics import require_finite
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec, Mode
from inference.pipelines.text_to_image.init_image import MULTIPLE, InitImage, paste_back
from inference.pipelines.text_to_image.initial_noise import generators_of, start_from, starting_noise
from inference.pipelines.text_to_image.lora import LoraAdapters
from inference.pipelines.text_to_image.prompt_encoder import BREAK
from inference.pipelines.text_to_image.prompt_inputs import prompt_inputs_for
from inference.pipelines.text_to_image.prompt_weighting import without_weights
from inference.pipelines.text_to_image.samplers import Samplers
from inference.tasks import ImagineRequest
from inference.text.known_concepts import ConceptsByCategory, KnownConcepts
from inference.types.errors import InvalidRequest, Phrase

_STRENGTH: dict[Mode, float | None] = {"text": None, "image": 0.75, "inpaint": 1.0}

AfterStep = Callable[[int, torch.Tensor], None]
"""Told how many steps are done, and the latents [pictures, channels, h, w]. Whatever it raises ends the drawing."""


class DiffusionRunner:
    """A diffusers text-to-image pipeline, and those of its kin that start from a picture.

    Small models draw on a canvas of which the picture is an enlarged view, `upscale` times as wide and high, and what
    they know can be listed in `kinds`.
    """

    def __init__(
        self,
        pipe: Any,
        loras: str = "",
        upscale: int = 1,
        guidance_scale: float | None = None,
        kinds: ConceptsByCategory | None = None,
    ) -> None:
        self._pipe = pipe
        self._enlarge = upscale
        self._wardrobe = LoraAdapters(pipe, loras)
        self._kin: dict[Mode, Any] = {"text": pipe}
        self._samplers = Samplers(pipe, guidance_scale)
        self._prompts = prompt_inputs_for(pipe)
        self._vocabulary = KnownConcepts(kinds or {})

    @property
    def listed(self) -> bool:
        """Whether all that the model can draw stands in a list."""
        return self._vocabulary.limited

    @property
    def own_side(self) -> int:
        """The longer side of the pictures that the model was trained for, in pixels."""
        return max(self._own_size())

    def plan(self, request: ImagineRequest, source: InitImage | None) -> GenerationSettings:
        """How the request will be drawn: what it leaves open is the model's own, or our default.

        Raises InvalidRequest for a sampler that this model can't use, and for a prompt of which it knows no word.
        """
        if not request.lora:  # which may teach it new ones
            self._vocabulary.require(_said(request.prompt))
        mode: Mode = "text" if source is None else "image" if source.mask is None else "inpaint"
        own = self._own_size()
        width, height = source.image.size if source else (request.width or own[0], request.height or own[1])
        sampler = self._samplers.resolve(request.sampler)
        strength = _STRENGTH[mode] if source is None or request.strength is None else request.strength
        return GenerationSettings(
            mode=mode,
            width=width,
            height=height,
            steps=self._samplers.steps(sampler, request.steps, strength),
            guidance_scale=self._samplers.guidance_scale(sampler)
            if request.guidance_scale is None
            else request.guidance_scale,
            sampler=sampler,
            strength=strength,
            lora=request.lora,
        )

    def notes(self, request: ImagineRequest, plan: GenerationSettings) -> list[Phrase]:
        """What the person should know: which wishes this model can't follow."""
        notes = self._prompts.notes(request)
        unknown = self._vocabulary.note(_said(f"{request.prompt}, {request.negative_prompt}"))
        if unknown and not request.lora:
            notes.append(unknown)
        if request.negative_prompt and "negative_prompt" not in _accepted(self._pipe):
            notes.append(Phrase("This model takes no negative prompt."))
        elif request.negative_prompt and plan.guidance_scale <= 1:
            notes.append(Phrase("Without guidance, the negative prompt has no effect."))
        if request.temperature != 1 or request.top_k:
            notes.append(Phrase("This model does not draw token by token, so temperature and top-k have no effect."))
        return notes

    def shape(self, subject: ImageSpec) -> Hashable:
        """Subjects of equal shape can be drawn in one call, and come out as they would alone."""
        return self._prompts.shape(self._understood(subject))

    def draw(self, subjects: Sequence[ImageSpec], plan: GenerationSettings, after_step: AfterStep) -> list[Image.Image]:
        """A picture for each subject.

        All have the plan's mode, and prompts of one shape. Raises GenerationFailed when the numbers overflow, and
        InvalidRequest for a LoRA that does not fit.
        """
        self._wardrobe.activate(plan.lora)
        if not plan.lora:
            subjects = list(map(self._understood, subjects))
        size, canvas = (plan.width, plan.height), self._canvas(plan)
        sources = [subject.source.at(size) for subject in subjects if subject.source]
        pipe = self._related_pipeline(plan.mode)
        pipe.scheduler = self._samplers.scheduler(plan.sampler)
        generators = generators_of(subjects)
        noise = self._noise(subjects, generators, plan)
        arguments = {
            **self._prompts.arguments(subjects),
            **self._start(plan, [source.at(canvas) for source in sources], noise, pipe.scheduler),
            "guidance_scale": plan.guidance_scale,
            "generator": generators,
            "output_type": "pt",
            "callback_on_step_end": _callback(plan.steps, after_step),
        }
        output = pipe(**{name: value for name, value in arguments.items() if name in _accepted(pipe)})
        require_finite(output.images)
        processor = pipe.image_processor
        drawn: list[Image.Image] = processor.numpy_to_pil(processor.pt_to_numpy(output.images))
        images = [image if image.size == size else image.resize(size, Image.Resampling.LANCZOS) for image in drawn]
        return list(map(paste_back, sources, images)) if sources else images

    def _understood(self, subject: ImageSpec) -> ImageSpec:
        """The subject in words that the model knows."""
        spoken = self._vocabulary.spoken
        return replace(subject, prompt=spoken(subject.prompt), negative_prompt=spoken(subject.negative_prompt))

    def rest(self) -> None:
        """Let go of what is only needed while there is something to draw."""
        self._wardrobe.deactivate()

    def _start(
        self, plan: GenerationSettings, sources: Sequence[InitImage], noise: torch.Tensor | None, scheduler: Any
    ) -> dict[str, Any]:
        """The arguments that say what drawing starts from: noise alone, or pictures under noise."""
        size = dict(zip(("width", "height"), self._canvas(plan), strict=True))
        if plan.strength is None:
            return {**size, "num_inference_steps": plan.steps, "latents": noise}
        if noise is not None:
            start_from(scheduler, noise)
        return {
            **size,
            "num_inference_steps": self._steps_to_ask_for(plan.steps, plan.strength),
            "strength": plan.strength,
            "image": [source.image for source in sources],
            "mask_image": [source.mask for source in sources],
            # Where nothing of the picture shows through, inpainting starts from the noise itself.
            "latents": noise if plan.mode == "inpaint" and plan.strength == 1 else None,
        }

    def _steps_to_ask_for(self, steps: int, strength: float) -> int:
        """Most pipelines take only the last `strength` of all steps: let that be one at least. LCM's takes all."""
        takes_all = "original_inference_steps" in _accepted(self._pipe)
        return steps if takes_all else max(steps, math.ceil(1 / strength))

    def _related_pipeline(self, mode: Mode) -> Any:
        """The pipeline of this mode, made of the same networks."""
        if mode not in self._kin:
            auto = AutoPipelineForImage2Image if mode == "image" else AutoPipelineForInpainting
            try:
                kin: Any = auto.from_pipe(self._pipe)
            except ValueError as error:  # no such pipeline for this kind of model
                raise InvalidRequest(
                    "This model can't start from a picture. Choose another model, or leave the picture out."
                ) from error
            kin.set_progress_bar_config(disable=True)
            if mode == "inpaint":
                _let_latents_be_deep(kin)
            self._kin[mode] = kin
        return self._kin[mode]

    def _own_size(self) -> tuple[int, int]:
        """Width and height that the model was trained for, in pixels."""
        latent = self._pipe.unet.config.sample_size if hasattr(self._pipe, "unet") else self._pipe.default_sample_size
        height, width = latent if isinstance(latent, list | tuple) else (latent, latent)
        scale = self._pipe.vae_scale_factor * self._enlarge
        return width * scale, height * scale

    def _canvas(self, plan: GenerationSettings) -> tuple[int, int]:
        """Width and height of what the model itself draws, in pixels."""
        if self._enlarge == 1:
            return plan.width, plan.height
        pixels = MULTIPLE * self._enlarge  # of the picture, for each step that the canvas can grow by
        width, height = (max(1, round(side / pixels)) * MULTIPLE for side in (plan.width, plan.height))
        return width, height

    def _noise(
        self, subjects: Sequence[ImageSpec], generators: Sequence[torch.Generator], plan: GenerationSettings
    ) -> torch.Tensor | None:
        """For models whose latents have a plain shape; the others draw their own from the generators."""
        if not hasattr(self._pipe, "unet"):
            return None
        shrink = self._pipe.vae_scale_factor
        width, height = self._canvas(plan)
        shape = (self._pipe.vae.config.latent_channels, height // shrink, width // shrink)
        return starting_noise(subjects, generators, shape).to(self._pipe.device)


def _said(prompt: str) -> str:
    """The words of a prompt, without its marks."""
    return BREAK.sub(" ", without_weights(prompt))


def _accepted(pipe: Any) -> Any:
    """The arguments that the pipeline's call takes, by name."""
    return inspect.signature(pipe.__call__).parameters


def _let_latents_be_deep(pipe: Any) -> None:
    """diffusers' inpainting tells UNets that take latents alone by their 4 channels, though any number is as good.

    The UNet is that of the other modes as well, which take its word on the shape of the noise only where they get none.
    """
    unet = getattr(pipe, "unet", None)
    if unet is not None and unet.config.in_channels == pipe.vae.config.latent_channels:
        unet.register_to_config(in_channels=4)


def _callback(steps: int, after_step: AfterStep) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    """Some schedulers call the network more often than the steps asked for; people are told those they asked for."""

    def on_step_end(pipe: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        after_step((index + 1) * steps // pipe.num_timesteps, tensors["latents"])
        return {}

    return on_step_end
