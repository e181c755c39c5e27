"""The pages themselves: health, readiness, and an address that can't be used."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import cast

import pytest
from discord.ext import commands

import bot
import inference
from bot import create_bot
from cogs.client import Inkling
from cogs.metrics import Metrics
from inference import Address, Config, ConfigError, Engine, ModelSpec, ModelStatus, load_config
from tests.cogs.metrics.pages import address_of, get
from tests.cogs.stage import PatientEngine, Stage
from tests.fakes import FakeBackend


async def ready(stage: Stage) -> tuple[int, list[str]]:
    status, _, text = await get(stage.bot, "/ready")
    return status, json.loads(text)["reasons"]


async def test_a_bot_whose_event_loop_answers_is_alive(stage: Stage):
    stage.bot.dispatch("shard_disconnect", 0)
    await stage.env.settle()
    status, content_type, text = await get(stage.bot, "/health")
    assert (status, content_type, json.loads(text)) == (200, "application/json; charset=utf-8", {"alive": True})


async def test_a_connected_bot_is_ready(stage: Stage):
    assert await ready(stage) == (200, [])


async def test_a_bot_with_a_model_that_can_not_run_is_not_ready(stage: Stage):
    stage.backend.unusable = {"gpt2": "The device 'cuda:7' of the bot's settings is not on this machine."}
    assert await ready(stage) == (503, ["The device 'cuda:7' of the bot's settings is not on this machine."])


async def test_a_bot_is_not_ready_until_its_devices_were_checked(stage: Stage):
    engine = cast(Inkling, stage.bot).engine
    engine.found_problems = None
    assert await ready(stage) == (503, ["The devices are being checked."])
    await engine.check_devices()
    assert await ready(stage) == (200, [])


async def test_a_bot_without_the_gateway_is_not_ready_until_it_is_back(stage: Stage):
    stage.bot.dispatch("shard_disconnect", 0)
    await stage.env.settle()
    assert await ready(stage) == (503, ["The bot is not connected to Discord's gateway."])
    stage.bot.dispatch("shard_resumed", 0)
    await stage.env.settle()
    assert await ready(stage) == (200, [])


class WithoutModels(FakeBackend):
    """A backend that lacks the files of one model."""

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        missing = "bert-base-uncased"
        return [ModelStatus(spec, "not downloaded" if spec.name == missing else "on disk", 0) for spec in specs]


@pytest.mark.parametrize("download", [True, False])
class TestWithAMissingModel:
    @pytest.fixture
    def backend(self) -> FakeBackend:
        return WithoutModels()

    @pytest.fixture
    def config(self, config: Config, download: bool) -> Config:
        return config.model_copy(update={"download": download})

    async def test_a_bot_that_may_not_download_it_is_not_ready(self, stage: Stage, download: bool):
        reason = "The model bert-base-uncased for fill is not downloaded, and `download` is false."
        assert await ready(stage) == ((200, []) if download else (503, [reason]))


async def test_the_server_stops_with_the_bot(stage: Stage):
    address = address_of(stage.bot)
    cog = cast(Inkling, stage.bot).get_cog("Metrics")  # kept: a cog that is forgotten may stop its server too
    await stage.env.bot.close()
    assert cog
    with socket.socket() as probe:
        assert probe.connect_ex(tuple(address)) != 0


async def test_without_an_address_nothing_is_served(config: Config, engine: PatientEngine):
    engine.config = config.model_copy(update={"metrics": None})
    quiet = Metrics(create_bot(engine))
    await quiet.cog_load()
    assert quiet.address is None


def test_a_port_in_use_ends_the_bot_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def start(self: commands.AutoShardedBot, token: str, **_: object) -> None:
        await cast(Inkling, self).prepare()

    monkeypatch.setattr(inference, "create_engine", lambda config: Engine(config, FakeBackend()))
    monkeypatch.setattr(commands.AutoShardedBot, "start", start)
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "config.yaml").write_text(f"metrics: 127.0.0.1:{port}\n")
        assert bot.main(["--config", str(tmp_path / "config.yaml")]) == 1
    said = capsys.readouterr().err
    assert f"The metrics can't be served on 127.0.0.1:{port}: the port is in use. Choose another address" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "value",
    ["9464", "localhost", "':9464'", "localhost:0", "localhost:70000", "localhost:port", "yes", "off", "http://a:1"],
)
def test_an_address_that_is_none_is_a_problem_of_the_settings(tmp_path: Path, value: str):
    (tmp_path / "config.yaml").write_text(f"metrics: {value}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "config.yaml")
    [problem] = caught.value.problems
    assert problem.startswith("line 1, metrics: must be a host and a port, like 127.0.0.1:9464, not ")
    assert "Put a space" not in problem


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464)),
        ("bot.example.org:80", Address("bot.example.org", 80)),
        ("'[::1]:9464'", Address("::1", 9464)),
        ("", None),
    ],
)
def test_an_address_is_a_host_and_a_port(tmp_path: Path, value: str, address: Address | None):
    (tmp_path / "config.yaml").write_text(f"metrics: {value}\n")
    assert load_config(tmp_path / "config.yaml").metrics == address
