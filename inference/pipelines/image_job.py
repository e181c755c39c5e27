"""The base class of image jobs, for all image models."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.pipelines.pipeline import Job
from inference.tasks import GeneratedImage, ImagineRequest
from inference.types.errors import InferenceError


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
