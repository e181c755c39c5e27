"""Output on a terminal while a request runs: a status line on stderr, and streamed text on stdout."""

from __future__ import annotations

import sys

from inference.types import Event, Loading, PartialText, Progress, Queued, Started

_ERASE = "\r\033[K"


class TerminalDisplay:
    """Shows events on a terminal, if there is one. `streaming` prints text as it grows, below `heading`."""

    def __init__(self, *, streaming: bool, heading: str = "") -> None:
        self._heading = heading
        self._streaming = streaming and sys.stdout.isatty()
        self._status = sys.stderr.isatty()
        self.printed = ""
        """The text that was printed to stdout."""

    def __enter__(self) -> TerminalDisplay:
        self._show_status("starting")  # the first event comes when torch is imported, after seconds
        return self

    def __exit__(self, *_: object) -> None:
        self._show_status("")
        if self.printed:
            print(flush=True)

    def show(self, event: Event) -> None:
        match event:
            case Queued(device_is_away=True):
                self._show_status("waiting until its device is back")
            case Queued(position=position):
                self._show_status(f"queued: number {position} in line" if position > 1 else "starting")
            case Loading(fraction=None):
                self._show_status("loading the model")
            case Loading(fraction=fraction):
                self._show_status(f"downloading the model: {fraction:.0%}")
            case Started():
                self._show_status("working")
            case Progress(picture=picture, pictures=pictures, together=together) if picture and pictures > 1:
                step, steps = event.step_of_picture
                shown = f"pictures {picture} to {picture + together - 1}" if together > 1 else f"picture {picture}"
                self._show_status(f"{shown} of {pictures}, step {step} of {steps}")
            case Progress(step=step, total=total):
                self._show_status(f"step {step} of {total}")
            case PartialText(text="", thoughts=thoughts) if thoughts:
                self._show_status("thinking")
            case PartialText(text=text):
                self.show_text(text)
            case _:
                self._show_status("")

    def show_text(self, text: str) -> None:
        """Print the part of `text` that was not printed yet."""
        if self._streaming and text.startswith(self.printed):
            self._show_status("")
            if self._heading and not self.printed:
                print(self._heading)
            print(text[len(self.printed) :], end="", flush=True)
            self.printed = text

    def _show_status(self, line: str) -> None:
        if self._status:
            print(f"{_ERASE}{line}", end="", file=sys.stderr, flush=True)
