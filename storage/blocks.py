"""The people and servers that may not use the bot, held in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from typing import Any, Literal

from storage.database import Database
from storage.table import upsert

BlockKind = Literal["person", "server"]

EVERYWHERE = 0
"""In place of a server's id: the block holds everywhere."""

_COLUMNS = ("kind", "id", "server", "reason", "until", '"by"', "created")
_ADD = upsert("blocks", _COLUMNS, ("kind", "id", "server"))

_Key = tuple[BlockKind, int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """A person, or a server, that may not use the bot on `server`, or EVERYWHERE.

    `id` and `by` are Discord's ids: who is blocked, and who did it, 0 if that is not known any more. `until` and
    `created` are in seconds since 1970; without `until`, it is for good. The blocked person is told the `reason`.
    """

    kind: BlockKind
    id: int
    server: int
    reason: str
    until: float | None
    by: int
    created: float

    @property
    def key(self) -> _Key:
        """What there is only one block of."""
        return self.kind, self.id, self.server

    def forbids(self, person: int, server: int | None) -> bool:
        """Return whether the block is of this person on `server`, None for direct messages, or of that server."""
        if self.kind == "server":
            return self.id == server
        return self.id == person and self.server in (EVERYWHERE, server)

    def holds(self, now: float) -> bool:
        """Return whether the block has not ended at `now`."""
        return self.until is None or self.until > now


class BlockTable:
    """All blocks. Every command needs them before it may wait, so they are read from memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[_Key, Block] = {}

    async def load(self) -> None:
        """Read the table into memory."""
        rows = await self._database.read(f"SELECT {', '.join(_COLUMNS)} FROM blocks")
        self._rows = {block.key: block for block in (Block(*row) for row in rows)}

    async def refresh(self) -> list[Block]:
        """Read the table again, since another process has changed it. Return the blocks that are new here."""
        known = set(self._rows.values())
        await self.load()
        return [block for block in self._rows.values() if block not in known]

    async def add(self, block: Block) -> None:
        """Store a block in place of an earlier one of the same person or server there. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute(_ADD, astuple(block))
        self._rows[block.key] = block

    async def remove(self, kind: BlockKind, number: int, server: int = EVERYWHERE) -> bool:
        """End the block of a person or server. Return whether there was one. Raise StorageError."""
        key: _Key = (kind, number, server)
        async with self._database.writing() as connection:
            deleted = await connection.execute("DELETE FROM blocks WHERE kind = ? AND id = ? AND server = ?", key)
        self._rows.pop(key, None)
        return deleted.rowcount > 0

    def active(self, now: float) -> list[Block]:
        """Return all blocks that have not ended at `now`, the oldest first."""
        return sorted((block for block in self._rows.values() if block.holds(now)), key=lambda block: block.created)

    def on(self, server: int, now: float) -> list[Block]:
        """Return the blocks of people on one server alone that have not ended at `now`, the oldest first."""
        return [block for block in self.active(now) if block.server == server]

    def find(self, person: int, server: int | None, now: float) -> Block | None:
        """Return a block that forbids this person to use the bot on `server`, None for direct messages."""
        keys: list[_Key] = [("person", person, EVERYWHERE)]
        if server is not None:
            keys.append(("server", server, EVERYWHERE))
            keys.append(("person", person, server))
        found = (self._rows.get(key) for key in keys)
        return next((block for block in found if block and block.holds(now)), None)

    async def forget_server(self, server: int) -> None:
        """Delete the blocks on one server alone. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM blocks WHERE server = ?", (server,))
        self._keep(lambda block: block.server != server)

    async def forget_expired(self, now: float) -> None:
        """Delete the blocks that have ended at `now`. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute("DELETE FROM blocks WHERE until <= ?", (now,))
        self._keep(lambda block: block.holds(now))

    def of(self, person: int) -> list[Block]:
        """Return the blocks of this person, the oldest first."""
        rows = (block for block in self._rows.values() if (block.kind, block.id) == ("person", person))
        return sorted(rows, key=lambda block: block.created)

    def count_by(self, person: int) -> int:
        """Return how many blocks name this person as the one who set them."""
        return sum(block.by == person for block in self._rows.values())

    def export_of(self, person: int) -> list[dict[str, Any]]:
        """Return the blocks of this person and those that the person set, as plain data.

        The blocks of a person don't say who set them, and those that the person set don't say of whom.
        """
        mine = [asdict(block) | {"by": None} for block in self.of(person)]
        return mine + [asdict(block) | {"id": None} for block in self._rows.values() if block.by == person]

    async def forget_author(self, person: int) -> None:
        """Delete this person as the one who set blocks. The blocks stay. Raise StorageError."""
        async with self._database.writing() as connection:
            await connection.execute('UPDATE blocks SET "by" = 0 WHERE "by" = ?', (person,))
        await self.load()

    def _keep(self, stays: Callable[[Block], bool]) -> None:
        self._rows = {key: block for key, block in self._rows.items() if stays(block)}
