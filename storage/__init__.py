"""Persistent data of the bot, in two SQLite files or a Postgres database. Independent of Discord and of models.

store = Store(Path("data/inkling.db"))
await store.open()
image = await store.images.get("kZ3x_9Qa")
"""

from storage.answers import AnswerTable, StoredAnswer
from storage.backup import back_up, back_up_to_stream, restore, restore_from_stream
from storage.blocks import EVERYWHERE, Block, BlockKind, BlockTable
from storage.completion_history import CompletionHistory, Segment, Variant
from storage.completions import CompletionTable, StoredCompletion
from storage.device_use import NO_SERVER, DeviceSeconds, DeviceUseTable, end_of_day
from storage.driver import DatabaseUnavailable, ShardsTaken, StorageError
from storage.folder_lock import locked, locked_for_bot
from storage.images import ImageTable, Lineage, StoredImage
from storage.jobs import JobTable, StoredJob
from storage.opened_forms import OpenedFormTable
from storage.questions import QuestionTable, StoredQuestion
from storage.reports import ReportTable
from storage.sent_answers import SentAnswer, SentAnswerTable
from storage.settings import PersonSettings, ServerSettings, SettingsTables
from storage.shards import ALL_SHARDS, Shards
from storage.store import Changes, Store, check_database
from storage.thoughts import StoredThoughts, ThoughtTable

__all__ = [
    "ALL_SHARDS",
    "EVERYWHERE",
    "NO_SERVER",
    "AnswerTable",
    "Block",
    "BlockKind",
    "BlockTable",
    "Changes",
    "CompletionHistory",
    "CompletionTable",
    "DatabaseUnavailable",
    "DeviceSeconds",
    "DeviceUseTable",
    "ImageTable",
    "JobTable",
    "Lineage",
    "OpenedFormTable",
    "PersonSettings",
    "QuestionTable",
    "ReportTable",
    "Segment",
    "SentAnswer",
    "SentAnswerTable",
    "ServerSettings",
    "SettingsTables",
    "Shards",
    "ShardsTaken",
    "StorageError",
    "Store",
    "StoredAnswer",
    "StoredCompletion",
    "StoredImage",
    "StoredJob",
    "StoredQuestion",
    "StoredThoughts",
    "ThoughtTable",
    "Variant",
    "back_up",
    "back_up_to_stream",
    "check_database",
    "end_of_day",
    "locked",
    "locked_for_bot",
    "restore",
    "restore_from_stream",
]
