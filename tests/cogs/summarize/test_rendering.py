"""Long summaries: links to the beginning of each section, and how many messages were read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference import Event, InferenceError, ModelSpec, Progress, Request, Result, Section, SummarizeRequest, Summary
from tests.cogs.stage import Stage, first
from tests.cogs.summarize.channels import send_messages, summarized_texts


def in_sections(count: int, words: str = "They talk."):
    """Return a script that summarizes a text in `count` sections, which end at its boundaries."""

    def script(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        assert isinstance(request, SummarizeRequest)
        size = len(request.boundaries) // count
        cuts = [*request.boundaries[: size * count : size], len(request.text)]
        sections = tuple(Section(f"{i}. {words}", cuts[i], cuts[i + 1]) for i in range(count))
        return [Progress(1, count), Result(Summary("All of it.", count, sections))]

    return script


async def test_a_thousand_messages_are_read_and_each_section_links_to_its_first_message(stage: Stage):
    await send_messages(stage, stage.channel, 1000)
    stage.backend.script = in_sections(5)
    result = await stage.alice.slash(stage.channel, "summarize", messages=1000)
    messages = stage.channel.history()
    lines = first(result).content.splitlines()
    assert lines[0] == "All of it."
    links = [re.search(r"\[jump\]\((.*)\)", line) for line in lines[3:8]]
    assert [link and link[1] for link in links] == [messages[number].jump_url for number in range(0, 1000, 200)]
    assert "1,000 messages read, 5 parts" in lines[-1].replace("1000", "1,000")
    assert summarized_texts(stage)[0].count("\n") == 999


async def test_many_sections_are_joined_so_that_all_links_fit(stage: Stage):
    await send_messages(stage, stage.channel, 40)
    stage.backend.script = in_sections(40, "Something was said about the garden, and about tulips. " * 3)
    result = await stage.alice.slash(stage.channel, "summarize", messages=40)
    content = first(result).content
    links = re.findall(r"\[jump\]\((.*?)\)", content)
    assert links == [message.jump_url for message in stage.channel.history()[:40:5]]
    assert len(content) <= 2000
    [file] = first(result).attachments
    whole = stage.env.backend.cdn.get(file.url)
    assert whole is not None
    assert whole.decode().count("https://") == 40


async def test_a_short_conversation_links_to_its_first_message(stage: Stage):
    await send_messages(stage, stage.channel, 3)
    result = await stage.alice.slash(stage.channel, "summarize", messages=3)
    assert first(result).content.endswith(f"3 messages read · [jump]({stage.channel.history()[0].jump_url})")


async def test_the_summary_does_not_repeat_its_sections(stage: Stage):
    await send_messages(stage, stage.channel, 4)

    def script(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        sections = (Section("- Lunch.\n- At noon.", 0, 30), Section("Dinner.", 30, 60))
        return [Result(Summary("- Lunch.\n- At noon.\n\nDinner.", 2, sections))]

    stage.backend.script = script
    result = await stage.alice.slash(stage.channel, "summarize", messages=4)
    lines = first(result).content.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith(") Lunch. At noon.")
    assert lines[1].endswith(") Dinner.")
