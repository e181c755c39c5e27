"""What the bot, the connector and the devices of a cluster say to each other, as JSON.

The bot and its connector exchange frames through pipes. A frame is its length in bytes, as an unsigned integer of 4
bytes, and JSON. Requests, events and results in it are texts that `inference.serialization` has written.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from inference.backends.backend import ModelStatus, QueueStatus
from inference.hub.model_card import ModelCard
from inference.serialization import serializable
from inference.types.observations import BatchEnded, DeviceUsed, ModelLoaded, ModelUnloaded

AUTH_MODE = "RAY_AUTH_MODE"
"""The variable that says whether Ray asks for a token; see `has_token`."""

_LENGTH = struct.Struct(">I")

for _cls in (QueueStatus, ModelStatus, ModelCard, BatchEnded, DeviceUsed, ModelLoaded, ModelUnloaded):
    serializable(_cls)


@serializable
@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device as it was a moment ago: its queue, and the seconds that a unit of work takes, by kind."""

    queue: QueueStatus
    seconds_per_work: tuple[tuple[str, float], ...] = ()


@serializable
@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a request, for which the model has done so many tokens or steps."""

    units: int = 0


def has_token() -> bool:
    """Return whether this user has the token of a cluster. Ray sends it only if `AUTH_MODE` says so.

    Source: https://docs.ray.io/en/latest/ray-security/token-auth.html
    """
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    return bool(os.environ.get("RAY_AUTH_TOKEN")) or file.is_file()


def place_of(address: str) -> str:
    """Return in words where the cluster with this address in config.yaml is."""
    return "on this machine" if address == "auto" else f"at {address}"


def local_name(device: str) -> str:
    """Return the name that a device of a cluster has on its node, where Ray shows each actor only its own GPU."""
    return "cuda:0" if "/cuda" in device else device.rpartition("/")[2]


def write_frame(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write a message. Raise OSError if nobody reads it any more."""
    data = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next message; None at the end of the stream."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    data = stream.read(size := _LENGTH.unpack(header)[0])
    return json.loads(data) if len(data) == size else None


@cache
def code_version() -> str:
    """Return a name for the code of this package. Two machines with the same code have the same one."""
    folder = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
