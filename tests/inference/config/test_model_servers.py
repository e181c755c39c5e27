"""Models on servers in the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.types import ModelServer
from tests.inference.config.test_config import load, problems


def test_a_model_on_a_server_has_its_address_and_its_name_there(tmp_path: Path) -> None:
    (spec,) = load(
        tmp_path,
        "models: {chat: [{openai: 'http://127.0.0.1:8000/v1/', name: Qwen/Qwen3-8B, api_key_env: MY_KEY, thinking: yes,"
        " sees_pictures: yes, context_length: 32768, max_concurrency: 8}]}",
    ).specs("chat")
    assert (spec.name, spec.repo, spec.thinking) == ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B", True)
    assert spec.server
    assert spec.server == ModelServer(
        url="http://127.0.0.1:8000/v1",
        api_key_env="MY_KEY",
        sees_pictures=True,
        context_length=32768,
        max_concurrency=8,
    )
    assert spec.server.host == "127.0.0.1:8000"


def test_an_address_without_a_path_gets_the_usual_one(tmp_path: Path) -> None:
    (spec,) = load(tmp_path, "models: {chat: [{openai: 'https://models.example', name: m}]}").specs("chat")
    assert spec.server
    assert spec.server.url == "https://models.example/v1"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{name: m}", "must have either `repo` (a hub id or a folder), or `openai` (the address of a server)"),
        ("{repo: org/m, openai: 'http://h/v1', name: m}", "and not both"),
        ("{openai: 'http://h/v1'}", "must have `name`, the model's name on the server"),
        ("{openai: 'http://h/v1', name: m, dtype: float32, device: cpu}", "decides this itself: `dtype`, `device`."),
        ("{repo: org/m, sees_pictures: yes}", "only a model on a server (`openai`) has: `sees_pictures`."),
        ("{openai: 'h:8000', name: m}", "must be the address of a server with http:// or https://"),
        ("{openai: 'http://h:port/v1', name: m}", "must be the address of a server with http:// or https://"),
        ("{openai: 'http://h/v1', name: m, context_length: 5}", "must be a whole number of at least 256"),
    ],
)
def test_a_wrong_entry_is_told_in_a_sentence(tmp_path: Path, entry: str, problem: str) -> None:
    (found,) = problems(tmp_path, f"models: {{chat: [{entry}]}}")
    assert found.startswith("line 1, models.chat[0]")
    assert problem in found


@pytest.mark.parametrize(
    "entry",
    [
        "{openai: 'http://h/v1', name: m, api_key_env: sk-s3cret}",
        "{openai: 'http://bot:sk-s3cret@h/v1', name: m}",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, entry: str) -> None:
    (found,) = problems(tmp_path, f"models: {{chat: [{entry}]}}")
    assert "environment variable" in found
    assert "s3cret" not in found


def test_a_server_serves_only_tasks_of_texts(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "models: {imagine: [{openai: 'http://h/v1', name: m}]}")
    assert "can't do `imagine`. List it under one of: chat, complete, ask, summarize, caption" in found
