"""Calls of a diffusers pipeline that edits: an image and an instruction in, an image out."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image

from inference.images.decoding import is_animated, open_picture
from inference.pipelines.editing_families import DISTILLED, EDITING_FAMILIES
from inference.pipelines.image_job import require_finite, rotate_noise
from inference.pipelines.text_to_image.diffusion_runner import AfterStep
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.init_image import MULTIPLE, InitImage, Size, fit, inferred_size
from inference.pipelines.text_to_image.model_defaults import NO_DEFAULTS, ModelDefaults
from inference.pipelines.text_to_image.pipeline_traits import PipelineTraits
from inference.tasks import EditRequest, ImagineRequest
from inference.types.errors import EMPTY_PHRASE, Phrase

_NATIVE_SIDE = 1024
"""The side in pixels of what a model was trained for, if its pipeline does not tell."""


class EditRunner:
    """A diffusers pipeline of one of the `EDITING_FAMILIES`. It edits one image at a time.

    Steps and guidance of the `defaults` take the place of the family's own values.
    """

    has_known_concepts = False
    size_multiple = MULTIPLE
    upscaler = None

    def __init__(self, pipe: Any, defaults: ModelDefaults = NO_DEFAULTS) -> None:
        self._pipe = pipe
        self._traits = PipelineTraits(pipe)
        self._parameters = self._traits.parameters
        self._family = EDITING_FAMILIES[type(pipe).__name__]
        usual = DISTILLED if getattr(pipe.config, "is_distilled", False) else self._family
        self._steps: int = defaults.steps or usual.steps or self._default("num_inference_steps")
        self._guidance_scale = usual.guidance_scale if defaults.guidance_scale is None else defaults.guidance_scale
        # A pipeline has one scheduler, which keeps the state of a call.
        self._scheduler = pipe.scheduler

    def read_source(self, request: ImagineRequest) -> InitImage | None:
        """Return the image to edit at the size of the result, which is a size that the model can have.

        Raise InvalidRequest for a file that is no image.
        """
        picture = open_picture(request.image, math.inf)  # the engine has checked the size
        size = (request.width, request.height)
        if not all(size):
            size = inferred_size(picture.size, self._native_side, request.largest_side)
        notes = [Phrase("The picture is animated; its first frame was edited.")] if is_animated(request.image) else []
        return InitImage(fit(picture, self._snapped(size)), None, tuple(notes))

    def settings_for(self, request: ImagineRequest, source: InitImage | None) -> GenerationSettings:
        """Return the settings for a request. Options that it leaves open get the values of the model's makers."""
        assert source is not None, "an edit has an image"
        width, height = source.image.size
        return GenerationSettings(
            mode="image",
            width=width,
            height=height,
            steps=request.steps or self._steps,
            guidance_scale=self._guidance(request),
            sampler=None,
            strength=None,
            lora="",
            image_guidance_scale=self._image_guidance(request),
        )

    def notes(self, request: ImagineRequest, settings: GenerationSettings) -> list[Phrase]:
        """Return notes for the user about options that were adjusted, or that this model ignores."""
        notes = [request.note] if request.note != EMPTY_PHRASE else []
        if request.width and (request.width, request.height) != (settings.width, settings.height):
            notes.append(
                Phrase(
                    "This model has no pictures of {wanted}, so this is {size}.",
                    wanted=f"{request.width} × {request.height}",
                    size=f"{settings.width} × {settings.height}",
                )
            )
        has_negative_prompt = self._family.negative_prompt is not None or self._traits.takes_negative_prompt
        if request.negative_prompt and not has_negative_prompt:
            notes.append(Phrase("This model takes no negative prompt."))
        elif request.negative_prompt and settings.guidance_scale <= 1:
            notes.append(Phrase("Without guidance, the negative prompt has no effect."))
        if isinstance(request, EditRequest) and request.image_guidance_scale and not self._family.image_guidance:
            notes.append(Phrase("This model has no image guidance."))
        return notes

    def draw(
        self, specs: Sequence[ImageSpec], settings: GenerationSettings, after_step: AfterStep
    ) -> list[Image.Image]:
        """Edit the image of each spec. Raise GenerationFailed if numbers overflow."""
        return [self._edit(spec, settings, after_step) for spec in specs]

    def outpainting_side(self, request: ImagineRequest) -> int:
        """Return 0: these models don't take masks."""
        return 0

    def unload(self) -> None:
        """Do nothing: there are no LoRAs."""

    def _edit(self, spec: ImageSpec, settings: GenerationSettings, after_step: AfterStep) -> Image.Image:
        assert spec.source is not None, "an edit has an image"
        size = (settings.width, settings.height)
        width, height = self._snapped(size)  # it may be smaller, to save memory
        arguments: dict[str, Any] = {
            "image": spec.source.at((width, height)).image,
            "prompt": spec.prompt,
            "negative_prompt": spec.negative_prompt or self._family.negative_prompt,
            "width": width,
            "height": height,
            "max_area": width * height,
            "num_inference_steps": settings.steps,
            self._family.guidance: settings.guidance_scale,
            self._family.image_guidance: settings.image_guidance_scale,
            "generator": torch.Generator().manual_seed(spec.seed),
            "output_type": "pt",
        }
        self._pipe.scheduler = self._counting_scheduler(settings.steps, (width, height), after_step)
        with varied_noise(self._pipe, spec):
            output = self._pipe(**{name: value for name, value in arguments.items() if name in self._parameters})
        require_finite(output.images)
        processor = self._pipe.image_processor
        [image] = processor.numpy_to_pil(processor.pt_to_numpy(output.images))
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)

    def _counting_scheduler(self, steps: int, size: Size, after_step: AfterStep) -> Any:
        """Return a new scheduler that calls `after_step` after each of its steps.

        Not every one of these pipelines has a callback for that. The scheduler counts in requested steps: some call
        the network more often.
        """
        scheduler = type(self._scheduler).from_config(self._scheduler.config)
        step, done = scheduler.step, 0

        @functools.wraps(step)  # pipelines look at its signature
        def counted_step(*args: Any, **options: Any) -> Any:
            nonlocal done
            output = step(*args, **options)
            done += 1
            latents: torch.Tensor = output[0] if isinstance(output, tuple) else output.prev_sample
            after_step(done * steps // len(scheduler.timesteps), self._traits.unpacked(latents, size))
            return output

        scheduler.step = counted_step
        return scheduler

    def _guidance(self, request: ImagineRequest) -> float:
        if request.guidance_scale is not None:
            return request.guidance_scale
        return self._default(self._family.guidance) if self._guidance_scale is None else self._guidance_scale

    def _image_guidance(self, request: ImagineRequest) -> float | None:
        """Return the request's image guidance, or else the default; None if the model has none."""
        if not self._family.image_guidance:
            return None
        wanted = request.image_guidance_scale if isinstance(request, EditRequest) else None
        return self._default(self._family.image_guidance) if wanted is None else wanted

    def _default(self, argument: str) -> Any:
        return self._parameters[argument].default

    @property
    def _native_side(self) -> int:
        """The longer side of the images that the model was trained for, in pixels."""
        unet = getattr(self._pipe, "unet", None)
        latent: Any = unet.config.sample_size if unet else getattr(self._pipe, "default_sample_size", None)
        side = max(latent) if isinstance(latent, list | tuple) else latent
        return side * self._pipe.vae_scale_factor if side else _NATIVE_SIDE

    def _snapped(self, size: Size) -> Size:
        """Return the size with sides that the model can have. Transformers take two by two latents together."""
        patch = self._pipe.vae_scale_factor * (1 if hasattr(self._pipe, "unet") else 2)
        multiple = math.lcm(MULTIPLE, patch)
        width, height = (max(multiple, side // multiple * multiple) for side in size)
        return width, height


@contextmanager
def varied_noise(pipe: Any, spec: ImageSpec) -> Generator[None]:
    """Let the pipeline start from the noise of the spec's variations.

    All these pipelines draw their noise in `prepare_latents`, each in its own form, and rotating does not depend on
    the order of the numbers. So it is called for each seed.
    """
    if not spec.variations:
        yield
        return
    prepare = pipe.prepare_latents
    signature = inspect.signature(prepare)

    def prepare_varied(*args: Any, **options: Any) -> Any:
        call = signature.bind(*args, **options)
        prepared = prepare(*call.args, **call.kwargs)
        own = _noise_of(prepared)
        noise = own.float()
        for variation in spec.variations:
            call.arguments["generator"] = torch.Generator().manual_seed(variation.seed)
            noise = rotate_noise(noise, _noise_of(prepare(*call.args, **call.kwargs)).float(), variation.strength)
        noise = noise.to(own.dtype)
        return (noise, *prepared[1:]) if isinstance(prepared, tuple) else noise

    pipe.prepare_latents = prepare_varied
    try:
        yield
    finally:
        del pipe.prepare_latents


def _noise_of(prepared: Any) -> torch.Tensor:
    """Return the noise from the result of `prepare_latents`, which may have more than that."""
    return prepared[0] if isinstance(prepared, tuple) else prepared
