"""Errors in the words of the command line, whose reader is the operator."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from cogs.i18n.sentence_extraction import sentences
from inference.cli.error_messages import download_message, error_message
from inference.hub.hub_errors import explain
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable, addressed_to_operator
from tests.inference.cli.command_line import CommandLine
from tests.inference.cli.test_download import download
from tests.inference.hub.fake_hub import FakeHub


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("The bot's operator has to check HF_TOKEN.", "You have to check HF_TOKEN."),
        ("No model is set up. The bot's operator can list one.", "No model is set up. You can list one."),
        ("Choose another model; the bot's operator finds it.", "Choose another model; you find it."),
        ("The disk is full. Its operator has to make room.", "The disk is full. You have to make room."),
        ("Wait, or ask the bot's operator to raise `memory`.", "Wait, or raise `memory`."),
        ("x could not be loaded. Its operator finds the reason in the log.", "x could not be loaded. You find the "
         "reason in the log. Add --verbose to see it."),
    ],
)  # fmt: skip
def test_the_operator_is_addressed_directly(message: str, words: str) -> None:
    assert error_message(ModelUnavailable(message)) == words


def test_no_sentence_speaks_of_the_operator_to_the_operator() -> None:
    texts = [sentence.one for sentence in sentences() if sentence.path.startswith("inference/")]
    assert sum("operator" in text for text in texts) > 30
    assert [text for text in texts if "operator" in addressed_to_operator(text)] == []


def test_errors_on_the_command_line_address_the_operator(run: CommandLine) -> None:
    run.respond_with(InvalidRequest("This bot's operator does not allow a word of this prompt."))
    assert run("complete", "x").err == "You do not allow a word of this prompt.\n"


def test_a_download_that_fails_is_not_advised_to_download(run: CommandLine, fake_hub: FakeHub) -> None:
    fake_hub.endpoint = "http://127.0.0.1:9"
    outcome = download(run, fake_hub, "models: {fill: [org/bert]}")
    assert (outcome.status, outcome.err) == (
        2,
        "bert is not on this machine, and the hub is out of reach. You have to check the network and the name. "
        "Run this command again later. Or copy the model from another machine, and list its folder in the settings.\n",
    )


def test_a_download_that_is_forbidden_says_what_forbids_it_and_another_way() -> None:
    error = explain(OfflineModeIsEnabled("no"), ModelSpec(name="bert", task="fill", repo="org/bert"))
    assert download_message(error) == (
        "bert is not on this machine, and HF_HUB_OFFLINE=1 forbids to fetch it. "
        "You can unset that and run this command again. "
        "Or copy the model from another machine, and list its folder in the settings."
    )


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            LocalEntryNotFoundError("no"),
            "bert is not on this machine, and the hub is out of reach. "
            "Once the network is there and the name is right, fetch the model: "
            "`.venv/bin/python -m inference download org/bert`. "
            "To see which models are here: `.venv/bin/python -m inference models`.",
        ),
        (
            OfflineModeIsEnabled("no"),
            "bert is not on this machine, and HF_HUB_OFFLINE=1 forbids to fetch it. "
            "Unset it, then fetch the model: `.venv/bin/python -m inference download org/bert`. "
            "To see which models are here: `.venv/bin/python -m inference models`.",
        ),
    ],
)
def test_a_model_that_can_not_be_fetched_now_is_to_be_fetched_later(cause: Exception, words: str) -> None:
    assert error_message(explain(cause, ModelSpec(name="bert", task="fill", repo="org/bert"))) == words
