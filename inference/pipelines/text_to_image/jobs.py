"""Image jobs of a diffusion model, and groups of their images that are drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from inference.pipelines.image_job import ImageJob, require_checker, seed_and_variations
from inference.pipelines.pipeline import Batch
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.init_image import InitImage, read_init_image
from inference.pipelines.text_to_image.memory_saving import with_less_memory
from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest


@dataclass(eq=False)
class DiffusionJob(ImageJob):
    """A job with its images so far. `settings` are as `requested` while there is enough memory for that."""

    requested: GenerationSettings
    source: InitImage | None
    notes: Sequence[str]

    def __post_init__(self) -> None:
        self.settings = self.requested

    def missing_specs(self) -> list[ImageSpec]:
        return [self._spec(i) for i in self.missing_images()]

    def save_memory(self) -> bool:
        """Switch to settings that need less memory. Return False if there are none.

        All images of a job have one size: finished images of another size are discarded.
        """
        settings = with_less_memory(self.settings, self.requested)
        if settings is None:
            return False
        if settings.width != self.settings.width:
            self.pictures.clear()
        self.settings = settings
        return True

    def _spec(self, i: int) -> ImageSpec:
        request = self.request
        seed, variations = seed_and_variations(request, i)
        return ImageSpec(request.prompt, request.negative_prompt, seed, variations, self.source)


def accept_jobs(batch: Batch, runner: DiffusionRunner, *, has_safety_checker: bool) -> list[DiffusionJob]:
    """Return an image job for each job. Fail jobs that this model can't do."""
    image_jobs: list[DiffusionJob] = []
    for job in batch.jobs:
        batch.yield_point()  # decoding a large image takes a second
        if job.cancelled:
            continue
        assert isinstance(job.request, ImagineRequest)
        try:
            require_checker(job.request, present=has_safety_checker)
            source = read_init_image(job.request, runner.native_side)
            settings = runner.settings_for(job.request, source)
        except InvalidRequest as error:
            job.fail(error)
        else:
            notes = [*(source.notes if source else ()), *runner.notes(job.request, settings)]
            image_jobs.append(DiffusionJob(job, job.request, settings, source, notes))
    return image_jobs


Group = Sequence[tuple[DiffusionJob, ImageSpec]]
"""Images that are drawn together, each with its job. They have equal settings."""


def next_group(image_jobs: Sequence[DiffusionJob], runner: DiffusionRunner, size: int) -> Group:
    """Return the next images, at most `size`, that can be drawn in one call with the same results as alone."""
    missing = [(image_job, spec) for image_job in image_jobs for spec in image_job.missing_specs()]
    if not missing:
        return []
    first, spec = missing[0]
    group_key = runner.group_key(spec)
    same_settings = (pair for pair in missing if pair[0].settings == first.settings)
    return list(islice((pair for pair in same_settings if runner.group_key(pair[1]) == group_key), size))


def jobs_of(group: Group) -> list[DiffusionJob]:
    return list(dict.fromkeys(image_job for image_job, _ in group))
