"""Errors in the words of the command line, whose reader is the operator."""

from __future__ import annotations

import re

from inference.types.errors import InferenceError, addressed_to_operator

_DOWNLOAD = re.compile(r"You can fetch it: `[^`]+`")


def error_message(error: InferenceError) -> str:
    """Return the message in one line."""
    message = addressed_to_operator(error.user_message)
    return f"{message} Add --verbose to see it." if message.endswith("in the log.") else message


def download_message(error: InferenceError) -> str:
    """Return the message for the command `download`, which is not the remedy for its own failure."""
    return _DOWNLOAD.sub("Run this command again later.", error_message(error))
