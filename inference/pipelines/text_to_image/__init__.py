"""Text-to-image generation with any diffusers repository for it, such as Stable Diffusion."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Self

import torch
from diffusers import AutoencoderTiny

from inference.images.origin import encode_drawn
from inference.pipelines.devices import Placement, empty_cache
from inference.pipelines.diffusion_activations import Activations
from inference.pipelines.image_job import unchecked_note
from inference.pipelines.pipeline import Batch, Pipeline, out_of_memory, yield_to_others
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.text_to_image.diffusion_runner import DiffusionRunner
from inference.pipelines.text_to_image.generation_settings import GenerationSettings, ImageSpec
from inference.pipelines.text_to_image.jobs import DiffusionJob, Group, ImageRunner, accept_jobs, next_group
from inference.pipelines.text_to_image.latent_preview import LatentPreviews
from inference.pipelines.text_to_image.loading import models_of, read_pipeline, read_preview_decoder
from inference.pipelines.text_to_image.memory_saving import AttentionSlicing, memory_note
from inference.pipelines.text_to_image.model_defaults import ModelDefaults
from inference.pipelines.text_to_image.offload import NetworkOffload, offload_for
from inference.pipelines.text_to_image.openvino import read_openvino_pipeline
from inference.pipelines.text_to_image.safety_checker import SafetyChecker
from inference.pipelines.text_to_image.samplers import require_usable_defaults
from inference.pipelines.text_to_image.single_file import networks_in_file
from inference.pipelines.weights import weight_bytes
from inference.tasks import EditRequest, FastMode, GeneratedImage, ImageResult, ImagineRequest
from inference.tasks.infotext import repeatable, to_text
from inference.text.known_concepts import concepts_in
from inference.types import ModelSpec, Progress
from inference.types.errors import InferenceError, OutOfMemory, RequestCancelled, join_phrases

_MAX_BATCH_SIZE = {"cuda": 4}
"""Images that are drawn together where the operator sets no number, by device; 1 on the others.

Few images leave a GPU idle between its kernels. A CPU draws one as fast as several together.
"""


class TextToImage(Pipeline):
    """A diffusers pipeline on one device. Draws up to `max_batch_size` images of a request together.

    `runner` calls the pipeline; by default it draws, with nothing set by the operator. `working_bytes` is what drawing
    takes besides the weights.
    """

    def __init__(
        self,
        pipe: Any,
        runner: ImageRunner | None = None,
        max_batch_size: int = 1,
        clock: Callable[[], float] = time.monotonic,
        preview_decoder: AutoencoderTiny | None = None,
        offload: NetworkOffload | None = None,
        working_bytes: int = 0,
    ) -> None:
        self._runner: ImageRunner = runner or DiffusionRunner(pipe)
        self._upscaler = self._runner.upscaler
        self._offload = offload
        networks = models_of(pipe)
        self.nbytes = offload.device_bytes(networks) if offload else weight_bytes(*networks)
        self.nbytes += weight_bytes(preview_decoder) if preview_decoder else 0
        self.nbytes += self._upscaler.nbytes if self._upscaler else 0
        self._safety = SafetyChecker(pipe)
        self._previews = LatentPreviews(pipe, self._safety, clock, preview_decoder)
        self._attention_slicing = AttentionSlicing(pipe)
        self._device: torch.device = pipe._execution_device
        self._max_batch_size = max_batch_size
        self._working_bytes = working_bytes

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        by_openvino = spec.runtime == "openvino"
        offload = offload_for(spec.offload, placement.device)
        if by_openvino:
            pipe = read_openvino_pipeline(spec, folder, placement)
        else:
            networks = networks_in_file(spec, folder, placement)
            pipe = read_pipeline(folder, placement, quantize=spec.quantize, offload=offload, **networks)
        defaults = ModelDefaults.of(spec)
        require_usable_defaults(spec, pipe, defaults)
        runner = DiffusionRunner(
            pipe,
            loras=spec.loras,
            upscale=spec.upscale,
            defaults=defaults,
            concepts=concepts_in(folder),
            fast=FastMode(spec.fast_guidance_end, spec.fast_cache_interval),
            upscaler=Swin2SR.load(Path(spec.upscaler), placement, spec.dtype) if spec.upscaler else None,
        )
        return cls(
            pipe,
            runner,
            max_batch_size=spec.max_batch_size or _MAX_BATCH_SIZE.get(placement.device.type, 1),
            preview_decoder=read_preview_decoder(spec, pipe, placement) if spec.preview_decoder else None,
            offload=offload,
            working_bytes=Activations.of(spec, folder, placement.dtype.itemsize, placement.device.type).working,
        )

    def run(self, batch: Batch) -> None:
        image_jobs = accept_jobs(batch, self._runner, self._max_batch_size, has_safety_checker=self._safety.present)
        batch.reserve(self._working_bytes)  # idle models leave for it
        try:
            while group := next_group(image_jobs):
                batch.yield_point()
                empty_cache(self._device)
                if not self._try_draw(group, batch):
                    if self._offload:
                        self._offload.release()
                    batch.free_memory()
                    _reduce_memory(group)
        finally:
            self._attention_slicing.set_enabled(False)
            self._runner.unload()
            if self._offload:
                self._offload.release()

    def _try_draw(self, group: Group, batch: Batch) -> bool:
        """Draw the group, or fail its job. Return False if memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch)) is None
        except RequestCancelled:
            pass
        except InferenceError as error:
            group.image_job.fail(error)
        return True

    def _draw(self, group: Group, batch: Batch) -> None:
        image_job = group.image_job
        settings = image_job.settings
        self._attention_slicing.set_enabled(settings.sliced)

        def after_step(done: int, latents: torch.Tensor | None) -> None:
            self._report(group, settings, done, latents)
            batch.yield_point()
            if image_job.job.cancelled:
                raise RequestCancelled("The job was cancelled.")

        def between_layers() -> None:
            yield_to_others(batch, image_job.job)

        with self._upscaler.interrupted_by(between_layers) if self._upscaler else nullcontext():
            images = self._runner.draw(group.specs, settings, after_step)
        for spec, image in zip(group.specs, images, strict=True):
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
        drawn = spec.source.at(image.size).mask if spec.source else None
        source_type = "compositeWithTrainedAlgorithmicMedia" if isinstance(request, EditRequest) else None
        png = encode_drawn(image, text, mark=request.mark_origin, drawn=drawn, source_type=source_type)
        return GeneratedImage(png, spec.seed, flagged, spec.variations)

    def _report(self, group: Group, settings: GenerationSettings, done: int, latents: torch.Tensor | None) -> None:
        """Report the number of finished steps, counted over all images of the job."""
        preview = self._previews.draw(latents[0]) if latents is not None and self._previews.due() else None
        together, drawn = len(group.specs), len(group.image_job.pictures)
        step, count = settings.steps * drawn + done * together, group.image_job.request.count
        group.image_job.job.emit(Progress(step, settings.steps * count, preview, drawn + 1, count, together))

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
            fast=settings.fast,
            image_guidance_scale=settings.image_guidance_scale,
            outpainting_side=self._runner.outpainting_side(image_job.request),
            size_multiple=self._runner.size_multiple,
            note=join_phrases(notes),
        )


def _reduce_memory(group: Group) -> None:
    """Draw fewer images together, or smaller ones, after memory ran out. Fail the job if nothing helps."""
    if len(group.specs) > 1:
        group.image_job.max_batch_size = len(group.specs) // 2
    elif not group.image_job.save_memory():
        group.image_job.fail(OutOfMemory("There is too little memory, even for a small picture. Try again later."))
