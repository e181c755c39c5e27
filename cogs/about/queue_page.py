"""The page of /queue, which shows how busy each device is."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.common import MessageContent
from cogs.common.markdown import seconds
from cogs.i18n import tr
from inference import QueueStatus


def queue_page(queues: Sequence[QueueStatus]) -> MessageContent:
    """Return a line for each device, and one for those who wait until a device is there."""
    return MessageContent("\n".join(map(_line, queues)) or tr("Nobody is waiting."))


def _line(status: QueueStatus) -> str:
    if not status.device:
        return tr("**Device away**: {waiting} waiting until it is back", waiting=status.waiting)
    return tr(
        "**{device}**: {running} running, {waiting} waiting; {start}",
        device=tr("Server {name}", name=status.device) if status.on_server else _device(status.device),
        running=status.running,
        waiting=status.waiting,
        start=_start(status.eta),
    )


def _device(name: str) -> str:
    """Return the name of a torch device such as `cuda:1` in words."""
    kind, _, number = name.partition(":")
    match kind:
        case "cuda":
            return tr("Graphics card {number}", number=int(number or 0) + 1)
        case "mps":
            return tr("Apple's graphics unit")
        case "cpu":
            return tr("Processor")
        case _:
            return name


def _start(eta: float | None) -> str:
    if eta is None:
        return tr("how long a new request waits is not known yet")
    if not eta:
        return tr("a new request starts at once")
    return tr("a new request starts in about {wait}", wait=seconds(eta))
