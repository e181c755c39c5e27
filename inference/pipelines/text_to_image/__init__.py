"""Drawing: any repository that diffusers knows as text-to-image, Stable Diffusion first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement, release_memory
from inference.pipelines.pipeline import Batch, Pipeline, out_of_memory
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.jobs import DiffusionJob, Group, accept_jobs, jobs_of, next_group
from inference.pipelines.text_to_image.latent_preview import LatentPreviews
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.text_to_image.memory_saving import AttentionSlicing, memory_note
from inference.pipelines.text_to_image.safety_checker import SafetyChecker
from inference.pipelines.weights import weight_bytes
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from inference.tasks.infotext import repeatable, to_text
from inference.text.known_concepts import ConceptsByCategory, concepts_in
from inference.types import ModelSpec, Progress
from inference.types.errors import InferenceError, OutOfMemory, Phrase, RequestCancelled, join_phrases


class TextToImage(Pipeline):
    """A diffusers pipeline on one device; draws up to `max_batch_size` together, which come out nearly as alone."""

    def __init__(
        self,
        pipe: Any,
        max_batch_size: int = 1,
        clock: Callable[[], float] = time.monotonic,
        loras: str = "",
        upscale: int = 1,
        guidance_scale: float | None = None,
        kinds: ConceptsByCategory | None = None,
    ) -> None:
        self.nbytes = weight_bytes(*models_of(pipe))
        self._safety = SafetyChecker(pipe)
        self._painter = DiffusionRunner(pipe, loras, upscale, guidance_scale, kinds)
        self._previews = LatentPreviews(pipe, self._safety, clock)
        self._slices = AttentionSlicing(pipe)
        self._device: torch.device = pipe.device
        self._at_once = max_batch_size

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(
            read_pipeline(folder, placement),
            spec.max_batch_size,
            loras=spec.loras,
            upscale=spec.upscale,
            guidance_scale=spec.guidance_scale,
            kinds=concepts_in(folder),
        )

    def run(self, batch: Batch) -> None:
        orders = accept_jobs(batch, self._painter, checker=self._safety.present)
        max_batch_size = self._at_once
        try:
            while group := next_group(orders, self._painter, max_batch_size):
                batch.yield_point()
                release_memory(self._device)
                if not self._try(group, batch):
                    batch.free_memory()
                    max_batch_size = self._with_less(group)
        finally:
            self._slices.switch(False)
            self._painter.rest()

    def _try(self, group: Group, batch: Batch) -> bool:
        """Draw the group, or fail its jobs; False when memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch)) is None
        except RequestCancelled:
            pass  # everybody in this group has gone
        except InferenceError as error:
            _fail(group, error)
        return True

    def _with_less(self, group: Group) -> int:
        """After memory ran out: how many pictures to try together, and with what savings; fails who can't be helped."""
        if len(group) > 1:
            return len(group) // 2
        if not group[0][0].save_memory():
            _fail(group, OutOfMemory("There is too little memory, even for a small picture. Try again later."))
        return 1

    def _draw(self, group: Group, batch: Batch) -> None:
        plan = group[0][0].plan
        self._slices.switch(plan.sliced)

        def after_step(done: int, latents: torch.Tensor) -> None:
            self._report(group, plan, done, latents)
            batch.yield_point()
            if all(order.job.cancelled for order, _ in group):
                raise RequestCancelled("Everybody in this group has gone.")

        images = self._painter.draw([subject for _, subject in group], plan, after_step)
        for (order, subject), image in zip(group, images, strict=True):
            order.pictures.append(self._picture(order.request, self._drawing(order, plan), subject, image))
            if len(order.pictures) == order.request.count and not order.job.cancelled:
                order.job.finish(self._drawing(order, plan))

    def _picture(self, request: ImagineRequest, drawing: ImageResult, subject: ImageSpec, image: Any) -> GeneratedImage:
        """The file, with what repeats it; nothing of it where the safety checker objects and nobody may see that."""
        flagged = self._safety.objects(image)
        if flagged and not request.show_flagged:
            return GeneratedImage(b"", subject.seed, flagged, subject.variations)
        text = to_text(repeatable(request, drawing, subject.seed, subject.variations))
        return GeneratedImage(encode_png(image, text), subject.seed, flagged, subject.variations)

    def _report(self, group: Group, plan: GenerationSettings, done: int, latents: torch.Tensor) -> None:
        """Tell each person how many of all the steps of all their pictures are done."""
        due = self._previews.due()
        for order in jobs_of(group):
            mine = [i for i, (owner, _) in enumerate(group) if owner is order]
            preview = self._previews.draw(latents[mine[0]]) if due else None
            step = plan.steps * len(order.pictures) + done * len(mine)
            order.job.emit(Progress(step, plan.steps * order.request.count, preview))

    def _drawing(self, order: DiffusionJob, plan: GenerationSettings) -> ImageResult:
        notes = [*order.notes]
        if not self._safety.present and not self._painter.listed:
            notes.append(Phrase("This model has no safety checker."))
        if saved := memory_note(order.plan, order.wanted):
            notes.append(saved)
        return ImageResult(
            tuple(order.pictures),
            plan.width,
            plan.height,
            plan.steps,
            plan.guidance_scale,
            sampler=plan.sampler or "",
            strength=plan.strength,
            note=join_phrases(notes),
        )


def _fail(group: Group, error: InferenceError) -> None:
    for order in jobs_of(group):
        order.fail(error)
