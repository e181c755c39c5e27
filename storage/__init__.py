"""What the bot keeps between restarts, in one SQLite file. Knows neither Discord nor models.

store = Store(Path("data/inkling.db"))
await store.open()
kept = await store.drawings.get("kZ3x_9Qa")
"""

from storage.drawings import Drawings, Kept, Origin
from storage.store import StorageError, Store

__all__ = ["Drawings", "Kept", "Origin", "StorageError", "Store"]
