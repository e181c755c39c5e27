"""Calls of a diffusers pipeline: image specs in, images out, with a callback after every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from inference.pipelines.image_job import foreign_syntax_note, no_fast_mode, require_finite
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.text_to_image.fast_unet import fast_unet, supports_fast_mode
from inference.pipelines.text_to_image.generation_settings import (
    GenerationSettings,
    ImageSpec,
    Mode,
    in_aspect,
)
from inference.pipelines.text_to_image.init_image import (
    MULTIPLE,
    InitImage,
    Size,
    fit,
    paste_back,
    read_init_image,
)
from inference.pipelines.text_to_image.initial_noise import initial_noise, make_generators, rotated_draws, use_noise
from inference.pipelines.text_to_image.lora import LoraAdapters
from inference.pipelines.text_to_image.model_defaults import NO_DEFAULTS, ModelDefaults
from inference.pipelines.text_to_image.outpainting import outpainting_side
from inference.pipelines.text_to_image.pipeline_traits import PipelineTraits
from inference.pipelines.text_to_image.prompt_encoder import BREAK
from inference.pipelines.text_to_image.prompt_inputs import prompt_inputs_for
from inference.pipelines.text_to_image.prompt_weighting import without_weights
from inference.pipelines.text_to_image.related_pipelines import related_pipeline
from inference.pipelines.text_to_image.samplers import Samplers
from inference.tasks import DEFAULT_FAST_MODE, FastMode, ImagineRequest, Sampler
from inference.text.known_concepts import ConceptsByCategory, KnownConcepts
from inference.types.errors import InvalidRequest, Phrase

_STRENGTH: dict[Mode, float | None] = {"text": None, "image": 0.75, "inpaint": 1.0}

AfterStep = Callable[[int, torch.Tensor | None], None]
"""Called with the number of finished steps and the latents [images, channels, h, w]. Its errors end the call.

The latents are None while there are none of which a picture can be made.
"""


class DiffusionRunner:
    """A diffusers text-to-image pipeline, and its related pipelines for image-to-image and inpainting.

    Small models draw on a smaller canvas, which is then enlarged `upscale` times in width and height, by `upscaler` if
    there is one. `concepts` lists what such a model knows. `defaults` and `fast` have the values for requests that
    leave them open.
    """

    def __init__(
        self,
        pipe: Any,
        loras: str = "",
        upscale: int = 1,
        defaults: ModelDefaults = NO_DEFAULTS,
        concepts: ConceptsByCategory | None = None,
        fast: FastMode = DEFAULT_FAST_MODE,
        upscaler: Swin2SR | None = None,
    ) -> None:
        self._pipe = pipe
        self._traits = PipelineTraits(pipe)
        self._defaults = defaults
        self.upscaler = upscaler
        self._fast = fast
        self._upscale = upscale
        self._lora = LoraAdapters(pipe, loras)
        self._pipelines: dict[Mode, Any] = {"text": pipe}
        self._samplers = Samplers(pipe, defaults)
        self._prompts = prompt_inputs_for(pipe)
        self._known_concepts = KnownConcepts(concepts or {})

    @property
    def has_known_concepts(self) -> bool:
        """Whether the model comes with a complete list of what it can draw."""
        return self._known_concepts.limited

    @property
    def native_side(self) -> int:
        """The longer side of the images that the model was trained for, in pixels."""
        return max(self._native_size())

    def read_source(self, request: ImagineRequest) -> InitImage | None:
        """Return the request's image at the size of the result; None if it has none. Raise InvalidRequest."""
        return read_init_image(request, self.native_side, self._multiple)

    @property
    def _multiple(self) -> int:
        """The number of pixels of which both sides of an image must be multiples."""
        return self._traits.multiple if self._upscale == 1 else MULTIPLE

    @property
    def size_multiple(self) -> int:
        """The number of pixels of which both sides of an image are multiples if its canvas is not scaled unevenly."""
        return self._traits.multiple * self._upscale

    def outpainting_side(self, request: ImagineRequest) -> int:
        """Return the longest side in pixels of an image around one of the request; 0 if it can't be extended."""
        try:
            self._related_pipeline("inpaint")
        except InvalidRequest:
            return 0
        return outpainting_side(self.native_side, request, self._multiple)

    def settings_for(self, request: ImagineRequest, source: InitImage | None) -> GenerationSettings:
        """Return the settings for a request. Options that it leaves open get the model's default, or ours.

        Raise InvalidRequest for a sampler that the model can't use, for a fast mode that it does not have, and for a
        prompt without any known word.
        """
        if not request.lora:  # a LoRA may add words
            self._known_concepts.require(_plain_text(request.prompt))
        mode: Mode = "text" if source is None else "image" if source.mask is None else "inpaint"
        self._require_mode(mode)
        width, height = self._size(request, source)
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
            fast=self._fast_mode(request.fast, sampler),
        )

    def _size(self, request: ImagineRequest, source: InitImage | None) -> Size:
        """Return the size of a request's images: the one that is asked for, or the nearest that the model can draw."""
        native = in_aspect(self._native_size(), request.aspect)
        size = source.image.size if source else (request.width or native[0], request.height or native[1])
        return size if self._upscale > 1 else self._traits.nearest(size)

    def _fast_mode(self, requested: FastMode | None, sampler: Sampler | None) -> FastMode | None:
        """Return the request's fast mode with the operator's values for what it leaves open. Raise InvalidRequest."""
        if requested is None:
            return None
        if not supports_fast_mode(self._pipe):
            raise no_fast_mode()
        if self._samplers.needs_few_steps(sampler):
            raise InvalidRequest(
                "This model draws in a few steps already, so `fast` would only spoil its pictures. Leave it out."
            )
        return FastMode(
            self._fast.guidance_end if requested.guidance_end is None else requested.guidance_end,
            requested.cache_interval or self._fast.cache_interval,
        )

    def notes(self, request: ImagineRequest, settings: GenerationSettings) -> list[Phrase]:
        """Return notes for the user about options that were adjusted, or that this model ignores."""
        notes = [*filter(None, [request.note, *self._prompts.notes(request), foreign_syntax_note(request)])]
        unknown = self._known_concepts.note(_plain_text(f"{request.prompt}, {request.negative_prompt}"))
        if unknown and not request.lora:
            notes.append(unknown)
        if size := self._size_note(request, settings):
            notes.append(size)
        if request.negative_prompt and not self._traits.takes_negative_prompt:
            notes.append(Phrase("This model takes no negative prompt."))
        elif request.negative_prompt and settings.guidance_scale <= 1:
            notes.append(Phrase("Without guidance, the negative prompt has no effect."))
        if request.temperature != 1 or request.top_k:
            notes.append(Phrase("This model does not draw token by token, so temperature and top-k have no effect."))
        return notes

    def _size_note(self, request: ImagineRequest, settings: GenerationSettings) -> Phrase | None:
        """Return a note if the model can't draw the size that is asked for; None if it can."""
        asked, drawn = (request.width or settings.width, request.height or settings.height), settings
        if asked == (drawn.width, drawn.height):
            return None
        return Phrase(
            "This model can't draw {wanted}, so this is the nearest size that it can draw: {size}.",
            wanted=f"{asked[0]} × {asked[1]}",
            size=f"{drawn.width} × {drawn.height}",
        )

    def draw(
        self, specs: Sequence[ImageSpec], settings: GenerationSettings, after_step: AfterStep
    ) -> list[Image.Image]:
        """Draw one image for each spec.

        All specs must be of one request, and have the mode of `settings`. Raise GenerationFailed if numbers overflow,
        and InvalidRequest for a LoRA that does not fit the model.
        """
        self._lora.activate(settings.lora)
        if not settings.lora:
            specs = list(map(self._with_known_words, specs))
        size, canvas = (settings.width, settings.height), self._canvas(settings)
        sources = [spec.source.at(size) for spec in specs if spec.source]
        pipe = self._related_pipeline(settings.mode)
        pipe.scheduler = self._samplers.scheduler(settings.sampler)
        traits = PipelineTraits(pipe)
        generators = make_generators(specs)
        noise = self._noise(specs, generators, settings)
        arguments = {
            **traits.fixed_options(),
            **self._prompt_arguments(specs, settings),
            **self._start(settings, [source.at(canvas) for source in sources], noise, pipe.scheduler),
            traits.guidance_name: settings.guidance_scale,
            "generator": generators,
            "output_type": "np",
            **_callbacks(traits, settings.steps, canvas, after_step),
        }
        with fast_unet(pipe, settings.fast), rotated_draws(specs if noise is None else (), generators):
            output = pipe(**{name: value for name, value in arguments.items() if name in traits.parameters})
        require_finite(torch.from_numpy(output.images))
        resize = self.upscaler.enlarged_to if self.upscaler else _resize
        images = [resize(image, size) for image in VaeImageProcessor.numpy_to_pil(output.images)]
        return list(map(paste_back, sources, images)) if sources else images

    def _prompt_arguments(self, specs: Sequence[ImageSpec], settings: GenerationSettings) -> dict[str, Any]:
        """Return the prompts, with a negative one only where it has an effect."""
        arguments = self._prompts.arguments(specs)
        if not self._traits.takes_negative_prompt:
            arguments.pop("negative_prompt", None)
        elif self._traits.wants_negative_prompt and settings.guidance_scale > 1:
            arguments.setdefault("negative_prompt", [" "] * len(specs))
        return arguments

    def _with_known_words(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec with prompts in words that the model knows."""
        known = self._known_concepts.without_unknown_words
        return replace(spec, prompt=known(spec.prompt), negative_prompt=known(spec.negative_prompt))

    def unload(self) -> None:
        """Unload the LoRA, which is only needed while images are drawn."""
        self._lora.deactivate()

    def _start(
        self, settings: GenerationSettings, sources: Sequence[InitImage], noise: torch.Tensor | None, scheduler: Any
    ) -> dict[str, Any]:
        """Return the arguments for the initial latents: noise alone, or an image with noise."""
        size = dict(zip(("width", "height"), self._canvas(settings), strict=True))
        if settings.strength is None:
            return {**size, "num_inference_steps": settings.steps, "latents": noise}
        if noise is not None:
            use_noise(scheduler, noise)
        return {
            **size,
            "num_inference_steps": self._num_inference_steps(settings.steps, settings.strength),
            "strength": settings.strength,
            "image": [source.image for source in sources],
            "mask_image": [source.mask for source in sources],
            # With strength 1 nothing of the image remains, and inpainting starts from the noise itself.
            "latents": noise if settings.mode == "inpaint" and settings.strength == 1 else None,
        }

    def _num_inference_steps(self, steps: int, strength: float) -> int:
        """Return enough steps to keep one: most pipelines run only the last `strength` of them, LCM runs all."""
        takes_all = "original_inference_steps" in self._traits.parameters
        return steps if takes_all else max(steps, math.ceil(1 / strength))

    def _require_mode(self, mode: Mode) -> None:
        """Raise InvalidRequest if the model can't draw from text alone, from a picture, or within a mask."""
        if not self._traits.draws_from_text and mode != "inpaint":
            raise InvalidRequest(
                "This model was made to draw a part of a picture anew. Give it a picture and say which part with "
                "`region` or `mask`, or choose another model."
            )
        self._related_pipeline(mode)

    def _related_pipeline(self, mode: Mode) -> Any:
        """Return the pipeline for `mode`, with the same networks. Raise InvalidRequest if there is none."""
        if mode not in self._pipelines:
            pipe: Any = related_pipeline(self._pipe, mode)
            if pipe is None:
                raise _no_such_mode(mode)
            pipe.set_progress_bar_config(disable=True)
            if mode == "inpaint":
                _allow_any_latent_channels(pipe)
            self._pipelines[mode] = pipe
        return self._pipelines[mode]

    def _native_size(self) -> Size:
        """Return width and height that are drawn by default: the operator's, or those of its training."""
        if self._defaults.size:
            return self._defaults.size
        width, height = self._traits.native_size
        return width * self._upscale, height * self._upscale

    def _canvas(self, settings: GenerationSettings) -> tuple[int, int]:
        """Return width and height of the model's own output, in pixels."""
        if self._upscale == 1:
            return self._traits.nearest((settings.width, settings.height))  # less memory may need any size
        multiple = self._traits.multiple
        step = multiple * self._upscale  # pixels of the image for one step of the canvas size
        width, height = (max(1, round(side / step)) * multiple for side in (settings.width, settings.height))
        return self._traits.nearest((width, height))

    def _noise(
        self, specs: Sequence[ImageSpec], generators: Sequence[torch.Generator], settings: GenerationSettings
    ) -> torch.Tensor | None:
        """Return the initial noise for UNet models. The other pipelines draw their own from the generators."""
        if not self._traits.has_latent_unet:
            return None
        shrink = self._traits.scale
        width, height = self._canvas(settings)
        shape = (self._pipe.vae.config.latent_channels, height // shrink, width // shrink)
        # Not `device`, which is where offloaded networks wait.
        return initial_noise(specs, generators, shape).to(self._pipe._execution_device)


def _resize(image: Image.Image, size: Size) -> Image.Image:
    return image if image.size == size else fit(image, size)


def _no_such_mode(mode: Mode) -> InvalidRequest:
    if mode == "image":
        return InvalidRequest("This model can't start from a picture. Choose another model, or leave the picture out.")
    return InvalidRequest(
        "This model can't draw a part of a picture anew. Choose another model, or leave the picture out."
    )


def _plain_text(prompt: str) -> str:
    """Return the prompt without weights and BREAK marks."""
    return BREAK.sub(" ", without_weights(prompt))


def _allow_any_latent_channels(pipe: Any) -> None:
    """Make diffusers' inpainting accept a UNet that takes latents alone: it requires 4 channels for no reason.

    The other modes share the UNet. They use its channel number only if no noise is passed.
    """
    unet = getattr(pipe, "unet", None)
    if (
        unet is not None
        and getattr(pipe, "vae", None) is not None
        and unet.config.in_channels == pipe.vae.config.latent_channels
    ):
        unet.register_to_config(in_channels=4)


def _callbacks(traits: PipelineTraits, steps: int, canvas: Size, after_step: AfterStep) -> dict[str, Any]:
    """Return the callbacks of a call. They count in requested steps: some schedulers call the network more often.

    The steps of a prior, which Kandinsky 2 has, do not count, but a request can be cancelled there as well.
    """

    def unpacked(tensors: dict[str, Any]) -> torch.Tensor | None:
        latents = tensors.get("latents")
        return None if latents is None else traits.unpacked(latents, canvas)

    def counted(pipe: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        after_step((index + 1) * steps // pipe.num_timesteps, unpacked(tensors))
        return {}

    def in_prior(*_: Any) -> dict[str, Any]:
        after_step(0, None)
        return {}

    def by_position(index: int, _: Any, latents: torch.Tensor) -> None:
        after_step(min(index + 1, steps), traits.unpacked(latents, canvas))

    if "callback_on_step_end" not in traits.parameters:
        return {"callback": by_position}  # the older kind, of PixArt and DeepFloyd IF
    return {"prior_callback_on_step_end": in_prior, "callback_on_step_end": counted}
