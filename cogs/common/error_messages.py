"""Messages for errors. The person gets cause, next step and an id; the log has the same id with the traceback."""

from __future__ import annotations

import logging
import secrets

import aiohttp
import discord
from discord import app_commands

from cogs.common.delivery import DELIVERY
from cogs.common.responder import InteractionResponder
from cogs.i18n import tr
from inference import (
    InferenceError,
    InvalidRequest,
    ModelUnavailable,
    OperatorStep,
    OutputWithheld,
    Overloaded,
    Phrase,
    RequestCancelled,
)
from storage import DatabaseUnavailable, StorageError

log = logging.getLogger(__name__)

PRIVATE = (InvalidRequest, OutputWithheld, Overloaded, ModelUnavailable)
"""Errors that only the person who asked needs to see."""

EXPECTED = (InvalidRequest, OutputWithheld, Overloaded, RequestCancelled)
"""Errors that need no id and no log line, since they are caused by the request."""


def in_current_language(words: InferenceError | str) -> str:
    """Return a message of `inference` in the current language; plain text stays as it is.

    Commands for the operator are only in the log.
    """
    if not isinstance(words, (InferenceError, Phrase)):
        return words
    if isinstance(words, OperatorStep):
        return tr("The bot's operator can fetch it, and finds in the log how.")
    values = {
        name: in_current_language(value) if isinstance(value, Phrase) else value for name, value in words.values.items()
    }
    return tr(words.sentence, **values)


def report(error: BaseException, command: str, request_id: str = "") -> str:
    """Return a sentence or two for the person who asked, and log what the operator should see.

    The sentence ends with the id of the request, if it has one.
    """
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, EXPECTED):
        return in_current_language(error)
    if isinstance(error, ModelUnavailable) and error.__cause__ is None:
        log.warning("%s", error)  # a plain condition, such as a model that is not downloaded
        return in_current_language(error)
    error_id = request_id or (error.error_id if isinstance(error, InferenceError) else secrets.token_hex(4))
    log.error("error %s in %s: %s", error_id, command, error, exc_info=with_traceback(error))
    return f"{_public_message(error)}\n-# {tr('Error {id}', id=error_id)}"


def with_traceback(error: BaseException) -> BaseException | None:
    """Return the error, as `exc_info` of a log line, if its own words do not say everything.

    Errors inside a model have already been logged, with the same id and their traceback.
    """
    return None if isinstance(error, InferenceError | DatabaseUnavailable) else error


async def apologize(interaction: discord.Interaction, error: Exception) -> None:
    """Report an error that no reply session has handled."""
    responder = InteractionResponder.of(interaction)
    text = report(error, responder.target.command)
    try:
        await responder.refuse(text)
    except DELIVERY as failure:
        log.warning("could not tell %s: %s", interaction.user.id, failure)


def _public_message(error: BaseException) -> str:
    match error:
        case InferenceError():
            return in_current_language(error)
        case discord.Forbidden():
            return tr(
                "I lack a permission in this channel. I need View Channel, Send Messages, Send Messages in Threads, "
                "Attach Files, Embed Links and Read Message History; a moderator can grant them."
            )
        case discord.DiscordServerError() | discord.RateLimited() | aiohttp.ClientError() | TimeoutError():
            return tr("Discord did not answer in time, so the result could not be shown. Try again in a moment.")
        case discord.HTTPException():
            return tr("Discord did not accept my message, perhaps because of a filter of this server. Try other words.")
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return tr("This command has changed. Reload Discord (Ctrl+R, or restart the app) and try again.")
        case app_commands.CheckFailure():
            return tr("You may not use this command here.")
        case StorageError():
            return tr(
                "I can't read or store anything at the moment, so this was not done. Try again in a minute; if it "
                "happens again, tell the bot's operator."
            )
        case _:
            return tr("Something went wrong on my side. Try again; if it happens again, tell the bot's operator.")
