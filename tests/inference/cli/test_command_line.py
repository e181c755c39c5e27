"""The command line: what it prints, where, and with which exit status."""

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
    CompleteRequest,
    Completion,
    Config,
    ImagineRequest,
    Loading,
    ModelSpec,
    PartialText,
    Progress,
    Queued,
    Result,
    SentimentRequest,
    SummarizeRequest,
)
from inference.cli import execute
from inference.cli.arguments import parse
from inference.hub import Hub
from tests.fakes import PNG, plausible
from tests.inference.cli.command_line import CommandLine, Outcome
from tests.inference.hub.fake_hub import FakeHub, serving, sha
from tests.inference.hub.test_hub import TINY

SYSTEM = Config().system

# --- answers ----------------------------------------------------------------------------------


def test_complete_prints_the_continuation_alone(run: CommandLine) -> None:
    assert run("complete", "Once upon a time") == Outcome(0, " and then\n", "")


def test_json_is_one_object_with_the_text_and_its_seed(run: CommandLine) -> None:
    done = run("--json", "complete", "Once", "--seed", "7")
    assert done.out.count("\n") == 1
    assert done.fields == {
        "text": " and then",
        "seed": 7,
        "texts": [" and then"],
        "finish_reason": "length",
        "chat": False,
    }


def test_switches_work_on_either_side_of_the_task(run: CommandLine) -> None:
    assert run("--json", "complete", "Once", "--seed", "7") == run("complete", "Once", "--seed", "7", "--json")


def test_options_reach_the_request_and_the_others_keep_its_defaults(run: CommandLine) -> None:
    run("complete", "Once", "--max-new-tokens", "9", "--temperature", "0", "--top-p", "0.5", "--seed", "3")
    run("complete", "Once", "--seed", "3")
    assert run.backend.requests == [
        CompleteRequest(prompt="Once", max_new_tokens=9, temperature=0.0, top_p=0.5, seed=3, system=SYSTEM),
        CompleteRequest(prompt="Once", seed=3, system=SYSTEM),
    ]


def test_options_of_how_to_write_reach_the_request(run: CommandLine) -> None:
    options = r"--stop \nUser: --stop END --n 3 --repetition-penalty 1.2 --seed 3"
    run("complete", "Once", *options.split())
    (request,) = run.backend.requests
    wanted = CompleteRequest(prompt="Once", stop=("\nUser:", "END"), n=3, repetition_penalty=1.2, seed=3, system=SYSTEM)
    assert request == wanted
    run("complete", "Once", "--seed", "3", "--system", "You are a pirate.")
    assert run.backend.requests[1] == CompleteRequest(prompt="Once", seed=3, system="You are a pirate.")


def test_several_texts_stand_each_under_its_seed(run: CommandLine) -> None:
    run.answers(Result(Completion(" there", 7, (" here", " nowhere"))))
    done = run("complete", "Once", "--n", "3")
    assert done.out == (
        "--- 1 of 3, seed 7 ---\n there\n\n--- 2 of 3, seed 8 ---\n here\n\n--- 3 of 3, seed 9 ---\n nowhere\n"
    )
    run.answers(Result(Completion(" there", 7, (" here", " nowhere"))))
    assert run("complete", "Once", "--n", "3", "--json").fields["texts"] == [" there", " here", " nowhere"]


def test_fill_gives_each_word_with_its_score_and_the_whole_text(run: CommandLine) -> None:
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


def test_summarize_takes_a_text_or_stdin(run: CommandLine, typed: Callable[[str], None]) -> None:
    assert run("summarize", "A long story.").out == "In short: A long story.\n"
    for arguments in (["summarize", "-"], ["summarize"]):
        typed("Ein schöner Tag.")
        assert run(*arguments).out == "In short: Ein schöner Tag.\n"
    assert run.backend.requests[-1] == SummarizeRequest(text="Ein schöner Tag.")


def test_ask_reads_its_context_from_a_file_or_stdin(
    run: CommandLine, typed: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "story.txt").write_text("Ada wrote it.", encoding="utf-8")
    done = run("ask", "Who?", "--context", tmp_path / "story.txt", "--json")
    answer = {"answer": "Ada", "score": 0.9, "start": 0, "end": 3}
    assert done.fields == {**answer, "generated": False, "alternatives": [], "passages": []}
    typed("Bob wrote it.")
    assert run("ask", "Who?", "--context", "-").out == "Bob\n\n“Bob wrote it.”\n"
    assert run.backend.requests[-1] == AskRequest(question="Who?", context="Bob wrote it.")


def test_ask_says_when_the_text_does_not(run: CommandLine, typed: Callable[[str], None]) -> None:
    run.answers(Result(Answer("", 0.8, 0, 0)))
    typed("x")
    assert run("ask", "Who?", "--context", "-").out == "The text does not say.\n"
    typed("x")
    assert run("ask", "Who?", "--context", "-", "--json").fields["answer"] == ""


def test_caption_hands_the_file_over(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    assert run("caption", tmp_path / "cat.png").out == "a cat on a mat\n"
    assert run.backend.requests == [CaptionRequest(image=PNG)]
    assert run("caption", tmp_path / "cat.png", "--json").fields == {"text": "a cat on a mat"}


def test_mood_gives_label_and_score(run: CommandLine) -> None:
    assert run("mood", "What a day").out == "positive (98.0%)\n"
    assert run("mood", "What a day", "--json").fields == {"label": "positive", "score": 0.98, "valence": 0.96}


def test_a_mood_can_be_that_of_stdin(run: CommandLine, typed: Callable[[str], None]) -> None:
    typed("What a day")
    run("mood", "-", "What a night")
    assert run.backend.requests == [SentimentRequest(texts=("What a day", "What a night"))]


def test_several_texts_have_a_mood_each(run: CommandLine) -> None:
    assert run("mood", "What a day", "What a night").out == "positive (98.0%)\npositive (98.0%)\n"
    assert [mood["label"] for mood in run("mood", "a", "b", "--json").fields["moods"]] == ["positive", "positive"]


# --- models -----------------------------------------------------------------------------------


def test_models_lists_task_name_state_and_size(run: CommandLine) -> None:
    assert run("models").out.splitlines()[0].split() == ["complete", "gpt2", "500", "MB", "on", "disk"]
    models = run("models", "--json").fields["models"]
    assert len(models) == 8
    assert models[1] == {
        "task": "complete",
        "name": "distilgpt2",
        "repo": "distilbert/distilgpt2",
        "state": "on disk",
        "size": 500_000_000,
    }


@pytest.mark.parametrize("name", ["distilgpt2", "distilbert/distilgpt2"])
def test_a_listed_model_goes_by_its_name_or_its_id(run: CommandLine, name: str) -> None:
    run("complete", "Once", "--model", name)
    assert [spec.repo for spec in run.specs] == ["distilbert/distilgpt2"]


def test_a_model_that_is_not_listed_goes_by_its_hub_id(run: CommandLine) -> None:
    assert run("complete", "Once", "--model", "someone/gpt2").status == 0
    assert [spec.repo for spec in run.specs] == ["someone/gpt2"]


def test_a_folder_may_stand_for_a_model(run: CommandLine, tmp_path: Path) -> None:
    assert run("complete", "Once", "--model", tmp_path).status == 0
    assert [spec.repo for spec in run.specs] == [str(tmp_path)]


def test_download_fetches_what_is_named_or_all_and_reports_each_failure(run: CommandLine, tmp_path: Path) -> None:
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
        everything = download()
        assert download("org/missing", switch="--verbose").out == ""
    assert everything.status == 2
    assert [model["repo"] for model in everything.fields["models"]] == ["org/tiny"]
    assert everything.err.splitlines() == [
        "There is no model org/missing on the hub, or it is private. "
        "The bot's operator has to correct the name, or set HF_TOKEN to a token that may read it."
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


def test_on_a_terminal_the_text_streams_and_ends_whole(run: CommandLine) -> None:
    run.answers(PartialText(" and"), PartialText(" and then"), Result(Completion(" and then they slept", 1)))
    assert on_terminal(run, "complete", "Once").out == " and then they slept\n"


def test_on_a_terminal_the_first_text_streams_and_the_others_follow(run: CommandLine) -> None:
    run.answers(PartialText(" and"), Result(Completion(" and then", 1, (" but",))))
    done = on_terminal(run, "complete", "Once", "--n", "2", "--seed", "1")
    assert done.out == "--- 1 of 2, seed 1 ---\n and then\n\n--- 2 of 2, seed 2 ---\n but\n"


def test_of_several_texts_without_a_seed_the_first_is_known_before_it_is_written(run: CommandLine) -> None:
    run("complete", "Once", "--n", "2")
    (request,) = run.backend.requests
    assert isinstance(request, CompleteRequest)
    assert request.seed is not None


def test_on_a_terminal_stderr_tells_how_the_job_goes(run: CommandLine) -> None:
    answer = plausible(ModelSpec(name="sd", task="imagine", repo="org/sd"), ImagineRequest(prompt="a fox"))
    run.answers(Queued(3), Loading(0.25), Loading(None), Progress(2, 25), *answer)
    done = on_terminal(run, "imagine", "a fox", "-o", run.folder / "fox.png")
    assert [line for line in done.err.split("\r\033[K") if line] == [
        "queued: number 3 in line",
        "downloading the model: 25%",
        "loading the model",
        "step 2 of 25",
    ]


def test_json_does_not_stream(run: CommandLine) -> None:
    assert on_terminal(run, "complete", "Once", "--json", "--seed", "1").fields["text"] == " and then"
