"""Files inside ZIP files: Office Open XML, OpenDocument and EPUB are such packages."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from inference.types.errors import InvalidRequest

MARK = b"PK\x03\x04"
_MAX_UNPACKED_BYTES = 100 * 10**6
"""Maximum size of all parts that are read, in bytes. 400,000 characters of a Word file take about 5 MB of markup."""
_MAX_SMALL_PART_BYTES = 10**7
"""Maximum size of a part that is read at once, such as a list of other parts."""
_CHUNK_BYTES = 2**16
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Collector(Protocol):
    """Collects text from a stream of XML elements. A tree would take ten times the memory."""

    def take(self) -> str:
        """Return the text since the last call."""
        ...

    def start(self, tag: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, data: str) -> None: ...
    def close(self) -> None: ...


class Package:
    """Reads parts by name, in any case of letters, and never more than the size in the ZIP file's directory."""

    def __init__(self, data: bytes, name: str) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._name = name
        self._unpacked_bytes = 0

    @cached_property
    def _entries(self) -> dict[str, zipfile.ZipInfo]:
        return {_key(entry.filename): entry for entry in self._archive.infolist()}

    def __contains__(self, part: str) -> bool:
        return _key(part) in self._entries

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts of this kind to which `part` refers; an empty `part` is the package itself.

        `kind` is the last word of a relationship's type, which is the same in transitional and in strict files.
        """
        return [target for target, is_kind in self._relationships(part).values() if is_kind == kind]

    def by_id(self, part: str) -> dict[str, str]:
        """Return the parts to which `part` refers, by the ids that it uses for them."""
        return {key: target for key, (target, _) in self._relationships(part).items()}

    def _relationships(self, part: str) -> dict[str, tuple[str, str]]:
        folder, file = posixpath.split(part)
        relationships = posixpath.join(folder, "_rels", f"{file}.rels")
        if relationships not in self:
            return {}
        return {
            element.get("Id", ""): (resolve(part, element.get("Target", "")), element.get("Type", "").rsplit("/")[-1])
            for element in self.tree(relationships).iter(_RELATIONSHIP)
            if element.get("TargetMode") != "External"
        }

    def tree(self, part: str) -> Any:
        """Return the root element of a small part."""
        from lxml.etree import XMLParser, fromstring  # pyright: ignore[reportAttributeAccessIssue]

        return fromstring(self.read(part), XMLParser(resolve_entities=False, recover=True))

    def read(self, part: str) -> bytes:
        """Return the bytes of a small part. Raise InvalidRequest if it is large."""
        entry = self._entry(part)
        if entry.file_size > _MAX_SMALL_PART_BYTES:
            raise self._too_large_error()
        self._count(entry.file_size)
        return self._archive.read(entry)

    def stream(self, part: str, collector: Collector, check: Callable[[], None]) -> Iterator[str]:
        """Yield the text of an XML part in pieces. Raise InvalidRequest before unpacking if it is too large."""
        from lxml.etree import XMLParser  # pyright: ignore[reportAttributeAccessIssue]

        parser: Any = XMLParser(target=collector, resolve_entities=False)
        entry = self._entry(part)
        self._count(entry.file_size)
        with self._archive.open(entry) as file:
            while chunk := file.read(_CHUNK_BYTES):
                check()
                parser.feed(chunk)
                yield collector.take()
        parser.close()
        yield collector.take()

    def root(self, part: str, check: Callable[[], None]) -> Any:
        """Return a part's outermost element with its attributes. Only the beginning of the part is read."""
        from lxml.etree import XMLPullParser  # pyright: ignore[reportAttributeAccessIssue]

        check()
        parser: Any = XMLPullParser(events=("start",), resolve_entities=False)
        entry = self._entry(part)
        self._count(min(entry.file_size, _CHUNK_BYTES))
        with self._archive.open(entry) as file:
            parser.feed(file.read(_CHUNK_BYTES))
        for _, element in parser.read_events():
            return element
        raise zipfile.BadZipFile("a part that does not begin with an element")

    def _entry(self, part: str) -> zipfile.ZipInfo:
        """Return what the directory says about a part that is going to be unpacked."""
        entry = self._entries[_key(part)]
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others can't be unpacked in pieces
            raise zipfile.BadZipFile("packed in a way that no document is")
        return entry

    def _count(self, nbytes: int) -> None:
        """Count bytes that are going to be unpacked. Raise InvalidRequest if all together are too many."""
        self._unpacked_bytes += nbytes
        if self._unpacked_bytes > _MAX_UNPACKED_BYTES:
            raise self._too_large_error()

    def _too_large_error(self) -> InvalidRequest:
        return InvalidRequest("{name} unpacks to more than this bot takes. Send a smaller part of it.", name=self._name)


def resolve(part: str, target: str) -> str:
    """Return the name of the part to which a link in `part` points."""
    path = unquote(urlsplit(target.replace("\\", "/")).path)
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(part), path)).lstrip("/")


def local_name(tag: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return tag.rpartition("}")[2]


def _key(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()
