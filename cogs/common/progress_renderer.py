"""The message's content while a request is running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cogs.common.markdown import bar, neutral, seconds, tail
from cogs.common.message_content import AttachedFile, MessageContent
from cogs.i18n import tr
from inference import Event, Loading, PartialText, Progress, Queued, Started

_TEXT_PAUSE = 1.5
_PICTURE_PAUSE = 3.0
_LONGEST_DRAFT = 1500


def _plain(text: str) -> MessageContent:
    return MessageContent(neutral(text), plain=text)


class ProgressRenderer:
    """A renderer of events. `heading` is shown above; `draft` renders text that is still growing.

    `stop` is the label of the button that ends the request early, if it is not "Cancel".
    """

    def __init__(self, heading: str = "", draft: Callable[[str], MessageContent] = _plain, stop: str = "") -> None:
        self.stop = stop
        self.note = ""
        """Small print below what is shown until the model has made some progress."""
        self._heading = heading
        self._render = draft
        self._text: str | None = None
        self._first: tuple[float, int] | None = None
        self._preview: tuple[AttachedFile, ...] = ()

    @property
    def partial_content(self) -> MessageContent | None:
        """All of the growing text so far, rendered; None if there is none."""
        return None if self._text is None else self._render(self._text)

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        """Return a function that renders the content, and the least number of seconds to show it."""
        if isinstance(event, Queued | Loading | Started):  # it may begin anew on another device
            self._first, self._preview = None, ()
        if isinstance(event, PartialText):
            self._text = event.text
            return self._draft, _TEXT_PAUSE
        content = self._content(event)
        return lambda: content, _PICTURE_PAUSE if content.files else _TEXT_PAUSE

    def _draft(self) -> MessageContent:
        return MessageContent(tail(self._render(self._text or "").text, _LONGEST_DRAFT) + " ▌")

    def _content(self, event: Event) -> MessageContent:
        match event:
            case Queued(position, eta, device_is_away):
                return self._line(self._with_note(_queued(position, eta, device_is_away)))
            case Loading(fraction):
                return self._line(self._with_note(_loading(fraction)))
            case Started():
                return self._line(self._with_note(tr("Working…")))
            case Progress():
                self._preview = self._latest_preview(event)
                return self._line(self._progress(event), self._preview)
            case _:
                raise TypeError(f"unknown event {type(event).__name__}")

    def _line(self, text: str, files: tuple[AttachedFile, ...] = ()) -> MessageContent:
        return MessageContent(f"{self._heading}\n{text}" if self._heading else text, files)

    def _with_note(self, text: str) -> str:
        return f"{text}\n-# {self.note}" if self.note else text

    def _latest_preview(self, event: Progress) -> tuple[AttachedFile, ...]:
        """Return the newest preview, since not every step has one, and of several contents only the last is shown."""
        if not event.preview:
            return self._preview
        return (AttachedFile("preview.png", event.preview, tr("An unfinished picture")),)

    def _progress(self, event: Progress) -> str:
        """Return a line such as `▰▰▰▰▱▱▱▱▱▱ picture 2 of 4, step 13 of 25, about 32 s left`."""
        now = asyncio.get_running_loop().time()
        started, at = self._first = self._first or (now, event.step)
        line = f"{bar(event.step / max(1, event.total))} {_place(event)}"
        if event.step <= at:
            return line
        left = (now - started) / (event.step - at) * (event.total - event.step)
        return tr("{progress}, about {left} left", progress=line, left=seconds(left))


def _place(event: Progress) -> str:
    if event.picture and event.pictures > 1:
        step, steps = event.step_of_picture
        first, last = event.picture, event.picture + event.together - 1
        place = (
            tr("pictures {first} to {last} of {count}", first=first, last=last, count=event.pictures)
            if last > first
            else tr("picture {number} of {count}", number=first, count=event.pictures)
        )
        return f"{place}, {tr('step {step} of {total}', step=step, total=steps)}"
    return tr("step {step} of {total}", step=event.step, total=event.total)


def _queued(position: int, eta: float | None, device_is_away: bool) -> str:
    place = tr("Next in line") if position <= 1 else tr("Number {position} in line", position=position)
    if device_is_away:
        return tr("{place}. The device for this is away; it starts when one is back.", place=place)
    return place if eta is None else tr("{place}, about {wait}", place=place, wait=seconds(eta))


def _loading(fraction: float | None) -> str:
    return tr("Loading the model…") if fraction is None else tr("Downloading the model, {done:.0%}", done=fraction)
