"""/summarize of texts and files, and the menu."""

from __future__ import annotations

import pytest

from inference import Progress, Result, SummarizeRequest, Summary
from tests.cogs.stage import Stage, first, refusal

LABEL = "\n-# In the model's own words, which may be wrong"


async def test_the_summary_of_a_text_is_public(stage: Stage):
    result = await stage.alice.slash(stage.channel, "summarize", text="Much ado about nothing")
    assert first(result).content == "In short: Much ado about nothi" + LABEL
    assert not result.ephemeral
    assert stage.backend.requests == [SummarizeRequest(text="Much ado about nothing", owner=str(stage.alice.id))]


async def test_the_requested_length_is_used(stage: Stage):
    await stage.alice.slash(stage.channel, "summarize", text="Much ado", length="bullets")
    assert stage.backend.requests == [SummarizeRequest(text="Much ado", length="bullets", owner=str(stage.alice.id))]


async def test_a_file_is_summarized_and_the_number_of_parts_is_shown(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Summary("Short.", 3))]
    result = await stage.alice.slash(stage.channel, "summarize", file=("a.md", b"long " * 10_000))
    assert first(result).content == "Short." + LABEL + " · a.md · 3 parts"


async def test_several_files_become_one_text_with_boundaries_between_them(stage: Stage):
    files = {"file": ("a.txt", b"One thing."), "file3": ("b.txt", b"Another.")}
    result = await stage.alice.slash(stage.channel, "summarize", **files)
    [request] = stage.backend.requests
    assert isinstance(request, SummarizeRequest)
    assert [request.text[border:].split()[0] for border in request.boundaries] == ["One", "Another."]
    assert first(result).content.endswith("a.txt, b.txt")


async def test_parts_are_counted_while_they_are_read(stage: Stage):
    stage.backend.script = lambda spec, request: [Progress(2, 5)]
    result = await stage.alice.slash(stage.channel, "summarize", text="Much ado")
    await stage.env.advance_time(1)
    assert first(result).content == "2 of 5 parts ▰▰▰▰▱▱▱▱▱▱"


async def test_lists_stay_lists_and_nothing_else_is_formatted(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Summary("- **One**\n* two\n# three", 1))]
    result = await stage.alice.slash(stage.channel, "summarize", text="Much ado")
    assert first(result).content == "- \\*\\*One\\*\\*\n- two\n\\# three" + LABEL


async def test_the_menu_reads_the_message_and_links_to_it(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story", attachments=[("more.txt", b"and its end")])
    result = await stage.alice.context_menu(stage.channel, "Summarize", message)
    assert message.jump_url in first(result).content
    assert _texts(stage) == ["A long story\n\nand its end"]


async def test_the_menu_of_a_private_message_answers_in_private(stage: Stage):
    private = first(await stage.alice.slash(stage.channel, "mood", text="A plan"))
    assert (await stage.alice.context_menu(stage.channel, "Summarize", private.message)).ephemeral


async def test_a_forwarded_message_is_read(stage: Stage):
    original = await stage.bob.send(stage.channel, "A long story")
    forwarded = await stage.bob.forward(original, stage.channel)
    await stage.alice.context_menu(stage.channel, "Summarize", forwarded)
    assert _texts(stage) == ["A long story"]


@pytest.mark.parametrize(
    "options",
    [{}, {"text": "x", "messages": 5}, {"text": "x", "file": ("a.txt", b"y")}, {"text": "x", "since": "y"}],
)
async def test_exactly_one_source_is_needed(stage: Stage, options: dict[str, object]):
    result = await stage.alice.slash(stage.channel, "summarize", **options)
    assert refusal(result).startswith("Give one of these: a text, files, or messages")


def _texts(stage: Stage) -> list[str]:
    return [request.text for request in stage.backend.requests if isinstance(request, SummarizeRequest)]
