"""The connection to a cluster that is not there. It needs no Ray."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from inference.backends.ray.cluster_link import ClusterLink
from tests.inference.backends.ray.conftest import config_for, free_port
from tests.waiting import until


async def test_a_cluster_that_stays_away_is_logged_once_wherever_the_bot_was_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lost: list[str] = []
    link = ClusterLink(config_for(f"127.0.0.1:{free_port()}", tmp_path), lambda _: None, lost.append, (0.0, 0.0))
    try:
        await until(lambda: len(lost) > 2, "it is not tried again")
    finally:
        link.close()
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "Traceback" not in capfd.readouterr().err + caplog.text
    assert lost[0].startswith("There is no Ray cluster at 127.0.0.1:")
    assert said == [f"the Ray cluster is not reachable, and is tried again: {lost[0]}"]
