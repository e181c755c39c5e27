"""Several pictures in one message: each as a file of its own in a gallery, or all on one sheet."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import discord

from cogs.common import AttachedFile, MessageContent
from cogs.common.sources import attachments, read
from cogs.i18n import tr
from cogs.imagine.alt_text import alt_text, numbered_alt_text
from inference import (
    ImageResult,
    ImagineRequest,
    InvalidRequest,
    crop_from_grid,
    encode_lossless_webp,
    image_grid,
    infotext,
)

_FILE_OF_A_GALLERY = re.compile(r"inkling-\d+-(?P<number>\d+)\.(?:png|webp)$")
"""The name of a picture's file in a gallery, with the picture's number from 1; a sheet has no number."""

NO_FILE = (
    "Discord did not hand over the file of this picture, so it can't be shown by itself. Re-roll or Remix draws anew."
)


@dataclass(frozen=True, slots=True)
class PicturesMessage:
    """What the message of a result shows; `captions` has one for each picture, maybe empty."""

    text: str
    request: ImagineRequest
    result: ImageResult
    captions: Sequence[str]
    note: str = ""

    async def gallery(self, limit: int) -> MessageContent | None:
        """Return the content with a file for each of several pictures; None if one message can't hold them.

        `limit` is the most bytes of all files together. Pictures that were held back are left out.
        """
        shown = [picture for picture in self.result.pictures if picture.png]
        if len(self.result.pictures) == 1 or not shown:
            return None
        if sum(len(picture.png) for picture in shown) <= limit:
            return self._gallery([picture.png for picture in shown], "png", self.note)
        files = await asyncio.to_thread(_as_webp, [picture.png for picture in shown], limit)
        note = tr(
            "These pictures are lossless WebP, since the PNGs together are over the {most} MB that Discord takes here.",
            most=limit // 10**6,
        )
        return self._gallery(files, "webp", f"{self.note} {note}".strip()) if files else None

    def _gallery(self, files: Sequence[bytes], ending: str, note: str) -> MessageContent:
        pictures, count = self.result.pictures, len(self.result.pictures)
        shown = [index for index in range(count) if pictures[index].png]
        attached = (
            AttachedFile(
                f"inkling-{pictures[index].seed}-{index + 1}.{ending}",
                data,
                numbered_alt_text(self.request, self.captions[index], index + 1, count),
                spoiler=pictures[index].flagged,
            )
            for index, data in zip(shown, files, strict=True)
        )
        return MessageContent(self.text, tuple(attached), note=note, gallery=True)

    async def sheet(self, sign: Callable[[bytes], Awaitable[bytes]]) -> MessageContent:
        """Return the content with one file: a single picture, or a sheet of all; no file if all were held back.

        `sign` signs a new file, if the operator wants that.
        """
        shown = [picture for picture in self.result.pictures if picture.png]
        if not shown:
            return MessageContent(self.text, note=self.note)
        single = len(self.result.pictures) == 1
        png = shown[0].png if single else await sign(await asyncio.to_thread(_sheet, self.request, self.result))
        alt, spoiler = alt_text(self.request, self.captions), any(picture.flagged for picture in shown)
        file = AttachedFile(f"inkling-{shown[0].seed}.png", png, alt, spoiler=spoiler)
        return MessageContent(self.text, (file,), note=self.note)


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in a message: number `index` of the `count` pictures in `file`, from 0."""

    file: discord.Attachment
    index: int
    count: int

    async def png(self, parameters: str) -> bytes:
        """Return the picture as it was drawn, as PNG with `parameters`; raise InvalidRequest if Discord has no file."""
        try:
            data = await read(self.file)
        except InvalidRequest as error:
            raise InvalidRequest(NO_FILE) from error
        if self.count == 1 and self.file.filename.endswith(".png"):
            return data
        return await asyncio.to_thread(crop_from_grid, data, self.index, self.count, parameters)


def shown_picture(message: discord.Message, index: int, count: int) -> ShownPicture | None:
    """Return picture `index` of the `count` pictures of a message; None if the message does not have its exact pixels.

    A sheet that was too large for Discord was sent as WebP, which may have lost details.
    """
    files = attachments(message)
    numbered = {match["number"]: file for file in files if (match := _FILE_OF_A_GALLERY.search(file.filename))}
    if numbered:
        own = numbered.get(str(index + 1))
        return ShownPicture(own, 0, 1) if own else None
    sheet = next(iter(files), None)
    return ShownPicture(sheet, index, count) if sheet and sheet.filename.endswith(".png") else None


def _as_webp(pngs: Sequence[bytes], limit: int) -> list[bytes]:
    """Return the pictures as lossless WebP; nothing if they have more than `limit` bytes together."""
    files: list[bytes] = []
    for png in pngs:
        files.append(encode_lossless_webp(png))
        if sum(map(len, files)) > limit:
            return []
    return files


def _sheet(request: ImagineRequest, result: ImageResult) -> bytes:
    """Return all pictures on one sheet, with the parameters that repeat them."""
    repeating = replace(infotext.request_for_image(request, result, 0), count=request.count)
    return image_grid([picture.png for picture in result.pictures], infotext.to_text(repeating))
