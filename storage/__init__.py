"""What the bot keeps between restarts, in one SQLite file. Knows neither Discord nor models.

store = Store(Path("data/inkling.db"))
await store.open()
kept = await store.drawings.get("kZ3x_9Qa")
"""

from storage.completions import Completions, KeptStory
from storage.drawings import Drawings, Kept, Origin
from storage.settings import PersonSettings, ServerSettings, Settings
from storage.store import StorageError, Store
from storage.story import Piece, Story, Take

__all__ = [
    "Completions",
    "Drawings",
    "Kept",
    "KeptStory",
    "Origin",
    "PersonSettings",
    "Piece",
    "ServerSettings",
    "Settings",
    "StorageError",
    "Store",
    "Story",
    "Take",
]
