"""Drawing: any repository that diffusers knows as text-to-image, Stable Diffusion first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch

from inference.devices import Placement, release_memory
from inference.errors import InferenceError, OutOfMemory, RequestCancelled
from inference.images import encode_png
from inference.pipelines.base import Batch, Job, Pipeline, translated
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.text_to_image.painter import Painter, Settings, Subject
from inference.pipelines.text_to_image.preview import Previews
from inference.pipelines.weights import weight_bytes
from inference.types import Drawing, ImagineRequest, ModelSpec, Picture, Progress

_AT_ONCE = 4
"""Pictures drawn together on a GPU. A CPU draws them as fast one by one, each the same to the last bit."""


@dataclass(eq=False)
class Order:
    """One job and the pictures drawn for it so far."""

    job: Job
    request: ImagineRequest
    pictures: list[Picture] = field(default_factory=list[Picture])
    failed: bool = False

    @classmethod
    def of(cls, job: Job) -> Order:
        assert isinstance(job.request, ImagineRequest)
        return cls(job, job.request)

    def waiting(self) -> list[Subject]:
        """What is left to draw; nothing for people who have gone."""
        if self.failed or self.job.cancelled:
            return []
        request = self.request
        first = request.seed or 0
        seeds = range(first + len(self.pictures), first + request.count)
        return [Subject(request.prompt, request.negative_prompt, seed % 2**32) for seed in seeds]


Group = Sequence[tuple[Order, Subject]]
"""Pictures that are drawn together, each with the order that it belongs to."""


class TextToImage(Pipeline):
    """A diffusers pipeline on one device; draws up to `at_once` pictures together."""

    def __init__(self, pipe: Any, at_once: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.nbytes = weight_bytes(*models_of(pipe))
        self._painter = Painter(pipe)
        self._previews = Previews(pipe, clock)
        self._device: torch.device = pipe.device
        self._at_once = at_once

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(read_pipeline(folder, placement), at_once=1 if placement.device.type == "cpu" else _AT_ONCE)

    def run(self, batch: Batch) -> None:
        orders = [Order.of(job) for job in batch.jobs]
        settings = self._painter.settings(orders[0].request)
        at_once = self._at_once
        while group := _next_group(orders, at_once):
            batch.checkpoint()
            release_memory(self._device)
            try:
                with translated():
                    self._draw(group, settings, batch)
            except RequestCancelled:
                continue  # everybody in this group has gone
            except OutOfMemory:
                if len(group) == 1:
                    raise
                at_once = len(group) // 2
            except InferenceError as error:
                for order in _orders_of(group):
                    order.failed = True
                    order.job.fail(error)

    def _draw(self, group: Group, settings: Settings, batch: Batch) -> None:
        def after_step(done: int, latents: torch.Tensor) -> None:
            self._report(group, settings.steps, done, latents)
            batch.checkpoint()
            if all(order.job.cancelled for order, _ in group):
                raise RequestCancelled("Everybody in this group has gone.")

        images = self._painter.draw([subject for _, subject in group], settings, after_step)
        for (order, subject), image in zip(group, images, strict=True):
            order.pictures.append(Picture(encode_png(image) if image else b"", subject.seed, flagged=image is None))
        for order in _orders_of(group):
            if len(order.pictures) == order.request.count and not order.job.cancelled:
                order.job.finish(self._drawing(order, settings))

    def _report(self, group: Group, steps: int, done: int, latents: torch.Tensor) -> None:
        """Tell each person how many of all the steps of all their pictures are done."""
        due = self._previews.due()
        for order in _orders_of(group):
            mine = [i for i, (owner, _) in enumerate(group) if owner is order]
            preview = self._previews.draw(latents[mine[0]]) if due else None
            step = steps * len(order.pictures) + done * len(mine)
            order.job.emit(Progress(step, steps * order.request.count, preview))

    def _drawing(self, order: Order, settings: Settings) -> Drawing:
        return Drawing(
            tuple(order.pictures),
            settings.width,
            settings.height,
            settings.steps,
            settings.guidance,
            self._painter.notes(order.request),
        )


def _next_group(orders: Sequence[Order], size: int) -> Group:
    """The next `size` pictures, in order; with a negative prompt or without, as Painter.draw wants them."""
    waiting = [(order, subject) for order in orders for subject in order.waiting()]
    return [pair for pair in waiting if bool(pair[1].negative_prompt) == bool(waiting[0][1].negative_prompt)][:size]


def _orders_of(group: Group) -> list[Order]:
    return list(dict.fromkeys(order for order, _ in group))
