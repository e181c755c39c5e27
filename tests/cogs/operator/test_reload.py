"""Settings that change while the bot runs: by the panel, by a signal, and by the file alone."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cogs.operator import Operator
from cogs.operator.file_watcher import FileWatcher
from inference import Config, Started, load_config
from tests.cogs.operator.operator_panel import bot_of, last_line, operator, panel
from tests.cogs.settings.panels import private_text
from tests.cogs.stage import Stage, first
from tests.waiting import until

SETTINGS = """
data: kept
models:
  complete: [org/first]
  mood: [org/feeling]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def config(file: Path) -> Config:
    return load_config(file)


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def _reload(stage: Stage) -> str:
    olga = operator(stage)
    shown = await panel(stage, olga)
    await olga.click(shown, label="Read config.yaml again")
    return last_line(shown)


async def test_new_models_and_limits_hold_at_once(stage: Stage, file: Path):
    write(file, SETTINGS.replace("[org/first]", "[org/first, org/second]") + "limits: {prompt_characters: 5}\n")
    assert await _reload(stage) == "config.yaml was read again, and holds from now on."
    await stage.alice.slash(stage.channel, "complete", prompt="Once", model="second")
    assert [request.model for request in stage.backend.requests] == ["second"]
    assert first(await stage.alice.slash(stage.channel, "complete", prompt="Once upon")).ephemeral
    assert [len(config.models["complete"]) for config in stage.backend.applied] == [2]


async def test_a_request_for_a_model_that_is_left_out_goes_on(stage: Stage, file: Path):
    stage.backend.script = lambda spec, request: [Started()]
    running = await stage.alice.slash(stage.channel, "complete", prompt="Once")
    write(file, SETTINGS.replace("org/first", "org/other"))
    await _reload(stage)
    assert not stage.backend.tickets[0].cancelled
    assert "no model" not in first(running).content


@pytest.mark.parametrize("faulty", ["models: {complet: [org/first]}", "limits: {queue: 0}", "a: [", ""])
async def test_a_faulty_file_changes_nothing_and_says_why(
    stage: Stage, file: Path, faulty: str, caplog: pytest.LogCaptureFixture
):
    stage.backend.wrong = [] if faulty else ["line 3, models.complete.0: too large"]
    write(file, faulty or SETTINGS)
    olga = operator(stage)
    before = bot_of(stage).config
    said = private_text(await olga.click(await panel(stage, olga), label="Read config.yaml again"))
    assert said.startswith("config.yaml has problems, so nothing has changed:\n")
    assert bot_of(stage).config is before
    assert stage.backend.applied == []
    assert "nothing has changed, since" in caplog.text


async def test_what_needs_a_restart_is_named_and_the_data_folder_stays(stage: Stage, file: Path, tmp_path: Path):
    write(
        file,
        SETTINGS.replace("kept", "elsewhere")
        + "metrics: 127.0.0.1:1\ndiscord: {guild_ids: [5], message_content: yes}\n",
    )
    said = await _reload(stage)
    assert said.endswith("After a restart: `data, metrics, discord.guild_ids, discord.message_content`.")
    assert bot_of(stage).config.data == tmp_path / "kept"


async def test_the_level_of_the_log_changes(stage: Stage, file: Path):
    write(file, SETTINGS + "log_level: warning\n")
    await _reload(stage)
    assert logging.getLogger("cogs").level == logging.WARNING


async def test_a_signal_is_enough(stage: Stage, file: Path):
    write(file, SETTINGS + "limits: {pictures: 2}\n")
    bot_of(stage).dispatch("config_changed")
    await until(lambda: bot_of(stage).config.limits.pictures == 2, "the settings were not read")


async def test_the_bot_watches_its_file(stage: Stage, file: Path):
    cog = bot_of(stage).get_cog("Operator")
    assert isinstance(cog, Operator)
    watcher = cog.watcher
    assert watcher is not None
    write(file, SETTINGS + "limits: {pictures: 3}\n")
    watcher.look()
    await until(lambda: bot_of(stage).config.limits.pictures == 3, "the settings were not read")


async def test_a_faulty_file_after_a_signal_is_logged(stage: Stage, file: Path, caplog: pytest.LogCaptureFixture):
    write(file, "limits: {pictures: 0}")
    bot_of(stage).dispatch("config_changed")
    await until(lambda: "nothing has changed, since" in caplog.text, "nothing was logged")
    assert "limits.pictures" in caplog.text


async def test_the_watcher_notices_a_new_content(tmp_path: Path):
    path, calls = tmp_path / "config.yaml", list[str]()
    write(path, "a")
    watcher = FileWatcher(path, lambda: calls.append("changed"), pause=0.01)
    watcher.start()
    write(path, "longer")
    await until(lambda: bool(calls), "the change was not noticed")
    watcher.stop()
