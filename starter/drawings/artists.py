"""Reading of an artist's drawings from a package: small PNG files, or SVG that is rendered here."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from starter.drawings.vocabulary import code_points

SIDE = 64
"""Width and height of the drawings that the painter and the captioner know, in pixels."""

Drawing = NDArray[np.uint8]
"""RGBA [side, side, 4], colours from 0 to 255."""


def read_sprites(archive: Path, artist: str, emoji: Iterable[str]) -> dict[str, Drawing]:
    """Return the drawings of an emoji-datasource package by emoji. Missing ones are left out."""
    code_to_emoji = {code_points(sign): sign for sign in emoji}
    folder = f"package/img/{artist}/{SIDE}/"
    found: dict[str, Drawing] = {}
    with tarfile.open(archive) as files:
        for member in files:
            code = member.name.removeprefix(folder).removesuffix(".png").replace("-fe0f", "")
            content = files.extractfile(member) if member.name.startswith(folder) and code in code_to_emoji else None
            if content:
                found[code_to_emoji[code]] = _pixels(content.read())
    return found


def read_icons(archive: Path, names: Path, emoji: Iterable[str], side: int = SIDE) -> dict[str, Drawing]:
    """Return the drawings of an Iconify package by emoji, `side` pixels wide and high. Missing ones are left out.

    `names` is the package whose chars.json has the icons' names; fluent-emoji uses that of fluent-emoji-flat.
    """
    icon_names = {code.replace("-fe0f", ""): name for code, name in _read_json(names, "chars.json").items()}
    icons = _read_json(archive, "icons.json")
    found: dict[str, Drawing] = {}
    for sign in emoji:
        name = icon_names.get(code_points(sign), "")
        name = icons.get("aliases", {}).get(name, {}).get("parent", name)
        if name in icons["icons"]:
            found[sign] = _draw(icons["icons"][name], icons, side)
    return found


def _draw(icon: dict[str, Any], defaults: dict[str, Any], size: int) -> Drawing:
    import resvg_py  # from requirements-train.txt: only needed to create the collection

    width, height = (icon.get(side, defaults[side]) for side in ("width", "height"))
    side = max(width, height)  # a few are not exactly square
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{icon["body"]}</svg>'
    svg = svg.replace("xlink:href", "href")  # the root element does not declare xlink
    return _pixels(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)))


def _pixels(png: bytes) -> Drawing:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _read_json(archive: Path, name: str) -> dict[str, Any]:
    with tarfile.open(archive) as files:
        content = files.extractfile(f"package/{name}")
        assert content
        return json.load(content)
