"""What people hand in: files, and messages they point at. Everything unusable is an InvalidRequest with a reason."""

from cogs.reply.sources.files import check_size, decode, read, text_given, text_of_file
from cogs.reply.sources.links import check_readable, leads_elsewhere, linked_message, readable_channel
from cogs.reply.sources.messages import (
    HOW_TO_POINT,
    attachments,
    fetch_message,
    pictures,
    pointed_at,
    text_of_message,
    visible,
    words,
)

__all__ = [
    "HOW_TO_POINT",
    "attachments",
    "check_readable",
    "check_size",
    "decode",
    "fetch_message",
    "leads_elsewhere",
    "linked_message",
    "pictures",
    "pointed_at",
    "read",
    "readable_channel",
    "text_given",
    "text_of_file",
    "text_of_message",
    "visible",
    "words",
]
