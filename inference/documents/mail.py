"""Mails (.eml) and saved web pages (.mhtml): the main headers, the text, and the names of attached files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from inference.documents import encodings, web
from inference.documents.encoding_labels import codec_of
from inference.documents.mail_headers import header_text

if TYPE_CHECKING:
    from email.message import EmailMessage

_HEADERS = "From", "To", "Cc", "Date", "Subject"
_MAX_DEPTH = 50
"""The number of parts that may be inside each other, such as a forwarded mail in the one around it."""


def is_mail(name: str) -> bool:
    return name.lower().endswith((".eml", ".mht", ".mhtml"))


def read(data: bytes, name: str, check: Callable[[], None]) -> Iterator[str]:
    from email import policy
    from email.message import EmailMessage
    from email.parser import BytesParser

    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(data)
    return _MailReader(name, check).read(message, _MAX_DEPTH)


class _MailReader:
    def __init__(self, name: str, check: Callable[[], None]) -> None:
        self._name, self._check = name, check

    def read(self, message: EmailMessage, depth: int) -> Iterator[str]:
        """Yield the headers and the text of a mail."""
        declared = codec_of(message.get_content_charset() or "")
        for header in _HEADERS:
            if value := header_text(_header(message, header), declared):
                yield f"{header}: {value}\n"
        yield "\n"
        yield from self._read_part(message, depth)

    def _read_part(self, part: EmailMessage, depth: int) -> Iterator[str]:
        self._check()
        kind = part.get_content_type()
        if depth and kind == "message/rfc822":
            for message in _parts(part):
                yield from self.read(message, depth - 1)
        elif depth and part.is_multipart():
            for each in _read_parts(part):
                yield from self._read_part(each, depth - 1)
        elif file := part.get_filename():
            yield f"({file})\n\n"
        elif kind.startswith("text/") and kind != "text/css":
            yield from self._text(part, kind)
            yield "\n\n"

    def _text(self, part: EmailMessage, kind: str) -> Iterator[str]:
        payload: Any = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        declared = codec_of(part.get_content_charset() or "")
        if kind == "text/html":
            return web.read(encodings.decode(data, self._name, declared or web.encoding(data)).text, self._check)
        return iter([encodings.decode(data, self._name, declared).text])


def _parts(part: EmailMessage) -> list[EmailMessage]:
    payload: Any = part.get_payload()
    return payload if isinstance(payload, list) else []


def _read_parts(part: EmailMessage) -> list[EmailMessage]:
    """Return the parts to read: of a page and its pictures the page, of two forms of a text the simple one."""
    parts = _parts(part)
    if part.get_content_type() == "multipart/alternative":
        texts = [each for each in parts if each.get_content_type() == "text/plain" and each.get_payload(decode=True)]
        return texts[:1] or parts[-1:]
    return parts[:1] if part.get_content_type() == "multipart/related" else parts


def _header(message: EmailMessage, name: str) -> str:
    """Return a header as it stands."""
    return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
