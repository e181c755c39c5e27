"""Test `ask`, `summarize` and `fill` on the command line, with documents as input."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import (
    Answer,
    AskRequest,
    ChatAnswerRequest,
    FillMaskResult,
    InferenceError,
    JointPrediction,
    ModelSpec,
    Prediction,
    Request,
    Result,
    Section,
    SummarizeRequest,
    Summary,
)
from inference.types import Event
from tests.fakes import PNG
from tests.inference.cli.command_line import CommandLine, Outcome
from tests.inference.documents.sample_documents import pdf_of, word_of

GENERATED = "(Written by a language model, which can be wrong.)\n"
CONTEXT = "It rains. Anna met Bert in Rome. It rains again."
ANSWER = Answer("Rome", 0.8, 27, 31, alternatives=(Answer("Anna", 0.1, 10, 14),), passages=((10, 32),))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.pdf", tmp_path / "two.docx"]
    for path, data in zip(paths, [pdf_of([["Anna is here."]]), word_of("Bert is there.")], strict=True):
        path.write_bytes(data)
    return paths


def answer_every_question(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
    if isinstance(request, ChatAnswerRequest):
        return [Result(Answer("They met in Rome.", 0.0, 0, 0, generated=True))]
    return [Result(ANSWER)]


def test_ask_joins_several_documents_each_after_its_file_name(run: CommandLine, files: list[Path]) -> None:
    run("ask", "Who?", "--context", *files)
    context = "one.pdf\n\nAnna is here.\n\ntwo.docx\n\nBert is there."
    assert run.backend.requests == [AskRequest(question="Who?", context=context)]


def test_ask_prints_the_alternatives_with_their_scores(run: CommandLine, files: list[Path]) -> None:
    run.backend.script = answer_every_question
    (files[0].with_suffix(".txt")).write_text(CONTEXT, encoding="utf-8")
    files[0] = files[0].with_suffix(".txt")
    assert (
        run("ask", "Where?", "--context", files[0]).out
        == "Rome\n\n“Anna met Bert in Rome.”\n\nIt might also be:\n 10.0%  Anna\n"
    )
    fields = run("ask", "Where?", "--context", files[0], "--json").fields
    assert fields["alternatives"] == [{"answer": "Anna", "score": 0.1, "start": 10, "end": 14}]
    assert fields["passages"] == [[10, 32]]


def test_ask_names_the_document_that_contains_an_answer(run: CommandLine, files: list[Path]) -> None:
    answer = Answer("Bert", 0.8, 34, 38, alternatives=(Answer("Anna", 0.1, 9, 13),))
    run.respond_with(Result(answer))
    out = run("ask", "Who?", "--context", *files).out
    assert out == "Bert\n\n“Bert is there.” (two.docx)\n\nIt might also be:\n 10.0%  Anna (one.pdf)\n"
    fields = run("ask", "Who?", "--context", *files, "--json").fields
    assert (fields["source"], fields["alternatives"][0]["source"]) == ("two.docx", "one.pdf")


def test_ask_quotes_only_the_text_around_the_answer_from_a_long_sentence(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text("on " * 200 + "Rome" + " and on" * 200, encoding="utf-8")
    run.respond_with(Result(Answer("Rome", 0.8, 600, 604)))
    quote = run("ask", "Where?", "--context", tmp_path / "story.txt").out.splitlines()[2]
    assert "on Rome and" in quote
    assert len(quote) < 400


def test_the_number_of_alternatives_is_an_option(run: CommandLine, files: list[Path]) -> None:
    run("ask", "Where?", "--context", files[0], "--alternatives", "1")
    assert run.backend.requests == [AskRequest(question="Where?", context="Anna is here.", alternatives=1)]


def test_own_words_adds_a_labelled_generated_answer_after_the_quote(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_text(CONTEXT, encoding="utf-8")
    run.backend.script = answer_every_question
    arguments = ["ask", "Where?", "--context", tmp_path / "story.txt", "--own-words"]
    out, err = (done := run(*arguments)).out, done.err
    assert out.index("Rome\n") < out.index("In a model's own words:") < out.index("They met in Rome.")
    assert out.endswith("They met in Rome.\n\nFrom the text:\n“Anna met Bert in Rome.”\n")
    assert err == GENERATED
    assert run.backend.requests[-1] == ChatAnswerRequest(question="Where?", context="Anna met Bert in Rome.")
    fields = run(*arguments, "--json").fields
    assert (fields["answer"], fields["own_words"]) == ("Rome", "They met in Rome.")


def test_ask_without_documents_prints_a_labelled_answer_of_a_language_model(run: CommandLine) -> None:
    run.backend.script = answer_every_question
    assert run("ask", "Where?") == Outcome(0, "They met in Rome.\n", GENERATED)
    assert run.backend.requests == [ChatAnswerRequest(question="Where?")]
    assert run.specs[0].task == "complete"
    assert run("ask", "Where?", "--json").fields["generated"] is True


def test_ask_about_a_picture_goes_to_a_model_that_sees(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    run.backend.seeing = {"vit-gpt2-image-captioning": True}
    run.backend.script = answer_every_question
    done = run("ask", "What is it?", "--image", tmp_path / "cat.png")
    assert done == Outcome(0, "They met in Rome.\n", GENERATED)
    assert run.backend.requests == [ChatAnswerRequest(question="What is it?", image=PNG)]
    assert run.specs[0].name == "vit-gpt2-image-captioning"


def test_ask_about_a_picture_with_the_folder_of_a_model_that_no_task_lists(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    run.backend.seeing = {"org/eyes": None}
    run("ask", "What is it?", "--image", tmp_path / "cat.png", "--model", "org/eyes")
    assert (run.specs[0].repo, run.specs[0].task) == ("org/eyes", "caption")


def test_ask_about_a_picture_without_a_model_that_sees_is_refused(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    done = run("ask", "What is it?", "--image", tmp_path / "cat.png")
    assert done.status == 2
    assert done.err.startswith("No model on this machine answers questions about pictures.")


def test_summarize_accepts_documents_and_a_length(run: CommandLine, files: list[Path]) -> None:
    run("summarize", *files, "--length", "bullets")
    text = "one.pdf\n\nAnna is here.\n\ntwo.docx\n\nBert is there."
    boundaries = (text.index("two.docx"),)
    assert run.backend.requests == [SummarizeRequest(text=text, length="bullets", boundaries=boundaries)]


def test_the_json_output_of_summarize_contains_the_sections(run: CommandLine) -> None:
    run.respond_with(Result(Summary("Short.", 2, (Section("One.", 0, 4), Section("Two.", 4, 8)))))
    assert run("summarize", "x" * 8) == Outcome(0, "Short.\n", GENERATED)
    assert run("summarize", "x" * 8, "--json").fields["sections"][1] == {"summary": "Two.", "start": 4, "end": 8}


def test_numbers_that_the_text_does_not_have_are_named_below_a_generated_text(run: CommandLine) -> None:
    run.respond_with(Result(Summary("12 and 40 came.", 1, unsupported_figures=("12", "40"))))
    warning = "(Not reliable: the text does not have the numbers 12, 40.)\n"
    assert run("summarize", "x" * 8) == Outcome(0, "12 and 40 came.\n", GENERATED + warning)
    assert run("summarize", "x" * 8, "--json").fields["unsupported_figures"] == ["12", "40"]


def test_fill_prints_the_best_combination_of_words_for_several_blanks(run: CommandLine) -> None:
    blanks = ((Prediction("the", 0.5, "the sea"),), (Prediction("sea", 0.4, "the sea"),))
    run.respond_with(Result(FillMaskResult(blanks, "the sea", (JointPrediction(("the", "sea"), 0.3, "the sea"),))))
    assert run("fill", "___ ___").out.splitlines()[-2:] == ["Together:", " 30.0%  the, sea"]
    joint = run("fill", "___ ___", "--json").fields["joint"]
    assert joint == [{"words": ["the", "sea"], "score": 0.3, "text": "the sea"}]
