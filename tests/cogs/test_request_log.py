"""The line that each request leaves in the log: what it was and how it ended, and nothing that people wrote."""

from __future__ import annotations

import json
import logging
from typing import cast

import pytest

from cogs.client import Inkling
from cogs.common.responder import responder_to
from cogs.common.rules import RequestOrigin
from cogs.common.target import Target
from cogs.logging_setup import JsonFormatter, TextFormatter, fields, set_up_logging
from cogs.request_log import RequestLog, log_request
from inference import (
    BatchEnded,
    Event,
    GenerationFailed,
    InferenceError,
    ModelSpec,
    Overloaded,
    Request,
    RequestEnded,
)
from tests.cogs.stage import Stage
from tests.fakes import PNG, plausible

ENDED = RequestEnded(
    "1f2e3d4c", "complete", "gpt2", "cpu", "7", "9", "answered", 0.25, 2.0, 0.5, units=64, unit="tokens"
)
SECRET = "Zaphod"
"""A word that stands in everything that people give and models say."""


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "cogs.request_log"]


@pytest.fixture(autouse=True)
def info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_a_request_has_one_line_with_its_ids(stage: Stage, caplog: pytest.LogCaptureFixture):
    await stage.alice.slash(stage.channel, "complete", prompt=SECRET)
    [line] = lines(caplog)
    said = vars(line)["fields"]
    assert (said["task"], said["model"], said["outcome"]) == ("complete", "gpt2-large", "answered")
    assert (said["person"], said["server"]) == (str(stage.alice.id), str(stage.guild.id))
    assert said["id"] == stage.backend.request_ids[0]


async def test_a_cog_that_is_loaded_again_writes_one_line(stage: Stage, caplog: pytest.LogCaptureFixture):
    await RequestLog(cast(Inkling, stage.bot)).cog_load()
    await stage.alice.slash(stage.channel, "complete", prompt=SECRET)
    assert len(lines(caplog)) == 1


async def test_a_refusal_that_comes_too_late_is_logged_without_its_words(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    place = stage.channel.id
    target = Target(
        "button",
        owner=stage.alice.id,
        origin=RequestOrigin(stage.alice.id, stage.guild.id, place, frozenset(), hideable=True),
        command="complete",
        channel=place,
        message=1,
        private=False,
        asker="",
        upload_limit=1,
        language="en",
        menus="en",
    )
    await responder_to(stage.bot, target).refuse(f"There is no model {SECRET}.")
    assert "could not be told in private" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("error", "outcome"), [(Overloaded("Full.", 1.0), "refused"), (GenerationFailed("It broke."), "failed")]
)
async def test_the_line_of_an_error_has_its_outcome_and_id(
    stage: Stage, caplog: pytest.LogCaptureFixture, error: InferenceError, outcome: str
):
    stage.backend.script = lambda spec, request: [error]
    await stage.alice.slash(stage.channel, "complete", prompt=SECRET)
    [line] = lines(caplog)
    said = vars(line)["fields"]
    assert said["outcome"] == outcome
    assert said.get("error", "") == (error.error_id if outcome == "failed" else "")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("complete", {"prompt": f"{SECRET} said"}),
        ("complete", {"prompt": "Who?", "model": SECRET}),
        ("ask", {"question": f"Who is {SECRET}?", "text": f"{SECRET} is here."}),
        ("summarize", {"text": f"{SECRET} went home. " * 30}),
        ("fill", {"text": f"{SECRET} is ___."}),
        ("mood", {"text": f"{SECRET} is fine"}),
        ("imagine", {"prompt": f"a portrait of {SECRET}"}),
        ("imagine", {"prompt": "a fox", "advanced": f"LoRA: {SECRET}"}),
    ],
)
async def test_nothing_that_people_write_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, command: str, options: dict[str, str]
):
    def answer_or_fail(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        return plausible(spec, request) if len(stage.backend.requests) == 1 else [GenerationFailed("It broke.")]

    stage.backend.script = answer_or_fail
    await stage.alice.slash(stage.channel, command, **options)
    await stage.alice.slash(stage.channel, command, **options)
    formatted = [form.format(record) for record in caplog.records for form in (TextFormatter(), JsonFormatter())]
    assert [line for line in formatted if SECRET in line] == []


async def test_the_name_of_a_picture_is_not_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture):
    await stage.alice.slash(stage.channel, "caption", image=(f"{SECRET}.png", PNG))
    assert len(lines(caplog)) == 1
    assert SECRET not in caplog.text


def test_as_text_the_fields_follow_the_message(caplog: pytest.LogCaptureFixture):
    log_request(ENDED)
    line = TextFormatter().format(lines(caplog)[0])
    assert line.endswith(
        " INFO cogs.request_log: request ended id=1f2e3d4c task=complete model=gpt2 person=7 server=9 outcome=answered "
        "waited=0.25 ran=2.0 tokens=64 tokens_per_second=32.0 device=cpu"
    )


def test_as_json_the_fields_are_keys(caplog: pytest.LogCaptureFixture):
    log_request(ENDED)
    line = JsonFormatter().format(lines(caplog)[0])
    assert "\n" not in line
    data = json.loads(line)
    assert data.pop("time").endswith("+00:00")
    assert data == {
        "level": "info",
        "logger": "cogs.request_log",
        "message": "request ended",
        "id": "1f2e3d4c",
        "task": "complete",
        "model": "gpt2",
        "person": "7",
        "server": "9",
        "outcome": "answered",
        "waited": 0.25,
        "ran": 2.0,
        "tokens": 64,
        "tokens_per_second": 32.0,
        "device": "cpu",
    }


def test_other_observations_leave_no_line(caplog: pytest.LogCaptureFixture):
    log_request(BatchEnded("cpu", "complete", "gpt2", 1, 1.0))
    assert lines(caplog) == []


def test_a_value_with_spaces_or_newlines_can_not_look_like_another_field(caplog: pytest.LogCaptureFixture):
    logging.getLogger("cogs").info("said", extra=fields({"outcome": "timed out", "model": "a\nb=c"}))
    assert TextFormatter().format(caplog.records[-1]).endswith(r'said outcome="timed out" model="a\nb=c"')


def test_as_json_a_traceback_is_text_in_the_same_line(capsys: pytest.CaptureFixture[str]):
    set_up_logging("json", "info")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("discord.client").exception("it failed for %s", "ü")
    [line] = capsys.readouterr().err.splitlines()
    data = json.loads(line)
    assert (data["level"], data["logger"], data["message"]) == ("error", "discord.client", "it failed for ü")
    assert data["traceback"].endswith("ValueError: broken")


def test_a_second_set_up_replaces_the_first(capsys: pytest.CaptureFixture[str]):
    set_up_logging()
    set_up_logging("text", "warning")
    logging.getLogger("cogs").info("not important")
    logging.getLogger("cogs").warning("important")
    assert [line.partition(" WARNING ")[2] for line in capsys.readouterr().err.splitlines()] == ["cogs: important"]


def test_at_debug_discord_py_does_not_write_what_people_say(capsys: pytest.CaptureFixture[str]):
    set_up_logging("text", "debug")
    logging.getLogger("discord.gateway").debug("Zaphod said hello")
    logging.getLogger("cogs").debug("ours")
    assert [line.partition(" DEBUG ")[2] for line in capsys.readouterr().err.splitlines()] == ["cogs: ours"]
