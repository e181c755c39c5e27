"""Test that work waits until its bytes are free."""

from __future__ import annotations

import threading

from inference.images.byte_semaphore import ByteSemaphore
from tests.waiting import until


async def test_work_waits_until_its_bytes_are_free() -> None:
    semaphore, entered = ByteSemaphore(10), threading.Event()

    def work() -> None:
        with semaphore.acquired(5):
            entered.set()

    thread = threading.Thread(target=work)
    with semaphore.acquired(4), semaphore.acquired(4):
        thread.start()
        assert not entered.is_set()
    await until(lambda: not thread.is_alive(), "The work did not get its bytes.")
    assert entered.is_set()


def test_work_that_needs_more_than_all_bytes_takes_all() -> None:
    semaphore = ByteSemaphore(10)
    for _ in range(2):
        with semaphore.acquired(1000):
            pass
    with semaphore.acquired(10):
        pass
