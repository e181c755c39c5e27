"""DALL·E mini: words to image tokens (BART), tokens to a picture (VQGAN), from the published Flax checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from PIL import Image

from inference.devices import Placement
from inference.errors import InferenceError, InvalidRequest, OutOfMemory, RequestCancelled
from inference.images import encode_png
from inference.parameters import repeating, to_text
from inference.pipelines.base import Batch, Job, Pipeline, out_of_memory
from inference.pipelines.checker import require_checker
from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.orders import Canvas, Order, notes, orders_of
from inference.pipelines.dalle_mini.sampling import AT_ONCE, Growth, Noise, Settings
from inference.pipelines.dalle_mini.text import TextReader
from inference.pipelines.dalle_mini.vqgan import VQGAN
from inference.pipelines.overflow import require_finite
from inference.pipelines.weights import weight_bytes
from inference.types import Drawing, ImagineRequest, ModelSpec, Picture

_SCALE = 10.0
_REPORTED = 4
"""Tokens between two words on the progress."""


class DalleMini(Pipeline):
    """Both networks and the tokenizer; draws up to `AT_ONCE` pictures together, fewer where memory is short."""

    def __init__(self, bart: DalleBart, vqgan: VQGAN, reader: TextReader) -> None:
        self.nbytes = weight_bytes(bart, vqgan)
        self._bart = bart
        self._vqgan = vqgan
        self.reader = reader
        self._unconditional = reader.read("")

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        vqgan = VQGAN.load(Path(spec.companion), placement)
        bart = DalleBart.load(folder, placement)
        return cls(bart, vqgan, TextReader(folder, bart.text_length))

    def run(self, batch: Batch) -> None:
        orders, at_once = self._take(batch.jobs), AT_ONCE
        while group := [canvas for order in orders for canvas in order.waiting()][:at_once]:
            batch.checkpoint()
            if self._try(group, batch, at_once):
                continue
            batch.free_memory()
            if at_once == 1:
                _fail(group, OutOfMemory("There is too little memory for this model now. Try again later."))
            at_once = max(at_once // 2, 1)

    def _try(self, group: list[Canvas], batch: Batch, at_once: int) -> bool:
        """Draw the group, or fail its jobs; False when memory ran out."""
        try:
            return out_of_memory(lambda: self._draw(group, batch, at_once)) is None
        except RequestCancelled:
            pass  # everybody in this group has gone
        except InferenceError as error:
            _fail(group, error)
        return True

    def _take(self, jobs: Sequence[Job]) -> list[Order]:
        """An order for each job; those that this model can't do fail here and now."""
        orders: list[Order] = []
        for job in jobs:
            assert isinstance(job.request, ImagineRequest)
            try:
                require_checker(job.request, present=False)
                _require_words_alone(job.request)
            except InvalidRequest as error:
                job.fail(error)
            else:
                orders.append(Order(job, job.request, self.reader.read(job.request.prompt)))
        return orders

    def _draw(self, group: list[Canvas], batch: Batch, at_once: int) -> None:
        growth = Growth(
            self._bart,
            self._settings(group[0].order.request),
            [canvas.order.text for canvas in group],
            self._unconditional,
            [Noise(canvas.seed, canvas.variations) for canvas in group],
            at_once,
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

    def _finish(self, canvas: Canvas, codes: torch.Tensor, batch: Batch) -> None:
        """Decode one picture, and end its job if it was the last; they are as fast one by one as together."""
        order = canvas.order
        batch.checkpoint()
        if order.gone:
            return
        image = self._decoded(codes)
        text = to_text(repeating(order.request, self._drawing(order), canvas.seed, canvas.variations))
        order.pictures.append(Picture(encode_png(image, text), canvas.seed, variations=canvas.variations))
        if len(order.pictures) == order.request.count:
            order.job.finish(self._drawing(order))

    @torch.inference_mode()
    def _decoded(self, codes: torch.Tensor) -> Image.Image:
        pixels = self._vqgan(codes[None])[0]  # [3, side, side]
        require_finite(pixels)
        return Image.fromarray((pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())

    def _settings(self, request: ImagineRequest) -> Settings:
        scale = _SCALE if request.guidance is None else request.guidance
        codes = min(self._vqgan.codes, self._bart.start)
        return Settings(scale, request.temperature, request.top_k, codes)

    def _drawing(self, order: Order) -> Drawing:
        side = int(self._bart.image_length**0.5) * self._vqgan.growth
        return Drawing(
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


def _fail(group: Sequence[Canvas], error: InferenceError) -> None:
    for order in orders_of(group):
        order.fail(error)


def _report(group: Sequence[Canvas], share: float, total: int) -> None:
    for order in orders_of(group):
        order.report(sum(canvas.order is order for canvas in group), share, total)


def _go_on(group: list[Canvas], growth: Growth, batch: Batch) -> list[Canvas]:
    """Let others work, and leave out the pictures of those who have gone. Raises RequestCancelled if all have."""
    batch.checkpoint()
    staying = [i for i, canvas in enumerate(group) if not canvas.order.gone]
    if not staying:
        raise RequestCancelled("Everybody in this group has gone.")
    if len(staying) < len(group):
        growth.keep(staying)
    return [group[i] for i in staying]
