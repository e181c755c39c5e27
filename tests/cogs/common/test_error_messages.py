"""What the log has of an error that a person is told of."""

from __future__ import annotations

import pytest

from cogs.common.error_messages import report
from inference import GenerationFailed
from storage import DatabaseUnavailable, StorageError


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [
        (DatabaseUnavailable("The database bot on pc1 can't be read: connection refused"), False),
        (StorageError("inkling.db can't be written: no such table"), True),
        (GenerationFailed("The model failed."), False),  # logged where it failed
        (ValueError("a mistake"), True),
    ],
)
def test_the_log_has_one_line_with_the_id_and_a_traceback_only_of_the_unexpected(
    error: Exception, has_traceback: bool, caplog: pytest.LogCaptureFixture
):
    assert report(error, "complete", "ab12").endswith("\n-# Error ab12")
    [record] = caplog.records
    assert record.getMessage() == f"error ab12 in complete: {error}"
    assert bool(record.exc_info) == has_traceback
