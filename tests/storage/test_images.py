"""What is kept of a drawing, and that it goes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from inference import GeneratedImage, ImageResult, ImagineRequest, Variation
from storage import Lineage, StorageError, Store
from tests.fakes import forget_all_of, kept_of

REQUEST = ImagineRequest(
    prompt="a fox",
    sampler="Euler a",
    variations=(Variation(9, 0.2),),
    image=b"a picture",
    mask=b"a mask",
    strength=0.6,
)
DRAWING = ImageResult(
    (GeneratedImage(b"png", 7), GeneratedImage(b"", 7, True, (Variation(10, 0.2),))), 512, 768, 25, 7.5, "Euler a", 0.6
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "inkling.db"


@pytest.fixture
async def store(path: Path) -> AsyncGenerator[Store]:
    store = Store(path)
    await store.open()
    yield store
    await store.close()


def files(path: Path) -> list[bytes]:
    with sqlite3.connect(path) as connection:
        return [data for (data,) in connection.execute("SELECT data FROM files ORDER BY data")]


async def test_a_drawing_is_kept_with_all_that_repeats_it_but_without_its_pixels(store: Store, path: Path):
    kept = await store.images.keep(1, 2, 3, REQUEST, DRAWING, Lineage("parent", "variations", 2))
    await store.close()
    await store.open()
    found = await store.images.get(kept.id)
    assert found is not None
    assert (found.owner, found.channel, found.message, found.created) == (1, 2, 3, kept.created)
    assert found.request == REQUEST
    assert found.lineage == Lineage("parent", "variations", 2)
    assert [picture.png for picture in found.result.pictures] == [b"", b""]
    assert found.result.pictures[1] == DRAWING.pictures[1]
    assert (found.result.sampler, found.result.strength, found.result.width) == ("Euler a", 0.6, 512)


async def test_equal_files_are_kept_once_and_go_with_the_last_drawing_that_needs_them(store: Store, path: Path):
    one = await store.images.keep(1, 2, 3, REQUEST, DRAWING)
    two = await store.images.keep(1, 2, 4, ImagineRequest(prompt="a hare", image=b"a picture"), DRAWING)
    assert files(path) == [b"a mask", b"a picture"]
    await store.images.forget(one.id)
    assert files(path) == [b"a picture"]
    await store.images.forget(two.id)
    assert files(path) == []


async def test_drawings_go_with_their_messages_and_channels(store: Store):
    kept = [await store.images.keep(1, channel, message, REQUEST, DRAWING) for channel, message in
            ((1, 10), (1, 11), (2, 12), (3, 13))]  # fmt: skip
    await store.images.forget_messages([10, 11])
    await store.images.forget_channels([2])
    assert [await store.images.get(one.id) is not None for one in kept] == [False, False, False, True]


async def test_a_file_of_a_newer_version_is_left_alone_and_said_so(path: Path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match=r"inkling.db can't be used: a newer version of the bot wrote it"):
        await Store(path).open()


@pytest.fixture
def not_a_database(path: Path) -> Path:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    return path


async def test_a_file_that_is_no_database_is_told(not_a_database: Path):
    with pytest.raises(StorageError, match="file is not a database"):
        await Store(not_a_database).open()


async def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"inkling.db can't be used: .*Check its folder"):
        await Store(tmp_path / "file" / "inkling.db").open()


async def test_what_fails_half_way_leaves_nothing(store: Store):
    async def write() -> None:
        async with store.database.writing() as connection:
            await connection.execute("INSERT INTO files VALUES ('hash', x'00')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write()
    assert await store.database.read("SELECT * FROM files") == []


async def test_of_what_is_forgotten_nothing_is_on_the_disk_while_the_bot_runs(store: Store, path: Path):
    def words() -> int:
        return sum(file.read_bytes().count(b"a secret") for file in path.parent.iterdir())

    kept = await store.images.keep(1, 2, 3, ImagineRequest(prompt="a secret", image=b"a secret" * 2000), DRAWING)
    assert words() > 0
    await store.images.forget(kept.id)
    assert words() == 0


async def test_a_file_with_a_write_ahead_log_is_taken_over_without_it(path: Path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    store = Store(path)
    await store.open()
    await store.images.keep(1, 2, 3, REQUEST, DRAWING)
    assert [file.name for file in path.parent.iterdir()] == ["inkling.db"]
    await store.close()


@pytest.mark.parametrize("turns", range(12))
async def test_a_write_that_is_cancelled_at_any_moment_hinders_no_later_one(store: Store, turns: int):
    writing = asyncio.create_task(store.images.keep(1, 2, 3, REQUEST, DRAWING))
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    kept = await store.images.keep(1, 2, 4, REQUEST, DRAWING)
    assert await store.images.get(kept.id) is not None


async def test_pictures_are_left_where_they_are_when_nobody_needs_them(store: Store):
    kept = await store.images.keep(1, 2, 3, REQUEST, DRAWING)
    found = await store.images.get(kept.id, pictures=False)
    assert found is not None
    assert (found.request.image, found.request.mask, found.request.prompt) == (b"", b"", "a fox")


async def test_a_closed_store_says_so_to_those_that_still_write(store: Store):
    await store.close()
    with pytest.raises(StorageError, match="is not open"):
        await store.images.keep(1, 2, 3, REQUEST, DRAWING)


async def test_what_one_person_alone_was_shown_goes_after_a_day(store: Store):
    shown = await store.images.keep(1, 2, 3, REQUEST, DRAWING, private=True)
    public = await store.images.keep(1, 2, 4, REQUEST, DRAWING)
    await store.forget_expired(shown.created + 23 * 3600)
    assert await store.images.count_of(1) == 2
    await store.forget_expired(shown.created + 25 * 3600)
    assert await store.images.get(shown.id) is None
    assert await store.images.get(public.id) is not None


async def test_all_of_a_persons_can_be_handed_out_and_forgotten(store: Store, path: Path):
    kept = await store.images.keep(1, 2, 3, REQUEST, DRAWING, Lineage("parent", "variations", 2))
    other = await store.images.keep(5, 2, 4, ImagineRequest(prompt="a hare", image=b"another"), DRAWING)
    [drawing] = (await kept_of(store, 1))["images"]
    assert (drawing["id"], drawing["message"], drawing["request"]["prompt"]) == (kept.id, 3, "a fox")
    assert drawing["lineage"] == {"image_id": "parent", "how": "variations", "picture": 2}
    names = await store.images.files_of(1)
    assert {name for name, _ in names} == {drawing["image"], drawing["mask"]}
    assert [(size, await store.images.file(name)) for name, size in names] == [(6, b"a mask"), (9, b"a picture")]
    await forget_all_of(store, 1)
    assert (await kept_of(store, 1))["images"] == []
    assert files(path) == [b"another"]
    assert await store.images.get(other.id) is not None
