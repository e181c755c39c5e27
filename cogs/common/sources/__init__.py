"""Texts and files from people: attached, or in messages. Unusable input raises InvalidRequest with a reason."""

from cogs.common.sources.components import text_of
from cogs.common.sources.files import NamedFile, check_files, check_size, name_of, read, source_of_file
from cogs.common.sources.links import (
    check_readable,
    is_link,
    leads_elsewhere,
    linked_message,
    links_in,
    readable_channel,
)
from cogs.common.sources.messages import (
    HOW_TO_POINT,
    attachments,
    documents,
    fetch_message,
    pictures,
    pointed_at,
    replied_to,
    sources_of_message,
    text_of_message,
    visible,
    words,
)
from cogs.common.sources.source import Source, join_sources

__all__ = [
    "HOW_TO_POINT",
    "NamedFile",
    "Source",
    "attachments",
    "check_files",
    "check_readable",
    "check_size",
    "documents",
    "fetch_message",
    "is_link",
    "join_sources",
    "leads_elsewhere",
    "linked_message",
    "links_in",
    "name_of",
    "pictures",
    "pointed_at",
    "read",
    "readable_channel",
    "replied_to",
    "source_of_file",
    "sources_of_message",
    "text_of",
    "text_of_message",
    "visible",
    "words",
]
