"""All drawings of the vocabulary in one file for each size, which is created once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Names
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from starter.drawings.artists import SIDE, Drawing, read_icons, read_sprites
from starter.drawings.packages import LARGE_PACKAGES, PACKAGES, UNSEEN_ARTIST, fetch
from starter.drawings.vocabulary import HELD_OUT, things

_SPRITES = (PACKAGES["google"], PACKAGES["twitter"])
_ICON_NAMES = {"fluent": "fluent flat"}


@dataclass(frozen=True, slots=True)
class Collection:
    """Drawings: `pixels` RGBA [n, side, side, 4], and the name and artist of each."""

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
    """Return all drawings from a file in `folder`, 64 pixels wide. The first call downloads 150 MB and creates it."""
    return _collect(folder, PACKAGES, SIDE)


def collect_large(folder: Path, side: int, artists: Names[str]) -> Collection:
    """Return these artists' drawings, `side` pixels wide, from a file in `folder`. The first call creates it."""
    return _collect(folder, {artist: LARGE_PACKAGES[artist] for artist in LARGE_PACKAGES if artist in artists}, side)


def _collect(folder: Path, packages: Mapping[str, str], side: int) -> Collection:
    """Return the drawings of `packages` (by artist) from a file in `folder`, which is created if it is missing.

    The file name depends on the vocabulary and the packages: a change creates another file.
    """
    digest = hashlib.sha256(repr((packages, things())).encode()).hexdigest()[:8]
    file = folder / f"drawings-{digest}{'' if side == SIDE else f'-{side}'}.npz"
    if not file.exists():
        collection = _read_all(folder / "packages", packages, side)
        unfinished = file.with_suffix(".part")
        with unfinished.open("wb") as target:
            np.savez_compressed(target, pixels=collection.pixels, names=collection.names, artists=collection.artists)
        unfinished.replace(file)
    with np.load(file) as stored:
        names, artists = (tuple(str(text) for text in stored[key]) for key in ("names", "artists"))
        return Collection(stored["pixels"], names, artists)


def _read_all(folder: Path, packages: Mapping[str, str], side: int) -> Collection:
    pixels: list[Drawing] = []
    names: list[str] = []
    artists: list[str] = []
    for artist, package in packages.items():
        drawings = _read_artist(artist, package, folder, side)
        for thing in things():
            if thing.emoji in drawings:
                pixels.append(drawings[thing.emoji])
                names.append(thing.name)
                artists.append(artist)
    return Collection(np.stack(pixels), tuple(names), tuple(artists))


def _read_artist(artist: str, package: str, folder: Path, side: int) -> dict[str, Drawing]:
    emoji = [thing.emoji for thing in things()]
    archive = fetch(package, folder)
    if package in _SPRITES:
        return read_sprites(archive, artist, emoji)
    names = fetch(PACKAGES[_ICON_NAMES[artist]], folder) if artist in _ICON_NAMES else archive
    return read_icons(archive, names, emoji, side)


def _select(texts: tuple[str, ...], rows: list[int]) -> tuple[str, ...]:
    return tuple(texts[row] for row in rows)
