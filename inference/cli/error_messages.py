"""Errors in the words of the command line, whose reader is the operator."""

from __future__ import annotations

import re

from inference.types.errors import InferenceError, addressed_to_operator

_DOWNLOAD = re.compile(r"You can (?:fetch it: `[^`]+`|(unset that) and run `[^`]+`\.)")
_FROM_ELSEWHERE = "Or copy the model from another machine, and list its folder in the settings."


def error_message(error: InferenceError) -> str:
    """Return the message in one line."""
    message = addressed_to_operator(error.user_message)
    return f"{message} Add --verbose to see it." if message.endswith("in the log.") else message


def download_message(error: InferenceError) -> str:
    """Return the message for the command `download`, which is not the remedy for its own failure.

    Without a way to the hub, running it again is no remedy either, so another one is named.
    """
    message = _DOWNLOAD.sub(_again, error_message(error))
    return f"{message} {_FROM_ELSEWHERE}" if "is not on this machine" in message else message


def _again(match: re.Match[str]) -> str:
    return "You can unset that and run this command again." if match[1] else "Run this command again later."
