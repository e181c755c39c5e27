"""The bot's data, by table."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

from storage.answers import AnswerTable
from storage.blocks import BlockTable
from storage.completions import CompletionTable
from storage.database import Database, StorageError
from storage.device_use import DeviceUseTable
from storage.identifies import IdentifyTable
from storage.images import ImageTable
from storage.jobs import JobTable
from storage.migrations import JOB_STEPS
from storage.opened_forms import OpenedFormTable
from storage.questions import QuestionTable
from storage.reports import ReportTable
from storage.sent_answers import SentAnswerTable
from storage.settings import SettingsTables
from storage.table import ExpiringTable, Table
from storage.thoughts import ThoughtTable


class Store:
    """The tables. `settings`, `blocks` and `device_use` are also in memory.

    `jobs`, `questions`, `opened_forms` and `identifies` have a file of their own.
    """

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.images = ImageTable(self.database)
        self.completions = CompletionTable(self.database)
        self.answers = AnswerTable(self.database)
        self.sent_answers = SentAnswerTable(self.database)
        self.thoughts = ThoughtTable(self.database)
        self.reports = ReportTable(self.database)
        self.settings = SettingsTables(self.database)
        self.blocks = BlockTable(self.database)
        self.device_use = DeviceUseTable(self.database)
        self.job_database = Database(path.with_name("jobs.db"), JOB_STEPS, fast_writes=True)
        self.jobs = JobTable(self.job_database)
        self.questions = QuestionTable(self.job_database)
        self.opened_forms = OpenedFormTable(self.job_database)
        self.identifies = IdentifyTable(self.job_database)

    async def open(self) -> None:
        """Open the files, and read what is kept in memory. Raise StorageError."""
        await self.database.open()
        await self.settings.load()
        await self.blocks.load()
        await self.device_use.load()
        await self.job_database.open()
        await self.jobs.count_deaths()

    async def close(self) -> None:
        """Write what is only in memory, and close the files if they are open."""
        with contextlib.suppress(StorageError):
            await self.device_use.flush()
        for database in (self.job_database, self.database):
            with contextlib.suppress(StorageError):  # it may never have been opened
                await database.compact()
            await database.close()

    async def forget_messages(self, messages: Collection[int]) -> None:
        """Delete everything shown in these messages. Raise StorageError."""
        for table in self._tables:
            await table.forget_messages(messages)

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
