"""What people used elsewhere, for a device whose queue begins when it is first needed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from math import exp

from inference.scheduling.recent_use import DECAY
from inference.types.observations import DeviceUsed

_MOST = 1000
"""Older uses are forgotten."""


class EarlierUse:
    """The latest uses of other devices. May be used on any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uses: deque[tuple[float, DeviceUsed]] = deque(maxlen=_MOST)
        """With the time of each, by the clock."""

    def add(self, use: DeviceUsed) -> None:
        self._uses.append((self._clock(), use))

    def charge_to(self, charge: Callable[[DeviceUsed], None]) -> None:
        """Call `charge` with what is left of each use by now."""
        for at, use in list(self._uses):  # another thread may add one
            charge(replace(use, seconds=use.seconds * exp(DECAY * (at - self._clock()))))

    def forget(self, owner: str) -> None:
        self._uses = deque((each for each in list(self._uses) if each[1].owner != owner), maxlen=_MOST)
