"""What the schedulers have learned, kept in a file for the next start."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter

from inference.hub.json_record import write_atomically
from inference.scheduling.scheduler import SchedulerState

log = logging.getLogger(__name__)

_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Kept(BaseModel):
    """The state of one device's scheduler, and when it was kept, in seconds since 1970."""

    time: _Seconds
    seconds_per_work: dict[str, _Seconds]
    usage: dict[str, _Seconds]
    group_usage: dict[str, _Seconds]


_DEVICES = TypeAdapter(dict[str, _Kept])


class UsageRecord:
    """The states of all schedulers in one JSON file, by device. May be used on any thread.

    A file that can't be read or written is logged: the queue works all the same. If several processes share the file,
    it has what the last of them has written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._devices = self._read()

    def state(self, device: str) -> SchedulerState:
        """Return the state of this device's scheduler, with its usage as it is now."""
        kept = self._devices.get(device)
        if not kept:
            return SchedulerState()
        state = SchedulerState(kept.seconds_per_work, kept.usage, kept.group_usage)
        return state.after(max(0.0, time.time() - kept.time))

    def keep(self, device: str, state: Callable[[], SchedulerState]) -> None:
        """Write the state to the file. It is asked for under the lock, so that none is older than a `forget`."""
        with self._lock:
            now = state()
            self._devices[device] = _Kept(
                time=time.time(),
                seconds_per_work=now.seconds_per_work,
                usage=now.usage,
                group_usage=now.group_usage,
            )
            self._write()

    def forget(self, owner: str) -> None:
        """Remove the use of `owner` from the file. The schedulers must have forgotten it before."""
        with self._lock:
            known = [kept for kept in self._devices.values() if kept.usage.pop(owner, None) is not None]
            if known:
                self._write()

    def _read(self) -> dict[str, _Kept]:
        try:
            return _DEVICES.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("the file %s can't be used, and the queue starts without it: %s", self._file, error)
            return {}

    def _write(self) -> None:
        try:
            write_atomically(self._file, _DEVICES.dump_json(self._devices, indent=2).decode())
        except OSError as error:
            log.warning("the use of the devices could not be kept: %s", error)
