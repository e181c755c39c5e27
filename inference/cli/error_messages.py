"""Errors in the words of the command line, whose reader is the operator."""

from __future__ import annotations

import re

from inference.types.errors import InferenceError, addressed_to_operator

_DOWNLOAD = re.compile(r"You can (?:fetch it: (?P<fetch>`[^`]+`)|(?P<unset>unset that) and run (?P<run>`[^`]+`)\.)")
_CHECK = "You have to check the network and the name. "
_FROM_ELSEWHERE = "Or copy the model from another machine, and list its folder in the settings."
_LISTED = "To see which models are here: `.venv/bin/python -m inference models`."


def error_message(error: InferenceError) -> str:
    """Return the message in one line. Without a way to the hub, it says what to do once there is one."""
    message = _message(error)
    if "is not on this machine, and" not in message:
        return message
    return f"{_DOWNLOAD.sub(_later, message.replace(_CHECK, ''))} {_LISTED}"


def download_message(error: InferenceError) -> str:
    """Return the message for the command `download`, which is not the remedy for its own failure.

    Without a way to the hub, running it again is no remedy either, so another one is named.
    """
    message = _DOWNLOAD.sub(_again, _message(error))
    return f"{message} {_FROM_ELSEWHERE}" if "is not on this machine" in message else message


def _message(error: InferenceError) -> str:
    message = addressed_to_operator(error.user_message)
    return f"{message} Add --verbose to see it." if message.endswith("in the log.") else message


def _later(match: re.Match[str]) -> str:
    if match["unset"]:
        return f"Unset it, then fetch the model: {match['run']}."
    return f"Once the network is there and the name is right, fetch the model: {match['fetch']}."


def _again(match: re.Match[str]) -> str:
    return "You can unset that and run this command again." if match["unset"] else "Run this command again later."
