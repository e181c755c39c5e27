"""Image jobs of DALL·E mini, their progress, and notes about unsupported options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.pipelines.dalle_mini.prompt_tokenizer import TokenizedPrompt
from inference.pipelines.image_job import (
    ImageJob,
    foreign_syntax_note,
    seed_and_variations,
    truncation_note,
    unchecked_note,
)
from inference.types import Progress
from inference.types.errors import Phrase, join_phrases


@dataclass(eq=False)
class DalleMiniJob(ImageJob):
    """A job with its tokenized prompt and the images drawn for it so far."""

    text: TokenizedPrompt

    def remaining(self) -> list[ImageInProgress]:
        return [ImageInProgress(self, i) for i in self.missing_images()]

    def report(self, num_running: int, share: float, total: int) -> None:
        """Report how many steps are done, of `total` for each image, with `num_running` images at this share."""
        drawn, count = len(self.pictures), self.request.count
        step = total * drawn + num_running * round(total * share)
        self.job.emit(Progress(step, total * count, picture=drawn + 1, pictures=count, together=num_running))


class ImageInProgress:
    """An image to be drawn, with its index in the job."""

    def __init__(self, image_job: DalleMiniJob, index: int) -> None:
        self.image_job = image_job
        self.seed, self.variations = seed_and_variations(image_job.request, index)


def notes(image_job: DalleMiniJob, side: int, steps: int) -> Phrase:
    """Return notes for the user about options that were adjusted, or that this model ignores."""
    request = image_job.request
    other_sides = {request.width, request.height} - {0, side}
    unsupported = {
        request.note: request.note,
        Phrase("This model always draws {side} × {side} pixels.", side=side): other_sides,
        Phrase("This model always takes {steps} steps.", steps=steps): request.steps not in (0, steps),
        Phrase("This model takes no negative prompt."): request.negative_prompt,
        Phrase("This model has no choice of sampler."): request.sampler,
        Phrase("This model takes no LoRA."): request.lora,
        truncation_note(Phrase("prompt"), image_job.text.truncated): image_job.text.truncated,
        foreign_syntax_note(request): True,
        unchecked_note(request): True,
    }
    return join_phrases(sentence for sentence, is_requested in unsupported.items() if sentence and is_requested)


def jobs_of(group: Sequence[ImageInProgress]) -> list[DalleMiniJob]:
    return list(dict.fromkeys(image.image_job for image in group))
