"""Persistent data of the bot, in two SQLite files. Independent of Discord and of models.

store = Store(Path("data/inkling.db"))
await store.open()
image = await store.images.get("kZ3x_9Qa")
"""

from storage.answers import AnswerTable, StoredAnswer
from storage.completion_history import CompletionHistory, Segment, Variant
from storage.completions import CompletionTable, StoredCompletion
from storage.database import StorageError
from storage.device_use import NO_SERVER, DeviceUseTable, end_of_day
from storage.images import ImageTable, Lineage, StoredImage
from storage.jobs import JobTable, StoredJob
from storage.opened_forms import OpenedFormTable
from storage.questions import QuestionTable, StoredQuestion
from storage.settings import PersonSettings, ServerSettings, SettingsTables
from storage.store import Store

__all__ = [
    "NO_SERVER",
    "AnswerTable",
    "CompletionHistory",
    "CompletionTable",
    "DeviceUseTable",
    "ImageTable",
    "JobTable",
    "Lineage",
    "OpenedFormTable",
    "PersonSettings",
    "QuestionTable",
    "Segment",
    "ServerSettings",
    "SettingsTables",
    "StorageError",
    "Store",
    "StoredAnswer",
    "StoredCompletion",
    "StoredImage",
    "StoredJob",
    "StoredQuestion",
    "Variant",
    "end_of_day",
]
