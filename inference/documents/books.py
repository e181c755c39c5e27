"""Books (.epub): their pages, in the order of reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inference.documents import encodings, web
from inference.documents.packages import Package, resolve

MAIN_PART = "META-INF/container.xml"


def read(package: Package, name: str, check: Callable[[], None]) -> Iterator[str]:
    for root in package.tree(MAIN_PART).iter("{*}rootfile"):
        for page in _pages(package, resolve("", root.get("full-path", ""))):
            data = package.read(page)
            yield from web.read(encodings.decode(data, name, web.encoding(data)).text, check)
            yield "\n\n"
        return


def _pages(package: Package, contents: str) -> Iterator[str]:
    """Yield the pages that the table of a book's files lists as its main text."""
    tree = package.tree(contents)
    items = {item.get("id"): item for item in tree.iter("{*}item")}
    for reference in tree.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "html" not in item.get("media-type", "html") or "nav" in item.get("properties", "").split():
            continue
        page = resolve(contents, item.get("href", ""))
        if page in package:
            yield page
