"""Test what the record of a request knows about going on after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogs.common.job_record import JobRecord
from storage import Store, StoredJob


@pytest.mark.parametrize("work", ['{"prompt": "Once"}', ""])
def test_a_request_of_before_a_restart_goes_on_after_the_next_if_its_work_was_stored(tmp_path: Path, work: str) -> None:
    stored = StoredJob(id=1, owner=1, created=0.0, target="{}", work=work, deaths=0)
    assert JobRecord(Store(tmp_path / "inkling.db").jobs, stored).goes_on_after_restart == bool(work)
