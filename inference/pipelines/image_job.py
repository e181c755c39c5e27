"""What every family of painters keeps of a job for pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.pipelines.pipeline import Job
from inference.tasks import GeneratedImage, ImagineRequest
from inference.types.errors import InferenceError


@dataclass(eq=False)
class ImageJob:
    """One job, and the pictures drawn for it so far."""

    job: Job
    request: ImagineRequest
    pictures: list[GeneratedImage] = field(init=False, default_factory=list[GeneratedImage])
    failed: bool = field(init=False, default=False)

    @property
    def gone(self) -> bool:
        return self.failed or self.job.cancelled

    def missing(self) -> range:
        """The numbers of the pictures that are left to draw; none for people who have gone."""
        return range(0 if self.gone else self.request.count)[len(self.pictures) :]

    def fail(self, error: InferenceError) -> None:
        """Unless it has all its pictures already."""
        if self.missing():
            self.failed = True
            self.job.fail(error)
