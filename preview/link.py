"""The secret part of the preview's link."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_FILE = "preview-link"
_BYTES = 32


def link_secret(data: Path) -> str:
    """Return the secret, which is made once and kept in the folder `data`, readable only by this user.

    It stays the same so that an open page works again when the preview is started again. If it can't be kept, each
    start has a new one.
    """
    path = data / _FILE
    with suppress(OSError, UnicodeDecodeError):
        kept = path.read_text(encoding="ascii").strip()
        if len(kept) >= _BYTES:
            return kept
    secret = secrets.token_urlsafe(_BYTES)
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
    return secret
