"""The command `download`, against a fake hub, with the check that it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inference.backends.model_check import ModelCheck
from inference.cli import execute
from inference.cli.arguments import parse
from inference.hub.hub import Hub
from tests.inference.cli.command_line import CommandLine, Outcome
from tests.inference.hub.fake_hub import FakeHub
from tests.inference.hub.test_before_the_download import BERT, OWN_CODE, model, weights_requested


def download(run: CommandLine, fake: FakeHub, config: str, *names: str) -> Outcome:
    (run.folder / "config.yaml").write_text(config)
    status = execute(
        parse(["--config", str(run.folder / "config.yaml"), "--json", "download", *names]),
        hub_factory=lambda config: Hub(
            config, check=ModelCheck(config), endpoint=fake.endpoint, cache=run.folder / "cache"
        ),
    )
    return Outcome(status, *run.read())


def test_a_model_is_checked_for_each_task_that_lists_it(run: CommandLine, fake_hub: FakeHub) -> None:
    fake_hub.files["org/bert"] = model(BERT)
    outcome = download(run, fake_hub, "models: {fill: [org/bert], summarize: [org/bert], ask: [org/bert]}")
    assert outcome.status == 2
    assert [fields["repo"] for fields in outcome.fields["models"]] == ["org/bert"]
    assert [line.split(":")[0] for line in outcome.err.splitlines()] == [
        "bert can't serve /summarize",
        "bert can't serve /ask",
    ]


def test_a_refused_model_is_not_downloaded_and_the_others_are(run: CommandLine, fake_hub: FakeHub) -> None:
    fake_hub.files |= {"org/own": model(OWN_CODE), "org/bert": model(BERT)}
    outcome = download(run, fake_hub, "models: {complete: [org/own], ask: [org/own], fill: [org/bert]}")
    assert outcome.status == 2
    assert [fields["repo"] for fields in outcome.fields["models"]] == ["org/bert"]
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("own comes with its own program code, which is not run here.")
    assert weights_requested(fake_hub) == ["model.safetensors"]
    assert json.loads((run.folder / "data" / "commits.json").read_text()).keys() == {"org/bert"}


def test_a_model_that_is_not_listed_may_be_of_any_kind(run: CommandLine, fake_hub: FakeHub) -> None:
    fake_hub.files["org/bert"] = model(BERT)
    assert download(run, fake_hub, "models: {complete: [org/own]}", "org/bert").status == 0


@pytest.mark.parametrize("command", [["complete", "Once"], ["download"]])
def test_the_program_checks_before_it_downloads(fake_hub: FakeHub, tmp_path: Path, command: list[str]) -> None:
    fake_hub.files["org/own"] = model(OWN_CODE)
    (tmp_path / "config.yaml").write_text("models: {complete: [org/own]}\ndevice: cpu")
    outcome = subprocess.run(
        [sys.executable, "-m", "inference", "--config", str(tmp_path / "config.yaml"), *command],
        env={**os.environ, "HF_ENDPOINT": fake_hub.endpoint, "HF_HUB_CACHE": str(tmp_path / "cache")},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert outcome.returncode == 2
    assert "own comes with its own program code, which is not run here." in outcome.stderr
    assert weights_requested(fake_hub) == []
