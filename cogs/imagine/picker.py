"""The region picker: which part of a picture to draw anew, chosen on the picture itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

import discord

from cogs.imagine.begin import Tell
from cogs.imagine.question import Question, jobs_line
from cogs.imagine.regions import region_name
from cogs.language import tr
from cogs.reply import Attached, Jobs, Page, quoted
from inference import REGIONS, ImagineRequest, cells_of, cells_region, region_overlay, scaled_down

PICK = "pick on the picture"
"""The choice of the command's option that leads here with nothing chosen yet."""

_NAMED = [name for name in REGIONS if name != "centre"]
"""The centre is the middle cell."""


class Picker(Question):
    """Nine cells to tick, and the regions with a name; the message shows what is chosen."""

    def __init__(
        self,
        jobs: Jobs,
        interaction: discord.Interaction,
        requests: Sequence[ImagineRequest],
        tell: Tell,
        small: bytes,
    ) -> None:
        super().__init__(jobs, interaction, requests, tell)
        self._region = "" if self._region == PICK else self._region
        self._small = small
        cells = [_Choice(str(cell), row=(cell - 1) // 3) for cell in range(1, 10)]
        self._buttons = [*cells, *(_Choice(name, row=3) for name in _NAMED)]
        for button in self._buttons:
            self.add_item(button)
        self._mark()

    @classmethod
    async def open(
        cls, jobs: Jobs, interaction: discord.Interaction, requests: Sequence[ImagineRequest], tell: Tell
    ) -> Self:
        """Reads the picture; raises InvalidRequest for what is none."""
        most = jobs.engine.config.limits.upload_megapixels
        small = await asyncio.to_thread(scaled_down, requests[0].image, most)
        return cls(jobs, interaction, requests, tell, small)

    async def shown(self) -> Page:
        """The picture with the choice on it."""
        most = self._jobs.engine.config.limits.upload_megapixels
        picture = await asyncio.to_thread(region_overlay, self._small, self._region, most)
        lines = [tr("Which part should be drawn anew? The rest stays as it is."), *self._prompts()]
        chosen = region_name(self._region) if self._region else tr("nothing yet")
        alt = tr("Your picture under a grid of nine numbered cells. Chosen: {region}.", region=chosen)
        return Page("\n".join(lines), (Attached("regions.png", picture, alt),))

    async def choose(self, interaction: discord.Interaction, part: str) -> None:
        """Tick or untick a cell, or take a region with a name."""
        self._region = toggled(self._region, part)
        self._mark()
        page = await self.shown()
        files = [file.file() for file in page.files]
        await interaction.response.edit_message(content=page.text, attachments=files, view=self)

    def _prompts(self) -> list[str]:
        several = [jobs_line(self._requests)] if len(self._requests) > 1 else []
        return [*several, *(quoted(request.prompt) for request in self._requests)]

    def _mark(self) -> None:
        chosen = {self._region, *map(str, cells_of(self._region))}
        for button in self._buttons:
            ticked = button.part in chosen
            button.style = discord.ButtonStyle.success if ticked else discord.ButtonStyle.secondary
        self.draw.disabled = not self._region


class _Choice(discord.ui.Button[Picker]):
    """A cell, or a region with a name: the `part` that is in requests."""

    def __init__(self, part: str, row: int) -> None:
        super().__init__(label=region_name(part), row=row)
        self.part = part

    async def callback(self, interaction: discord.Interaction) -> None:
        assert self.view is not None
        await self.view.choose(interaction, self.part)


def toggled(region: str, part: str) -> str:
    """The region after a press on the button of a cell or of a region with a name."""
    if not part.isdigit():
        return "" if part == region else part
    cells = cells_of(region) ^ {int(part)}
    return cells_region(cells) if cells else ""
