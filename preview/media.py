"""The pictures of SimCord's page, each decoded once."""

from __future__ import annotations

from simcord.preview._media import MediaInfo, MediaWorker

_MAX_KEPT = 64


class KeepingMediaWorker(MediaWorker):
    """SimCord decodes each picture in a new process, again for each page. Here, results are kept for the next page."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[tuple[str, float], MediaInfo] = {}

    async def validate(self, key: str, blob: bytes, *, media_time: float | None = None) -> MediaInfo:
        """Return the decoded picture with the content hash `key`."""
        name = (key, media_time or 0.0)
        kept = self._kept.pop(name, None) or await super().validate(key, blob, media_time=media_time)
        self._kept[name] = kept
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept
