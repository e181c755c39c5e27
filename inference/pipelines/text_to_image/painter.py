"""One call of a diffusers pipeline: prompts and seeds in, pictures out, a word after every step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image
from transformers import CLIPTokenizer

from inference.errors import GenerationFailed
from inference.types import ImagineRequest

_STEPS = 25
_GUIDANCE = 7.5

AfterStep = Callable[[int, torch.Tensor], None]
"""Told how many steps are done, and the latents [pictures, channels, h, w]. Whatever it raises ends the drawing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all pictures of one call share. Guidance of 1 or less is none."""

    width: int
    height: int
    steps: int
    guidance: float


@dataclass(frozen=True, slots=True)
class Subject:
    """What one picture shows."""

    prompt: str
    negative_prompt: str
    seed: int


class Painter:
    """A diffusers text-to-image pipeline."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._accepted = inspect.signature(pipe.__call__).parameters

    def settings(self, request: ImagineRequest) -> Settings:
        """The request's settings, zeros replaced by the model's own size and our defaults."""
        width, height = self._own_size()
        return Settings(
            request.width or width,
            request.height or height,
            request.steps or _STEPS,
            _GUIDANCE if request.guidance is None else request.guidance,
        )

    def notes(self, request: ImagineRequest) -> str:
        """What the person should know: which wishes this model can't follow."""
        notes = [self._unread("prompt", request.prompt), self._unread("negative prompt", request.negative_prompt)]
        if request.negative_prompt and "negative_prompt" not in self._accepted:
            notes.append("This model takes no negative prompt.")
        elif request.negative_prompt and self.settings(request).guidance <= 1:
            notes.append("Without guidance, the negative prompt has no effect.")
        if getattr(self._pipe, "safety_checker", None) is None:
            notes.append("This model has no safety checker.")
        return " ".join(note for note in notes if note)

    def draw(self, subjects: Sequence[Subject], settings: Settings, after_step: AfterStep) -> list[Image.Image | None]:
        """A picture for each subject; None where the model's safety checker holds it back.

        Negative prompts must be given for all subjects or for none. Raises GenerationFailed when the numbers overflow.
        """
        generators = [torch.Generator().manual_seed(subject.seed) for subject in subjects]
        arguments: dict[str, Any] = {
            "prompt": [subject.prompt for subject in subjects],
            "width": settings.width,
            "height": settings.height,
            "num_inference_steps": settings.steps,
            "guidance_scale": settings.guidance,
            "generator": generators,
            "latents": self._noise(generators, settings),
            "output_type": "pt",
            "callback_on_step_end": _callback(settings.steps, after_step),
        }
        if subjects[0].negative_prompt:
            arguments["negative_prompt"] = [subject.negative_prompt for subject in subjects]
        output = self._pipe(**{name: value for name, value in arguments.items() if name in self._accepted})
        _check_numbers(output.images)
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(subjects)
        processor = self._pipe.image_processor
        images: list[Image.Image] = processor.numpy_to_pil(processor.pt_to_numpy(output.images))
        return [None if flagged else image for image, flagged in zip(images, flags, strict=True)]

    def _own_size(self) -> tuple[int, int]:
        """Width and height that the model was trained for, in pixels."""
        latent = self._pipe.unet.config.sample_size if hasattr(self._pipe, "unet") else self._pipe.default_sample_size
        height, width = latent if isinstance(latent, list | tuple) else (latent, latent)
        return width * self._pipe.vae_scale_factor, height * self._pipe.vae_scale_factor

    def _noise(self, generators: list[torch.Generator], settings: Settings) -> torch.Tensor | None:
        """What the pipeline would draw from the generators itself, but in float32 whatever the model's format."""
        if not hasattr(self._pipe, "unet"):
            return None
        shrink = self._pipe.vae_scale_factor
        shape = (
            len(generators),
            self._pipe.unet.config.in_channels,
            settings.height // shrink,
            settings.width // shrink,
        )
        return randn_tensor(shape, generator=generators, device=self._pipe.device, dtype=torch.float32)

    def _unread(self, name: str, text: str) -> str:
        """A sentence with the part of `text` beyond the text encoder's window, or nothing."""
        tokenizer = getattr(self._pipe, "tokenizer", None)
        if not isinstance(tokenizer, CLIPTokenizer) or not hasattr(self._pipe, "unet"):
            return ""  # newer models have a second encoder, with a longer window
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
        room = tokenizer.model_max_length - 2  # without the marks of start and end
        unread = encoded["offset_mapping"][room:]
        if not unread:
            return ""
        return f"The model reads only the start of a long {name}; it did not read “{text[unread[0][0] :]}”."


def _callback(steps: int, after_step: AfterStep) -> Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]:
    """Some schedulers call the network more often than the steps asked for; people are told those they asked for."""

    def on_step_end(pipe: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        after_step((index + 1) * steps // pipe.num_timesteps, tensors["latents"])
        return {}

    return on_step_end


def _check_numbers(tensor: torch.Tensor) -> None:
    if not torch.isfinite(tensor).all():
        raise GenerationFailed(
            "The model's numbers overflowed, so there is no picture. Try another prompt or seed; if it happens often, "
            "the bot's operator can give this model another `dtype`: bfloat16 or float32."
        )
