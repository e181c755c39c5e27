"""Who ordered which pictures, how far they are, and what the model can't do of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.pipelines.dalle_mini.prompt_tokenizer import TokenizedPrompt
from inference.pipelines.image_job import ImageJob
from inference.pipelines.seed_variations import seed_and_variations
from inference.pipelines.truncation import unread_note
from inference.types import Progress
from inference.types.errors import Phrase, join_phrases


@dataclass(eq=False)
class DalleMiniJob(ImageJob):
    """One job, its prompt as tokens, and the pictures drawn for it so far."""

    text: TokenizedPrompt

    def waiting(self) -> list[ImageInProgress]:
        return [ImageInProgress(self, i) for i in self.missing()]

    def report(self, drawing: int, share: float, total: int) -> None:
        """Tell how many of `total` steps are done, when `drawing` of the pictures are at this share."""
        done = (len(self.pictures) + drawing * share) / self.request.count
        self.job.emit(Progress(int(done * total), total))


class ImageInProgress:
    """One picture to be drawn: the `index`th of an order."""

    def __init__(self, order: DalleMiniJob, index: int) -> None:
        self.order = order
        self.seed, self.variations = seed_and_variations(order.request, index)


def notes(order: DalleMiniJob, side: int, steps: int) -> Phrase:
    """What the person should know: which wishes this model can't follow."""
    request = order.request
    other_sides = {request.width, request.height} - {0, side}
    wishes = {
        Phrase("This model always draws {side} × {side} pixels.", side=side): other_sides,
        Phrase("This model always takes {steps} steps.", steps=steps): request.steps not in (0, steps),
        Phrase("This model takes no negative prompt."): request.negative_prompt,
        Phrase("This model has no choice of sampler."): request.sampler,
        Phrase("This model takes no LoRA."): request.lora,
        unread_note(Phrase("prompt"), order.text.unread): order.text.unread,
    }
    unfulfilled = [sentence for sentence, wished in wishes.items() if sentence and wished]
    return join_phrases([*unfulfilled, Phrase("This model has no safety checker.")])


def jobs_of(group: Sequence[ImageInProgress]) -> list[DalleMiniJob]:
    return list(dict.fromkeys(canvas.order for canvas in group))
