"""Test how image results are stored and deleted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from inference import GeneratedImage, ImageResult, ImagineRequest, Variation
from storage import ImageTable, Lineage, StorageError, Store
from tests.fakes import forget_all_of, kept_of

REQUEST = ImagineRequest(
    prompt="a fox",
    sampler="Euler a",
    variations=(Variation(9, 0.2),),
    image=b"a picture",
    mask=b"a mask",
    strength=0.6,
)
RESULT = ImageResult(
    (GeneratedImage(b"png", 7), GeneratedImage(b"", 7, True, (Variation(10, 0.2),))), 512, 768, 25, 7.5, "Euler a", 0.6
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inkling.db"


@pytest.fixture
async def in_file(path: Path) -> AsyncGenerator[Store]:
    """Return an open store in a file."""
    store = Store(path)
    await store.open()
    yield store
    await store.close()


async def files(store: Store) -> list[bytes]:
    return [data for (data,) in await store.database.read("SELECT data FROM files ORDER BY data")]


def size_of(path: Path) -> int:
    return path.stat().st_size


async def test_an_image_is_stored_with_everything_needed_to_repeat_it_but_without_its_pixels(store: Store):
    kept = await store.images.keep(1, 2, 3, REQUEST, RESULT, Lineage("parent", "variations", 2))
    await store.close()
    await store.open()
    found = await store.images.get(kept.id)
    assert found is not None
    assert (found.owner, found.channel, found.message, found.created) == (1, 2, 3, kept.created)
    assert found.request == REQUEST
    assert found.lineage == Lineage("parent", "variations", 2)
    assert [picture.png for picture in found.result.pictures] == [b"", b""]
    assert found.result.pictures[1] == RESULT.pictures[1]
    assert (found.result.sampler, found.result.strength, found.result.width) == ("Euler a", 0.6, 512)


async def test_equal_files_are_stored_once_and_deleted_with_the_last_image_that_uses_them(store: Store):
    one = await store.images.keep(1, 2, 3, REQUEST, RESULT)
    two = await store.images.keep(1, 2, 4, ImagineRequest(prompt="a hare", image=b"a picture"), RESULT)
    assert await files(store) == [b"a mask", b"a picture"]
    await store.images.forget(one.id)
    assert await files(store) == [b"a picture"]
    await store.images.forget(two.id)
    assert await files(store) == []


async def test_deleting_a_message_or_channel_deletes_its_images(store: Store):
    kept = [await store.images.keep(1, channel, message, REQUEST, RESULT) for channel, message in
            ((1, 10), (1, 11), (2, 12), (3, 13))]  # fmt: skip
    await store.images.forget_messages([10, 11])
    await store.images.forget_channels([2])
    assert [await store.images.get(one.id) is not None for one in kept] == [False, False, False, True]


async def test_a_database_of_a_newer_version_is_refused(path: Path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match=r"inkling.db can't be used: a newer version of the bot wrote it"):
        await Store(path).open()


@pytest.fixture
def text_file(path: Path) -> Path:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    return path


async def test_a_file_that_is_not_a_database_is_reported(text_file: Path):
    with pytest.raises(StorageError, match="file is not a database"):
        await Store(text_file).open()


async def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"inkling.db can't be used: .*Check its folder"):
        await Store(tmp_path / "file" / "inkling.db").open()


async def test_a_failed_transaction_is_rolled_back(store: Store):
    async def write() -> None:
        async with store.database.writing() as connection:
            await connection.execute("INSERT INTO files VALUES ('hash', ?)", (b"",))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write()
    assert await store.database.read("SELECT * FROM files") == []


async def test_deleted_data_is_removed_from_the_disk_while_the_bot_runs(in_file: Store, path: Path):
    def count_on_disk() -> int:
        return sum(file.read_bytes().count(b"a secret") for file in path.parent.iterdir())

    kept = await in_file.images.keep(1, 2, 3, ImagineRequest(prompt="a secret", image=b"a secret" * 2000), RESULT)
    assert count_on_disk() > 0
    await in_file.images.forget(kept.id)
    assert count_on_disk() == 0


async def test_a_database_with_a_write_ahead_log_is_changed_to_work_without_it(path: Path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    store = Store(path)
    await store.open()
    await store.images.keep(1, 2, 3, REQUEST, RESULT)
    assert [file.name for file in path.parent.glob("inkling*")] == ["inkling.db"]
    await store.close()


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancelled_write_does_not_block_later_writes(store: Store, turns: int):
    writing = asyncio.create_task(store.images.keep(1, 2, 3, REQUEST, RESULT))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    kept = await store.images.keep(1, 2, 4, REQUEST, RESULT)
    assert await store.images.get(kept.id) is not None


async def test_input_pictures_are_loaded_only_when_requested(store: Store):
    kept = await store.images.keep(1, 2, 3, REQUEST, RESULT)
    found = await store.images.get(kept.id, pictures=False)
    assert found is not None
    assert (found.request.image, found.request.mask, found.request.prompt) == (b"", b"", "a fox")


async def test_writing_to_a_closed_store_raises_an_error(store: Store):
    await store.close()
    with pytest.raises(StorageError, match="is not open"):
        await store.images.keep(1, 2, 3, REQUEST, RESULT)


async def test_a_private_image_is_deleted_after_a_day(store: Store):
    shown = await store.images.keep(1, 2, 3, REQUEST, RESULT, private=True)
    public = await store.images.keep(1, 2, 4, REQUEST, RESULT)
    await store.forget_expired(shown.created + 23 * 3600)
    assert await store.images.count_of(1) == 2
    await store.forget_expired(shown.created + 25 * 3600)
    assert await store.images.get(shown.id) is None
    assert await store.images.get(public.id) is not None


async def test_all_images_of_a_person_can_be_exported_and_deleted(store: Store):
    kept = await store.images.keep(1, 2, 3, REQUEST, RESULT, Lineage("parent", "variations", 2))
    other = await store.images.keep(5, 2, 4, ImagineRequest(prompt="a hare", image=b"another"), RESULT)
    [image] = (await kept_of(store, 1))["images"]
    assert (image["id"], image["message"], image["request"]["prompt"]) == (kept.id, 3, "a fox")
    assert image["lineage"] == {"image_id": "parent", "how": "variations", "picture": 2}
    names = await store.images.files_of(1)
    assert {name for name, _ in names} == {image["image"], image["mask"]}
    assert [(size, await store.images.file(name)) for name, size in names] == [(6, b"a mask"), (9, b"a picture")]
    await forget_all_of(store, 1)
    assert (await kept_of(store, 1))["images"] == []
    assert await files(store) == [b"another"]
    assert await store.images.get(other.id) is not None


async def test_the_oldest_images_with_files_are_deleted_beyond_the_bound_of_a_person(store: Store):
    images = ImageTable(store.database, bytes_per_person=100)
    plain = await images.keep(1, 2, 3, ImagineRequest(prompt="no files"), RESULT)
    foreign = await images.keep(9, 2, 3, replace(REQUEST, image=b"f" * 90), RESULT)
    rows = [await images.keep(1, 2, 3, replace(REQUEST, image=b"%d" % n * 40, mask=b""), RESULT) for n in range(4)]
    assert [await images.get(row.id) is not None for row in (plain, foreign, *rows)] == [1, 1, 0, 0, 1, 1]
    assert sorted(map(len, await files(store))) == [len(REQUEST.mask), 40, 40, 90]


async def test_the_space_of_deleted_files_goes_back_to_the_disk(in_file: Store, path: Path):
    await in_file.images.keep(1, 2, 3, replace(REQUEST, image=b"a" * 10**6), RESULT)
    assert size_of(path) > 10**6
    await in_file.forget_messages([3])
    await in_file.forget_expired(0.0)
    assert size_of(path) < 200_000
