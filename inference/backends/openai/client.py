"""The connection to one server: its models, and texts that it streams.

A request is sent once. It is sent again only if the server has refused it before it wrote anything: since it is busy,
or since it does not know a field. Errors of the network and of the server become an `InferenceError` here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, cast

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from inference.backends.openai import errors
from inference.backends.openai.refusals import Refusal, read_refusal, refusal_in
from inference.types import ModelServer
from inference.types.errors import InferenceError

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 10.0
_MODELS_SECONDS = 5.0
"""How long the list of models may take."""
_SILENT_SECONDS = 300.0
"""How long a server may send nothing: it may have to load the model first."""
_LONGEST_WAIT = 30.0
"""The longest time in seconds after which a request is sent to a busy server once more."""
_USUAL_WAIT = 1.0
"""The same if the server does not say how long."""
_MAX_BYTES = 2**20
"""The size of a line, of a list of models and of a whole answer that are still read."""
_OPTIONAL = (
    "stream_options",
    "chat_template_kwargs",
    "seed",
    "temperature",
    "top_p",
    "repetition_penalty",
    "repeat_penalty",
    "tools",
)
"""Fields of a request that a server need not know. They are left out if it refuses them."""
_NO_TOOLS = ("--enable-auto-tool-choice", "--jinja")
"""Options without which vLLM and llama-server refuse tools. Their errors name these, the latter with status 500."""
_NEW_LIMIT = "max_completion_tokens"
"""What newer models of OpenAI want in place of `max_tokens`."""
_TOO_LONG = ("context length", "context window", "context size", "maximum context", "too long", "max_model_len")
"""What servers write about a prompt that does not fit."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model in the server's list. `context_length` is None if the server does not say it."""

    id: str
    owner: str = ""
    context_length: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A part of call number `index`: the arguments come in pieces."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What a model has written since the last one. `num_tokens` is the count of the whole text, at its end."""

    text: str = ""
    thoughts: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish_reason: str = ""
    num_tokens: int | None = None


class NoSuchEndpoint(Exception):
    """The server does not have this part of the API."""


class ServerClient:
    """Sends requests to one server. Used on one event loop; `close` ends it."""

    def __init__(self, server: ModelServer, silent_seconds: float = _SILENT_SECONDS) -> None:
        self.server = server
        self._silent_seconds = silent_seconds
        self._session: aiohttp.ClientSession | None = None
        self._refused: dict[str, set[str]] = {}
        """The optional fields that the server does not take, by the name of the model."""

    async def models(self) -> list[ServedModel]:
        """Return the models that the server lists. Raise InferenceError."""
        timeout = aiohttp.ClientTimeout(total=_MODELS_SECONDS)
        url, headers = f"{self.server.url}/models", self._headers()
        async with (
            self._errors(_MODELS_SECONDS),
            self._open().get(url, headers=headers, timeout=timeout, allow_redirects=False) as response,
        ):
            await self._check(response, {})
            return _served_models(await _read_json(response, self.server), self.server)

    async def stream(self, endpoint: str, body: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        """Send a request, and yield what the model writes. Closing the generator closes the connection.

        Raise InferenceError, or NoSuchEndpoint.
        """
        async with self._errors(self._silent_seconds), self._answer(endpoint, body) as response:
            if response.content_type == "text/html":
                raise errors.not_an_api(self.server)
            if response.content_type == "application/json":  # it does not stream
                yield self._delta(await _read_json(response, self.server))
                return
            async for delta in self._deltas(response.content):
                yield delta

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._silent_seconds)
            # A kept connection may have been closed by the server: then it is not known whether a request has arrived.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=_MAX_BYTES)
        return self._session

    def _headers(self) -> dict[str, str]:
        """Return the headers with the key. Raise ModelUnavailable if it is missing."""
        key = read_key(self.server)
        return {"Authorization": f"Bearer {key}"} if key else {}

    @asynccontextmanager
    async def _errors(self, seconds: float) -> AsyncGenerator[None]:
        """Convert errors of the network; `seconds` is how long the server was waited for."""
        try:
            yield
        except InferenceError:
            raise
        except aiohttp.ClientConnectorCertificateError as error:
            raise errors.untrusted(self.server) from error
        except aiohttp.ClientConnectorSSLError as error:
            raise errors.no_encryption(self.server, error.os_error) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise errors.unknown_host(self.server) from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise errors.unreachable(self.server) from error
        except TimeoutError as error:
            raise errors.silent(self.server, seconds) from error
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
            raise errors.cut_off(self.server) from error
        except (
            aiohttp.ClientError,
            HttpProcessingError,
            ValueError,
        ) as error:  # broken HTTP, JSON or encoding, or a line that is too long
            log.warning("%s has sent something that can't be read: %s", self.server.host, type(error).__name__)
            raise errors.unreadable(self.server) from error

    @asynccontextmanager
    async def _answer(self, endpoint: str, body: Mapping[str, Any]) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send the request, and yield the answer once the server has accepted it."""
        url, headers, waited = f"{self.server.url}{endpoint}", self._headers(), False
        refused = self._refused.setdefault(str(body.get("model", "")), set())
        while True:
            fields = {name: value for name, value in body.items() if name not in refused}
            if "max_tokens" in refused:
                fields[_NEW_LIMIT] = body["max_tokens"]
            async with self._open().post(url, json=fields, headers=headers, allow_redirects=False) as response:
                if response.status in (429, 503):
                    wait = _retry_after(response)
                    if waited or wait > _LONGEST_WAIT:
                        raise errors.busy(self.server, wait)
                elif unknown := await self._check(response, fields):
                    log.info("%s does not take %s", self.server.host, ", ".join(sorted(unknown)))
                    refused |= unknown
                    continue
                else:
                    yield response
                    return
            waited = True
            await asyncio.sleep(wait)

    async def _check(self, response: aiohttp.ClientResponse, fields: Mapping[str, Any]) -> set[str]:
        """Return the optional `fields` for which the server refuses a request. Raise what else is wrong."""
        if response.status == 200:
            return set()
        text = await _beginning(response)
        name = str(fields.get("model", ""))
        refusal = read_refusal(text)
        self._log(f"answered with status {response.status}", refusal)
        if response.status in (401, 403):
            raise errors.refused_key(self.server)
        if response.status == 404 and name and _is_json(text) and "model" in text.lower():
            raise errors.unknown_model(self.server, name)
        if response.status in (404, 405, 501) and name:
            raise NoSuchEndpoint
        if response.status < 400 or response.status in (404, 405):
            raise errors.not_an_api(self.server)
        if response.status == 413 or any(words in refusal.message.lower() for words in _TOO_LONG):
            raise errors.too_long(name)
        unknown = {field for field in _OPTIONAL if refusal.is_about(field)} if response.status in (400, 422) else set()
        if any(option in refusal.message for option in _NO_TOOLS):
            unknown.add("tools")
        if response.status == 400 and _NEW_LIMIT in refusal.message and refusal.is_about("max_tokens"):
            unknown.add("max_tokens")
        if unknown := unknown & fields.keys():
            return unknown
        raise errors.failed(self.server)

    async def _deltas(self, content: aiohttp.StreamReader) -> AsyncIterator[Delta]:
        """Yield what comes as server-sent events. Raise GenerationFailed if the connection ends before the text."""
        ended = False
        while line := await content.readline():
            name, _, data = line.decode("utf-8").strip().partition(":")
            data = data.strip()
            if name != "data" or not data:
                continue
            if data == "[DONE]":
                return
            delta = self._delta(json.loads(data))
            ended = ended or bool(delta.finish_reason)
            yield delta
        if not ended:
            raise errors.cut_off(self.server)

    def _delta(self, chunk: Any) -> Delta:
        """Return what a chunk of a stream adds; or a whole answer. Raise InferenceError if it has an error."""
        if not isinstance(chunk, dict):
            raise errors.unreadable(self.server)
        fields = cast("dict[str, Any]", chunk)
        if fields.get("error"):
            self._log("failed in the middle of an answer", refusal_in(fields))
            raise errors.failed(self.server)
        try:
            return _parse_delta(fields)
        except (TypeError, KeyError, IndexError, AttributeError) as error:
            raise errors.unreadable(self.server) from error

    def _log(self, event: str, refusal: Refusal) -> None:
        """Log an error of the server, without its key and without what people have written."""
        key = os.environ.get(self.server.api_key_env, "").strip() if self.server.api_key_env else ""
        summary = refusal.summary.replace(key, "…") if key else refusal.summary
        log.warning("%s has %s%s", self.server.host, event, f" ({summary})" if summary else "")


def read_key(server: ModelServer) -> str:
    """Return the key from the environment; empty if the server wants none. Raise ModelUnavailable if it is missing."""
    if not server.api_key_env:
        return ""
    key = os.environ.get(server.api_key_env, "").strip()
    if not key or not all("!" <= letter <= "~" for letter in key):
        raise errors.missing_key(server)
    return key


def _parse_delta(fields: dict[str, Any]) -> Delta:
    choice: dict[str, Any] = next(iter(fields.get("choices") or ()), {})
    written: dict[str, Any] = choice.get("delta") or choice.get("message") or {}
    calls = tuple(
        ToolCallPart(int(call.get("index", number)), str(function.get("name") or ""), _text(function.get("arguments")))
        for number, call in enumerate(written.get("tool_calls") or ())
        if (function := call["function"])
    )
    usage: dict[str, Any] = fields.get("usage") or {}
    return Delta(
        text=str(written.get("content") or choice.get("text") or ""),
        thoughts=str(written.get("reasoning_content") or written.get("reasoning") or ""),
        tool_calls=calls,
        finish_reason=str(choice.get("finish_reason") or ""),
        num_tokens=int(usage["completion_tokens"]) if usage.get("completion_tokens") else None,
    )


def _text(arguments: Any) -> str:
    """Return the arguments of a call as text; a few servers send them as an object."""
    return json.dumps(arguments) if isinstance(arguments, dict) else str(arguments or "")


def _served_models(content: Any, server: ModelServer) -> list[ServedModel]:
    try:
        return [
            ServedModel(str(entry["id"]), str(entry.get("owned_by") or ""), _context_length(entry))
            for entry in content["data"] or ()
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise errors.not_an_api(server) from error


def _context_length(entry: dict[str, Any]) -> int | None:
    """Return the window as vLLM (`max_model_len`), llama-server (`meta`) and others tell it."""
    meta: dict[str, Any] = entry.get("meta") or {}
    known = (entry.get("max_model_len"), meta.get("n_ctx"), entry.get("context_length"), entry.get("context_window"))
    return next((value for value in known if isinstance(value, int) and value > 0), None)


async def _read_json(response: aiohttp.ClientResponse, server: ModelServer) -> Any:
    """Return the whole answer. Raise ValueError if it is no JSON, and ModelUnavailable if it is a web page."""
    if response.content_type == "text/html":
        raise errors.not_an_api(server)
    data = b""
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > _MAX_BYTES:
            raise ValueError("the answer is too long")
    return json.loads(data)


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Return the beginning of an answer that is an error."""
    data = b""
    with suppress(aiohttp.ClientError, TimeoutError):
        async for piece in response.content.iter_any():
            data += piece
            if len(data) > _MAX_BYTES:
                break
    return data.decode("utf-8", "replace")


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _retry_after(response: aiohttp.ClientResponse) -> float:
    """Return how many seconds the server wants to be left alone: it says a number or a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return max(_USUAL_WAIT, float(value))
    try:
        return max(_USUAL_WAIT, parsedate_to_datetime(value).timestamp() - time()) if value else _USUAL_WAIT
    except ValueError:
        return _USUAL_WAIT
