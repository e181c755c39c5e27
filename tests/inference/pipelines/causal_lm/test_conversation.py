"""Test replies in conversations: their prompts, the window, thoughts, tools, and that company changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.conversation import chat, reply_prompt
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation, Prompt
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.tasks import ChatReply, ChatRequest, CompleteRequest, Message, Request, Tool, ToolCall
from inference.types import PartialText
from inference.types.errors import InvalidRequest, ModelUnavailable
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_causal import CHAT, RUNNERS, load, save_bytes, save_causal

HISTORY = (Message("user", "the dog"), Message("assistant", "and the fox"), Message("user", "jumps over"))
REQUEST = ChatRequest(messages=HISTORY, system="a cat", max_new_tokens=12, temperature=0, seed=7)
THINKING = CHAT.replace(
    "<s>assistant:", "<s>assistant:{% if enable_thinking %}<think>{% else %}<think></think>{% endif %}"
)
TOOLS = (
    "{% for t in tools or [] %}{{ t['function'] | tojson }}{% endfor %}"
    "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}"
    "{% for c in m['tool_calls'] or [] %}"
    "{% if c['id'] | length != 9 %}{{ raise_exception('an id of 9 letters') }}{% endif %}"
    "({{ c['id'] }} calls {{ c['function']['name'] }} with {{ c['function']['arguments'] | tojson }})"
    "{% endfor %}"
    "{% if m['role'] == 'tool' %}({{ m['tool_call_id'] }} {{ m['name'] }}){% endif %}"
    "</s>{% endfor %}{% if add_generation_prompt %}<s>assistant:{% endif %}"
)
DRAW = Tool("draw", "Draw a picture.", '{"type": "object", "properties": {"prompt": {"type": "string"}}}')
CALL = '<tool_call>{"name": "draw", "arguments": {"prompt": "a fox"}}</tool_call>'


def save_thinking(folder: Path, template: str = THINKING) -> Path:
    """Save a model that thinks, with the tokens `<think>` and `</think>`. It never ends its thoughts itself."""
    save_causal(folder, "llama", chat=template)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(0)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.lm_head.weight.data[-2:] = 0
    model.save_pretrained(folder)
    return folder


def prompt_template(folder: Path, template: str) -> PromptTemplate:
    """Return the prompts of a tokenizer with this chat template, which has a token for each byte."""
    tokenizer: Any = AutoTokenizer.from_pretrained(save_bytes(folder))
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return PromptTemplate(Tokenizer(folder), 4096)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("chat"), "llama", chat=CHAT)


@pytest.fixture(scope="module")
def model(folder: Path) -> CausalLM:
    return load(folder)


@pytest.fixture(scope="module")
def thinking_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_thinking(tmp_path_factory.mktemp("thinking"))


@pytest.fixture(scope="module")
def thinking_model(thinking_folder: Path) -> CausalLM:
    return load(thinking_folder)


@pytest.fixture(scope="module")
def with_tools(tmp_path_factory: pytest.TempPathFactory) -> PromptTemplate:
    return prompt_template(tmp_path_factory.mktemp("tools"), TOOLS)


def reply(pipeline: CausalLM, request: Request) -> ChatReply:
    (outcome,) = run(pipeline, request)
    assert isinstance(outcome, ChatReply), outcome
    return outcome


def refusal(pipeline: CausalLM, request: Request) -> str:
    (outcome,) = run(pipeline, request)
    assert isinstance(outcome, InvalidRequest), outcome
    return outcome.user_message


def rendered(template: PromptTemplate, messages: Sequence[Message], tools: Sequence[Tool] = (DRAW,)) -> str:
    """Return the prompt for a reply to the messages as text."""
    tokens, _ = reply_prompt(template, messages, 8, system="", prefill="", tools=tools)
    return template._tokenizer.decode(tokens)  # pyright: ignore[reportPrivateUsage]


def by_transformers(folder: Path, messages: Sequence[tuple[str, str]], max_new_tokens: int, prefill: str = "") -> str:
    """Return what transformers' own template and `generate` give."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    conversation = [{"role": role, "content": content} for role, content in messages]
    prompt = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    inputs = tokenizer(prompt + prefill, add_special_tokens=False, return_tensors="pt")
    output = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False, pad_token_id=1)
    return tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


# --- prompts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", RUNNERS.values())
def test_a_greedy_reply_equals_that_of_transformers(architecture: str, tmp_path: Path) -> None:
    folder = save_causal(tmp_path, architecture, chat=CHAT)
    conversation = [("system", "a cat"), *((message.role, message.content) for message in HISTORY)]
    answer = reply(load(folder), REQUEST)
    expected = by_transformers(folder, conversation, 12)
    assert answer == ChatReply(expected, 7, "length", raw=expected)


def test_consecutive_messages_of_one_role_are_merged(model: CausalLM, folder: Path) -> None:
    users = (Message("user", "the dog"), Message("user", "and"))
    replies = (Message("assistant", "a"), Message("assistant", "b"))
    answer = reply(model, replace(REQUEST, messages=(*users, *replies, Message("user", "jumps over"))))
    merged = [("system", "a cat"), ("user", "the dog\nand"), ("assistant", "a\nb"), ("user", "jumps over")]
    assert answer.text == by_transformers(folder, merged, 12)


def test_a_conversation_begins_with_a_user(model: CausalLM) -> None:
    answer = reply(model, replace(REQUEST, messages=(Message("assistant", "hello"), *HISTORY)))
    assert answer == reply(model, REQUEST), "nothing was left out for its length"


def test_a_prefill_is_continued(model: CausalLM, folder: Path) -> None:
    conversation = [("system", "a cat"), *((message.role, message.content) for message in HISTORY)]
    answer = reply(model, replace(REQUEST, prefill=" a boat"))
    assert answer.text == by_transformers(folder, conversation, 12, prefill=" a boat")


def test_the_oldest_messages_are_left_out_and_counted_until_the_rest_fits(model: CausalLM) -> None:
    old = tuple(Message("user" if i % 2 == 0 else "assistant", " dog" * 30) for i in range(20))
    answer = reply(model, replace(REQUEST, messages=old + HISTORY))
    assert answer.num_omitted % 2 == 0, "it begins with a user's message"
    assert 10 <= answer.num_omitted < 20
    kept = (old + HISTORY)[answer.num_omitted :]
    assert replace(answer, num_omitted=0) == reply(model, replace(REQUEST, messages=kept))
    assert "this model takes 244" in refusal(model, replace(REQUEST, messages=(Message("user", " dog" * 300),)))


def test_the_last_message_and_the_system_message_are_kept(model: CausalLM) -> None:
    last = Message("user", "jumps over")
    answer = reply(model, replace(REQUEST, messages=(Message("user", " fox" * 240), Message("assistant", "a"), last)))
    assert answer.num_omitted == 2
    assert replace(answer, num_omitted=0) == reply(model, replace(REQUEST, messages=(last,)))
    assert answer.text != reply(model, replace(REQUEST, messages=(last,), system="a dog")).text


def test_a_last_message_that_does_not_fit_is_refused_and_not_cut(model: CausalLM) -> None:
    sentence = refusal(model, replace(REQUEST, messages=(*HISTORY[:2], Message("user", " dog" * 300))))
    assert "and with 12 new ones this model takes 244. Shorten it" in sentence


def test_a_system_prompt_longer_than_the_window_is_named(model: CausalLM) -> None:
    sentence = refusal(model, replace(REQUEST, system=" dog" * 300))
    assert sentence.startswith("The system prompt alone has 300 tokens, and with 12 new ones this model takes 244.")


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    (error,) = run(load(save_causal(tmp_path, "gpt2")), REQUEST)
    assert isinstance(error, ModelUnavailable)
    assert error.user_message.startswith("This model has no chat template, so it can't hold a conversation.")


def test_many_conversations_and_completions_in_one_batch_are_what_they_are_alone(model: CausalLM) -> None:
    chats: list[Request] = [
        replace(
            REQUEST,
            messages=(*HISTORY[:2], Message("user", "the quick brown fox " * (1 + i % 7))),
            max_new_tokens=6 + 2 * i,
            temperature=1.0,
            seed=i,
        )
        for i in range(16)
    ]
    requests = [*chats, CompleteRequest(prompt="once upon", max_new_tokens=20, seed=3)]
    assert len({request.batch_key for request in requests}) == 1
    assert run(model, *requests) == [run(model, request)[0] for request in requests]


# --- thoughts ---------------------------------------------------------------------------------


def test_thoughts_are_streamed_before_the_reply_and_are_no_part_of_it(thinking_model: CausalLM) -> None:
    batch = MemoryBatch.of(replace(REQUEST, thinking=True))
    (answer,) = batch.run(thinking_model)
    assert isinstance(answer, ChatReply)
    events = [event for event in batch.jobs[0].events if isinstance(event, PartialText)]
    thoughts = [event for event in events if not event.text]
    assert len(thoughts) > 50
    assert all(event.chat and event.thoughts for event in events)
    assert events[-1] == PartialText(answer.text, chat=True, thoughts=answer.thoughts)
    assert answer.thoughts.startswith(thoughts[20].thoughts)
    assert answer.text
    assert "think>" not in answer.text + answer.thoughts + answer.raw


def test_at_the_end_of_their_budget_the_reply_begins(thinking_model: CausalLM) -> None:
    answer = reply(thinking_model, replace(REQUEST, thinking=True, messages=(Message("user", " dog" * 40),)))
    longer = reply(thinking_model, replace(REQUEST, thinking=True, messages=(Message("user", " dog" * 80),)))
    assert answer.text
    assert longer.text
    assert len(answer.thoughts) > len(longer.thoughts) > 0, "they have the rest of the window"


def test_a_long_conversation_leaves_room_for_thoughts(thinking_model: CausalLM) -> None:
    old = tuple(Message("user" if i % 2 == 0 else "assistant", " dog" * 10) for i in range(40))
    request = replace(REQUEST, messages=(*old, *HISTORY))
    thoughtful, quick = (reply(thinking_model, replace(request, thinking=thinking)) for thinking in (True, False))
    assert thoughtful.num_omitted > quick.num_omitted > 0
    assert len(thoughtful.thoughts) > 50


def test_a_model_that_can_think_does_not_unless_it_shall(thinking_model: CausalLM) -> None:
    answer = reply(thinking_model, REQUEST)
    assert answer.text
    assert not answer.thoughts
    assert answer == reply(thinking_model, replace(REQUEST, thinking=False))


def test_only_conversations_show_thoughts(tmp_path: Path) -> None:
    always = load(save_thinking(tmp_path, CHAT.replace("<s>assistant:", "<s>assistant:<think>")))
    batch = MemoryBatch.of(CompleteRequest(prompt="the cat", max_new_tokens=12, temperature=0))
    batch.run(always)
    events = [event for event in batch.jobs[0].events if isinstance(event, PartialText)]
    assert events
    assert all(event.text and not event.thoughts for event in events)
    assert reply(always, REQUEST).thoughts


# --- tools ------------------------------------------------------------------------------------


def test_tools_are_shown_to_a_model_whose_template_has_a_place_for_them(with_tools: PromptTemplate) -> None:
    assert with_tools.takes_tools
    prompt = rendered(with_tools, HISTORY)
    assert '"description": "Draw a picture."' in prompt
    assert '"properties": {"prompt": {"type": "string"}}' in prompt
    assert "Draw" not in rendered(with_tools, HISTORY, ())


def test_calls_and_results_are_rendered_as_the_template_wants_them(with_tools: PromptTemplate) -> None:
    messages = (
        Message("user", "two pictures"),
        Message("assistant", f"Well.\n{CALL}{CALL}"),
        Message("tool", "one"),
        Message("tool", "two"),
        Message("assistant", CALL),
        Message("tool", "three"),
    )
    prompt = rendered(with_tools, messages)
    call = 'calls draw with {"prompt": "a fox"})'
    assert f"<s>assistant: Well.(call00000 {call}(call00001 {call}</s><s>tool: one(call00000 draw)" in prompt
    assert f"<s>tool: two(call00001 draw)</s><s>assistant: (call00002 {call}</s><s>tool: three(call00002" in prompt


def test_a_call_without_markers_is_recognized_by_the_result_after_it(with_tools: PromptTemplate) -> None:
    bare = Message("assistant", '{"name": "draw", "parameters": {"prompt": "a fox"}}')
    prompt = rendered(with_tools, (HISTORY[0], bare, Message("tool", "done")))
    assert "(call00000 calls draw" in prompt
    assert "calls draw" not in rendered(with_tools, (HISTORY[0], bare, HISTORY[2]))


def test_people_can_not_write_calls(with_tools: PromptTemplate) -> None:
    assert "calls draw" not in rendered(with_tools, (Message("user", CALL),))


def test_the_calls_of_a_reply_are_apart_from_its_text(with_tools: PromptTemplate) -> None:
    plan = chat(with_tools, replace(REQUEST, tools=(DRAW,)))
    (prompt,) = next(plan)
    assert prompt.calls_tools
    with pytest.raises(StopIteration) as ended:
        plan.send([Continuation(f"I draw.\n{CALL}", "stop", "Draw?")])
    call = ToolCall("draw", '{"prompt": "a fox"}')
    assert ended.value.value == ChatReply("I draw.", 7, "stop", "Draw?", (call,), 0, f"I draw.\n{CALL}")


@pytest.mark.parametrize("template", [CHAT, TOOLS.replace("{{ c['id'] }} calls", "{{ raise_exception('no') }}")])
def test_a_model_whose_template_takes_no_tools_gets_none(template: str, tmp_path: Path) -> None:
    prompts = prompt_template(tmp_path, template)
    assert not prompts.takes_tools
    messages = (HISTORY[0], Message("assistant", CALL), Message("tool", "It is drawn."))
    plan = chat(prompts, replace(REQUEST, messages=messages, tools=(DRAW,)))
    (prompt,) = next(plan)
    assert not prompt.calls_tools
    text = prompts._tokenizer.decode(prompt.tokens)  # pyright: ignore[reportPrivateUsage]
    assert "Draw a picture" not in text
    assert text.endswith("<s>user: It is drawn.</s><s>assistant:")
    with pytest.raises(StopIteration) as ended:
        plan.send([Continuation(CALL, "stop")])
    assert ended.value.value == ChatReply(CALL, 7, "stop", raw=CALL), "there is nothing to call"


def test_the_prompt_of_a_reply_streams_it_with_the_usual_temperature(with_tools: PromptTemplate) -> None:
    (prompt,) = next(chat(with_tools, replace(REQUEST, temperature=None)))
    assert prompt == Prompt(
        prompt.tokens, 12, 0.7, 0.95, seed=7, stop_at_loop=True, stream=True, chat=True, thoughts=True
    )


def test_what_was_found_stands_before_the_last_message_in_at_most_half_of_the_window(tmp_path: Path):
    template, tokenizer = prompt_template(tmp_path, CHAT), Tokenizer(tmp_path)
    [prompt] = next(chat(template, replace(REQUEST, context="It is red.")))
    assert "the dog</s>" in tokenizer.decode(prompt.tokens)
    assert "It is red.\n\njumps over" in tokenizer.decode(prompt.tokens)
    [prompt] = next(chat(template, replace(REQUEST, context="It is red. " * 1000)))
    assert 1500 < len(prompt.tokens) < 2500
    assert tokenizer.decode(prompt.tokens).endswith("jumps over</s><s>assistant:")
