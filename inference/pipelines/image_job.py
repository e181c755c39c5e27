"""What all image models share: the job, its seeds, and the checks and notes of its prompt and its image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from inference.pipelines.pipeline import Job
from inference.tasks import GeneratedImage, ImagineRequest, Variation
from inference.text.prompt_syntax import foreign_syntax
from inference.types.errors import GenerationFailed, InferenceError, InvalidRequest, Phrase

_MAX_QUOTE = 150
"""Characters of a prompt that are quoted, at most: enough to find the position."""


@dataclass(eq=False)
class ImageJob:
    """A job with the images drawn for it so far."""

    job: Job
    request: ImagineRequest
    pictures: list[GeneratedImage] = field(init=False, default_factory=list[GeneratedImage])
    failed: bool = field(init=False, default=False)

    @property
    def ended(self) -> bool:
        return self.failed or self.job.cancelled

    def missing_images(self) -> range:
        """Return the indices of images that are still to be drawn; none for failed and cancelled jobs."""
        return range(0 if self.ended else self.request.count)[len(self.pictures) :]

    def fail(self, error: InferenceError) -> None:
        """Fail the job, unless all its images are finished."""
        if self.missing_images():
            self.failed = True
            self.job.fail(error)


def require_checker(request: ImagineRequest, *, present: bool) -> None:
    """Raise InvalidRequest if the request requires a safety checker and none is `present`."""
    if request.require_safety_checker and not present:
        raise InvalidRequest(
            "This model comes without a safety checker, so this bot's operator allows it in age-restricted channels "
            "alone. Ask there, or choose another model."
        )


def no_fast_mode() -> InvalidRequest:
    """Return the refusal of `fast` by a model that can't leave out any work."""
    return InvalidRequest("This model has no fast mode. Leave `fast` out, or choose another model.")


def unchecked_note(request: ImagineRequest) -> Phrase | None:
    """Return the note below the images of a model without a safety checker; None if something else checks them."""
    return None if request.has_classifier else Phrase("This model has no safety checker.")


def seed_and_variations(request: ImagineRequest, i: int) -> tuple[int, tuple[Variation, ...]]:
    """Return seed and variations of image `i`. The last of these seeds is increased by `i`."""
    if not request.variations:
        return ((request.seed or 0) + i) % 2**32, ()
    *earlier, last = request.variations
    return request.seed or 0, (*earlier, replace(last, seed=(last.seed + i) % 2**32))


def rotate_noise(noise: torch.Tensor, target: torch.Tensor, strength: float) -> torch.Tensor:
    """Rotate `noise` towards `target` by spherical interpolation (Shoemake 1985): 0 keeps `noise`, 1 is `target`.

    Linear interpolation would give shorter vectors, and models expect noise of a certain length.
    """
    cosine = torch.nn.functional.cosine_similarity(noise.flatten(), target.flatten(), dim=0)
    angle = torch.acos(cosine.clamp(-0.9999, 0.9999))
    noise_weight, target_weight = (torch.sin(weight * angle) / torch.sin(angle) for weight in (1 - strength, strength))
    return noise_weight * noise + target_weight * target


def truncation_note(name: Phrase, text: str) -> Phrase | None:
    """Return a note that quotes the start of `text`, the part of prompt `name` that was not read; None if empty."""
    if not text:
        return None
    quote = text if len(text) <= _MAX_QUOTE else text[:_MAX_QUOTE].rstrip() + "…"
    return Phrase(
        "The model reads only the start of a long {name}; it did not read “{quoted}”.", name=name, quoted=quote
    )


def foreign_syntax_note(request: ImagineRequest) -> Phrase | None:
    """Return a note that names the syntax of other programs in the prompt, which the model reads as words; or None."""
    pieces = foreign_syntax(request.prompt)
    if not pieces:
        return None
    named = ", ".join(pieces)[:_MAX_QUOTE]
    return Phrase("Read as plain words, since I don't know this from other programs: {pieces}.", pieces=named)


def require_finite(pixels: torch.Tensor) -> None:
    """Raise GenerationFailed if any of `pixels`, of any shape, is infinite or NaN."""
    if not torch.isfinite(pixels).all():
        raise GenerationFailed(
            "The model's numbers overflowed, so there is no picture. Try another prompt or seed; if it happens often, "
            "the bot's operator can give this model another `dtype`: bfloat16 or float32."
        )
