"""All drawings of the vocabulary in one file, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Names
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starter.drawings.artists import Drawing, read_icons, read_sprites
from starter.drawings.packages import PACKAGES, UNSEEN_ARTIST, fetch
from starter.drawings.vocabulary import HELD_OUT, things

_SPRITES = ("google", "twitter")
_ICON_NAMES = {"fluent": "fluent flat"}


@dataclass(frozen=True, slots=True)
class Collection:
    """Drawings in rows: `pixels` RGBA [n, 64, 64, 4], and for each its name and artist."""

    pixels: NDArray[np.uint8]
    names: tuple[str, ...]
    artists: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def of(self, artists: Names[str], without: Names[str] = ()) -> Collection:
        """The drawings of these artists, but none of the names in `without`."""
        rows = [
            i
            for i, (name, artist) in enumerate(zip(self.names, self.artists, strict=True))
            if artist in artists and name not in without
        ]
        return Collection(self.pixels[rows], _pick(self.names, rows), _pick(self.artists, rows))

    def for_training(self) -> Collection:
        """Neither the unseen artist nor the held-out things."""
        return self.of(PACKAGES.keys() - {UNSEEN_ARTIST}, without=HELD_OUT)


def collect(folder: Path) -> Collection:
    """Every artist's drawing of every thing, from a file in `folder`; the first call fetches 150 MB and makes it.

    The file is named after what is asked for: another vocabulary or package makes another one.
    """
    file = folder / f"drawings-{_digest()}.npz"
    if not file.exists():
        collection = _gather(folder / "packages")
        half_done = file.with_suffix(".part")
        with half_done.open("wb") as target:
            np.savez_compressed(target, pixels=collection.pixels, names=collection.names, artists=collection.artists)
        half_done.replace(file)
    with np.load(file) as stored:
        names, artists = (tuple(str(text) for text in stored[key]) for key in ("names", "artists"))
        return Collection(stored["pixels"], names, artists)


def _digest() -> str:
    return hashlib.sha256(repr((PACKAGES, things())).encode()).hexdigest()[:8]


def _gather(packages: Path) -> Collection:
    pixels: list[Drawing] = []
    names: list[str] = []
    artists: list[str] = []
    for artist in PACKAGES:
        drawings = _read(artist, packages)
        for thing in things():
            if thing.emoji in drawings:
                pixels.append(drawings[thing.emoji])
                names.append(thing.name)
                artists.append(artist)
    return Collection(np.stack(pixels), tuple(names), tuple(artists))


def _read(artist: str, packages: Path) -> dict[str, Drawing]:
    emoji = [thing.emoji for thing in things()]
    archive = fetch(artist, packages)
    if artist in _SPRITES:
        return read_sprites(archive, artist, emoji)
    return read_icons(archive, fetch(_ICON_NAMES.get(artist, artist), packages), emoji)


def _pick(texts: tuple[str, ...], rows: list[int]) -> tuple[str, ...]:
    return tuple(texts[row] for row in rows)
