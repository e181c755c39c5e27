"""What people show beside their words: pictures, files and links."""

from __future__ import annotations

from typing import Any

from inference import Answer, AskRequest, Result
from tests.cogs.chat.conversations import newest_request, replies, said
from tests.cogs.stage import Stage
from tests.fakes import PNG, plausible


async def test_a_picture_is_described_to_a_model_that_cannot_see(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} what is this?", attachments=[("cat.png", PNG)])
    assert stage.last_text.startswith("-# 🖼️ cat.png: a cat on a mat\nWell met.")
    request = newest_request(stage)
    assert request.context == "The picture cat.png shows: a cat on a mat"
    [answer] = await replies(stage)
    await stage.alice.send(stage.channel, "what colour?", reply_to=answer)
    assert said(stage)[1] == ("assistant", "[🖼️ cat.png: a cat on a mat]\nWell met.")


async def test_ten_pictures_are_not_all_looked_at(stage: Stage):
    pictures = [(f"{i}.png", PNG) for i in range(10)]
    await stage.alice.send(stage.channel, f"{stage.mention} look", attachments=pictures)
    assert "I looked at 4 of 10 pictures" in stage.last_text
    assert len(stage.backend.requests) == 5


async def test_a_file_is_answered_with_evidence(stage: Stage):
    def answering(spec: Any, request: Any) -> Any:
        is_search = isinstance(request, AskRequest)
        return [Result(Answer("1889", 0.9, 13, 17))] if is_search else plausible(spec, request)

    stage.backend.script = answering
    text = [("minutes.txt", b"It opened in 1889.")]
    await stage.alice.send(stage.channel, f"{stage.mention} when did it open?", attachments=text)
    assert stage.last_text.startswith("Well met.\n-# What I found there:\n-# It opened in **1889**.")
    request = newest_request(stage)
    assert "It opened in 1889." in request.context


async def test_a_video_is_named_as_unreadable(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} watch", attachments=[("film.mp4", b"0")])
    assert "I can't read `film.mp4`" in stage.last_text


async def test_a_link_to_another_channel_is_not_followed(stage: Stage):
    secret = stage.guild.create_text_channel("secret")
    message = await stage.bob.send(secret, "the code is 1234")
    await stage.alice.send(stage.channel, f"{stage.mention} read {message.jump_url}")
    request = newest_request(stage)
    assert "1234" not in request.context
    assert "I read linked messages of this channel only" in stage.last_text
