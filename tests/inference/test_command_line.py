"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from inference import (
    Answer,
    AskRequest,
    CaptionRequest,
    Chunk,
    CompleteRequest,
    Completion,
    Config,
    Drawing,
    Engine,
    Event,
    GenerationFailed,
    ImagineRequest,
    InferenceError,
    Loading,
    ModelSpec,
    ModelUnavailable,
    Picture,
    Progress,
    Queued,
    Request,
    Result,
    SummarizeRequest,
)
from inference.cli import execute
from inference.cli.arguments import parse
from inference.hub import Hub
from inference.images import encode_png
from tests.fakes import PNG, FakeBackend, drawn, plausible
from tests.inference.fake_hub import FakeHub, serving, sha
from tests.inference.test_hub import TINY

CONFIG = """
models:
  complete: [openai-community/gpt2, distilbert/distilgpt2]
  fill: [google-bert/bert-base-uncased]
  summarize: [facebook/bart-large-cnn]
  ask: [deepset/roberta-base-squad2]
  caption: [nlpconnect/vit-gpt2-image-captioning]
  imagine: [CompVis/stable-diffusion-v1-4]
  mood: [distilbert/distilbert-base-uncased-finetuned-sst-2-english]
"""


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs commands in this process, on a fake backend."""

    folder: Path
    read: Callable[[], tuple[str, str]]
    backend: FakeBackend = field(default_factory=FakeBackend)
    specs: list[ModelSpec] = field(default_factory=list[ModelSpec])

    def __call__(self, *argv: str | Path) -> Outcome:
        self.backend.script = self._remember(self.backend.script)
        try:
            status = execute(parse(["--config", str(self.folder / "config.yaml"), *map(str, argv)]), self._engine)
        except SystemExit as end:
            status = cast("int", end.code)
        return Outcome(status, *self.read())

    def answers(self, *events: Event | InferenceError) -> None:
        self.backend.script = lambda spec, request: events

    def _engine(self, config: Config) -> Engine:
        return Engine(config, self.backend)

    def _remember(
        self, script: Callable[[ModelSpec, Request], Sequence[Event | InferenceError]]
    ) -> Callable[[ModelSpec, Request], Sequence[Event | InferenceError]]:
        def remembering(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
            self.specs.append(spec)
            return script(spec, request)

        return remembering


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    (tmp_path / "config.yaml").write_text(CONFIG)

    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return CommandLine(tmp_path, read)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a text on stdin."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


# --- answers ----------------------------------------------------------------------------------


def test_complete_prints_the_continuation_alone(run: CommandLine) -> None:
    assert run("complete", "Once upon a time") == Outcome(0, " and then\n", "")


def test_json_is_one_object_with_the_text_and_its_seed(run: CommandLine) -> None:
    done = run("--json", "complete", "Once", "--seed", "7")
    assert done.out.count("\n") == 1
    assert done.fields == {"text": " and then", "seed": 7}


def test_switches_work_on_either_side_of_the_task(run: CommandLine) -> None:
    assert run("--json", "complete", "Once", "--seed", "7") == run("complete", "Once", "--seed", "7", "--json")


def test_options_reach_the_request_and_the_others_keep_its_defaults(run: CommandLine) -> None:
    run("complete", "Once", "--max-new-tokens", "9", "--temperature", "0", "--top-p", "0.5", "--seed", "3")
    run("complete", "Once", "--seed", "3")
    assert run.backend.requests == [
        CompleteRequest(prompt="Once", max_new_tokens=9, temperature=0.0, top_p=0.5, seed=3),
        CompleteRequest(prompt="Once", seed=3),
    ]


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
    assert lines[2].split() == ["1", "60.0%", "role"]


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
    assert done.fields == {"answer": "Ada", "score": 0.9, "start": 0, "end": 3, "generated": False}
    typed("Bob wrote it.")
    assert run("ask", "Who?", "--context", "-").out == "Bob\n"
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
    assert run("mood", "What a day", "--json").fields == {"label": "positive", "score": 0.98}


def test_imagine_writes_the_picture_and_tells_the_seed(run: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "fox.png"
    options = ["--negative", "dogs", "--size", "64x128", "--steps", "2", "--guidance", "5", "--seed", "11"]
    fields = run("imagine", "a fox", "-o", file, *options, "--json").fields
    assert (fields["images"], fields["seed"], fields["steps"]) == ([str(file)], 11, 2)
    request = ImagineRequest(
        prompt="a fox",
        negative_prompt="dogs",
        width=64,
        height=128,
        steps=2,
        guidance=5.0,
        seed=11,
        model="stable-diffusion-v1-4",
    )
    assert run.backend.requests == [request]
    assert file.read_bytes() == drawn(request).pictures[0].png


def test_imagine_starts_from_a_picture_and_takes_names_in_any_case(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(PNG)
    (tmp_path / "data" / "loras").mkdir(parents=True)
    (tmp_path / "data" / "loras" / "ink.safetensors").touch()
    picture = Picture(PNG, 7)
    run.answers(Result(Drawing((picture,), 8, 8, 20, 7.5, sampler="Euler a", strength=0.6)))
    source = ["--image", tmp_path / "fox.png", "--strength", "0.6", "--sampler", "euler A", "--lora", "ink:0.5"]
    out = ["-o", tmp_path / "new.png", "--seed", "7"]
    fields = run("imagine", "a fox", *out, *source, "--mask", tmp_path / "fox.png", "--json").fields
    assert (fields["sampler"], fields["strength"]) == ("Euler a", 0.6)
    done = run("imagine", "a fox", *out, *source, "--region", "left half")
    assert "seed 7, 8×8, 20 steps, guidance 7.5, Euler a, strength 0.6" in done.out
    request = ImagineRequest(
        prompt="a fox",
        seed=7,
        image=PNG,
        strength=0.6,
        sampler="Euler a",
        lora="ink:0.5",
        model="stable-diffusion-v1-4",
    )
    assert run.backend.requests == [replace(request, mask=PNG), replace(request, region="left half")]


def drawn_with(text: str) -> bytes:
    return encode_png(Image.new("RGB", (8, 8)), text)


def test_a_picture_that_tells_how_it_was_drawn_is_repeated(run: CommandLine, tmp_path: Path) -> None:
    text = "a fox\nNegative prompt: dogs\nSteps: 9, Sampler: DDIM, CFG scale: 5, Seed: 11, Size: 64x128"
    (tmp_path / "fox.png").write_bytes(drawn_with(text))
    repeat = ["imagine", "--image", tmp_path / "fox.png", "-o", tmp_path / "again.png"]
    assert run(*repeat).status == 0
    assert run(*repeat, "--seed", "12", "--count", "2").status == 0
    again = ImagineRequest(
        prompt="a fox",
        negative_prompt="dogs",
        steps=9,
        sampler="DDIM",
        guidance=5.0,
        seed=11,
        width=64,
        height=128,
        model="stable-diffusion-v1-4",
    )
    assert run.backend.requests == [again, replace(again, seed=12, count=2)]


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (PNG, "Write a PROMPT to draw from this picture."),
        (
            drawn_with("a red fox\nSteps: 9, Seed: 1, Denoising strength: 0.5, Init image hash: 00"),
            "Give that one as --image, with: 'a red fox' --strength 0.5 --steps 9 --seed 1",
        ),
        (drawn_with("a fox\nSeed: many"), "'many' is no value for Seed"),
        (b"no picture", "not a picture"),
    ],
)
def test_a_picture_that_does_not_tell_needs_a_prompt(
    run: CommandLine, tmp_path: Path, picture: bytes, words: str
) -> None:
    (tmp_path / "fox.png").write_bytes(picture)
    done = run("imagine", "--image", tmp_path / "fox.png", "-o", tmp_path / "again.png")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err


def test_a_repeated_picture_takes_no_strength_without_a_prompt(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fox.png").write_bytes(drawn_with("a fox\nSteps: 9, Seed: 1"))
    done = run("imagine", "--image", tmp_path / "fox.png", "--strength", "0.4", "-o", tmp_path / "again.png")
    assert (done.status, done.err) == (2, "To draw from this picture, write what it should become as PROMPT.\n")


def test_several_pictures_are_numbered(run: CommandLine, tmp_path: Path) -> None:
    done = run("imagine", "a fox", "-o", tmp_path / "fox.png", "--count", "2", "--seed", "1")
    assert [path.name for path in sorted(tmp_path.glob("*.png"))] == ["fox-1.png", "fox-2.png"]
    assert done.out.splitlines()[:2] == [str(tmp_path / "fox-1.png"), str(tmp_path / "fox-2.png")]
    assert "seeds 1 to 2" in done.out


def test_a_picture_that_was_held_back_is_not_written(run: CommandLine, tmp_path: Path) -> None:
    shown, held = Picture(PNG, 5), Picture(b"", 6, flagged=True)
    run.answers(Result(Drawing((shown, held), 8, 8, 25, 7.5, note="1 picture was held back.")))
    fields = run("imagine", "a fox", "-o", tmp_path / "fox.png", "--json").fields
    assert (fields["images"], fields["note"]) == ([str(tmp_path / "fox-1.png")], "1 picture was held back.")
    run.answers(Result(Drawing((held,), 8, 8, 25, 7.5)))
    done = run("imagine", "a fox", "-o", tmp_path / "none.png")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert not (tmp_path / "none.png").exists()


# --- models -----------------------------------------------------------------------------------


def test_models_lists_task_name_state_and_size(run: CommandLine) -> None:
    assert run("models").out.splitlines()[0].split() == ["complete", "gpt2", "on", "disk", "500", "MB"]
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

    def download(*names: str) -> Outcome:
        status = execute(
            parse(["--config", str(tmp_path / "config.yaml"), "--json", "download", *names]),
            hub_factory=lambda config: Hub(config, endpoint=fake.endpoint, cache=tmp_path / "cache"),
        )
        return Outcome(status, *run.read())

    with serving(FakeHub({"org/tiny": dict(TINY), "org/other": dict(TINY)})) as fake:
        one = download("tiny")
        assert one.status == 0
        assert [(model["name"], model["size"]) for model in one.fields["models"]] == [("tiny", 1006)]
        assert download("org/other").fields["models"][0]["repo"] == "org/other"
        everything = download()
    assert everything.status == 2
    assert [model["repo"] for model in everything.fields["models"]] == ["org/tiny"]
    assert everything.err.splitlines() == [
        "There is no model org/missing on the hub, or it is private. "
        "The bot's operator has to correct the name, or set HF_TOKEN to a token that may read it."
    ]
    commits = json.loads((tmp_path / "data" / "commits.json").read_text())
    assert commits == {"org/tiny": sha("org/tiny"), "org/other": sha("org/other")}


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "required: TASK"),
        (["dance"], "invalid choice: 'dance'"),
        (["complete"], "required: PROMPT"),
        (["complete", ""], "The prompt is empty"),
        (["complete", "x" * 100_000], "The prompt has 100,000 characters"),
        (["complete", "x", "--temperature", "nan"], "The temperature must be"),
        (["complete", "x", "--max-new-tokens", "many"], "invalid int value: 'many'"),
        (["complete", "x", "--max-new-tokens", "0"], "The length must be"),
        (["complete", "x", "--seed", "-1"], "The seed must be"),
        (["complete", "x", "--model", "not a model"], "neither a hub id like org/name nor a folder"),
        (["download", "not a model"], "neither a hub id like org/name nor a folder"),
        (["fill", "no blank here"], "There is no blank to fill"),
        (["ask", "Who?"], "required: --context"),
        (["ask", "Who?", "--context", "nowhere.txt"], "nowhere.txt can't be read: No such file"),
        (["caption", "nowhere.png"], "nowhere.png can't be read: No such file"),
        (["caption", "."], "can't be read: Is a directory"),
        (["imagine", "a fox"], "required: -o/--output"),
        (["imagine", "-o", "fox.png"], "There is nothing to draw. Write a PROMPT"),
        (["imagine", "a fox", "-o", "fox.png", "--sampler", "fast"], "there is no sampler 'fast'; there is: DPM++ 2M"),
        (["imagine", "a fox", "-o", "fox.png", "--strength", "0.5"], "belong to a picture"),
        (["imagine", "a fox", "-o", "fox.png", "--lora", "ink"], "This bot has no LoRA files."),
        (["imagine", "a fox", "-o", "fox.jpg"], "does not end in .png"),
        (["imagine", "a fox", "-o", "nowhere/fox.png"], "there is no folder 'nowhere'"),
        (["imagine", "a fox", "-o", "fox.png", "--size", "big"], "'big' is not a size like 512x512"),
        (["imagine", "a fox", "-o", "fox.png", "--size", "65x64"], "must be a multiple of 8"),
        (["imagine", "a fox", "-o", "fox.png", "--count", "99"], "The count must be"),
        (["mood", " "], "The text is empty"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_status_2(run: CommandLine, argv: list[str], words: str) -> None:
    done = run(*argv)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err
    assert run.backend.requests == []


@pytest.mark.parametrize("content", [b"not a picture", PNG[:40], b""])
def test_an_unreadable_picture_is_one_line_and_status_2(run: CommandLine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    done = run("caption", tmp_path / "broken.png")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert run.backend.requests == []


def test_a_text_file_that_is_not_text_is_one_line_and_status_2(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("schön".encode("latin-1"))
    done = run("ask", "Who?", "--context", tmp_path / "latin.txt")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "latin.txt is not UTF-8 text" in done.err


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "can't be read: No such file"),
        ("models: [", "is not YAML"),
        ("limits: {queue: many, stpes: 3}\ntypo: 1", "typo: unknown key"),
    ],
)
def test_a_broken_config_is_one_line_and_status_2(
    run: CommandLine, tmp_path: Path, config: str | None, words: str
) -> None:
    (tmp_path / "config.yaml").unlink()
    if config is not None:
        (tmp_path / "config.yaml").write_text(config)
    done = run("complete", "Once")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err


def test_a_task_without_models_is_one_line_and_status_2(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("models: {}")
    done = run("complete", "Once")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "No model is set up for /complete" in done.err


def test_an_unavailable_model_is_status_2_and_a_broken_one_status_1(run: CommandLine) -> None:
    run.answers(Loading(0.5), ModelUnavailable("gpt2 is not downloaded."))
    assert run("complete", "Once") == Outcome(2, "", "gpt2 is not downloaded.\n")
    run.answers(Chunk("half"), GenerationFailed("The model failed."))
    assert run("complete", "Once") == Outcome(1, "", "The model failed.\n")


def test_a_picture_that_cannot_be_written_is_one_line_and_status_2(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    done = run("imagine", "a fox", "-o", tmp_path / "folder.png")
    assert (done.status, done.err) == (2, f"{tmp_path / 'folder.png'} can't be written: Is a directory.\n")


def test_ctrl_c_ends_with_status_130_and_closes_the_engine(run: CommandLine) -> None:
    def interrupted(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        raise KeyboardInterrupt

    run.backend.script = interrupted
    assert run("complete", "Once") == Outcome(130, "", "")
    assert run.backend.closed


def test_the_engine_is_closed_after_every_answer(run: CommandLine) -> None:
    run("mood", "What a day")
    assert run.backend.closed


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
    run.answers(Chunk(" and"), Chunk(" and then"), Result(Completion(" and then they slept", 1)))
    assert on_terminal(run, "complete", "Once").out == " and then they slept\n"


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
    assert on_terminal(run, "complete", "Once", "--json", "--seed", "1").fields == {"text": " and then", "seed": 1}
