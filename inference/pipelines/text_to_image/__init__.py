"""Text-to-image generation with any diffusers repository for it, such as Stable Diffusion."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement, release_memory
from inference.pipelines.image_job import unchecked_note
from inference.pipelines.pipeline import Batch, Pipeline, out_of_memory
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.jobs import DiffusionJob, Group, accept_jobs, jobs_of, next_group
from inference.pipelines.text_to_image.latent_preview import LatentPreviews
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.text_to_image.memory_saving import AttentionSlicing, memory_note
from inference.pipelines.text_to_image.openvino import read_openvino_pipeline
from inference.pipelines.text_to_image.safety_checker import SafetyChecker
from inference.pipelines.weights import weight_bytes
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from inference.tasks.infotext import repeatable, to_text
from inference.text.known_concepts import ConceptsByCategory, concepts_in
from inference.types import ModelSpec, Progress
from inference.types.errors import InferenceError, OutOfMemory, RequestCancelled, join_phrases


class TextToImage(Pipeline):
    """A diffusers pipeline on one device. Draws up to `max_batch_size` images per call, nearly the same as alone."""

    def __init__(
        self,
        pipe: Any,
        max_batch_size: int = 1,
        clock: Callable[[], float] = time.monotonic,
        loras: str = "",
        upscale: int = 1,
        guidance_scale: float | None = None,
        concepts: ConceptsByCategory | None = None,
    ) -> None:
        self.nbytes = weight_bytes(*models_of(pipe))
        self._safety = SafetyChecker(pipe)
        self._runner = DiffusionRunner(pipe, loras, upscale, guidance_scale, concepts)
        self._previews = LatentPreviews(pipe, self._safety, clock)
        self._attention_slicing = AttentionSlicing(pipe)
        self._device: torch.device = pipe.device
        self._max_batch_size = max_batch_size

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        by_openvino = spec.runtime == "openvino"
        return cls(
            read_openvino_pipeline(spec, folder, placement) if by_openvino else read_pipeline(folder, placement),
            spec.max_batch_size,
            loras=spec.loras,
            upscale=spec.upscale,
            guidance_scale=spec.guidance_scale,
            concepts=concepts_in(folder),
        )

    def run(self, batch: Batch) -> None:
        image_jobs = accept_jobs(batch, self._runner, has_safety_checker=self._safety.present)
        max_batch_size = self._max_batch_size
        try:
            while group := next_group(image_jobs, self._runner, max_batch_size):
                batch.yield_point()
                release_memory(self._device)
                if not self._try_draw(group, batch):
                    batch.free_memory()
                    max_batch_size = self._reduce_memory(group)
        finally:
            self._attention_slicing.set_enabled(False)
            self._runner.unload()

    def _try_draw(self, group: Group, batch: Batch) -> bool:
        """Draw the group, or fail its jobs. Return False if memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch)) is None
        except RequestCancelled:
            pass  # every job of the group was cancelled
        except InferenceError as error:
            _fail(group, error)
        return True

    def _reduce_memory(self, group: Group) -> int:
        """Reduce memory after it ran out. Return the new batch size. Fail the job if nothing helps."""
        if len(group) > 1:
            return len(group) // 2
        if not group[0][0].save_memory():
            _fail(group, OutOfMemory("There is too little memory, even for a small picture. Try again later."))
        return 1

    def _draw(self, group: Group, batch: Batch) -> None:
        settings = group[0][0].settings
        self._attention_slicing.set_enabled(settings.sliced)

        def after_step(done: int, latents: torch.Tensor) -> None:
            self._report(group, settings, done, latents)
            batch.yield_point()
            if all(image_job.job.cancelled for image_job, _ in group):
                raise RequestCancelled("All jobs of the group were cancelled.")

        images = self._runner.draw([spec for _, spec in group], settings, after_step)
        for (image_job, spec), image in zip(group, images, strict=True):
            result = self._result(image_job, settings)
            image_job.pictures.append(self._encode(image_job.request, result, spec, image))
            if len(image_job.pictures) == image_job.request.count and not image_job.job.cancelled:
                image_job.job.finish(self._result(image_job, settings))

    def _encode(self, request: ImagineRequest, result: ImageResult, spec: ImageSpec, image: Any) -> GeneratedImage:
        """Return the PNG file with its parameters; an empty file if it is flagged, unless the request allows it."""
        flagged = self._safety.is_flagged(image)
        if flagged and not request.show_flagged:
            return GeneratedImage(b"", spec.seed, flagged, spec.variations)
        text = to_text(repeatable(request, result, spec.seed, spec.variations))
        return GeneratedImage(encode_png(image, text), spec.seed, flagged, spec.variations)

    def _report(self, group: Group, settings: GenerationSettings, done: int, latents: torch.Tensor) -> None:
        """Report to each caller the number of finished steps, counted over all their images."""
        due = self._previews.due()
        for image_job in jobs_of(group):
            indices = [i for i, (other, _) in enumerate(group) if other is image_job]
            preview = self._previews.draw(latents[indices[0]]) if due else None
            drawn, count = len(image_job.pictures), image_job.request.count
            step = settings.steps * drawn + done * len(indices)
            image_job.job.emit(Progress(step, settings.steps * count, preview, drawn + 1, count, len(indices)))

    def _result(self, image_job: DiffusionJob, settings: GenerationSettings) -> ImageResult:
        notes = [*image_job.notes]
        unchecked = not self._safety.present and not self._runner.has_known_concepts
        if unchecked and (missing := unchecked_note(image_job.request)):
            notes.append(missing)
        if saving := memory_note(image_job.settings, image_job.requested):
            notes.append(saving)
        return ImageResult(
            tuple(image_job.pictures),
            settings.width,
            settings.height,
            settings.steps,
            settings.guidance_scale,
            sampler=settings.sampler or "",
            strength=settings.strength,
            note=join_phrases(notes),
        )


def _fail(group: Group, error: InferenceError) -> None:
    for image_job in jobs_of(group):
        image_job.fail(error)
