"""Fixtures that several test files share: a command line, a device worker and a fake hub."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path

import pytest

from inference.limits import Limits
from tests.inference.backends.scripted import WorkerHarness
from tests.inference.cli.command_line import CONFIG, CommandLine
from tests.inference.hub.fake_hub import FakeHub, serving
from tests.inference.hub.test_hub import TINY


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    (tmp_path / "config.yaml").write_text(CONFIG)

    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return CommandLine(tmp_path, read)


@pytest.fixture
def set_stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that sets the text on stdin."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.fixture
async def harness() -> AsyncIterator[WorkerHarness]:
    harness = WorkerHarness(Limits(queue=8, per_person=8))
    yield harness
    await asyncio.to_thread(harness.worker.close)


@pytest.fixture
def fake_hub(tmp_path: Path) -> Generator[FakeHub]:
    with serving(FakeHub({"org/tiny": dict(TINY)})) as hub:
        yield hub
