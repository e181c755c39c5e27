"""/privacy: a list of the stored data of a person, its export, and its deletion."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from discord.ext import commands
from simcord import InteractionResult

from cogs.client import Inkling
from cogs.common.personal_data import PersonalData, PersonalPicture
from cogs.imagine.personal_data import PersonalImages
from cogs.privacy.export import archive
from inference import Config, GeneratedImage, ImageResult, ImagineRequest, InvalidRequest, PartialText
from storage import PersonSettings, Store
from tests.cogs.settings.panels import panel, private_text, store_of
from tests.cogs.stage import Stage, buttons, first
from tests.fakes import PNG, forget_all_of, kept_of, model_lists

DRAWING = ImageResult((GeneratedImage(b"", 7),), 512, 512, 25, 7.5)


async def unpack_export(result: InteractionResult) -> zipfile.ZipFile:
    """Return the archive of an export."""
    [message] = result.followups
    assert message.ephemeral
    [file] = message.attachments
    assert file.filename == "inkling.zip"
    return zipfile.ZipFile(io.BytesIO(await file.read()))


def exported_data(file: zipfile.ZipFile) -> dict[str, Any]:
    return json.loads(file.read("kept.json"))


async def use_everything(stage: Stage) -> None:
    """Let Alice draw from a picture, complete a text, ask a question, and choose a language."""
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox", image=("hut.png", PNG))
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.slash(stage.channel, "ask", question="Who?", text="Maya drew the hut.")
    await store_of(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings(language="en"))


async def test_stored_data_and_its_retention_are_shown_in_private(stage: Stage):
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    await stage.alice.slash(stage.channel, "imagine", prompt="a hare")
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    assert "- 2 drawings: " in answer.content
    assert "- 1 text of /complete: " in answer.content
    assert "answers of /ask " not in answer.content
    assert "until that message is deleted" in answer.content
    assert buttons(answer) == ["Get it as a file", "Delete all of it"]
    assert "\n- Nothing at the moment.\n" in panel(await stage.bob.slash(stage.channel, "privacy")).content


async def test_the_machine_is_named_on_which_models_run(stage: Stage):
    shown = panel(await stage.alice.slash(stage.channel, "privacy")).content
    assert "Models run on the machine that runs this bot." in shown


class TestModelsOnServers:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        entries = [{"openai": f"http://{host}/v1", "name": "m"} for host in ("models.example", "models.example:81")]
        lists = model_lists(chat=entries[:1], complete=entries[:1], ask=entries[1:])
        return config.model_copy(update={"models": lists})

    async def test_the_servers_to_which_texts_go_are_named(self, stage: Stage):
        shown = panel(await stage.alice.slash(stage.channel, "privacy")).content
        assert "Some models run on other servers: `models.example`, `models.example:81`. What you write" in shown
        assert "Models run on the machine that runs this bot. What" not in shown


class TestModelsOnACluster:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"ray": "auto"})

    async def test_people_are_told_that_texts_may_go_to_other_machines(self, stage: Stage):
        shown = panel(await stage.alice.slash(stage.channel, "privacy")).content
        assert "belongs to a cluster: what you write or send may also go to the other machines" in shown


async def test_the_export_has_all_data_of_one_person_and_none_of_others(stage: Stage):
    await use_everything(stage)
    await stage.bob.slash(stage.channel, "imagine", prompt="a secret")
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    file = await unpack_export(await stage.alice.click(answer, label="Get it as a file"))
    kept = exported_data(file)
    assert kept["person"] == stage.alice.id
    assert kept["settings"]["language"] == "en"
    [drawing] = kept["images"]
    assert drawing["request"]["prompt"] == "a fox"
    assert file.read(f"pictures/{drawing['image']}.png") == PNG
    assert datetime.fromisoformat(drawing["created"]).tzinfo
    assert "kept.json" in file.read("README.txt").decode()
    [text] = kept["completions"]
    assert text["history"]["request"]["prompt"] == "Once"
    [asked] = kept["answers"]
    assert asked["answer"]["question"] == "Who?"
    assert "a secret" not in json.dumps(kept)


async def test_pictures_over_the_upload_limit_are_left_out_and_counted(tmp_path: Path):
    store = Store(tmp_path / "inkling.db")
    await store.open()
    for size in (100, 50_000, 5_000):
        request = ImagineRequest(prompt="a fox", image=Random(size).randbytes(size))
        await store.images.keep(1, 2, 3, request, DRAWING)
    data, left_out = await archive([PersonalImages(store.images)], 1, 10_000)
    with pytest.raises(InvalidRequest, match="takes more than"):
        await archive([PersonalImages(store.images)], 1, 500)
    await store.close()
    sizes = [info.file_size for info in zipfile.ZipFile(io.BytesIO(data)).infolist()[2:]]
    assert (sizes, left_out) == ([100, 5_000], 1)
    assert len(data) <= 10_000


async def test_everything_is_deleted_after_a_confirmation(stage: Stage):
    await use_everything(stage)
    await stage.bob.slash(stage.channel, "complete", prompt="Twice")
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    await stage.alice.click(answer, label="Delete all of it")
    assert "The messages themselves stay in Discord" in answer.content
    await stage.alice.click(answer, label="Delete for good")
    assert answer.content.startswith("Done. Nothing is kept of you any more")
    assert not answer.components
    nothing: dict[str, list[object]] = {"images": [], "completions": [], "sent_answers": []}
    kept = await kept_of(store_of(stage), stage.alice.id)
    assert kept == {"settings": {"models": {}, "language": "", "private": False}, **nothing}
    assert await store_of(stage).answers.export_of(stage.alice.id) == []
    assert len((await kept_of(store_of(stage), stage.bob.id))["completions"]) == 1


async def test_running_requests_are_cancelled_before_everything_is_deleted(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" upon")]
    texts = [first(await who.slash(stage.channel, "complete", prompt="Once")) for who in (stage.alice, stage.bob)]
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    await stage.alice.click(answer, label="Delete all of it")
    await stage.alice.click(answer, label="Delete for good")
    assert answer.content.startswith("Done.")
    assert [ticket.cancelled for ticket in stage.backend.tickets] == [True, False]
    assert [text.content.endswith("▌") for text in texts] == [False, True]
    assert (await kept_of(store_of(stage), stage.alice.id))["completions"] == []


async def test_nothing_is_deleted_without_the_confirmation(stage: Stage):
    await use_everything(stage)
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    await stage.alice.click(answer, label="Delete all of it")
    await stage.alice.click(answer, label="Keep it")
    assert "- 1 drawing: " in answer.content
    assert len((await kept_of(store_of(stage), stage.alice.id))["images"]) == 1


async def test_the_buttons_of_deleted_data_say_that_it_is_no_longer_stored(stage: Stage):
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await forget_all_of(store_of(stage), stage.alice.id)
    assert private_text(await stage.alice.click(drawing, label="Re-roll")).startswith(
        "I no longer know how this was drawn"
    )


async def test_privacy_works_where_the_server_does_not_allow_the_bot(stage: Stage):
    servers = store_of(stage).settings.servers
    await servers.change(stage.guild.id, lambda settings: replace(settings, channels=(1,)))
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    await unpack_export(await stage.alice.click(answer, label="Get it as a file"))


async def test_a_failed_deletion_is_reported(stage: Stage):
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    await stage.alice.click(answer, label="Delete all of it")
    await store_of(stage).close()
    assert "I can't read or store anything" in private_text(await stage.alice.click(answer, label="Delete for good"))


class Stamps(PersonalData):
    """Personal data that /privacy does not know."""

    name = "stamps"

    def __init__(self, *owners: int) -> None:
        self.owners = set(owners)

    async def describe(self, person: int) -> str:
        return f"{int(person in self.owners)} stamp"

    async def export(self, person: int) -> list[str]:
        return ["red"] if person in self.owners else []

    async def pictures(self, person: int) -> list[PersonalPicture]:
        async def read() -> bytes:
            return PNG

        return [PersonalPicture("stamp", len(PNG), read)] if person in self.owners else []

    async def forget(self, person: int) -> None:
        self.owners.discard(person)


class StampAlbum(commands.Cog):
    """A cog that stores stamps of people."""

    def __init__(self, bot: Inkling, stamps: Stamps) -> None:
        bot.personal_data.append(stamps)


async def test_data_of_another_cog_is_shown_exported_and_deleted_too(stage: Stage):
    bot, stamps = cast(Inkling, stage.bot), Stamps(1, stage.alice.id)
    await bot.add_cog(StampAlbum(bot, stamps))
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    assert "- 1 stamp\n" in answer.content
    file = await unpack_export(await stage.alice.click(answer, label="Get it as a file"))
    assert exported_data(file)["stamps"] == ["red"]
    assert file.read("pictures/stamp.png") == PNG
    await stage.alice.click(answer, label="Delete all of it")
    await stage.alice.click(answer, label="Delete for good")
    assert stamps.owners == {1}
