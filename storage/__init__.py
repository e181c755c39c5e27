"""What the bot keeps between restarts, in one SQLite file. Knows neither Discord nor models.

store = Store(Path("data/inkling.db"))
await store.open()
kept = await store.images.get("kZ3x_9Qa")
"""

from storage.database import StorageError
from storage.images import ImageTable, Lineage, StoredImage
from storage.settings import PersonSettings, ServerSettings, SettingsTables
from storage.store import Store
from storage.text_thread import Segment, TextThread, Variant
from storage.text_threads import StoredThread, TextThreadTable

__all__ = [
    "ImageTable",
    "Lineage",
    "PersonSettings",
    "Segment",
    "ServerSettings",
    "SettingsTables",
    "StorageError",
    "Store",
    "StoredImage",
    "StoredThread",
    "TextThread",
    "TextThreadTable",
    "Variant",
]
