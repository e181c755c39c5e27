"""The seconds that devices worked for people and servers today."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import DeviceSeconds, StorageError, Store, end_of_day
from tests.storage.conftest import NewStore

_NOON = 20_000.5 * 86400


async def days(store: Store) -> list[int]:
    return [day for (day,) in await store.database.read("SELECT DISTINCT day FROM device_use ORDER BY day")]


def test_seconds_are_counted_by_person_and_server(tmp_path: Path):
    use = Store(tmp_path / "inkling.db").device_use
    for owner, server, seconds in ((1, 5, 2.0), (1, 6, 3.0), (1, 5, 4.0), (2, 5, 1.0), (0, 5, 8.0)):
        use.add(owner, server, seconds, _NOON)
    assert (use.of_person(1, _NOON), use.of_person_on(1, 5, _NOON), use.of_server(5, _NOON)) == (9.0, 6.0, 15.0)
    assert (use.of_person(3, _NOON), use.of_person_on(3, 5, _NOON), use.of_server(7, _NOON)) == (0.0, 0.0, 0.0)


def test_a_day_ends_at_midnight_utc(tmp_path: Path):
    use = Store(tmp_path / "inkling.db").device_use
    use.add(1, 5, 2.0, _NOON)
    midnight = end_of_day(_NOON)
    assert midnight == 20_001 * 86400
    assert use.of_person(1, midnight - 0.1) == 2.0
    assert use.of_person(1, midnight) == use.of_server(5, midnight) == 0.0


async def test_what_is_counted_is_known_after_a_restart(store: Store, new_store: NewStore):
    store.device_use.add(1, 5, 2.0, _NOON)
    await store.device_use.flush()
    store.device_use.add(1, 5, 3.0, _NOON)
    await store.close()
    again = new_store()
    await again.open()
    assert again.device_use.of_person_on(1, 5, _NOON) == again.device_use.of_server(5, _NOON) == 5.0
    again.device_use.add(1, 5, 1.0, _NOON)
    assert again.device_use.of_person(1, _NOON) == 6.0
    assert again.device_use.of_person(1, _NOON + 86400) == 0.0
    await again.close()


async def test_earlier_days_are_deleted(store: Store):
    for day in (0, 1, 2):
        store.device_use.add(1, 5, 2.0, _NOON + day * 86400)
        await store.device_use.flush()
    assert await days(store) == [20_000, 20_001, 20_002]
    await store.forget_expired(_NOON + 2 * 86400)
    assert await days(store) == [20_002]


async def test_the_next_day_which_has_begun_for_others_is_not_deleted(store: Store):
    store.device_use.add(1, 5, 2.0, _NOON + 86400)
    await store.device_use.flush()
    await store.forget_expired(_NOON)
    await store.device_use.forget_owner(1, _NOON)
    assert await days(store) == [20_001]


async def test_seconds_are_counted_while_the_next_day_has_begun_for_others(store: Store):
    use = store.device_use
    use.add(1, 5, 2.0, _NOON)
    await use.refresh(20_001, 1, 5, 8.0)
    use.add(1, 5, 3.0, _NOON)
    assert (use.of_person(1, _NOON), use.of_server(5, _NOON)) == (5.0, 5.0)
    assert (use.of_person(1, _NOON + 86400), use.of_server(5, _NOON + 86400)) == (8.0, 8.0)
    await use.flush()
    assert [row["seconds"] for row in await use.export_of(1)] == [5.0]


async def test_todays_seconds_are_known_after_a_restart_while_the_next_day_has_begun_for_others(
    store: Store, new_store: NewStore
):
    for day in (0, 1):
        store.device_use.add(1, 5, 2.0 + day, _NOON + day * 86400)
    await store.close()
    again = new_store()
    await again.open()
    assert [again.device_use.of_person(1, _NOON + day * 86400) for day in (0, 1)] == [2.0, 3.0]
    await again.close()


async def test_a_person_who_has_everything_deleted_keeps_todays_seconds_only(store: Store):
    for day in (0, 1):
        for owner in (1, 2):
            store.device_use.add(owner, 5, 2.0, _NOON + day * 86400)
        await store.device_use.flush()
    await store.device_use.forget_owner(1, _NOON + 86400)
    rows = await store.database.read("SELECT day, owner FROM device_use ORDER BY day, owner")
    assert [tuple(row) for row in rows] == [(20_000, 2), (20_001, 1), (20_001, 2)]
    assert await store.device_use.export_of(1) == [{"day": "2024-10-05", "server": 5, "seconds": 2.0}]


async def test_what_could_not_be_written_is_written_the_next_time(store: Store):
    await store.database.close()
    store.device_use.add(1, 5, 2.0, _NOON)
    with pytest.raises(StorageError):
        await store.device_use.flush()
    await store.database.open()
    await store.device_use.flush()
    assert await days(store) == [20_000]


async def test_what_is_told_of_a_day_after_its_end_is_no_use_of_another_process(store: Store):
    use, midnight = store.device_use, end_of_day(_NOON)
    use.add(1, 5, 2.0, midnight - 1)
    await use.flush()
    assert use.of_person(1, midnight) == 0.0
    assert await use.refresh(20_000, 1, 5, 2.0) is None
    assert await use.load() == []
    assert await use.refresh(20_001, 1, 5, 3.0) == DeviceSeconds(1, 5, 3.0)
    assert use.of_person(1, midnight) == 3.0
