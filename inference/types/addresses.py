"""Network addresses: `127.0.0.1:9464`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):(?P<port>\d{1,5})", re.ASCII)
_MOST = 65_535


class Address(NamedTuple):
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(value: Any) -> Any:
    """Return the address that a text like `127.0.0.1:9464` or `[::1]:9464` names. Raise ValueError for others."""
    if not isinstance(value, str):
        return value if value is None or isinstance(value, Address) else _refuse()
    match = _ADDRESS.fullmatch(value)
    if match is None or not 0 < int(match["port"]) <= _MOST:
        _refuse()
    return Address(match["host"].strip("[]"), int(match["port"]))


def _refuse() -> NoReturn:
    raise ValueError("not a host and a port")
