"""/imagine with `fast`: what the model is asked for, what the picture says, and what its buttons ask for again."""

from __future__ import annotations

from inference import FastMode, ImagineRequest
from tests.cogs.imagine.images import grid, newest_request, press, submit_remix, text
from tests.cogs.stage import Stage, first, refusal

SAID = "guidance 7.5 · fast, guidance in 50% of the steps, deep layers every 2 steps · seeds 7 to 10"


async def test_a_fast_picture_says_what_it_gives_up(stage: Stage):
    message = await grid(stage, fast=True)
    assert newest_request(stage).fast == FastMode()
    assert SAID in text(message)


async def test_pictures_are_not_fast_unless_somebody_asks(stage: Stage):
    message = await grid(stage)
    assert newest_request(stage).fast is None
    assert "fast" not in text(message)


async def test_the_buttons_draw_as_fast_as_the_picture_was_drawn(stage: Stage):
    message = await grid(stage, fast=True)
    await press(stage, message, "V2")
    assert newest_request(stage).fast == FastMode(0.5, 2), "a variation starts from this picture"
    await press(stage, message, "Re-roll")
    assert newest_request(stage).fast == FastMode(), "the same request once more"


async def test_the_line_of_settings_has_it_and_a_remix_can_leave_it_out(stage: Stage):
    message = await grid(stage, fast=True)
    form = (await press(stage, message, "Remix")).modal
    assert form is not None
    line = next(
        field["component"]["value"] for field in form["components"] if field["component"]["custom_id"] == "settings"
    )
    assert line.endswith(", Fast: yes")
    await submit_remix(stage, message, seed="7", settings=line)
    assert newest_request(stage).fast == FastMode(0.5, 2)
    result = await submit_remix(stage, message, seed="7", settings=line.removesuffix(", Fast: yes"))
    assert newest_request(stage).fast is None
    assert "-# fast yes → no · Remix of" in text(first(result))


async def test_it_can_be_typed_among_the_other_settings(stage: Stage):
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox", advanced="Steps: 30, Fast: yes")
    assert newest_request(stage).fast == FastMode()
    result = await submit_remix(stage, await grid(stage), settings="Fast: very")
    assert refusal(result).startswith("Fast must be yes or no, not 'very'.")


def test_fast_and_other_pictures_are_drawn_apart_and_count_as_less_work():
    plain, fast = ImagineRequest(prompt="a fox"), ImagineRequest(prompt="a fox", fast=FastMode())
    assert plain.batch_key != fast.batch_key
    assert fast.work < plain.work


def test_the_work_of_a_fast_picture_follows_from_what_it_leaves_out():
    plain = ImagineRequest(prompt="a fox").work

    def work(fast: FastMode) -> float:
        return ImagineRequest(prompt="a fox", fast=fast).work / plain

    assert work(FastMode(1, 1)) == 1
    assert work(FastMode()) == work(FastMode(1, 2))
    assert work(FastMode(1, 3)) < work(FastMode(1, 2))
    assert work(FastMode(0.5, 2)) < work(FastMode(0.8, 2)) < work(FastMode(1, 2))
    for fast, measured in ((FastMode(1, 2), 0.57), (FastMode(0.5, 1), 0.82), (FastMode(0.5, 3), 0.41)):
        assert abs(work(fast) - measured) < 0.06, "Stable Diffusion in docs/performance.md"
