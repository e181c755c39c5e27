"""Which shards of Discord's gateway a process runs, for bots on more servers than one process can serve.

Source: https://discord.com/developers/docs/events/gateway#sharding
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SERVER_BITS = 22
"""The lowest bits of a server's id, which say nothing about its shard."""

_SHARDS = re.compile(r"(\d+)(?:-(\d+))?/(\d+)")


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards `first` to `last` of `count`. Each server belongs to one shard, and direct messages to shard 0."""

    first: int
    last: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shards:
        """Read `0-7/32` or `8/32`. Raise ValueError."""
        if not (match := _SHARDS.fullmatch(text)):
            raise ValueError(f"{text!r} is not like 0-7/32, which is shard 0 to 7 of 32")
        first, last, count = int(match[1]), int(match[2] or match[1]), int(match[3])
        if not first <= last < count:
            raise ValueError(f"{text!r} names shards that are not there: {count} shards are 0 to {count - 1}")
        return cls(first, last, count)

    def __str__(self) -> str:
        own = f"Shard {self.first}" if self.first == self.last else f"Shards {self.first} to {self.last}"
        return f"{own} of {self.count}"

    @property
    def ids(self) -> list[int]:
        return list(range(self.first, self.last + 1))

    @property
    def held(self) -> tuple[str, tuple[int, ...]]:
        """A condition of SQL for the rows whose `server` is on these shards, 0 for direct messages, and its values."""
        return f"(server >> {_SERVER_BITS}) % ? BETWEEN ? AND ?", (self.count, self.first, self.last)

    @property
    def leads(self) -> bool:
        """Whether this process does what only one may do, such as to register the commands."""
        return self.first == 0


ALL_SHARDS = Shards(0, 0, 1)
"""All servers, for the only process of a bot: they are on shard 0 of 1, however many Discord recommends."""
