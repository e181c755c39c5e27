"""Backups of the data folder: made while the bot runs, and restored while it is stopped.

A backup is a ZIP archive of the databases and of the JSON files beside them. SQLite itself copies the databases, so
each is as it was at one moment, whatever the bot writes meanwhile. Everything else in the folder is left out: it can be
made again (the record of registered commands, the preview's files), or belongs to the operator (LoRA files).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
import zipfile
import zlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import BinaryIO

from storage.driver import StorageError
from storage.folder_lock import LOCK, UNFINISHED, locked
from storage.migrations import JOB_STEPS, STEPS

DATABASES = {"jobs.db": JOB_STEPS, "inkling.db": STEPS}
"""Each database and its migrations, in the order of copying.

The requests come first: one that ends between the two copies is in both, and is answered again after a restore. The
other way round, the buttons of its answer would be lost.
"""

_JSON = re.compile(r"[\w-][\w.-]*\.json")
_SECONDS = 60.0
"""How long a copy waits for a transaction of the bot."""


def back_up(folder: Path, file: Path) -> None:
    """Write a backup of the data folder to a new file, while a bot may use the folder. Raise StorageError."""
    if not (folder / "inkling.db").is_file():
        raise StorageError(
            f"There is nothing to back up: {folder} has no file inkling.db. Check `data` in config.yaml."
        )
    if file.exists():
        raise StorageError(f"{file} exists already. Choose another name.")
    unfinished = file.with_name(file.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="backup-") as copies:
            _copy_databases(folder, Path(copies))
            records = [path for path in folder.iterdir() if _JSON.fullmatch(path.name)]
            _write_archive(unfinished, [*Path(copies).iterdir(), *records])
        unfinished.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"No backup was made: {error}. Check the free space, and who may write there.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def restore(file: Path, folder: Path) -> Path | None:
    """Replace the bot's files with those of a backup, and return the folder that has the earlier ones now.

    Nothing is changed unless the whole backup is good and no bot uses the folder. Return None if there were no files.
    Raise StorageError.
    """
    with locked(folder):
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix="restore-") as unpacked:
                _unpack(file, Path(unpacked))
                return _replace_files(folder, Path(unpacked), but=file)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: encrypted
            raise StorageError(f"{file} can't be restored: {error}. Use another backup, or another folder.") from error


def back_up_to_stream(folder: Path, stream: BinaryIO) -> None:
    """Write a backup of the data folder to a stream. Raise what `back_up` does, and OSError."""
    with _spool(folder) as archive:
        back_up(folder, archive)
        with archive.open("rb") as source:
            shutil.copyfileobj(source, stream)
        stream.flush()


def restore_from_stream(stream: BinaryIO, folder: Path) -> Path | None:
    """Do what `restore` does with the backup in a stream. Raise the same errors, and OSError."""
    with _spool(folder) as archive:
        with archive.open("wb") as target:
            shutil.copyfileobj(stream, target)
        return restore(archive, folder)


@contextlib.contextmanager
def _spool(folder: Path) -> Generator[Path]:
    """Yield the name of a temporary file in the data folder, which has the space."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="stream-") as temporary:
        yield Path(temporary, "backup.zip")


def _copy_databases(folder: Path, copies: Path) -> None:
    for name, steps in DATABASES.items():
        if (folder / name).is_file():
            _copy_database(folder / name, copies / name)
            _check_database(copies / name, steps)


def _copy_database(source: Path, copy: Path) -> None:
    """Copy a database in one step. In several steps, every write of the bot would start the copy again."""
    address = f"{source.absolute().as_uri()}?mode=rw"  # even a reader of a write-ahead log writes beside the file
    with (
        contextlib.closing(sqlite3.connect(address, uri=True, timeout=_SECONDS)) as original,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        original.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _check_database(path: Path, steps: Sequence[str]) -> None:
    """Raise StorageError if the file is damaged, or if a newer version of the bot wrote it."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            [(version,)] = connection.execute("PRAGMA user_version").fetchall()
            problems = [line for (line,) in connection.execute("PRAGMA integrity_check").fetchall() if line != "ok"]
    except sqlite3.DatabaseError as error:
        problems, version = [str(error)], 0
    if problems:
        raise StorageError(f"{path.name} is damaged: {problems[0]}. Use an earlier backup.")
    if version > len(steps):
        raise StorageError(f"A newer version of the bot wrote {path.name}. Update the bot, or use an earlier backup.")


def _write_archive(file: Path, members: list[Path]) -> None:
    """Write a new file, which is on the disk when this returns. Only its owner may read it: it is personal data."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "w+b") as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for member in members:
                archive.write(member, member.name)
        raw.flush()
        os.fsync(raw.fileno())


def _unpack(file: Path, folder: Path) -> None:
    """Write all files of a backup into `folder`, and check them. Reading them checks their checksums too."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        known = all(name in DATABASES or _JSON.fullmatch(name) for name in names)
        if "inkling.db" not in names or not known or len(names) > len(set(names)):
            raise StorageError(f"{file} is no backup of Inkling, and nothing was changed.")
        archive.extractall(folder)
    for name, steps in DATABASES.items():
        if name in names:
            _check_database(folder / name, steps)


def _replace_files(folder: Path, unpacked: Path, *, but: Path) -> Path | None:
    """Move the bot's files into a new folder beside them, and the unpacked ones into their place.

    Both folders are inside the data folder, which may be a mount point: that itself can't be moved. Should the process
    end in the middle, the folder UNFINISHED keeps the bot from starting.
    """
    earlier = [path for path in folder.iterdir() if path.is_file() and path.name != LOCK and path != but.resolve()]
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=time.strftime("before-restore-%Y-%m-%d-%H%M%S-")))
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)  # of a restore that did not end
    unfinished = unpacked.rename(folder / UNFINISHED)
    for path in earlier:
        path.rename(aside / path.name)
    for path in unfinished.iterdir():
        path.rename(folder / path.name)
    unfinished.rmdir()
    if earlier:
        return aside
    aside.rmdir()
    return None
