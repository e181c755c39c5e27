"""Drawing: any repository that diffusers knows as text-to-image, Stable Diffusion first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch

from inference.devices import Placement, release_memory
from inference.errors import InferenceError, OutOfMemory, Phrase, RequestCancelled, together
from inference.images import encode_png
from inference.parameters import repeating, to_text
from inference.pipelines.base import Batch, Pipeline, out_of_memory
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.text_to_image.orders import Group, Order, next_group, orders_of, take_orders
from inference.pipelines.text_to_image.painter import Painter
from inference.pipelines.text_to_image.plan import Plan, Subject
from inference.pipelines.text_to_image.preview import Previews
from inference.pipelines.text_to_image.safety import SafetyChecker
from inference.pipelines.text_to_image.thrift import Slices, note
from inference.pipelines.weights import weight_bytes
from inference.types import Drawing, ImagineRequest, ModelSpec, Picture, Progress
from inference.vocabulary import Kinds, kinds_in


class TextToImage(Pipeline):
    """A diffusers pipeline on one device; draws up to `at_once` together, which come out nearly as alone."""

    def __init__(
        self,
        pipe: Any,
        at_once: int = 1,
        clock: Callable[[], float] = time.monotonic,
        loras: str = "",
        enlarge: int = 1,
        guidance: float | None = None,
        kinds: Kinds | None = None,
    ) -> None:
        self.nbytes = weight_bytes(*models_of(pipe))
        self._safety = SafetyChecker(pipe)
        self._painter = Painter(pipe, loras, enlarge, guidance, kinds)
        self._previews = Previews(pipe, self._safety, clock)
        self._slices = Slices(pipe)
        self._device: torch.device = pipe.device
        self._at_once = at_once

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        return cls(
            read_pipeline(folder, placement),
            spec.at_once,
            loras=spec.loras,
            enlarge=spec.enlarge,
            guidance=spec.guidance,
            kinds=kinds_in(folder),
        )

    def run(self, batch: Batch) -> None:
        orders = take_orders(batch, self._painter, checker=self._safety.present)
        at_once = self._at_once
        try:
            while group := next_group(orders, self._painter, at_once):
                batch.checkpoint()
                release_memory(self._device)
                if not self._try(group, batch):
                    batch.free_memory()
                    at_once = self._with_less(group)
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
            batch.checkpoint()
            if all(order.job.cancelled for order, _ in group):
                raise RequestCancelled("Everybody in this group has gone.")

        images = self._painter.draw([subject for _, subject in group], plan, after_step)
        for (order, subject), image in zip(group, images, strict=True):
            order.pictures.append(self._picture(order.request, self._drawing(order, plan), subject, image))
            if len(order.pictures) == order.request.count and not order.job.cancelled:
                order.job.finish(self._drawing(order, plan))

    def _picture(self, request: ImagineRequest, drawing: Drawing, subject: Subject, image: Any) -> Picture:
        """The file, with what repeats it; nothing of it where the safety checker objects and nobody may see that."""
        flagged = self._safety.objects(image)
        if flagged and not request.show_flagged:
            return Picture(b"", subject.seed, flagged, subject.variations)
        text = to_text(repeating(request, drawing, subject.seed, subject.variations))
        return Picture(encode_png(image, text), subject.seed, flagged, subject.variations)

    def _report(self, group: Group, plan: Plan, done: int, latents: torch.Tensor) -> None:
        """Tell each person how many of all the steps of all their pictures are done."""
        due = self._previews.due()
        for order in orders_of(group):
            mine = [i for i, (owner, _) in enumerate(group) if owner is order]
            preview = self._previews.draw(latents[mine[0]]) if due else None
            step = plan.steps * len(order.pictures) + done * len(mine)
            order.job.emit(Progress(step, plan.steps * order.request.count, preview))

    def _drawing(self, order: Order, plan: Plan) -> Drawing:
        notes = [*order.notes]
        if not self._safety.present and not self._painter.listed:
            notes.append(Phrase("This model has no safety checker."))
        if saved := note(order.plan, order.wanted):
            notes.append(saved)
        return Drawing(
            tuple(order.pictures),
            plan.width,
            plan.height,
            plan.steps,
            plan.guidance,
            sampler=plan.sampler or "",
            strength=plan.strength,
            note=together(notes),
        )


def _fail(group: Group, error: InferenceError) -> None:
    for order in orders_of(group):
        order.fail(error)
