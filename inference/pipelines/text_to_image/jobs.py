"""Who ordered which pictures, and which of them are drawn together next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from inference.pipelines.image_job import ImageJob
from inference.pipelines.pipeline import Batch
from inference.pipelines.safety_requirement import require_checker
from inference.pipelines.seed_variations import seed_and_variations
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.init_image import InitImage, read_init_image
from inference.pipelines.text_to_image.memory_saving import with_less_memory
from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest


@dataclass(eq=False)
class DiffusionJob(ImageJob):
    """One job, and the pictures drawn for it so far: by `plan`, which is as `wanted` while there is memory for that."""

    wanted: GenerationSettings
    source: InitImage | None
    notes: Sequence[str]

    def __post_init__(self) -> None:
        self.plan = self.wanted

    def waiting(self) -> list[ImageSpec]:
        return [self._subject(i) for i in self.missing()]

    def save_memory(self) -> bool:
        """Plan what needs less; False when nothing does. All pictures are of one size: larger ones are drawn again."""
        plan = with_less_memory(self.plan, self.wanted)
        if plan is None:
            return False
        if plan.width != self.plan.width:
            self.pictures.clear()
        self.plan = plan
        return True

    def _subject(self, i: int) -> ImageSpec:
        request = self.request
        seed, variations = seed_and_variations(request, i)
        return ImageSpec(request.prompt, request.negative_prompt, seed, variations, self.source)


def accept_jobs(batch: Batch, painter: DiffusionRunner, *, checker: bool) -> list[DiffusionJob]:
    """An order for each job; those that this model can't do, with a safety `checker` or without, fail here and now."""
    orders: list[DiffusionJob] = []
    for job in batch.jobs:
        batch.yield_point()  # reading a large picture takes a second
        if job.cancelled:
            continue
        assert isinstance(job.request, ImagineRequest)
        try:
            require_checker(job.request, present=checker)
            source = read_init_image(job.request, painter.own_side)
            plan = painter.plan(job.request, source)
        except InvalidRequest as error:
            job.fail(error)
        else:
            orders.append(DiffusionJob(job, job.request, plan, source, painter.notes(job.request, plan)))
    return orders


Group = Sequence[tuple[DiffusionJob, ImageSpec]]
"""Pictures that are drawn together, each with the order that it belongs to; they share a plan."""


def next_group(orders: Sequence[DiffusionJob], painter: DiffusionRunner, size: int) -> Group:
    """The next pictures in order, at most `size`, that one call of the painter draws as it would each alone."""
    waiting = [(order, subject) for order in orders for subject in order.waiting()]
    if not waiting:
        return []
    first, subject = waiting[0]
    shape = painter.shape(subject)
    alike = (pair for pair in waiting if pair[0].plan == first.plan and painter.shape(pair[1]) == shape)
    return list(islice(alike, size))


def jobs_of(group: Group) -> list[DiffusionJob]:
    return list(dict.fromkeys(order for order, _ in group))
