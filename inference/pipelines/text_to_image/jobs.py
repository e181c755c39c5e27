"""Image jobs of a diffusion model, and groups of their images that are drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from inference.pipelines.image_job import ImageJob, require_checker, seed_and_variations
from inference.pipelines.pipeline import Batch
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.text_to_image.diffusion_runner import AfterStep
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.init_image import InitImage
from inference.pipelines.text_to_image.memory_saving import with_less_memory
from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest, Phrase


class ImageRunner(Protocol):
    """What the jobs need of a model: `DiffusionRunner` draws, and `EditRunner` edits."""

    @property
    def has_known_concepts(self) -> bool: ...

    @property
    def upscaler(self) -> Swin2SR | None:
        """The network that enlarges the images, if there is one."""
        ...

    @property
    def size_multiple(self) -> int:
        """The number of pixels of which both sides of an image are multiples."""
        ...

    def outpainting_side(self, request: ImagineRequest) -> int:
        """Return the longest side in pixels of an image around one of the request; 0 if it can't be extended."""
        ...

    def read_source(self, request: ImagineRequest) -> InitImage | None:
        """Return the request's image at the size of the result; None if it has none. Raise InvalidRequest."""
        ...

    def settings_for(self, request: ImagineRequest, source: InitImage | None) -> GenerationSettings: ...

    def notes(self, request: ImagineRequest, settings: GenerationSettings) -> list[Phrase]: ...

    def draw(
        self, specs: Sequence[ImageSpec], settings: GenerationSettings, after_step: AfterStep
    ) -> list[Image.Image]: ...

    def unload(self) -> None: ...


@dataclass(eq=False)
class DiffusionJob(ImageJob):
    """A job with its images so far.

    `settings` are as `requested` while there is enough memory for that. At most `max_batch_size` images are drawn
    together.
    """

    requested: GenerationSettings
    max_batch_size: int
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


def accept_jobs(
    batch: Batch, runner: ImageRunner, max_batch_size: int, *, has_safety_checker: bool
) -> list[DiffusionJob]:
    """Return an image job for each job. Fail jobs that this model can't do."""
    image_jobs: list[DiffusionJob] = []
    for job in batch.jobs:
        batch.yield_point()  # decoding a large image takes a second
        if job.cancelled:
            continue
        assert isinstance(job.request, ImagineRequest)
        try:
            require_checker(job.request, present=has_safety_checker)
            source = runner.read_source(job.request)
            settings = runner.settings_for(job.request, source)
        except InvalidRequest as error:
            job.fail(error)
        else:
            notes = [*(source.notes if source else ()), *runner.notes(job.request, settings)]
            image_jobs.append(DiffusionJob(job, job.request, settings, max_batch_size, source, notes))
    return image_jobs


@dataclass(frozen=True, slots=True)
class Group:
    """Images of one job that are drawn together.

    The last bits of an image depend on how many are drawn together. So a group has images of one request alone: the
    same request gives the same images, whatever others ask for at the same time.
    """

    image_job: DiffusionJob
    specs: Sequence[ImageSpec]


def next_group(image_jobs: Sequence[DiffusionJob]) -> Group | None:
    """Return the next images that can be drawn in one call; None if all are drawn."""
    for image_job in image_jobs:
        if missing := image_job.missing_specs():
            return Group(image_job, missing[: image_job.max_batch_size])
    return None
