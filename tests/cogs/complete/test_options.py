"""/complete, from the option to the finished message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference import CompleteRequest, Completion, Config, Result
from tests.cogs.stage import Stage, first, refusal


async def test_the_prompt_is_bold_and_the_continuation_is_plain(stage: Stage):
    result = await stage.alice.slash(stage.channel, "complete", prompt="Once upon a time", seed=7)
    assert first(result).content == "**Once upon a time** and then\n-# seed 7"
    assert not result.ephemeral


async def test_the_options_and_the_owner_reach_the_engine(stage: Stage):
    options = {"model": "gpt2", "length": 9, "temperature": 0.5, "top-p": 0.7, "seed": 3}
    more = {"repetition-penalty": 1.2, "stop": "END", "alternatives": 2}
    await stage.alice.slash(stage.channel, "complete", prompt="x", **options, **more)
    (request,) = stage.backend.requests
    asked = CompleteRequest(
        prompt="x",
        model="gpt2",
        max_new_tokens=9,
        temperature=0.5,
        top_p=0.7,
        seed=3,
        repetition_penalty=1.2,
        stop=("END",),
        n=2,
    )
    assert request == replace(asked, owner=str(stage.alice.id), system=Config().system)


async def test_generated_text_neither_pings_nor_formats(stage: Stage):
    wild = " @everyone **loud** [here](https://evil.example) <@123456789012345678>"
    stage.backend.script = lambda spec, request: [Result(Completion(wild, 1))]
    result = await stage.alice.slash(stage.channel, "complete", prompt="@here we go")
    message = first(result).message
    assert "@everyone" not in message.content
    assert "@here" not in message.content
    assert r"\<@1" in message.content
    assert r"\*\*loud\*\*" in message.content
    assert r"\[here\](" in message.content
    assert not message.mention_everyone
    assert not message.mentions


async def test_a_text_longer_than_a_message_shows_its_end_and_is_attached_as_a_file(stage: Stage):
    text = " 2*2" * 600 + " is it"
    stage.backend.script = lambda spec, request: [Result(Completion(text, 1))]
    result = await stage.alice.slash(stage.channel, "complete", prompt="Sums:")
    content = first(result).content
    assert content.startswith("**Sums:**…")
    assert content.endswith(r"2\*2 is it" + "\n-# The whole text is in the attached file.\n-# seed 1")
    assert len(content) <= 2000
    [file] = first(result).attachments
    assert (await file.read()).decode() == "Sums:" + text
    assert not result.followups


async def test_only_the_end_of_a_long_prompt_is_shown(stage: Stage):
    result = await stage.alice.slash(stage.channel, "complete", prompt="a" * 5000 + "z")
    assert first(result).content.startswith("…**aaa")
    assert "z** and then" in first(result).content


@pytest.mark.parametrize(
    ("typed", "stops"),
    [
        ("END", ("END",)),
        ("END | The end |END", ("END", "The end")),
        (r"\n\n|\n- ", ("\n\n", "\n-")),
        ("one\ntwo", ("one", "two")),
        (" | ", ()),
    ],
)
async def test_stop_sequences_are_separated_by_bars(stage: Stage, typed: str, stops: tuple[str, ...]):
    await stage.alice.slash(stage.channel, "complete", prompt="x", stop=typed)
    (request,) = stage.backend.requests
    assert isinstance(request, CompleteRequest)
    assert request.stop == stops


async def test_an_empty_continuation_is_reported(stage: Stage):
    stage.backend.script = lambda spec, request: [Result(Completion("", 4))]
    result = await stage.alice.slash(stage.channel, "complete", prompt="The end.")
    assert first(result).content == "**The end.**\nThe model added nothing.\n-# seed 4"


async def test_a_blank_prompt_is_refused_in_private(stage: Stage):
    result = await stage.alice.slash(stage.channel, "complete", prompt="   ")
    assert refusal(result) == "The prompt is empty. Write something first."
    assert not stage.backend.requests


async def test_an_unknown_model_is_refused_with_the_names_of_the_known_models(stage: Stage):
    result = await stage.alice.slash(stage.channel, "complete", prompt="x", model="gpt9")
    assert "gpt2-large, distilgpt2" in refusal(result)


async def test_a_limit_of_the_operator_is_explained(stage: Stage):
    result = await stage.alice.slash(stage.channel, "complete", prompt="x", length=4000)
    assert refusal(result) == "The length must be between 1 and 512, not 4,000."


async def test_models_are_offered_while_typing(stage: Stage):
    offered = await stage.alice.autocomplete(stage.channel, "complete", "model", "OPT")
    assert [choice["value"] for choice in offered] == ["opt-350m", "opt-1.3b"]


async def test_it_works_in_a_direct_message(stage: Stage):
    result = await stage.alice.user.slash("complete", prompt="Once", seed=7)
    assert result.response.content == "**Once** and then\n-# seed 7"


async def test_without_a_length_some_whole_sentences_are_asked_for(stage: Stage):
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=9)
    usual, exact = stage.backend.requests
    assert isinstance(usual, CompleteRequest)
    assert isinstance(exact, CompleteRequest)
    assert (usual.max_new_tokens, usual.whole_sentences) == (192, True)
    assert (exact.max_new_tokens, exact.whole_sentences) == (9, False)


class TestShortTexts:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"limits": config.limits.model_copy(update={"new_tokens": 50})})

    async def test_whole_sentences_are_within_the_operators_limit(self, stage: Stage):
        await stage.alice.slash(stage.channel, "complete", prompt="Once")
        [request] = stage.backend.requests
        assert isinstance(request, CompleteRequest)
        assert request.max_new_tokens == 50
