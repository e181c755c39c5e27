"""What can go wrong with a server, in sentences: the cause, and the next step.

None of them has what the server wrote, which may repeat its key and the request.
"""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from inference.types import ModelServer
from inference.types.errors import (
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelNotServed,
    ModelUnavailable,
    Overloaded,
    Phrase,
)

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What OpenSSL calls an answer that is not TLS at all, in its several versions."""


def unreachable(server: ModelServer) -> ModelUnavailable:
    return ModelUnavailable(
        "The server {host}, which runs this model, can't be reached. Try again later, or choose another model; the "
        "bot's operator has to start the server.",
        host=server.host,
    )


def untrusted(server: ModelServer) -> ModelUnavailable:
    return ModelUnavailable(
        "The certificate of the server {host} is not valid, so nothing was sent to it. The bot's operator has to renew "
        "it.",
        host=server.host,
    )


def no_encryption(server: ModelServer, error: Exception) -> ModelUnavailable:
    """Return the refusal of a server with which an encrypted connection failed, by the error of OpenSSL."""
    reason = getattr(error, "reason", None) or type(error).__name__
    if reason in _NO_TLS:
        return ModelUnavailable(
            "The server {host} does not encrypt its connections, so nothing was sent to it. The bot's operator has to "
            "begin its address in config.yaml with http:// instead of https://, or to set up TLS on the server.",
            host=server.host,
        )
    return ModelUnavailable(
        "No encrypted connection to the server {host} could be made, so nothing was sent to it. The bot's operator has "
        "to check its TLS settings ({reason}).",
        host=server.host,
        reason=reason,
    )


def unknown_host(server: ModelServer) -> ModelUnavailable:
    return ModelUnavailable(
        "The network does not know the server {host}. The bot's operator has to correct its address in config.yaml, or "
        "to check the network.",
        host=server.host,
    )


def refused_key(server: ModelServer) -> ModelUnavailable:
    if server.api_key_env:
        return ModelUnavailable(
            "The server {host} refuses the bot's key. The bot's operator has to put another one into the environment "
            "variable {variable}.",
            host=server.host,
            variable=server.api_key_env,
        )
    return ModelUnavailable(
        "The server {host} wants a key, and the bot has none. The bot's operator has to put it into an environment "
        "variable, and name that under `api_key_env` in config.yaml.",
        host=server.host,
    )


def missing_key(server: ModelServer) -> ModelUnavailable:
    return ModelUnavailable(
        "The key of the server {host} is missing. The bot's operator has to put it into the environment variable "
        "{variable}, as one line without blanks.",
        host=server.host,
        variable=server.api_key_env,
    )


def unknown_model(server: ModelServer, name: str) -> ModelNotServed:
    return ModelNotServed(
        "The server {host} has no model {name}. Choose another one; the bot's operator has to load it there, or "
        "correct its `name` in config.yaml.",
        host=server.host,
        name=name,
    )


def is_about_server(error: InferenceError) -> bool:
    """Return whether another server may be at the address by now: it was away, or does not know the model."""
    return isinstance(error, ModelNotServed) or isinstance(error.__cause__, aiohttp.ClientError | OSError)


def unlisted_model(server: ModelServer, name: str, listed: Sequence[str]) -> ModelUnavailable:
    return ModelUnavailable(
        "The server {host} does not list the model {name}. The bot's operator has to load it there, or correct its "
        "`name` in config.yaml. The server lists: {names}.",
        host=server.host,
        name=name,
        names=", ".join(listed),
    )


def is_away(error: InferenceError) -> bool:
    """Return whether the server may answer later, without a change of the settings."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return False
    is_network = isinstance(cause, aiohttp.ClientConnectionError | TimeoutError)
    return is_network or not isinstance(error, ModelUnavailable)


def not_an_api(server: ModelServer) -> ModelUnavailable:
    return ModelUnavailable(
        "The server {host} does not speak OpenAI's API at its address in config.yaml. The bot's operator has to "
        "correct the address; it usually ends with /v1.",
        host=server.host,
    )


def unreadable(server: ModelServer) -> GenerationFailed:
    return GenerationFailed(
        "The server {host} has sent something that can't be read. Try again; if it happens often, the bot's operator "
        "finds more in the log.",
        host=server.host,
    )


def cut_off(server: ModelServer) -> GenerationFailed:
    return GenerationFailed(
        "The server {host} has ended the connection in the middle of the answer. Try again.", host=server.host
    )


def silent(server: ModelServer, seconds: float) -> GenerationFailed:
    return GenerationFailed(
        "The server {host} has sent nothing for {count:.0f} seconds, so the request was ended. Try again later.",
        host=server.host,
        count=seconds,
    )


def failed(server: ModelServer) -> GenerationFailed:
    return GenerationFailed(
        "The server {host} has failed on this request. Try again, or change the request a little; the bot's operator "
        "finds the reason in the server's own log.",
        host=server.host,
    )


def too_long(name: str) -> InvalidRequest:
    return InvalidRequest("This is too long for {name}. Shorten it, or choose a model that reads more.", name=name)


def busy(server: ModelServer, wait: float) -> Overloaded:
    return Overloaded(
        "The server {host} is busy. Try again in about {wait}.",
        wait,
        host=server.host,
        wait=Phrase("{count:.0f} seconds", count=wait),
    )


def only_thoughts() -> GenerationFailed:
    return GenerationFailed(
        "The model has only thought, and had no room left for an answer. Try again: from now on it gets more."
    )


def no_such_work(server: ModelServer, name: str) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} runs on the server {host}, which loads and unloads its models itself.", host=server.host, name=name
    )
