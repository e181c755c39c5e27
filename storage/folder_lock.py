"""The lock of the data folder: one bot at a time uses it, and nothing replaces its files meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

from filelock import FileLock, Timeout

from storage.driver import StorageError

LOCK = "lock"
"""The file that is locked. It stays in the folder; the system ends the lock with the process, however it ends."""

UNFINISHED = "restoring"
"""A folder that is there while a restore replaces the files."""


@contextlib.contextmanager
def locked(folder: Path) -> Generator[None]:
    """Lock the folder, which is created if missing. Raise StorageError if another process has the lock."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0, fallback_to_soft=False)
        lock.acquire()
    except Timeout as error:
        raise StorageError(
            f"Another process of the bot uses the folder {folder}. Stop it first; a second bot needs another `data` in "
            "its config.yaml."
        ) from error
    except OSError as error:
        raise StorageError(f"The folder {folder} can't be used: {error}. Check who may write there.") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def locked_for_bot(folder: Path) -> Generator[None]:
    """Lock the folder for a bot. Raise StorageError too if a restore has ended in the middle."""
    with locked(folder):
        if (folder / UNFINISHED).exists():
            raise StorageError(f"A restore of the folder {folder} did not end. Run `bot.py --restore FILE` again.")
        yield
