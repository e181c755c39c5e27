"""The bot's data, by table."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from storage.answers import AnswerTable
from storage.blocks import Block, BlockTable
from storage.completions import CompletionTable
from storage.database import Database
from storage.device_use import DeviceSeconds, DeviceUseTable
from storage.driver import Driver, StorageError
from storage.identifies import IdentifyTable
from storage.images import ImageTable
from storage.jobs import JobTable
from storage.migrations import JOB_STEPS, STEPS
from storage.opened_forms import OpenedFormTable
from storage.questions import QuestionTable
from storage.reports import ReportTable
from storage.sent_answers import SentAnswerTable
from storage.settings import SettingsTables
from storage.shards import ALL_SHARDS, Shards
from storage.sqlite import SQLiteFile
from storage.table import ExpiringTable, Table
from storage.thoughts import ThoughtTable

if TYPE_CHECKING:
    from storage.postgres import PostgresServer


_DELETED = "deleted_person"
"""The beginning of the notice of a deletion, in place of a table's name."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What other processes have done.

    `blocks` are those that they set, `device_use` the seconds that they added, and `deleted_people` the ids of people
    who had everything deleted.
    """

    blocks: list[Block] = field(default_factory=list[Block])
    device_use: list[DeviceSeconds] = field(default_factory=list[DeviceSeconds])
    deleted_people: list[int] = field(default_factory=list[int])


class Store:
    """The tables. `settings`, `blocks` and `device_use` are also in memory.

    They are in two files: `jobs`, `questions`, `opened_forms` and `identifies` have one beside `path`. With `address`,
    they are all in that Postgres database, which several processes of the bot share, each for its own `shards`. Raise
    StorageError if the package for Postgres is missing.
    """

    def __init__(self, path: Path, address: str = "", shards: Shards = ALL_SHARDS) -> None:
        main, jobs = _servers(address, shards) if address else _files(path)
        self.is_shared = bool(address)
        self.database = Database(main)
        self.images = ImageTable(self.database)
        self.completions = CompletionTable(self.database)
        self.answers = AnswerTable(self.database)
        self.sent_answers = SentAnswerTable(self.database)
        self.thoughts = ThoughtTable(self.database)
        self.reports = ReportTable(self.database)
        self.settings = SettingsTables(self.database)
        self.blocks = BlockTable(self.database)
        self.device_use = DeviceUseTable(self.database)
        self.job_database = Database(jobs)
        self.jobs = JobTable(self.job_database, shards if address else ALL_SHARDS)
        self.questions = QuestionTable(self.job_database)
        self.opened_forms = OpenedFormTable(self.job_database)
        self.identifies = IdentifyTable(self.job_database)
        self._is_current = False
        self._process = uuid4().hex
        self._changes = Changes()
        """What was taken over, and not returned yet, since an error came between."""

    async def open(self) -> None:
        """Open the databases, and read what is kept in memory. Raise StorageError."""
        self._is_current = False
        await self.database.open()
        await self.job_database.open()
        await self.refresh()
        await self.jobs.count_deaths()

    async def refresh(self) -> Changes:
        """Take over into memory what other processes have changed, and return what needs more. Raise StorageError."""
        notices = await self.database.notices()
        was_current, self._is_current = self._is_current, False  # if an error loses the notices
        if notices is None or not was_current:
            await self.settings.load()
            self._changes.device_use.extend(await self.device_use.load())
            self._changes.blocks.extend(await self.blocks.refresh())
        else:
            await self._take_over(notices)
        await self.jobs.refresh()
        self._is_current = True
        changes, self._changes = self._changes, Changes()
        return changes

    async def _take_over(self, notices: Iterable[str]) -> None:
        for table, *values in map(str.split, notices):
            if table == "device_use":
                day, owner, server, seconds = values
                if added := await self.device_use.refresh(int(day), int(owner), int(server), float(seconds)):
                    self._changes.device_use.append(added)
            elif table == "blocks":
                self._changes.blocks.extend(await self.blocks.refresh())
            elif table == _DELETED:
                person, process = values
                if process != self._process:
                    self._changes.deleted_people.append(int(person))
            else:
                await self.settings.tables[table].refresh(int(values[0]))

    async def announce_deletion(self, person: int) -> None:
        """Tell the other processes that this person had everything deleted. Raise StorageError."""
        await self.database.transact(lambda changes: changes.notify(f"{_DELETED} {person} {self._process}"))

    async def close(self) -> None:
        """Write what is only in memory, and close the databases if they are open."""
        with contextlib.suppress(StorageError):
            await self.device_use.flush()
        for database in (self.job_database, self.database):
            with contextlib.suppress(StorageError):  # it may never have been opened
                await database.compact()
            await database.close()

    async def forget_messages(self, messages: Collection[int]) -> None:
        """Delete everything shown in these messages. Raise StorageError."""
        # Together, so that they share a transaction of each file: on many servers, messages are deleted all the time.
        await asyncio.gather(*(table.forget_messages(messages) for table in self._tables))

    async def forget_channels(self, channels: Collection[int]) -> None:
        """Delete everything shown in these channels and threads. Raise StorageError."""
        for table in self._tables:
            await table.forget_channels(channels)

    async def forget_expired(self, now: float) -> None:
        """Delete everything that has expired at `now`, in seconds since 1970, but the questions. Raise StorageError."""
        for table in (*self._in_main_file, self.opened_forms, self.blocks):
            await table.forget_expired(now)
        await self.device_use.forget_before(now)
        await self.database.compact()

    @property
    def _in_main_file(self) -> tuple[ExpiringTable, ...]:
        return self.images, self.completions, self.answers, self.sent_answers, self.thoughts, self.reports

    @property
    def _tables(self) -> tuple[Table, ...]:
        return *self._in_main_file, self.jobs, self.questions, self.opened_forms


def _files(path: Path) -> tuple[Driver, Driver]:
    return SQLiteFile(path, STEPS), SQLiteFile(path.with_name("jobs.db"), JOB_STEPS, fast_writes=True)


def check_database(address: str) -> None:
    """Raise StorageError if the Postgres database can't be reached. This may wait, so call it off the event loop."""
    _server(address, "inkling", ()).check()


def _servers(address: str, shards: Shards) -> tuple[Driver, Driver]:
    from storage.postgres_schema import POSTGRES_JOB_STEPS, POSTGRES_STEPS

    return (
        _server(address, "inkling", POSTGRES_STEPS, shards=shards),
        _server(address, "jobs", POSTGRES_JOB_STEPS),
    )


def _server(address: str, schema: str, steps: Sequence[str], **options: Any) -> PostgresServer:
    """Return a set of tables in Postgres, whose package is optional. Raise StorageError if it is missing."""
    try:
        from storage.postgres import PostgresServer
    except ImportError as error:
        raise StorageError(
            f"`database` in config.yaml needs the package psycopg ({error}). Install it with: "
            "pip install --no-deps -r requirements-postgres.txt"
        ) from error
    return PostgresServer(address, schema, steps, **options)
