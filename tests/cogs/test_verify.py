"""/verify and its menu: what a picture says of its origin, told in private and without promising too much."""

from __future__ import annotations

import pytest

from cogs.verify import origin_text
from inference import OriginReport
from inference.images.content_credentials import Credentials
from inference.images.decoding import encode_png
from inference.images.origin import encode_drawn
from tests.cogs.stage import Stage, first, refusal
from tests.inference.images.test_watermark import texture

DRAWN = encode_drawn(texture(256, 256), "a fox\nSteps: 3, Seed: 5, Version: Inkling", mark=True)
PLAIN = encode_png(texture(256, 256))
SOURCE = "trainedAlgorithmicMedia"


async def test_a_drawn_picture_is_recognized_in_private(stage: Stage):
    result = await stage.alice.slash(stage.channel, "verify", image=("fox.png", DRAWN))
    assert first(result).ephemeral
    verdict, pixels, file, signature = first(result).content.splitlines()
    assert verdict == "**This picture, or a part of it, was almost certainly drawn by an Inkling bot.**"
    assert pixels.startswith("- Pixels: they hold the mark of an Inkling bot.")
    assert file.startswith("- File: It says that a model drew the picture. It has the settings of a drawing;")
    assert file.endswith("That is not signed, so anybody could have written it.")
    assert signature.startswith("- Signature: ")
    assert not stage.backend.requests


async def test_a_picture_that_says_nothing_proves_nothing(stage: Stage):
    result = await stage.alice.slash(stage.channel, "verify", image=("photo.png", PLAIN))
    assert first(result).content.startswith("**Nothing found. That proves nothing: ")
    assert "- Pixels: no mark of an Inkling bot." in first(result).content


async def test_a_picture_too_small_for_the_mark_says_so(stage: Stage):
    result = await stage.alice.slash(stage.channel, "verify", image=("tiny.png", encode_png(texture(64, 64))))
    assert "- Pixels: the picture is too small to hold the mark of an Inkling bot." in first(result).content


async def test_the_menu_tells_the_origin_of_each_picture_of_a_message(stage: Stage):
    files = [("a.png", DRAWN), ("b_1.png", b"I am a text"), ("c.png", PLAIN)]
    message = await stage.bob.send(stage.channel, attachments=files)
    result = await stage.alice.context_menu(stage.channel, "Verify picture", message)
    assert first(result).ephemeral
    fox, text, plain = first(result).content.split("\n\n")
    assert fox.startswith("1. **a.png**\n**This picture, or a part of it, was almost certainly")
    assert text.startswith("2. **b\\_1.png**\nThis file is not a picture")
    assert plain.startswith("3. **c.png**\n**Nothing found.")


async def test_what_is_no_picture_is_refused(stage: Stage):
    assert "not a picture" in refusal(
        await stage.alice.slash(stage.channel, "verify", image=("cat.png", b"I am a text"))
    )
    message = await stage.bob.send(stage.channel, "just words")
    assert "no picture" in refusal(await stage.alice.context_menu(stage.channel, "Verify picture", message))


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await stage.alice.slash(stage.channel, "verify", image=("huge.png", b"0" * 26_000_000))
    assert refusal(result).startswith("huge.png has 26.0 MB; 25.0 MB is the most")
    assert not result.deferred


def test_what_a_valid_signature_covers_is_not_called_unsigned():
    valid, broken = (Credentials(state, "Example", "Inkling", SOURCE) for state in ("valid", "broken"))
    assert "not signed" not in origin_text(OriginReport(0.0, SOURCE, True, True, valid))
    assert "not signed" in origin_text(OriginReport(0.0, SOURCE, True, True, broken))
    assert "not signed" in origin_text(OriginReport(0.0, SOURCE, True, True))


@pytest.mark.parametrize(
    ("report", "verdict", "finding"),
    [
        (
            OriginReport(0.0, SOURCE, True, True, Credentials("trusted", "Example", "Inkling", SOURCE)),
            "This picture was drawn by a model. Its signature proves it.",
            "Signature: valid, by Example, with the certificate of this bot's operator (C2PA).",
        ),
        (
            OriginReport(0.0, "", False, True, Credentials("valid", "*Example*", "Inkling", SOURCE)),
            "This picture says that a model drew it. Anybody could have made it say so.",
            r"Signature: valid, by \*Example\* (C2PA).",
        ),
        (
            OriginReport(0.0, "", False, True, Credentials("broken", "Example", "Inkling", SOURCE)),
            "This picture says something of its origin, but nothing that proves it.",
            "Signature: broken.",
        ),
        (
            OriginReport(-2.0, SOURCE, False, True),
            "This picture says that a model drew it. Anybody could have made it say so.",
            "Signature: none (C2PA).",
        ),
        (
            OriginReport(-4.0),
            "Perhaps an Inkling bot drew this picture, perhaps not.",
            "Signature: this bot does not read signatures (C2PA).",
        ),
        (
            OriginReport(-7.2),
            "This picture, or a part of it, was almost certainly drawn by an Inkling bot.",
            "By chance, one of 10,000,000 pictures would look like this.",
        ),
        (
            OriginReport(-80.0, "digitalCapture"),
            "This picture, or a part of it, was almost certainly drawn by an Inkling bot.",
            "File: It gives “digitalCapture” as the source of the picture.",
        ),
    ],
)
def test_the_verdict_follows_the_strongest_evidence(report: OriginReport, verdict: str, finding: str):
    text = origin_text(report)
    assert text.splitlines()[0] == f"**{verdict}**"
    assert finding in text
