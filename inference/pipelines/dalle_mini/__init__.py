"""DALL·E mini: words to image tokens (BART), tokens to a picture (VQGAN), from the published Flax checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.image_tokens import MAX_BATCH_SIZE, ImageTokenGeneration, TokenNoise, TokenSampling
from inference.pipelines.dalle_mini.jobs import DalleMiniJob, ImageInProgress, jobs_of, notes
from inference.pipelines.dalle_mini.prompt_tokenizer import PromptTokenizer
from inference.pipelines.dalle_mini.vqgan import VQGAN
from inference.pipelines.devices import Placement
from inference.pipelines.numerics import require_finite
from inference.pipelines.pipeline import Batch, Job, Pipeline, out_of_memory
from inference.pipelines.safety_requirement import require_checker
from inference.pipelines.weights import weight_bytes
from inference.tasks import GeneratedImage, ImageResult, ImagineRequest
from inference.tasks.infotext import repeatable, to_text
from inference.types import ModelSpec
from inference.types.errors import InferenceError, InvalidRequest, OutOfMemory, RequestCancelled

_SCALE = 10.0
_REPORTED = 4
"""Tokens between two words on the progress."""


class DalleMini(Pipeline):
    """Both networks and the tokenizer; draws up to `MAX_BATCH_SIZE` pictures together, fewer where memory is short."""

    def __init__(self, bart: DalleBart, vqgan: VQGAN, reader: PromptTokenizer) -> None:
        self.nbytes = weight_bytes(bart, vqgan)
        self._bart = bart
        self._vqgan = vqgan
        self.reader = reader
        self._unconditional = reader.read("")

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        vqgan = VQGAN.load(Path(spec.companion), placement)
        bart = DalleBart.load(folder, placement)
        return cls(bart, vqgan, PromptTokenizer(folder, bart.text_length))

    def run(self, batch: Batch) -> None:
        orders, max_batch_size = self._take(batch.jobs), MAX_BATCH_SIZE
        while group := [canvas for order in orders for canvas in order.waiting()][:max_batch_size]:
            batch.yield_point()
            if self._try(group, batch, max_batch_size):
                continue
            batch.free_memory()
            if max_batch_size == 1:
                _fail(group, OutOfMemory("There is too little memory for this model now. Try again later."))
            max_batch_size = max(max_batch_size // 2, 1)

    def _try(self, group: list[ImageInProgress], batch: Batch, max_batch_size: int) -> bool:
        """Draw the group, or fail its jobs; False when memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch, max_batch_size)) is None
        except RequestCancelled:
            pass  # everybody in this group has gone
        except InferenceError as error:
            _fail(group, error)
        return True

    def _take(self, jobs: Sequence[Job]) -> list[DalleMiniJob]:
        """An order for each job; those that this model can't do fail here and now."""
        orders: list[DalleMiniJob] = []
        for job in jobs:
            assert isinstance(job.request, ImagineRequest)
            try:
                require_checker(job.request, present=False)
                _require_words_alone(job.request)
            except InvalidRequest as error:
                job.fail(error)
            else:
                orders.append(DalleMiniJob(job, job.request, self.reader.read(job.request.prompt)))
        return orders

    def _draw(self, group: list[ImageInProgress], batch: Batch, max_batch_size: int) -> None:
        growth = ImageTokenGeneration(
            self._bart,
            self._settings(group[0].order.request),
            [canvas.order.text for canvas in group],
            self._unconditional,
            [TokenNoise(canvas.seed, canvas.variations) for canvas in group],
            max_batch_size,
        )
        total = self._bart.image_length
        for step in range(total):
            if step % _REPORTED == 0:
                _report(group, step / total, total)
            group = _go_on(group, growth, batch)
            growth.step()
        _report(group, 1.0, total)
        for canvas, codes in zip(group, growth.tokens, strict=True):
            self._finish(canvas, codes, batch)

    def _finish(self, canvas: ImageInProgress, codes: torch.Tensor, batch: Batch) -> None:
        """Decode one picture, and end its job if it was the last; they are as fast one by one as together."""
        order = canvas.order
        batch.yield_point()
        if order.gone:
            return
        image = self._decoded(codes)
        text = to_text(repeatable(order.request, self._drawing(order), canvas.seed, canvas.variations))
        order.pictures.append(GeneratedImage(encode_png(image, text), canvas.seed, variations=canvas.variations))
        if len(order.pictures) == order.request.count:
            order.job.finish(self._drawing(order))

    @torch.inference_mode()
    def _decoded(self, codes: torch.Tensor) -> Image.Image:
        pixels = self._vqgan(codes[None])[0]  # [3, side, side]
        require_finite(pixels)
        return Image.fromarray((pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def _settings(self, request: ImagineRequest) -> TokenSampling:
        scale = _SCALE if request.guidance_scale is None else request.guidance_scale
        codes = min(self._vqgan.codes, self._bart.start)
        return TokenSampling(scale, request.temperature, request.top_k, codes)

    def _drawing(self, order: DalleMiniJob) -> ImageResult:
        side = int(self._bart.image_length**0.5) * self._vqgan.growth
        return ImageResult(
            tuple(order.pictures),
            side,
            side,
            self._bart.image_length,
            self._settings(order.request).scale,
            note=notes(order, side, self._bart.image_length),
        )


def _require_words_alone(request: ImagineRequest) -> None:
    if request.image:
        raise InvalidRequest("This model draws from words alone. Leave the picture out, or choose another model.")


def _fail(group: Sequence[ImageInProgress], error: InferenceError) -> None:
    for order in jobs_of(group):
        order.fail(error)


def _report(group: Sequence[ImageInProgress], share: float, total: int) -> None:
    for order in jobs_of(group):
        order.report(sum(canvas.order is order for canvas in group), share, total)


def _go_on(group: list[ImageInProgress], growth: ImageTokenGeneration, batch: Batch) -> list[ImageInProgress]:
    """Let others work, and leave out the pictures of those who have gone. Raises RequestCancelled if all have."""
    batch.yield_point()
    staying = [i for i, canvas in enumerate(group) if not canvas.order.gone]
    if not staying:
        raise RequestCancelled("Everybody in this group has gone.")
    if len(staying) < len(group):
        growth.keep(staying)
    return [group[i] for i in staying]
