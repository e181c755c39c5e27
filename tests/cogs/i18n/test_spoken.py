"""Answers in the language of the person: messages, buttons, forms, errors and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
import pytest
from simcord import Env

from inference import ImageResult, InvalidRequest, Phrase, Progress, Queued, Result
from inference.types.errors import join_phrases
from tests.cogs.stage import Stage, buttons, first, refusal
from tests.fakes import drawn


@pytest.fixture
def german(simcord_env: Env) -> None:
    """Set the locale of all interactions to German. SimCord sends English."""
    emit = simcord_env.backend.emit

    def emit_in_german(event: str, payload: Mapping[str, Any]) -> None:
        if event == "INTERACTION_CREATE":
            payload = {**payload, "locale": "de"}
        emit(event, payload)

    simcord_env.backend.emit = emit_in_german


@pytest.mark.usefixtures("german")
class TestGerman:
    async def test_a_refusal_translates_its_option_and_its_numbers(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="x" * 6000, length=4096))
        assert said == "Der Wert bei „Länge“ muss zwischen 1 und 512 liegen, nicht bei 4.096."

    async def test_the_error_for_an_unknown_model_names_the_command_in_german(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "imagine", prompt="a fox", model="oil"))
        assert said.startswith("Für /malen gibt es kein Modell 'oil'. Es gibt: ")

    async def test_progress_is_translated(self, stage: Stage):
        stage.backend.script = lambda spec, request: []
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        await stage.event(Progress(1, 30))
        await stage.env.advance_time(10)
        await stage.event(Progress(5, 30))
        await stage.env.advance_time(10)
        assert "Schritt 5 von 30, noch etwa" in first(result).content
        assert buttons(first(result)) == ["Abbrechen"]

    async def test_the_settings_line_and_the_buttons_of_a_drawing_are_translated(self, stage: Stage):
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        assert "25 Schritte" in first(result).content
        assert buttons(first(result)) == ["Abwandeln", "Bearbeiten", "Neu würfeln", "Remix", "Parameter", "Löschen"]
        said = refusal(await stage.bob.click(first(result), label="Neu würfeln"))
        assert said.startswith("Diese Knöpfe kann nur benutzen, wer das Bild bestellt hat. Lass mit /malen")

    async def test_notes_of_a_model_are_translated(self, stage: Stage):
        notes = join_phrases(
            [Phrase("This model takes no LoRA."), Phrase("This model always takes {steps} steps.", steps=9)]
        )

        def script(spec: Any, request: Any) -> list[Any]:
            drawing = drawn(request)
            return [Result(ImageResult(drawing.pictures, 64, 64, 25, 7.5, note=notes))]

        stage.backend.script = script
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        assert "Dieses Modell nimmt keine LoRA. Dieses Modell braucht immer 9 Schritte." in first(result).content

    async def test_a_running_job_refuses_other_people_in_german(self, stage: Stage):
        stage.backend.script = lambda spec, request: [Queued(2)]
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        said = refusal(await stage.bob.click(first(result), label="Abbrechen"))
        assert said == "Abbrechen kann das nur, wer gefragt hat."

    async def test_a_cancelled_job_is_reported_in_german(self, stage: Stage):
        stage.backend.script = lambda spec, request: [Queued(2)]
        result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
        await stage.alice.click(first(result), label="Abbrechen")
        assert first(result).content == "Abgebrochen."

    async def test_a_failure_is_reported_in_german(self, stage: Stage):
        stage.backend.script = lambda spec, request: [
            InvalidRequest("The {name} is empty. Write something first.", name=Phrase("prompt"))
        ]
        said = refusal(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
        assert said == "Bei „Beschreibung“ steht nichts. Schreib erst etwas."

    async def test_an_error_in_a_form_is_reported_in_german(self, stage: Stage):
        drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
        form = await stage.alice.click(drawing, label="Remix")
        said = refusal(await stage.alice.submit_modal(form, {"prompt": "a fox", "seed": "many"}))
        assert said.startswith("Bei „Seed“ muss eine ganze Zahl stehen, nicht 'many'.")

    async def test_help_is_translated(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "help", command="fill"))
        assert said.startswith("**/ausfüllen**\nErrät die fehlenden Wörter eines Textes.")
        assert "`/ausfüllen text: Die Hauptstadt von Frankreich ist ___.`" in said


async def test_a_reply_is_answered_in_the_language_of_the_server(stage: Stage):
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    await guild.edit(preferred_locale=discord.Locale.german)
    await stage.alice.send(stage.channel, f"{stage.mention} caption")
    assert stage.last_text.startswith("An dieser Nachricht hängt kein Bild.")
