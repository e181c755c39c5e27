"""DALL·E mini: text to image tokens (BART), image tokens to an image (VQGAN), from the published Flax checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from PIL import Image

from inference.images.origin import encode_drawn
from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.image_tokens import MAX_BATCH_SIZE, ImageTokenGeneration, TokenNoise, TokenSampling
from inference.pipelines.dalle_mini.jobs import DalleMiniJob, ImageInProgress, jobs_of, notes
from inference.pipelines.dalle_mini.prompt_tokenizer import PromptTokenizer
from inference.pipelines.dalle_mini.vqgan import VQGAN
from inference.pipelines.devices import Placement
from inference.pipelines.image_job import no_fast_mode, require_checker, require_finite
from inference.pipelines.pipeline import Batch, Job, Pipeline, out_of_memory
from inference.pipelines.weights import weight_bytes
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from inference.tasks.infotext import repeatable, to_text
from inference.types import ModelSpec
from inference.types.errors import InferenceError, InvalidRequest, OutOfMemory, RequestCancelled

_DEFAULT_GUIDANCE_SCALE = 10.0
_STEPS_PER_REPORT = 4
"""Tokens between two reports of progress."""


class DalleMini(Pipeline):
    """Both networks and the tokenizer. Draws up to `MAX_BATCH_SIZE` images together, fewer if memory is short."""

    def __init__(self, bart: DalleBart, vqgan: VQGAN, tokenizer: PromptTokenizer) -> None:
        self.nbytes = weight_bytes(bart, vqgan)
        self._bart = bart
        self._vqgan = vqgan
        self.tokenizer = tokenizer
        self._unconditional = tokenizer.tokenize("")

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        vqgan = VQGAN.load(Path(spec.companion), placement)
        bart = DalleBart.load(folder, placement)
        return cls(bart, vqgan, PromptTokenizer(folder, bart.text_length))

    def run(self, batch: Batch) -> None:
        image_jobs, max_batch_size = self._accept_jobs(batch.jobs), MAX_BATCH_SIZE
        while group := self._next_group(image_jobs, batch, max_batch_size):
            batch.yield_point()
            if self._try_draw(group, batch, max_batch_size):
                continue
            batch.free_memory()
            if max_batch_size == 1:
                _fail(group, OutOfMemory("There is too little memory for this model now. Try again later."))
            max_batch_size = max(max_batch_size // 2, 1)

    def _next_group(self, image_jobs: list[DalleMiniJob], batch: Batch, max_batch_size: int) -> list[ImageInProgress]:
        """Return the next images to draw together. While there is room for more, take waiting requests."""
        group = [image for image_job in image_jobs for image in image_job.remaining()]
        while 0 < len(group) < max_batch_size and (joined := batch.join(1)):
            new_jobs = self._accept_jobs(joined)
            image_jobs += new_jobs
            group += [image for image_job in new_jobs for image in image_job.remaining()]
        return group[:max_batch_size]

    def _try_draw(self, group: list[ImageInProgress], batch: Batch, max_batch_size: int) -> bool:
        """Draw the group, or fail its jobs. Return False if memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch, max_batch_size)) is None
        except RequestCancelled:
            pass  # every job of the group was cancelled
        except InferenceError as error:
            _fail(group, error)
        return True

    def _accept_jobs(self, jobs: Sequence[Job]) -> list[DalleMiniJob]:
        """Return an image job for each job. Fail jobs that this model can't do."""
        image_jobs: list[DalleMiniJob] = []
        for job in jobs:
            assert isinstance(job.request, ImagineRequest)
            try:
                require_checker(job.request, present=False)
                _require_text_only(job.request)
                if job.request.fast:
                    raise no_fast_mode()
            except InvalidRequest as error:
                job.fail(error)
            else:
                image_jobs.append(DalleMiniJob(job, job.request, self.tokenizer.tokenize(job.request.prompt)))
        return image_jobs

    def _draw(self, group: list[ImageInProgress], batch: Batch, max_batch_size: int) -> None:
        generation = ImageTokenGeneration(
            self._bart,
            self._settings(group[0].image_job.request),
            [image.image_job.text for image in group],
            self._unconditional,
            [TokenNoise(image.seed, image.variations) for image in group],
            max_batch_size,
        )
        total = self._bart.image_length
        for step in range(total):
            if step % _STEPS_PER_REPORT == 0:
                _report(group, step / total, total)
            group = _yield_and_filter(group, generation, batch)
            generation.step()
        _report(group, 1.0, total)
        for image, codes in zip(group, generation.tokens, strict=True):
            self._finish(image, codes, batch)

    def _finish(self, in_progress: ImageInProgress, codes: torch.Tensor, batch: Batch) -> None:
        """Decode one image, and finish its job if it was the last. Decoding in batches would not be faster."""
        image_job = in_progress.image_job
        batch.yield_point()
        if image_job.ended:
            return
        image = self._decode(codes)
        text = to_text(repeatable(image_job.request, self._result(image_job), in_progress.seed, in_progress.variations))
        png = encode_drawn(image, text, mark=image_job.request.mark_origin)
        picture = GeneratedImage(png, in_progress.seed, variations=in_progress.variations)
        image_job.pictures.append(picture)
        if len(image_job.pictures) == image_job.request.count:
            image_job.job.finish(self._result(image_job))

    @torch.inference_mode()
    def _decode(self, codes: torch.Tensor) -> Image.Image:
        pixels = self._vqgan(codes[None])[0]  # [3, side, side]
        require_finite(pixels)
        return Image.fromarray((pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def _settings(self, request: ImagineRequest) -> TokenSampling:
        guidance_scale = _DEFAULT_GUIDANCE_SCALE if request.guidance_scale is None else request.guidance_scale
        num_codes = min(self._vqgan.codes, self._bart.start)
        return TokenSampling(guidance_scale, request.temperature, request.top_k, num_codes)

    def _result(self, image_job: DalleMiniJob) -> ImageResult:
        side = int(self._bart.image_length**0.5) * self._vqgan.upscale
        return ImageResult(
            tuple(image_job.pictures),
            side,
            side,
            self._bart.image_length,
            self._settings(image_job.request).guidance_scale,
            note=notes(image_job, side, self._bart.image_length),
        )


def _require_text_only(request: ImagineRequest) -> None:
    if request.image:
        raise InvalidRequest("This model draws from words alone. Leave the picture out, or choose another model.")


def _fail(group: Sequence[ImageInProgress], error: InferenceError) -> None:
    for image_job in jobs_of(group):
        image_job.fail(error)


def _report(group: Sequence[ImageInProgress], share: float, total: int) -> None:
    for image_job in jobs_of(group):
        image_job.report(sum(image.image_job is image_job for image in group), share, total)


def _yield_and_filter(
    group: list[ImageInProgress], generation: ImageTokenGeneration, batch: Batch
) -> list[ImageInProgress]:
    """Yield, then drop the images of ended jobs. Raise RequestCancelled if none is left."""
    batch.yield_point()
    active = [i for i, image in enumerate(group) if not image.image_job.ended]
    if not active:
        raise RequestCancelled("All jobs of the group were cancelled.")
    if len(active) < len(group):
        generation.keep(active)
    return [group[i] for i in active]
