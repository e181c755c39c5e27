"""Helpers that draw pictures in the channel and press their buttons."""

from __future__ import annotations

from io import BytesIO
from typing import Any, cast

from PIL import Image
from simcord import InteractionResult, MemberActor, ResponseMessage

from bot import create_bot
from cogs.client import Inkling
from cogs.common.sources import attachments, text_of
from inference import Config, ImagineRequest
from storage import Shards
from tests.cogs.stage import PatientEngine, Stage, first


async def grid(stage: Stage, count: int = 4, **options: object) -> ResponseMessage:
    """Draw several pictures. Their message lists no attachments: Discord does not list files that are in a gallery."""
    options = {"prompt": "a fox", "seed": 7} | options
    message = first(await stage.alice.slash(stage.channel, "imagine", count=count, **options))
    if message.flags.components_v2:
        message._message.attachments.clear()  # pyright: ignore[reportPrivateUsage]
    return message


async def sheet(stage: Stage, count: int = 4, **options: object) -> ResponseMessage:
    """Draw several pictures, of which Discord refuses a gallery."""
    stage.env.inject_error("PATCH", "/webhooks/*/messages/*", status=400, code=50035)
    return await grid(stage, count, **options)


def gallery(message: ResponseMessage) -> list[dict[str, Any]]:
    """Return the pictures of a gallery, with their alt texts and spoilers."""
    [items] = [component["items"] for component in message.components if "items" in component]
    return items


def text(message: ResponseMessage) -> str:
    return text_of(message.message)


async def press(
    stage: Stage, message: ResponseMessage, label: str, who: MemberActor | None = None
) -> InteractionResult:
    return await (who or stage.alice).click(message.message, label=label)


def button_rows(message: ResponseMessage) -> list[list[str]]:
    """Return the labels of the buttons, in brackets if they are disabled."""
    return [
        [f"({b['label']})" if b.get("disabled") else b["label"] for b in row["components"]]
        for row in message.components
        if "components" in row
    ]


async def files(message: ResponseMessage) -> dict[str, bytes]:
    """Return the files that a message shows, by their names."""
    return {shown.filename: await shown.read() for shown in attachments(message.message)}


async def file(message: ResponseMessage) -> bytes:
    [data] = (await files(message)).values()
    return data


async def image_size(message: ResponseMessage) -> tuple[int, int]:
    return Image.open(BytesIO(await file(message))).size


def newest_request(stage: Stage) -> ImagineRequest:
    request = stage.backend.requests[-1]
    assert isinstance(request, ImagineRequest)
    return request


async def stored_count(stage: Stage) -> int:
    """Return the number of drawings in the store."""
    rows = await cast(Inkling, stage.bot).store.database.read("SELECT * FROM images")
    return len(rows)


async def restart(stage: Stage, config: Config, shards: Shards | None = None) -> None:
    """Replace the bot with a new one on the same data."""
    engine = PatientEngine(config, stage.backend, stage.backend.observers)
    engine.env = stage.env
    await stage.bot.close()
    await stage.env.restart_bot(create_bot(engine, shards))


async def submit_remix(stage: Stage, message: ResponseMessage, **changed: str) -> InteractionResult:
    form = await press(stage, message, "Remix")
    fields = {"prompt": "a fox", "negative": "", "seed": "7", "settings": "Steps: 25, Sampler: DDIM, CFG scale: 7.5"}
    return await stage.alice.submit_modal(form, fields | changed)
