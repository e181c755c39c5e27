"""All drawings of the vocabulary in one file, which is created once."""

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
    """Drawings: `pixels` RGBA [n, 64, 64, 4], and the name and artist of each."""

    pixels: NDArray[np.uint8]
    names: tuple[str, ...]
    artists: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def of(self, artists: Names[str], without: Names[str] = ()) -> Collection:
        """Return the drawings of these artists, except those with a name in `without`."""
        rows = [
            i
            for i, (name, artist) in enumerate(zip(self.names, self.artists, strict=True))
            if artist in artists and name not in without
        ]
        return Collection(self.pixels[rows], _select(self.names, rows), _select(self.artists, rows))

    def for_training(self) -> Collection:
        """Return the training set: without the unseen artist and the held-out things."""
        return self.of(PACKAGES.keys() - {UNSEEN_ARTIST}, without=HELD_OUT)


def collect(folder: Path) -> Collection:
    """Return all drawings from a file in `folder`. The first call downloads 150 MB and creates it.

    The file name depends on the vocabulary and the packages: a change creates another file.
    """
    file = folder / f"drawings-{_digest()}.npz"
    if not file.exists():
        collection = _read_all(folder / "packages")
        unfinished = file.with_suffix(".part")
        with unfinished.open("wb") as target:
            np.savez_compressed(target, pixels=collection.pixels, names=collection.names, artists=collection.artists)
        unfinished.replace(file)
    with np.load(file) as stored:
        names, artists = (tuple(str(text) for text in stored[key]) for key in ("names", "artists"))
        return Collection(stored["pixels"], names, artists)


def _digest() -> str:
    return hashlib.sha256(repr((PACKAGES, things())).encode()).hexdigest()[:8]


def _read_all(packages: Path) -> Collection:
    pixels: list[Drawing] = []
    names: list[str] = []
    artists: list[str] = []
    for artist in PACKAGES:
        drawings = _read_artist(artist, packages)
        for thing in things():
            if thing.emoji in drawings:
                pixels.append(drawings[thing.emoji])
                names.append(thing.name)
                artists.append(artist)
    return Collection(np.stack(pixels), tuple(names), tuple(artists))


def _read_artist(artist: str, packages: Path) -> dict[str, Drawing]:
    emoji = [thing.emoji for thing in things()]
    archive = fetch(artist, packages)
    if artist in _SPRITES:
        return read_sprites(archive, artist, emoji)
    return read_icons(archive, fetch(_ICON_NAMES.get(artist, artist), packages), emoji)


def _select(texts: tuple[str, ...], rows: list[int]) -> tuple[str, ...]:
    return tuple(texts[row] for row in rows)
