"""The address of a Postgres database, for several processes of the bot."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from inference.config.problems import OWN_SENTENCE
from inference.limits import Expected


def _database_url(value: str) -> str:
    """Refuse what is no address of a database, and one with a password, without repeating it."""
    if not value:
        return value
    address = urlsplit(value)
    if address.scheme not in ("postgresql", "postgres") or not address.path.strip("/"):
        raise ValueError("not the address of a database")
    if address.password or "password" in parse_qs(address.query):
        raise PydanticCustomError(
            OWN_SENTENCE, "has a password in it. Put the password into the environment variable PGPASSWORD"
        )
    return value


DatabaseUrl = Annotated[
    str,
    AfterValidator(_database_url),
    Expected("the address of a Postgres database, like postgresql://inkling@db.example/inkling"),
]
