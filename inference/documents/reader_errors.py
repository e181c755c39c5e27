"""The refusals that every reader of documents shares."""

from __future__ import annotations

from inference.types.errors import InvalidRequest


def damaged(name: str) -> InvalidRequest:
    return InvalidRequest(
        "{name} can't be read; it may be damaged. Open it yourself, save it anew, and send that.", name=name
    )


def too_large(name: str) -> InvalidRequest:
    return InvalidRequest("{name} needs too much memory to read. Send a smaller part of it.", name=name)


def too_slow(name: str) -> InvalidRequest:
    return InvalidRequest("{name} takes too long to read. Send a smaller part of it.", name=name)


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Return whether this error, or one that led to it, is a MemoryError. Libraries raise their own errors after it."""
    return error is not None and (isinstance(error, MemoryError) or ran_out_of_memory(error.__context__))
