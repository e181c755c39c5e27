"""Test backups of the data folder: made while another process writes, and restored."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from storage import PersonSettings, StorageError, Store, back_up, locked, restore
from storage.backup import DATABASES
from tests.storage.test_images import REQUEST, RESULT

_ROOT = Path(__file__).parents[2]
_FAR_VERSION = 99


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Return a data folder with rows in both databases, and with files beside them."""
    folder = tmp_path / "data"
    store = Store(folder / "inkling.db")
    await store.open()
    await store.images.keep(1, 2, 3, REQUEST, RESULT)
    await store.jobs.add(1, 0, 2, 3, "{}", "")
    await store.settings.people.change(1, lambda own: replace(own, language="de"))
    await store.close()
    (folder / "usage.json").write_text("{}")
    (folder / "commands-everywhere.sha256").write_text("a hash")
    (folder / "preview-link").write_text("a secret")
    (folder / "loras").mkdir()
    (folder / "loras" / "ink.safetensors").write_text("weights")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        [(number,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return number


def problems(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [line for (line,) in connection.execute("PRAGMA integrity_check")]


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Let another process write into both databases as fast as it can."""
    program = [sys.executable, "-m", "tests.storage.writer", str(folder)]
    process = subprocess.Popen(program, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield
        assert process.poll() is None, "The backup ended the writer."
    finally:
        process.kill()
        process.communicate()


def test_a_backup_has_the_databases_and_the_records_and_no_secret(folder: Path, tmp_path: Path):
    back_up(folder, tmp_path / "backup.zip")
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        assert set(archive.namelist()) == {"inkling.db", "jobs.db", "usage.json"}
    assert (tmp_path / "backup.zip").stat().st_mode & 0o077 == 0
    assert {name for name in names(folder) if name.startswith("backup")} == set()


async def test_every_database_of_the_bot_is_in_a_backup(tmp_path: Path):
    store = Store(tmp_path / "inkling.db")
    await store.open()
    await store.close()
    assert {name for name in names(tmp_path) if name.endswith(".db")} == DATABASES.keys()


def test_backups_are_whole_and_consistent_while_another_process_writes(folder: Path, tmp_path: Path):
    counts: list[int] = []
    with writing(folder):
        for number in range(5):
            back_up(folder, tmp_path / f"{number}.zip")
            restored = tmp_path / str(number)
            assert restore(tmp_path / f"{number}.zip", restored) is None
            assert [problems(restored / name) for name in DATABASES] == [["ok"], ["ok"]]
            # The writer adds each pair of rows in one transaction.
            pairs = count(restored / "jobs.db", "jobs") - 1, count(restored / "inkling.db", "answers")
            assert [number % 2 for number in pairs] == [0, 0]
            counts += pairs
    assert counts[0] < counts[-2], "The other process wrote nothing into jobs.db meanwhile."
    assert counts[1] < counts[-1], "The other process wrote nothing into inkling.db meanwhile."


async def test_a_restored_folder_has_the_rows_of_the_backup_and_keeps_what_is_not_in_it(folder: Path, tmp_path: Path):
    back_up(folder, tmp_path / "backup.zip")
    store = Store(folder / "inkling.db")
    await store.open()
    await store.settings.people.change(1, lambda own: replace(own, language="fr"))
    await store.close()
    (folder / "usage.json").write_text("[]")

    aside = restore(tmp_path / "backup.zip", folder)
    assert aside is not None
    assert names(folder) == {"inkling.db", "jobs.db", "usage.json", "loras", "lock", aside.name}
    assert json.loads((folder / "usage.json").read_text()) == {}
    # Commands are registered again: Discord may have those of another version.
    assert names(aside) == {"inkling.db", "jobs.db", "usage.json", "commands-everywhere.sha256", "preview-link"}
    await store.open()
    assert store.settings.person(1) == PersonSettings(language="de")
    assert len(await store.jobs.open_jobs()) == 1
    assert await store.images.count_of(1) == 1
    await store.close()


def test_nothing_is_restored_while_a_bot_uses_the_folder(folder: Path, tmp_path: Path):
    back_up(folder, tmp_path / "backup.zip")
    with locked(folder):
        before = names(folder)
        with pytest.raises(StorageError, match="Another process of the bot uses the folder"):
            restore(tmp_path / "backup.zip", folder)
        assert names(folder) == before


def test_an_unfinished_restore_is_done_again(folder: Path, tmp_path: Path):
    back_up(folder, tmp_path / "backup.zip")
    (folder / "restoring").mkdir()
    (folder / "inkling.db").rename(folder / "restoring" / "inkling.db")
    restore(tmp_path / "backup.zip", folder)
    assert "restoring" not in names(folder)
    assert problems(folder / "inkling.db") == ["ok"]


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def change_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def add_a_file_outside(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../outside.json", "{}")


def replace_the_database(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inkling.db", b"not a database, but long enough to be read as one " * 100)


def raise_the_version(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extract("inkling.db", file.parent)
    with closing(sqlite3.connect(file.parent / "inkling.db")) as connection:
        connection.execute(f"PRAGMA user_version = {_FAR_VERSION}")
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(file.parent / "inkling.db", "inkling.db")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_off, "can't be restored"),
        (change_a_byte, "can't be restored"),
        (add_a_file_outside, "is no backup of Inkling"),
        (replace_the_database, r"inkling\.db is damaged"),
        (raise_the_version, r"A newer version of the bot wrote inkling\.db"),
        (Path.unlink, "can't be restored"),
    ],
)
def test_an_archive_that_is_not_good_changes_nothing(damage: object, said: str, folder: Path, tmp_path: Path):
    file = tmp_path / "backup.zip"
    back_up(folder, file)
    assert callable(damage)
    damage(file)
    before = names(folder) | {"lock"}
    with pytest.raises(StorageError, match=said):
        restore(file, folder)
    assert names(folder) == before
    assert not (tmp_path / "outside.json").exists()


def test_a_damaged_database_is_reported_and_not_backed_up(folder: Path, tmp_path: Path):
    size = (folder / "inkling.db").stat().st_size
    with (folder / "inkling.db").open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    with pytest.raises(StorageError, match=r"inkling\.db is damaged"):
        back_up(folder, tmp_path / "backup.zip")
    assert names(tmp_path) == {"data"}


def test_a_backup_never_replaces_a_file(folder: Path, tmp_path: Path):
    (tmp_path / "backup.zip").write_text("an earlier one")
    with pytest.raises(StorageError, match="exists already"):
        back_up(folder, tmp_path / "backup.zip")
    assert (tmp_path / "backup.zip").read_text() == "an earlier one"


def test_a_folder_without_data_is_not_backed_up(tmp_path: Path):
    with pytest.raises(StorageError, match="There is nothing to back up"):
        back_up(tmp_path, tmp_path / "backup.zip")


def test_a_write_ahead_log_that_a_killed_process_left_is_in_the_backup(folder: Path, tmp_path: Path):
    with writing(folder):
        pass
    assert (folder / "jobs.db-wal").stat().st_size
    shutil.copytree(folder, tmp_path / "as it was left")
    back_up(folder, tmp_path / "backup.zip")
    restore(tmp_path / "backup.zip", tmp_path / "restored")
    left = count(tmp_path / "as it was left" / "jobs.db", "jobs")
    assert count(tmp_path / "restored" / "jobs.db", "jobs") == left
