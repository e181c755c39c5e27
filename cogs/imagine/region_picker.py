"""The region picker, with which people choose the part of a picture to draw again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

import discord

from cogs.common import AttachedFile, MessageContent, ReplySessions, quoted
from cogs.i18n import tr
from cogs.imagine.confirm_view import ConfirmView, jobs_line
from cogs.imagine.preparation import Checked, ShowImage
from cogs.imagine.rendering import region_name
from inference import REGIONS, cells_of, cells_region, region_overlay, scaled_down

PICK = "pick on the picture"
"""The option's choice that opens the picker with nothing chosen."""

_NAMED = [name for name in REGIONS if name != "centre"]
"""The named regions except the centre, which is the middle cell."""


class RegionPicker(ConfirmView):
    """A view with buttons for nine cells and the named regions; the message shows what is chosen."""

    def __init__(
        self,
        sessions: ReplySessions,
        interaction: discord.Interaction,
        requests: Sequence[Checked],
        show: ShowImage,
        small: bytes,
        region: str,
    ) -> None:
        super().__init__(sessions, interaction, requests, show)
        self._region = region
        self._small = small
        cells = [_CellButton(str(cell), row=(cell - 1) // 3) for cell in range(1, 10)]
        self._buttons = [*cells, *(_CellButton(name, row=3) for name in _NAMED)]
        for button in self._buttons:
            self.add_item(button)
        self._mark()

    @classmethod
    async def open(
        cls,
        sessions: ReplySessions,
        interaction: discord.Interaction,
        requests: Sequence[Checked],
        show: ShowImage,
        region: str,
    ) -> Self:
        """Read the picture and open the picker with `region` chosen; raise InvalidRequest for an invalid picture."""
        limit = sessions.engine.config.limits.upload_megapixels
        small = await asyncio.to_thread(scaled_down, requests[0].request.image, limit)
        return cls(sessions, interaction, requests, show, small, region)

    async def shown(self) -> MessageContent:
        """Return the picture with the chosen region marked."""
        limit = self._sessions.engine.config.limits.upload_megapixels
        picture = await asyncio.to_thread(region_overlay, self._small, self._region, limit)
        lines = [tr("Which part should be drawn anew? The rest stays as it is."), *self._prompts()]
        chosen = region_name(self._region) if self._region else tr("nothing yet")
        alt = tr("Your picture under a grid of nine numbered cells. Chosen: {region}.", region=chosen)
        return MessageContent("\n".join(lines), (AttachedFile("regions.png", picture, alt),))

    def chosen(self) -> Sequence[Checked]:
        return [self._sessions.engine.with_inputs(each, region=self._region) for each in self._requests]

    async def choose(self, interaction: discord.Interaction, part: str) -> None:
        """Select or deselect a cell or a named region."""
        self._region = toggled(self._region, part)
        self._mark()
        content = await self.shown()
        files = [file.file() for file in content.files]
        await interaction.response.edit_message(content=content.text, attachments=files, view=self)

    def _prompts(self) -> list[str]:
        several = [jobs_line(self._requests)] if len(self._requests) > 1 else []
        return [*several, *(quoted(each.request.prompt) for each in self._requests)]

    def _mark(self) -> None:
        chosen = {self._region, *map(str, cells_of(self._region))}
        for button in self._buttons:
            ticked = button.part in chosen
            button.style = discord.ButtonStyle.success if ticked else discord.ButtonStyle.secondary
        self.draw.disabled = not self._region


class _CellButton(discord.ui.Button[RegionPicker]):
    """The button of a cell or a named region; `part` is its name in requests."""

    def __init__(self, part: str, row: int) -> None:
        super().__init__(label=region_name(part), row=row)
        self.part = part

    async def callback(self, interaction: discord.Interaction) -> None:
        assert self.view is not None
        await self.view.choose(interaction, self.part)


def toggled(region: str, part: str) -> str:
    """Return the region after a press on the button of `part`."""
    if not part.isdigit():
        return "" if part == region else part
    cells = cells_of(region) ^ {int(part)}
    return cells_region(cells) if cells else ""
