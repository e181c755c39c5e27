"""Servers that fail: one sentence each, no second request that could double an answer, and no key anywhere."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from inference.backends.openai import client
from inference.tasks import Tool
from inference.types.errors import (
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelNotServed,
    ModelUnavailable,
    Overloaded,
)
from tests.inference.backends.openai.conftest import Harness, say
from tests.inference.backends.openai.fake_server import (
    FakeServer,
    Reply,
    answering,
    chunk,
    refusing,
    saying,
    send,
    streaming,
)

TOOL = Tool("draw", "Draw a picture.", '{"type": "object"}')
HTML = "<html><body>It works!</body></html>"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (refusing(401, '{"error": "no"}'), ModelUnavailable, "wants a key, and the bot has none"),
        (refusing(404, '{"error": {"message": "model m not found"}}'), ModelNotServed, "has no model m"),
        (refusing(404, "nothing here"), ModelUnavailable, "does not speak OpenAI's API"),
        (refusing(404, HTML, kind="text/html"), ModelUnavailable, "does not speak OpenAI's API"),
        (refusing(200, HTML, kind="text/html"), ModelUnavailable, "does not speak OpenAI's API"),
        (refusing(307, headers={"Location": "/else"}), ModelUnavailable, "does not speak OpenAI's API"),
        (refusing(500, "out of cheese"), GenerationFailed, "has failed on this request"),
        (refusing(400, '{"error": "maximum context length is 8"}'), InvalidRequest, "too long for m"),
        (refusing(200, "{oh no"), GenerationFailed, "can't be read"),
        (refusing(200, "[1, 2]"), GenerationFailed, "can't be read"),
        (streaming(b"data: {broken\n\n"), GenerationFailed, "can't be read"),
        (streaming(b"data: [1]\n\n"), GenerationFailed, "can't be read"),
        (streaming(b'data: {"choices": [{"delta": 5}]}\n\n'), GenerationFailed, "can't be read"),
        (streaming(b"data: \xff\n\n"), GenerationFailed, "can't be read"),
        (streaming(b"data: " + b"x" * 3_000_000 + b"\n\n"), GenerationFailed, "can't be read"),
        (streaming(b'data: {"error": {"message": "out of cheese"}}\n\n'), GenerationFailed, "has failed"),
    ],
)
async def test_what_is_wrong_is_told_in_a_sentence(
    harness: Harness, server: FakeServer, reply: Reply, kind: type[InferenceError], words: str
) -> None:
    server.reply = reply
    error = await harness.outcome(say())
    assert type(error) is kind
    assert words in error.user_message, error.user_message
    assert "cheese" not in error.user_message
    assert len(server.bodies) == 1


async def test_an_answer_that_is_cut_in_the_middle_fails_and_is_not_asked_for_again(
    harness: Harness, server: FakeServer
) -> None:
    async def cut(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await send(request, chunk(content="Once"))

    async def broken(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(chunk(content="Once"))
        assert request.transport
        request.transport.close()
        return response

    for reply in (cut, broken):
        server.reply = reply
        error = await harness.outcome(say())
        assert isinstance(error, GenerationFailed)
        assert "in the middle of the answer" in error.user_message
    assert len(server.bodies) == 2


async def test_a_server_that_is_not_there_is_told_with_its_host(tmp_path: Path) -> None:
    harness = Harness("http://127.0.0.1:9/v1", tmp_path)
    error = await harness.outcome(say())
    assert isinstance(error, ModelUnavailable)
    assert "The server 127.0.0.1:9, which runs this model, can't be reached." in error.user_message
    await harness.backend.close()


async def test_an_address_with_the_wrong_beginning_is_told(server: FakeServer, tmp_path: Path) -> None:
    harness = Harness(server.url.replace("http://", "https://"), tmp_path)
    error = await harness.outcome(say())
    assert isinstance(error, ModelUnavailable)
    assert "does not encrypt its connections, so nothing was sent to it." in error.user_message
    assert server.bodies == []
    await harness.backend.close()


async def test_a_failed_encryption_is_no_reason_to_do_without_it(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))  # the fatal alert "handshake_failure" of TLS 1.2
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        harness = Harness(f"https://127.0.0.1:{port}/v1", tmp_path)
        error = await harness.outcome(say())
        await harness.backend.close()
    assert isinstance(error, ModelUnavailable)
    assert "No encrypted connection to the server" in error.user_message
    assert "check its TLS settings (SSLV3_ALERT_HANDSHAKE_FAILURE)." in error.user_message
    assert "http://" not in error.user_message


async def test_a_name_that_the_network_does_not_know_is_told(tmp_path: Path) -> None:
    harness = Harness("http://no-such-host.invalid/v1", tmp_path)
    error = await harness.outcome(say())
    assert isinstance(error, ModelUnavailable)
    assert "The network does not know the server no-such-host.invalid." in error.user_message
    await harness.backend.close()


async def test_a_silent_server_is_left_after_a_while(
    harness: Harness, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for _ in request.content:
            pass
        await _forever()
        return response

    server.reply = silent
    impatient = client.ServerClient(harness.spec("chat").server, silent_seconds=0.05)  # type: ignore[arg-type]
    with pytest.raises(GenerationFailed, match="has sent nothing for 0 seconds"):
        _ = [delta async for delta in impatient.stream("/chat/completions", {"model": "m"})]
    await impatient.close()


async def _forever() -> None:

    await asyncio.Event().wait()


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_once_more_after_the_time_that_it_names(
    harness: Harness, server: FakeServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(client, "_USUAL_WAIT", 0.01)
    server.reply = answering(refusing(status, headers={"Retry-After": "0"}), saying("Well."))
    assert (await harness.outcome(say())).text == "Well."
    assert len(server.bodies) == 2


async def test_a_server_that_stays_busy_is_overloaded(
    harness: Harness, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_USUAL_WAIT", 0.01)
    server.reply = refusing(503)
    error = await harness.outcome(say())
    assert isinstance(error, Overloaded)
    assert len(server.bodies) == 2


async def test_who_would_wait_too_long_is_told_how_long(harness: Harness, server: FakeServer) -> None:
    server.reply = refusing(429, headers={"Retry-After": "90"})
    error = await harness.outcome(say())
    assert isinstance(error, Overloaded)
    assert (error.retry_after, len(server.bodies)) == (90, 1)
    assert "is busy. Try again in about 90 seconds" in error.user_message


async def test_fields_that_the_server_does_not_know_are_left_out_from_then_on(
    harness: Harness, server: FakeServer
) -> None:
    async def strict(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if unknown := body.keys() & {"chat_template_kwargs", "stream_options"}:
            return web.json_response({"detail": f"Unexpected fields: {unknown}"}, status=422)
        return await saying("Well.")(request, body)

    server.reply = strict
    assert [(await harness.outcome(say())).text for _ in range(2)] == ["Well."] * 2
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("status", "text", "left_out"),
    [
        (400, '{"error": {"message": "Unknown field", "param": "chat_template_kwargs"}}', {"chat_template_kwargs"}),
        (400, '{"error": {"message": "tools, seed", "param": "tools[0].function"}}', {"tools"}),
        (422, '{"detail": [{"loc": ["body", "seed"], "msg": "tools", "input": "top_p"}]}', {"seed"}),
        (400, '{"error": {"message": "registry.ollama.ai/library/m does not support tools"}}', {"tools"}),
        (400, '{"error": {"message": "\\"auto\\" tool choice requires --enable-auto-tool-choice"}}', {"tools"}),
        (500, '{"error": {"code": 500, "message": "tools param requires --jinja flag"}}', {"tools"}),
        (400, "{\"message\": \"[{'loc': ('body', 'seed'), 'input': 'my tools'}]\"}", {"seed"}),
    ],
)
async def test_only_the_fields_that_a_refusal_names_are_left_out(
    harness: Harness, server: FakeServer, status: int, text: str, left_out: set[str]
) -> None:
    server.reply = answering(refusing(status, text), saying("Well."))
    await harness.outcome(say(tools=(TOOL,)))
    first, second = server.bodies
    assert first.keys() - second.keys() == left_out


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, '{"error": {"message": "tools failed"}}'),
        (400, '{"error": {"message": "the toolbox has seeds"}}'),
        (400, '{"error": {"message": "tools", "param": "messages"}}'),
        (422, '{"detail": [{"loc": ["body", "messages", 0], "msg": "?", "input": "my tools, too long"}]}'),
        (400, '{"error": {"message": "?", "input": "tools in a text that is cut off'),
    ],
)
async def test_a_refusal_for_another_cause_leaves_nothing_out(
    harness: Harness, server: FakeServer, status: int, text: str
) -> None:
    server.reply = refusing(status, text)
    error = await harness.outcome(say(tools=(TOOL,)))
    assert "has failed on this request" in error.user_message
    assert len(server.bodies) == 1


async def test_a_model_that_wants_the_new_names_of_openai_gets_them_from_then_on(
    harness: Harness, server: FakeServer
) -> None:
    async def strict(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        error = {"type": "invalid_request_error", "code": "unsupported_parameter"}
        if "max_tokens" in body:
            error |= {"param": "max_tokens", "message": "Unsupported parameter: use 'max_completion_tokens' instead."}
            return web.json_response({"error": error}, status=400)
        if "temperature" in body:
            error |= {"param": "temperature", "message": "Only the default (1) value is supported."}
            return web.json_response({"error": error}, status=400)
        return await saying("Well.")(request, body)

    server.reply = strict
    assert [(await harness.outcome(say(max_new_tokens=9))).text for _ in range(2)] == ["Well."] * 2
    assert [body.get("max_completion_tokens") for body in server.bodies] == [None, 9, 9, 9]


async def test_a_refused_key_names_its_variable_and_is_nowhere_in_the_log(
    harness: Harness, server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret-key")
    harness.set(api_key_env="MY_KEY")
    server.reply = refusing(401, '{"error": {"message": "Incorrect API key: s3cret-key", "code": "no s3cret-key"}}')
    with caplog.at_level(logging.DEBUG):
        error = await harness.outcome(say())
    assert "environment variable MY_KEY" in error.user_message
    assert "has answered with status 401 (code: no …)" in caplog.text
    assert "s3cret-key" not in caplog.text + error.user_message + str(error.values)


async def test_a_missing_key_is_told_before_anything_is_sent(harness: Harness, server: FakeServer) -> None:
    harness.set(api_key_env="NO_SUCH_KEY")
    error = await harness.outcome(say())
    assert isinstance(error, ModelUnavailable)
    assert "NO_SUCH_KEY" in error.user_message
    assert not server.keys


@pytest.mark.parametrize(
    ("reply", "logged"),
    [
        (
            refusing(
                422,
                '{"detail": [{"type": "missing", "loc": ["body", "messages", 0], "msg": "?", "input": "my secret"}]}',
            ),
            "has answered with status 422 (messages.0)",
        ),
        (
            refusing(
                400, '{"error": {"message": "no: my secret", "type": "bad_request", "param": "messages", "code": 400}}'
            ),
            "has answered with status 400 (type: bad_request, code: 400, param: messages)",
        ),
        (refusing(500, "failed on my secret"), "has answered with status 500"),
        (refusing(500, '{"error": "failed on my secret"}'), "has answered with status 500"),
        (refusing(500, '[{"error": "failed on my secret"}, 5]'), "has answered with status 500"),
        (refusing(500, '{"detail": [5, {"loc": "my secret"}], "type": ["my secret"]}'), "with status 500"),
        (
            streaming(b'data: {"error": {"message": "failed on my secret", "code": 500}}\n\n'),
            "has failed in the middle of an answer (code: 500)",
        ),
        (refusing(200, "{my secret"), "can't be read: JSONDecodeError"),
    ],
)
async def test_the_log_has_nothing_that_an_error_repeats_of_what_people_wrote(
    harness: Harness, server: FakeServer, caplog: pytest.LogCaptureFixture, reply: Reply, logged: str
) -> None:
    server.reply = reply
    with caplog.at_level(logging.DEBUG):
        await harness.outcome(say("my secret"))
    assert logged in caplog.text
    assert "secret" not in caplog.text
