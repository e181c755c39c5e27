"""Test what the command line prints to stdout and stderr, and its exit status."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from inference import (
    Answer,
    AskRequest,
    CaptionRequest,
    ChatReply,
    ChatRequest,
    CompleteRequest,
    Completion,
    Config,
    ImagineRequest,
    Loading,
    Message,
    ModelSpec,
    ModelStatus,
    PartialText,
    Progress,
    Queued,
    Result,
    SentimentRequest,
    SummarizeRequest,
)
from inference.cli import execute
from inference.cli.arguments import parse
from inference.hub.hub import Hub
from tests.fakes import PNG, plausible
from tests.inference.cli.command_line import CommandLine, Outcome
from tests.inference.hub.fake_hub import FakeHub, serving, sha
from tests.inference.hub.test_hub import TINY

SYSTEM = Config().system

# --- answers ----------------------------------------------------------------------------------


def test_chat_prints_the_reply(run: CommandLine) -> None:
    assert run("chat", "Hello") == Outcome(0, "Well met.\n", "")
    run("chat", "Hello", "--system", "You are a pirate.", "--temperature", "0", "--seed", "3", "--thinking")
    message = (Message("user", "Hello"),)
    assert run.backend.requests[1] == ChatRequest(
        messages=message, system="You are a pirate.", temperature=0.0, seed=3, thinking=True
    )


def test_the_thoughts_of_a_chat_model_are_in_the_json_and_not_printed(run: CommandLine) -> None:
    reply = ChatReply("Yes.", 7, "stop", thoughts="Is it so? It is.", raw="Yes.")
    thinking = PartialText("", chat=True, thoughts="Is it so?")
    run.respond_with(thinking, PartialText("Ye", chat=True, thoughts=reply.thoughts), Result(reply))
    assert on_terminal(run, "chat", "Is it?").out == "Yes.\n"
    run.respond_with(thinking, Result(reply))
    fields = run("chat", "Is it?", "--json").fields
    assert fields == {"text": "Yes.", "seed": 7, "finish_reason": "stop", "thoughts": "Is it so? It is."}


def test_complete_prints_only_the_continuation(run: CommandLine) -> None:
    assert run("complete", "Once upon a time") == Outcome(0, " and then\n", "")


def test_json_output_is_one_object_with_the_text_and_its_seed(run: CommandLine) -> None:
    done = run("--json", "complete", "Once", "--seed", "7")
    assert done.out.count("\n") == 1
    assert done.fields == {
        "text": " and then",
        "seed": 7,
        "texts": [" and then"],
        "finish_reason": "length",
        "chat": False,
    }


def test_general_options_work_before_and_after_the_task(run: CommandLine) -> None:
    assert run("--json", "complete", "Once", "--seed", "7") == run("complete", "Once", "--seed", "7", "--json")


def test_given_options_are_set_in_the_request_and_the_others_keep_their_defaults(run: CommandLine) -> None:
    run("complete", "Once", "--max-new-tokens", "9", "--temperature", "0", "--top-p", "0.5", "--seed", "3")
    run("complete", "Once", "--seed", "3")
    assert run.backend.requests == [
        CompleteRequest(prompt="Once", max_new_tokens=9, temperature=0.0, top_p=0.5, seed=3, system=SYSTEM),
        CompleteRequest(prompt="Once", seed=3, system=SYSTEM, whole_sentences=True),
    ]


def test_generation_options_are_set_in_the_request(run: CommandLine) -> None:
    options = r"--stop \nUser: --stop END --n 3 --repetition-penalty 1.2 --seed 3"
    run("complete", "Once", *options.split())
    (request,) = run.backend.requests
    wanted = CompleteRequest(
        prompt="Once",
        stop=("\nUser:", "END"),
        n=3,
        repetition_penalty=1.2,
        seed=3,
        system=SYSTEM,
        whole_sentences=True,
    )
    assert request == wanted
    run("complete", "Once", "--seed", "3", "--system", "You are a pirate.")
    assert run.backend.requests[1] == CompleteRequest(
        prompt="Once", seed=3, system="You are a pirate.", whole_sentences=True
    )


def test_several_texts_are_printed_each_with_its_seed(run: CommandLine) -> None:
    run.respond_with(Result(Completion(" there", 7, (" here", " nowhere"))))
    done = run("complete", "Once", "--n", "3")
    assert done.out == (
        "--- 1 of 3, seed 7 ---\n there\n\n--- 2 of 3, seed 8 ---\n here\n\n--- 3 of 3, seed 9 ---\n nowhere\n"
    )
    run.respond_with(Result(Completion(" there", 7, (" here", " nowhere"))))
    assert run("complete", "Once", "--n", "3", "--json").fields["texts"] == [" there", " here", " nowhere"]


def test_fill_prints_each_word_with_its_score_and_the_whole_text(run: CommandLine) -> None:
    fields = run("fill", "hello, i am a [MASK] model", "--json").fields
    assert fields["text"] == "hello, i am a role model"
    assert fields["predictions"][1] == {
        "blank": 1,
        "word": "fashion",
        "score": 0.3,
        "text": "hello, i am a fashion model",
    }
    lines = run("fill", "hello, i am a [MASK] model").out.splitlines()
    assert lines[0] == "hello, i am a role model"
    assert lines[2].split() == ["60.0%", "role"]


def test_summarize_reads_an_argument_or_stdin(run: CommandLine, set_stdin: Callable[[str], None]) -> None:
    assert run("summarize", "A long story.").out == "In short: A long story.\n"
    for arguments in (["summarize", "-"], ["summarize"]):
        set_stdin("Ein schöner Tag.")
        assert run(*arguments).out == "In short: Ein schöner Tag.\n"
    assert run.backend.requests[-1] == SummarizeRequest(text="Ein schöner Tag.")


def test_ask_reads_its_context_from_a_file_or_stdin(
    run: CommandLine, set_stdin: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "story.txt").write_text("Ada wrote it.", encoding="utf-8")
    done = run("ask", "Who?", "--context", tmp_path / "story.txt", "--json")
    answer = {"answer": "Ada", "score": 0.9, "start": 0, "end": 3}
    assert done.fields == {**answer, "generated": False, "alternatives": [], "passages": [], "unsupported_figures": []}
    set_stdin("Bob wrote it.")
    assert run("ask", "Who?", "--context", "-").out == "Bob\n\n“Bob wrote it.”\n"
    assert run.backend.requests[-1] == AskRequest(question="Who?", context="Bob wrote it.")


def test_ask_reports_that_the_text_has_no_answer(run: CommandLine, set_stdin: Callable[[str], None]) -> None:
    run.respond_with(Result(Answer("", 0.8, 0, 0)))
    set_stdin("x")
    assert run("ask", "Who?", "--context", "-").out == "The text does not say.\n"
    set_stdin("x")
    assert run("ask", "Who?", "--context", "-", "--json").fields["answer"] == ""


def test_caption_sends_the_content_of_the_file(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    assert run("caption", tmp_path / "cat.png").out == "a cat on a mat\n"
    assert run.backend.requests == [CaptionRequest(image=PNG)]
    assert run("caption", tmp_path / "cat.png", "--json").fields == {"text": "a cat on a mat", "note": ""}


def test_mood_prints_label_and_score(run: CommandLine) -> None:
    assert run("mood", "What a day").out == "positive (98.0%)\n"
    assert run("mood", "What a day", "--json").fields == {"label": "positive", "score": 0.98, "valence": 0.96}


def test_mood_reads_a_text_from_stdin(run: CommandLine, set_stdin: Callable[[str], None]) -> None:
    set_stdin("What a day")
    run("mood", "-", "What a night")
    assert run.backend.requests == [SentimentRequest(texts=("What a day", "What a night"))]


def test_mood_prints_one_result_for_each_text(run: CommandLine) -> None:
    assert run("mood", "What a day", "What a night").out == "positive (98.0%)\npositive (98.0%)\n"
    assert [mood["label"] for mood in run("mood", "a", "b", "--json").fields["moods"]] == ["positive", "positive"]


# --- models -----------------------------------------------------------------------------------


def test_models_prints_task_name_size_and_state(run: CommandLine) -> None:
    assert run("models").out.splitlines()[1].split() == ["complete", "gpt2", "500", "MB", "on", "disk"]
    models = run("models", "--json").fields["models"]
    assert len(models) == 9
    assert models[2] == {
        "task": "complete",
        "name": "distilgpt2",
        "repo": "distilbert/distilgpt2",
        "state": "on disk",
        "size": 500_000_000,
        "way": "",
    }


def test_models_says_how_to_download_what_is_missing(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("models").err == ""

    async def statuses(self: object, specs: list[ModelSpec]) -> list[ModelStatus]:
        return [ModelStatus(spec, "not downloaded", 0) for spec in specs]

    monkeypatch.setattr(type(run.backend), "statuses", statuses)
    assert "python -m inference download [NAME]" in run("models").err
    assert run("models", "--json").err == ""


@pytest.mark.parametrize("name", ["distilgpt2", "distilbert/distilgpt2"])
def test_a_configured_model_is_selected_by_its_name_or_its_hub_id(run: CommandLine, name: str) -> None:
    run("complete", "Once", "--model", name)
    assert [spec.repo for spec in run.specs] == ["distilbert/distilgpt2"]


def test_a_model_that_is_not_configured_is_selected_by_its_hub_id(run: CommandLine) -> None:
    assert run("complete", "Once", "--model", "someone/gpt2").status == 0
    assert [spec.repo for spec in run.specs] == ["someone/gpt2"]


def test_a_model_can_be_given_as_a_folder(run: CommandLine, tmp_path: Path) -> None:
    assert run("complete", "Once", "--model", tmp_path).status == 0
    assert [spec.repo for spec in run.specs] == [str(tmp_path)]


def test_download_fetches_the_named_models_or_all_and_reports_each_failure(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models: {fill: [org/tiny], mood: [org/tiny, org/missing]}")

    def download(*names: str, switch: str = "--json") -> Outcome:
        status = execute(
            parse(["--config", str(tmp_path / "config.yaml"), switch, "download", *names]),
            hub_factory=lambda config: Hub(config, endpoint=fake.endpoint, cache=tmp_path / "cache"),
        )
        return Outcome(status, *run.read())

    with serving(FakeHub({"org/tiny": dict(TINY), "org/other": dict(TINY)})) as fake:
        one = download("tiny")
        assert one.status == 0
        assert [(model["name"], model["size"]) for model in one.fields["models"]] == [("tiny", 1006)]
        assert download("org/other").fields["models"][0]["repo"] == "org/other"
        all_models = download()
        assert download("org/missing", switch="--verbose").out == ""
    assert all_models.status == 2
    assert [model["repo"] for model in all_models.fields["models"]] == ["org/tiny"]
    assert all_models.err.splitlines() == [
        "There is no model org/missing on the hub, or it is private. "
        "You have to correct the name, or set HF_TOKEN to a token that may read it."
    ]
    commits = json.loads((tmp_path / "data" / "commits.json").read_text())
    assert commits == {"org/tiny": sha("org/tiny"), "org/other": sha("org/other")}


# --- the terminal -----------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(run: CommandLine, *argv: str | Path) -> Outcome:
    out, err = Terminal(), Terminal()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(*argv).status
    return Outcome(status, out.getvalue(), err.getvalue())


def test_a_terminal_shows_the_text_as_a_stream_that_ends_with_the_full_text(run: CommandLine) -> None:
    run.respond_with(PartialText(" and"), PartialText(" and then"), Result(Completion(" and then they slept", 1)))
    assert on_terminal(run, "complete", "Once").out == " and then they slept\n"


def test_a_terminal_shows_the_first_of_several_texts_as_a_stream_and_then_the_others(run: CommandLine) -> None:
    run.respond_with(PartialText(" and"), Result(Completion(" and then", 1, (" but",))))
    done = on_terminal(run, "complete", "Once", "--n", "2", "--seed", "1")
    assert done.out == "--- 1 of 2, seed 1 ---\n and then\n\n--- 2 of 2, seed 2 ---\n but\n"


def test_a_request_for_several_texts_without_a_seed_gets_one(run: CommandLine) -> None:
    run("complete", "Once", "--n", "2")
    (request,) = run.backend.requests
    assert isinstance(request, CompleteRequest)
    assert request.seed is not None


def test_a_terminal_shows_progress_on_stderr(run: CommandLine) -> None:
    answer = plausible(ModelSpec(name="sd", task="imagine", repo="org/sd"), ImagineRequest(prompt="a fox"))
    run.respond_with(
        Queued(1, device_is_away=True),
        Queued(3),
        Loading(0.25),
        Loading(None),
        Progress(2, 25),
        Progress(20, 100, None, 1, 4, 4),
        *answer,
    )
    done = on_terminal(run, "imagine", "a fox", "-o", run.folder / "fox.png")
    assert [line for line in done.err.split("\r\033[K") if line] == [
        "starting",
        "waiting until its device is back",
        "queued: number 3 in line",
        "downloading the model: 25%",
        "loading the model",
        "step 2 of 25",
        "pictures 1 to 4 of 4, step 5 of 25",
    ]


def test_json_output_is_not_streamed(run: CommandLine) -> None:
    assert on_terminal(run, "complete", "Once", "--json", "--seed", "1").fields["text"] == " and then"
