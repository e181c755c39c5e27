"""Test that a document is read in a process that ends, whatever is in the document."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest

from inference import InvalidRequest
from inference.documents.reader_processes import PROGRAM, ReaderProcesses
from inference.types.errors import RequestCancelled
from tests.inference.documents.sample_documents import pdf_of, pdf_with_a_large_table, slow_pdf, word_of
from tests.waiting import until


@pytest.fixture
async def readers() -> AsyncGenerator[ReaderProcesses]:
    readers = ReaderProcesses()
    yield readers
    await readers.close()


def is_running(pid: int) -> bool:
    """Return whether there is a process with this id; one that ended counts until its parent has noticed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def start(readers: ReaderProcesses, data: bytes) -> tuple[asyncio.Task[str], int]:
    """Start to read a document. Return the task and the id of its process."""
    task = asyncio.create_task(readers.read(data, "a.pdf", 10**9))
    await until(lambda: bool(readers.pids), "No process was started.")
    return task, readers.pids[0]


@pytest.mark.parametrize("data", [pdf_of([["One."]]), word_of("One."), b"<html><p>One."])
async def test_a_document_is_read(readers: ReaderProcesses, data: bytes) -> None:
    assert await readers.read(data, "a", 100) == "One."
    assert readers.pids == []


async def test_an_error_is_that_of_the_reader_and_can_be_translated(readers: ReaderProcesses) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await readers.read(pdf_of([["word " * 10]]), "a.pdf", 9)
    assert refused.value.sentence.startswith("{name} holds more than {most:,} characters")
    assert refused.value.values == {"name": "a.pdf", "most": 9}


async def test_a_document_that_takes_too_long_in_one_step_is_refused(readers: ReaderProcesses) -> None:
    with pytest.raises(InvalidRequest, match=r"a\.pdf takes too long to read"):
        await readers.read(pdf_with_a_large_table(), "a.pdf", 100, max_seconds=0.7)
    assert readers.pids == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
@pytest.mark.parametrize("data", [b"<html><p>" + b"ab " * 5_000_000, pdf_with_a_large_table()])
async def test_a_document_that_takes_too_much_memory_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="a needs too much memory to read"):
        await ReaderProcesses(max_memory=150 * 2**20).read(data, "a", 10**9)


@pytest.mark.parametrize(
    ("number", "sentence"), [(signal.SIGKILL, "needs too much memory"), (signal.SIGSEGV, "may be damaged")]
)
async def test_a_process_that_is_killed_or_crashes_is_a_refusal(
    readers: ReaderProcesses, number: signal.Signals, sentence: str
) -> None:
    task, pid = await start(readers, slow_pdf())
    os.kill(pid, number)
    with pytest.raises(InvalidRequest, match=sentence):
        await task
    assert not is_running(pid)


async def test_cancelling_the_task_ends_its_process(readers: ReaderProcesses) -> None:
    task, pid = await start(readers, slow_pdf())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(pid)


async def test_closing_ends_all_processes_and_starts_no_more(readers: ReaderProcesses) -> None:
    task, pid = await start(readers, slow_pdf())
    await readers.close()
    assert not is_running(pid)
    for read in (task, readers.read(b"<html><p>One.", "a.html", 100)):
        with pytest.raises(RequestCancelled):
            await read


async def test_ctrl_c_is_not_sent_to_readers(readers: ReaderProcesses) -> None:
    task, pid = await start(readers, slow_pdf())
    assert os.getpgid(pid) != os.getpgid(0)
    task.cancel()


def test_a_reader_ends_when_the_bot_is_killed() -> None:
    reader = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None
    reader.stdin.write(pickle.dumps((2**30, 3600.0, slow_pdf(), "a.pdf", 10**9)))
    reader.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        reader.wait(1)
    reader.stdin.close()  # as the system does when it ends the bot
    assert reader.wait(30) == 1


def test_a_reader_imports_little() -> None:
    show = PROGRAM.removesuffix("main()\n") + "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "pydantic", "asyncio"} & set(done.stdout.split())
