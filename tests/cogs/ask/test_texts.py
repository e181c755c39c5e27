"""The sources of a text: typed text, files and a menu, alone and together."""

from __future__ import annotations

import pytest

from inference import Config
from tests.cogs.ask.questions import TOWER, ask, finds, newest_ask_request
from tests.cogs.stage import Stage, first, refusal
from tests.inference.documents.sample_documents import book, word_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_a_text_file_is_read(stage: Stage, encoding: str):
    result = await ask(stage, "Who?", file=("a_b.txt", "Zoë won.".encode(encoding)))
    assert first(result).content.startswith("> Who?\n\n**Zoë** won.\n-# Sure, from a\\_b.txt")


async def test_documents_of_other_kinds_are_read(stage: Stage):
    stage.backend.script = finds("noon")
    content = b"<html><head><script>evil()</script></head><body><p>Lunch is at noon.</p></body></html>"
    assert "Lunch is at **noon**." in first(await ask(stage, file=("a.html", content))).content
    paper = word_of("Dinner is not at noon.")
    assert "Dinner is not at **noon**." in first(await ask(stage, file=("a.docx", paper))).content
    result = await ask(stage, file=("a.csv", b"meal,time\nlunch,noon\n"))
    assert "meal: lunch; time: **noon**" in first(result).content


async def test_several_files_are_read_and_each_answer_names_its_own(stage: Stage):
    stage.backend.script = finds("noon", 0.9, ("seven", 0.1))
    files = {"file": ("tea.txt", b"Tea is at five."), "file2": ("lunch.md", b"Lunch is at noon.")}
    result = await ask(stage, **files, file3=("dinner.txt", b"Dinner is at seven."))
    assert newest_ask_request(stage).context == "Tea is at five.\n\nLunch is at noon.\n\nDinner is at seven."
    assert first(result).content == (
        "> When?\n\nLunch is at **noon**.\n-# Sure, from lunch.md\n"
        "Other possible answers in the text:\n1. Dinner is at **seven**. · dinner.txt"
    )


async def test_a_typed_text_next_to_a_file_also_has_a_name(stage: Stage):
    stage.backend.script = finds("five")
    result = await ask(stage, text="Tea is at five.", file=("a.txt", b"Lunch is at noon."))
    assert "-# Sure, from the text you gave" in first(result).content


async def test_a_document_of_a_hundred_pages_is_read_completely(stage: Stage):
    sentence = "The captain hid the letter in vault 81."
    stage.backend.script = finds("vault 81")
    result = await ask(stage, "Where is it?", file=("book.pdf", book(100, sentence)))
    assert (
        first(result).content == "> Where is it?\n\nThe captain hid the letter in **vault 81**.\n-# Sure, from book.pdf"
    )
    assert newest_ask_request(stage).context.startswith("Chapter 1\n")
    assert "\nChapter 100\n" in newest_ask_request(stage).context
    assert len(newest_ask_request(stage).context) > 250_000


@pytest.mark.parametrize("data", [bytes(range(256)), b"PK\x03\x04\x00\x00plain", b"\xff\xfe\x00\xd8", b""])
async def test_a_file_that_is_not_a_document_is_refused(stage: Stage, data: bytes):
    error = refusal(await ask(stage, file=("a_b.bin", data)))
    assert error.startswith("a\\_b.bin ")
    assert "send" in error.lower()
    assert not stage.backend.requests


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await ask(stage, file=("a.txt", b"a"), file2=("b.txt", b"a" * 26_000_000))
    assert refusal(result).startswith("b.txt has 26.0 MB; 25.0 MB is the most")
    assert not result.deferred


class TestFewFiles:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"limits": config.limits.model_copy(update={"files": 1})})

    async def test_more_files_than_the_operator_allows_are_refused(self, stage: Stage):
        result = await ask(stage, file=("a.txt", b"a"), file2=("b.txt", b"b"))
        assert refusal(result) == "The most files that I read at once is 1. Give fewer."
        assert not result.deferred


async def test_a_text_over_the_limit_is_refused(stage: Stage):
    assert "400,000" in refusal(await ask(stage, file=("a.txt", b"a " * 250_000)))


async def test_the_menu_asks_for_the_question_and_links_to_the_message(stage: Stage):
    stage.backend.script = finds("1889")
    message = await stage.bob.send(stage.channel, TOWER)
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    result = await stage.alice.submit_modal(form, {"question": "When?"})
    expected = f"> When?\n\nIt was built in **1889** by Eiffel.\n-# Sure, from {message.jump_url}"
    assert first(result).content == expected


async def test_the_menu_of_a_private_message_answers_in_private(stage: Stage):
    private = first(await stage.alice.slash(stage.channel, "mood", text="A plan"))
    form = await stage.alice.context_menu(stage.channel, "Ask about this", private.message)
    assert (await stage.alice.submit_modal(form, {"question": "Which?"})).ephemeral


async def test_the_menu_reads_forwarded_messages_and_documents(stage: Stage):
    stage.backend.script = finds("five", 0.9, ("noon", 0.1))
    original = await stage.bob.send(stage.channel, "Lunch is at noon.", attachments=[("a.txt", b"Tea is at five.")])
    message = await stage.bob.forward(original, stage.channel)
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    result = await stage.alice.submit_modal(form, {"question": "When?"})
    assert f"Tea is at **five**.\n-# Sure, from a.txt ({message.jump_url})" in first(result).content
    assert f"1. Lunch is at **noon**. · {message.jump_url}" in first(result).content


@pytest.mark.parametrize("name", ["a.py", "a.srt", "A.EML", "a.rs", "a.toml", "a.jsonl"])
async def test_the_menu_reads_files_of_any_kind_of_text(stage: Stage, name: str):
    message = await stage.bob.send(stage.channel, "See this:", attachments=[(name, b"\nTea is at five.")])
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    await stage.alice.submit_modal(form, {"question": "When?"})
    assert newest_ask_request(stage).context == "See this:\n\nTea is at five."


async def test_a_guessed_encoding_is_named_below_the_answer(stage: Stage):
    stage.backend.script = finds("bol")
    result = await ask(stage, file=("a.txt", "Mlyn bol postavený.".encode("cp1250")))
    assert first(result).content.endswith(
        "\n-# a.txt does not name its encoding. I read it as Windows-1250; if letters are wrong, save it as UTF-8."
    )


async def test_a_question_about_a_message_without_text_is_refused(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.bin", b"1")])
    form = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    result = await stage.alice.submit_modal(form, {"question": "When?"})
    assert refusal(result) == "That message has no words to read."
