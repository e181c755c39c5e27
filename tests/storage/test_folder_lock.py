"""Test that only one process at a time uses a data folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage import StorageError, locked, locked_for_bot

_HOLD = """
import sys, time
from pathlib import Path
from storage import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_a_second_lock_is_refused_until_the_first_has_ended(tmp_path: Path):
    folder = tmp_path / "new"
    with (
        locked(folder),
        pytest.raises(StorageError, match="Another process of the bot uses the folder"),
        locked(folder),
    ):
        pytest.fail("Two processes have the lock.")
    with locked(folder):
        pass


def test_the_lock_ends_with_its_process_even_if_that_is_killed(tmp_path: Path):
    program = [sys.executable, "-c", _HOLD, str(tmp_path)]
    process = subprocess.Popen(program, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        assert not can_lock(tmp_path)
    finally:
        process.kill()
        process.communicate()
    assert can_lock(tmp_path)


def test_a_folder_that_can_not_be_made_is_named_in_a_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file can't be used"), locked(tmp_path / "file"):
        pytest.fail("A file was locked as a folder.")


def test_a_bot_does_not_start_on_a_folder_whose_restore_did_not_end(tmp_path: Path):
    (tmp_path / "restoring").mkdir()
    with (
        pytest.raises(StorageError, match=r"did not end\. Run `bot\.py --restore FILE` again"),
        locked_for_bot(tmp_path),
    ):
        pytest.fail("The bot started.")


def can_lock(folder: Path) -> bool:
    try:
        with locked(folder):
            return True
    except StorageError:
        return False
