"""Who ordered which pictures, and which of them are drawn together next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from inference.errors import InvalidRequest
from inference.pipelines.base import Batch
from inference.pipelines.checker import require_checker
from inference.pipelines.orders import PictureOrder
from inference.pipelines.text_to_image.painter import Painter
from inference.pipelines.text_to_image.plan import Plan, Subject
from inference.pipelines.text_to_image.sources import Source, read_source
from inference.pipelines.text_to_image.thrift import cheaper
from inference.pipelines.variations import numbered
from inference.types import ImagineRequest


@dataclass(eq=False)
class Order(PictureOrder):
    """One job, and the pictures drawn for it so far: by `plan`, which is as `wanted` while there is memory for that."""

    wanted: Plan
    source: Source | None
    notes: Sequence[str]

    def __post_init__(self) -> None:
        self.plan = self.wanted

    def waiting(self) -> list[Subject]:
        return [self._subject(i) for i in self.missing()]

    def save_memory(self) -> bool:
        """Plan what needs less; False when nothing does. All pictures are of one size: larger ones are drawn again."""
        plan = cheaper(self.plan, self.wanted)
        if plan is None:
            return False
        if plan.width != self.plan.width:
            self.pictures.clear()
        self.plan = plan
        return True

    def _subject(self, i: int) -> Subject:
        request = self.request
        seed, variations = numbered(request, i)
        return Subject(request.prompt, request.negative_prompt, seed, variations, self.source)


def take_orders(batch: Batch, painter: Painter, *, checker: bool) -> list[Order]:
    """An order for each job; those that this model can't do, with a safety `checker` or without, fail here and now."""
    orders: list[Order] = []
    for job in batch.jobs:
        batch.checkpoint()  # reading a large picture takes a second
        if job.cancelled:
            continue
        assert isinstance(job.request, ImagineRequest)
        try:
            require_checker(job.request, present=checker)
            source = read_source(job.request, painter.own_side)
            plan = painter.plan(job.request, source)
        except InvalidRequest as error:
            job.fail(error)
        else:
            orders.append(Order(job, job.request, plan, source, painter.notes(job.request, plan)))
    return orders


Group = Sequence[tuple[Order, Subject]]
"""Pictures that are drawn together, each with the order that it belongs to; they share a plan."""


def next_group(orders: Sequence[Order], painter: Painter, size: int) -> Group:
    """The next pictures in order, at most `size`, that one call of the painter draws as it would each alone."""
    waiting = [(order, subject) for order in orders for subject in order.waiting()]
    if not waiting:
        return []
    first, subject = waiting[0]
    shape = painter.shape(subject)
    alike = (pair for pair in waiting if pair[0].plan == first.plan and painter.shape(pair[1]) == shape)
    return list(islice(alike, size))


def orders_of(group: Group) -> list[Order]:
    return list(dict.fromkeys(order for order, _ in group))
