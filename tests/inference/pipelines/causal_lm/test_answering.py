"""Test how causal models answer questions about a text: the selected context, and the accepted answers."""

from __future__ import annotations

import pytest

from inference.pipelines.causal_lm.answering import ask, explain
from inference.pipelines.causal_lm.grounding import is_grounded, is_stated
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import Answer, AskRequest, ChatAnswerRequest
from tests.inference.pipelines.tiny_causal import CHAT, save_causal

LETTER = (
    "Jonas brings the tent, Maria the stove. The last train back is at 20:40 on Sunday; it leaves from the station. "
    "Dogs are welcome."
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(save_causal(tmp_path_factory.mktemp("tokenizer"), "llama", chat=CHAT))


def ask_model(tokenizer: Tokenizer, context: str, window: int, reply: str) -> tuple[str, Answer]:
    """Return the prompt that a model with this window reads, and the answer if it replies with `reply`."""
    prompts, answer = run_ask(tokenizer, AskRequest(question="where sat the fox?", context=context), window, reply, "")
    return prompts[0], answer


def run_ask(tokenizer: Tokenizer, request: AskRequest, window: int, *replies: str) -> tuple[list[str], Answer]:
    """Return the prompts that a model with this window reads, and the answer if it gives these replies."""
    plan, prompts = ask(PromptTemplate(tokenizer, window), request), list[str]()
    step = next(plan)
    for reply in replies:
        [prompt] = step
        assert len(prompt.tokens) + prompt.max_new_tokens <= window
        prompts.append(tokenizer.decode(prompt.tokens))
        try:
            step = plan.send([Continuation(reply, "stop")])
        except StopIteration as end:
            return prompts, end.value
    raise AssertionError("the plan wants more replies")


def test_a_text_that_fits_the_window_is_read_completely(tokenizer: Tokenizer) -> None:
    prompt_text, _ = ask_model(tokenizer, "the cat ran. the fox sat on the mat.", 512, "")
    assert "the cat ran. the fox sat on the mat." in prompt_text


def test_only_relevant_sentences_of_a_too_long_text_are_read(tokenizer: Tokenizer) -> None:
    context = "the cat ran over the hills. " * 300 + "the fox sat on the mat. " + "the cat ran over the hills. " * 300
    prompt_text, _ = ask_model(tokenizer, context, 256, "")
    assert "the fox sat on the mat." in prompt_text


def test_the_answer_lists_the_sentences_that_support_it(tokenizer: Tokenizer) -> None:
    context = "the cat ran. the dog sat on the hills. the fox sat on the mat."
    _, answer = ask_model(tokenizer, context, 512, " the fox sat on the mat.")
    start, end = answer.passages[0]
    assert context[start:end] == "the fox sat on the mat."
    assert answer.generated


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When does the last train leave?", "the last train leaves on Sunday at 20:40."),
        ("Who brings what?", "Jonas brings the tent."),
        ("Who brings the tent?", "Jonas."),
        ("Does Jonas bring the tent?", "Yes."),
        ("Does Jonas bring the tent?", "Jonas brings the tent."),
        ("Does the tent come from Jonas or from Maria?", "It comes from Jonas."),
        ("Are dogs allowed?", "No."),
    ],
)
def test_an_answer_with_words_and_figures_of_the_text_is_accepted(question: str, answer: str) -> None:
    assert is_grounded(answer, LETTER, question)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the president of France?", "the president of France is Marcel Marle."),
        ("What colour is the car?", "The car is a red car."),
        ("Does the car have a radio?", "Yes."),
        ("What colour is the tent?", "The tent is red."),
        ("What colour is the tent?", "It is a tent."),
        ("When does the train leave?", "The train leaves on Sunday at 20:50."),
        ("Who brings the tent?", ""),
        ("Who brings the tent?", "the person who brings the tent is Maria."),
        ("Who brings the tent?", "it is a person."),
        ("Does Jonas bring the tent?", ""),
    ],
)
def test_an_answer_with_other_words_or_figures_is_rejected(question: str, answer: str) -> None:
    assert not is_grounded(answer, LETTER, question)


def test_single_characters_are_compared_in_scripts_without_spaces() -> None:
    text = "最終列車は日曜日の20時40分に駅を出ます。"
    assert is_grounded("日曜日の20時40分です。", text, "最終列車はいつ出ますか。")
    assert not is_grounded("月曜日の18時です。", text, "最終列車はいつ出ますか。")


def test_a_rejected_answer_is_empty(tokenizer: Tokenizer) -> None:
    _, answer = ask_model(tokenizer, "the cat sat on the mat. the fox ran.", 512, " the fox sat in a red car.")
    assert not answer.text


CHAT_TEXT = (
    "Maya: How do we get there?\n"
    "Jonas: By train, at 15:42 from platform 3. Lena drives up with the food.\n"
    "Maya: I walk. I will bring the tent for the children and the big pot.\n"
    "Jonas: Please bring a warm sleeping bag as well."
)
TENT = "Who brings the tent for the children?"


@pytest.mark.parametrize(
    ("question", "answer", "stated"),
    [
        (TENT, "the person who brings the tent for the children is Maya.", True),
        (TENT, "Maya.", True),
        (TENT, "the person who brings the tent for the children is Otto.", False),
        (TENT, "it is a person.", False),
        (TENT, "Yes.", False),
        (TENT, "Lena brings the tent for the children.", False),
        (TENT, "", False),
        ("Who brings the guitar?", "it is Maya who brings the guitar.", False),
        ("Who brings the food?", "Maya brings the food.", False),
        ("Who is the mayor?", "Jonas is the mayor.", False),
        ("When does the train leave?", "The train leaves at 15:43.", False),
    ],
)
def test_an_answer_of_the_second_try_must_be_in_one_line_with_the_question(
    question: str, answer: str, stated: bool
) -> None:
    assert is_stated(answer, CHAT_TEXT, question) == stated


def test_after_an_invented_answer_only_the_closest_sentences_are_read_again(tokenizer: Tokenizer) -> None:
    filler = "the cat ran over the hills. " * 8
    request = AskRequest(question="who saw the fox?", context=f"{filler}\nthe dog saw the fox.\n{filler}")
    prompts, answer = run_ask(tokenizer, request, 512, "the villa is rented.", "the dog saw the fox.")
    assert len(prompts[1]) < len(prompts[0]) // 2
    assert "the dog saw the fox." in prompts[1]
    assert answer.text == "The dog saw the fox."
    _, answer = run_ask(tokenizer, request, 512, "the villa is rented.", "the cat saw the fox.")
    assert not answer.text


def test_a_question_about_nothing_in_the_text_is_asked_once(tokenizer: Tokenizer) -> None:
    request = AskRequest(question="what of Paris?", context="the cat ran over the hills. " * 20)
    prompts, answer = run_ask(tokenizer, request, 512, "the villa is rented.")
    assert (len(prompts), answer.text) == (1, "")


TABLE = """Orders

Customer: School; Product: Paper; Amount: 200; Price: 45.9
Customer: Library; Product: Lamps; Amount: 7; Price: 249
Customer: Bakery; Product: Sugar; Amount: 15; Price: 1,250.75
"""


@pytest.mark.parametrize(
    ("question", "answer", "grounded"),
    [
        ("How many lamps did the library order?", "The library ordered 7 lamps.", True),
        ("How many lamps did the library order?", "The library ordered 200 lamps.", False),
        ("How many lamps did the library order?", "The library ordered 70 lamps.", False),
        ("What is the price of the sugar?", "The price of the sugar is 1250.75.", True),
        ("What is the price of the sugar?", "The price of the sugar is 249.", False),
        ("What is the price of the salt?", "The price of the salt is 45.9.", False),
    ],
)
def test_a_figure_from_a_table_must_be_in_a_row_about_the_question(question: str, answer: str, grounded: bool) -> None:
    assert is_grounded(answer, TABLE, question) == grounded


def test_numbers_of_an_own_answer_that_the_text_does_not_have_are_named(tokenizer: Tokenizer) -> None:
    def unsupported(context: str) -> tuple[str, ...]:
        plan = explain(PromptTemplate(tokenizer, 512), ChatAnswerRequest(question="how many of 9?", context=context))
        next(plan)
        with pytest.raises(StopIteration) as end:
            plan.send([Continuation("1,200 of 9 cats at 20:40.", "stop")])
        return end.value.value.unsupported_figures

    assert unsupported("the cat ran at 20:15.") == ("1,200", "20:40")
    assert unsupported("1200 cats ran at 20:40.") == ()
    assert unsupported("") == ()


def test_an_answer_that_was_cut_ends_with_an_ellipsis_after_a_word(tokenizer: Tokenizer) -> None:
    def answer(text: str) -> str:
        plan = explain(PromptTemplate(tokenizer, 512), ChatAnswerRequest(question="what?"))
        next(plan)
        with pytest.raises(StopIteration) as end:
            plan.send([Continuation(text, "length")])
        return end.value.value.text

    assert answer("The cat ran. The dog saw the fo") == "The cat ran. The dog saw the…"
    assert answer("The cat ran.") == "The cat ran."
    assert answer("") == ""
