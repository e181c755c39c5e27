"""The file `.env`, whose variables are added to the environment before anything else is read."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
from pathlib import Path

_TOKEN_NAME = re.compile(
    r"(?<!\w)discord[\W_]?(?:bot[\W_]?)?token\b|\A\s*(?:export\s+)?(?:bot[\W_]?)?token\s*=", re.IGNORECASE
)
"""The name of the token, as people write it too, and as other bots call it."""


class EnvFileError(Exception):
    """The file can't be used. The message is a sentence with the reason and the next step."""


def read_env(path: Path) -> None:
    """Add the variables of a `.env` file to the environment; variables that have a value there keep it.

    Raise EnvFileError if the file can't be read, or a line of it. Otherwise the preview would start instead of the bot
    when there is a token that is not found.
    """
    if not path.exists():
        if (other := path.with_name(f"{path.name}.txt")).exists() and not os.environ.get("DISCORD_TOKEN"):
            raise EnvFileError(
                f"{other} must be called {path}. Windows hides .txt: choose View, Show, File name extensions."
            )
        return
    from dotenv.parser import parse_stream

    text, encoding = _env_text(path)
    bindings = [binding for binding in parse_stream(io.StringIO(text)) if not _is_comment(binding.original.string)]
    variables = {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    lacks_name = "DISCORD_TOKEN" not in variables and not os.environ.get("DISCORD_TOKEN")
    lacks_token = lacks_name or not (variables.get("DISCORD_TOKEN") or os.environ.get("DISCORD_TOKEN"))
    for binding in bindings:
        line = binding.original.line + binding.original.string[: -len(binding.original.string.lstrip())].count("\n")
        is_bare = binding.value is None  # it may be the token without its name, or below its name
        has_other_name = lacks_name and _TOKEN_NAME.search(binding.original.string)
        if binding.error or has_other_name or (lacks_token and is_bare):
            raise EnvFileError(f"{path}, line {line} can't be read. Write NAME=value, such as DISCORD_TOKEN=abc.")
        if encoding == "latin-1" and not binding.original.string.partition("#")[0].isascii():
            raise EnvFileError(f"{path}, line {line} is not UTF-8. Save the file as UTF-8.")
    os.environ |= {name: value for name, value in variables.items() if not os.environ.get(name)}


def _env_text(path: Path) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8, UTF-16 or UTF-32 with a byte-order mark, or else Latin-1."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvFileError(f"{path} can't be read: {error.strerror}.") from error
    encodings = ("utf-8-sig", "latin-1")
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # begins with the mark of UTF-16
        encodings = ("utf-32",)
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16",)
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            if "\0" not in (text := data.decode(encoding)):
                return text, encoding
    raise EnvFileError(f"{path} is not UTF-8. Save the file as UTF-8.")


def _is_comment(line: str) -> bool:
    return line.strip().startswith("#") or not line.strip()
