"""Texts that a server streams: what it is asked, what is shown, and what becomes of the connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inference.tasks import ChatReply, ChatRequest, CompleteRequest, Message, Tool, ToolCall
from inference.types import PartialText, Queued, Started
from inference.types.errors import GenerationFailed, RequestCancelled
from inference.types.observations import DeviceUsed
from tests.inference.backends.openai.conftest import Harness, say
from tests.inference.backends.openai.fake_server import (
    USAGE,
    FakeServer,
    Waiting,
    chunk,
    event,
    saying,
    streaming,
)
from tests.waiting import until

TOOL = Tool("draw", "Draw a picture.", '{"type": "object", "properties": {"prompt": {"type": "string"}}}')


async def test_a_reply_is_streamed_and_its_tokens_are_those_that_the_server_counts(harness: Harness) -> None:
    ticket, caller = harness.submit(say(seed=7))
    assert await caller.outcome() == ChatReply("Well met.", 7, "stop", raw="Well met.")
    texts = [event.text for event in caller.events if isinstance(event, PartialText)]
    assert texts == ["Well", "Well met", "Well met."]
    assert isinstance(caller.events[0], Started)
    assert ticket.units == 42
    assert ticket.device == harness.spec("chat").server.host  # type: ignore[union-attr]


async def test_the_request_has_the_conversation_and_how_it_is_sampled(harness: Harness, server: FakeServer) -> None:
    messages = (Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "Sing"))
    await harness.outcome(
        ChatRequest(messages=messages, system="Be brief.", seed=3, temperature=0.5, top_p=0.9, max_new_tokens=20)
    )
    (body,) = server.bodies
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Sing"},
    ]
    assert (body["model"], body["seed"], body["temperature"], body["top_p"]) == ("m", 3, 0.5, 0.9)
    assert (body["max_tokens"], body["stream"]) == (20, True)
    assert server.paths == ["/v1/chat/completions"]


async def test_a_reply_that_the_server_cuts_at_the_limit_is_not_complete(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("Once", " upon", finish_reason="length")
    assert (await harness.outcome(say())).finish_reason == "length"


async def test_the_key_comes_from_the_environment(harness: Harness, server: FakeServer, monkeypatch: Any) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    harness.set(api_key_env="MY_KEY")
    await harness.outcome(say())
    assert set(server.keys) == {"Bearer s3cret"}


async def test_cancelling_closes_the_connection(harness: Harness, server: FakeServer) -> None:
    server.reply = Waiting()
    ticket, caller = harness.submit(say())
    await until(lambda: any(isinstance(event, PartialText) for event in caller.events), "nothing was streamed")
    ticket.cancel()
    await until(lambda: server.left == 1, "the server still writes")
    await until(lambda: harness.backend.queues()[0].running == 0, "its place is still taken")
    assert not caller.finished.is_set()


async def test_a_request_that_is_cancelled_before_it_has_begun_frees_its_place(harness: Harness) -> None:
    ticket, _ = harness.submit(say())
    ticket.cancel()
    await until(lambda: harness.backend.queues()[0].running == 0, "its place is still taken")
    assert isinstance(await harness.outcome(say()), ChatReply)


async def test_the_server_gets_no_more_requests_at_one_time_than_it_may(harness: Harness, server: FakeServer) -> None:
    waiting = server.reply = Waiting()
    harness.set(max_concurrency=2)
    callers = [harness.submit(say(owner=f"person {number}"))[1] for number in range(4)]
    await until(lambda: server.open == 2, "two requests did not start")
    positions = [[each.position for each in caller.events if isinstance(each, Queued)] for caller in callers]
    assert positions == [[], [], [1], [2]]
    assert (harness.backend.queues()[0].waiting, harness.backend.queues()[0].running) == (2, 2)
    waiting.may_go_on.set()
    assert [(await caller.outcome()).text for caller in callers] == ["Well met."] * 4  # type: ignore[union-attr]
    assert server.most_open == 2


async def test_a_lower_limit_counts_the_requests_that_are_at_work_already(harness: Harness, server: FakeServer) -> None:
    waiting = server.reply = Waiting()
    harness.set(max_concurrency=4)
    several = CompleteRequest(prompt="The sea is", n=4)
    callers = [harness.submit(several)[1] for _ in range(2)]
    await until(lambda: server.open == 4, "four texts did not start")
    harness.set(max_concurrency=3)
    callers.append(harness.submit(several)[1])
    await asyncio.sleep(0.1)
    harness.set(max_concurrency=4)
    callers.append(harness.submit(several)[1])
    await asyncio.sleep(0.1)
    waiting.may_go_on.set()
    await asyncio.gather(*(caller.outcome() for caller in callers))
    assert server.most_open == 4


@pytest.mark.parametrize(("first", "used_elsewhere"), [("eager", 0.0), ("nobody", 100.0)])
async def test_those_who_used_the_server_or_other_devices_less_are_first(
    harness: Harness, server: FakeServer, first: str, used_elsewhere: float
) -> None:
    harness.backend.charge(DeviceUsed("cuda:0", "eager", "", used_elsewhere))
    waiting = server.reply = Waiting()
    harness.set(max_concurrency=1)
    harness.submit(say(owner=first))
    await until(lambda: server.open == 1, "the first request did not start")
    _, second = harness.submit(say(owner="eager"))
    _, other = harness.submit(say(owner="patient"))
    await until(lambda: Queued(1) in [Queued(e.position) for e in other.events if isinstance(e, Queued)], "not next")
    waiting.may_go_on.set()
    await other.outcome()
    assert not second.finished.is_set()
    await second.outcome()


async def test_use_of_other_devices_counts_once_for_a_server_that_is_listed_again(
    harness: Harness, server: FakeServer
) -> None:
    device = f"server {server.url}"
    harness.backend.charge(DeviceUsed("cuda:0", "ann", "", 100.0))
    for _ in range(2):
        await harness.outcome(say(owner="bob"))
        harness.set(openai="http://127.0.0.1:9/v1")
        await until(lambda: not harness.backend.queues(), "the queue is not closed")
        await until(lambda: "ann" in harness.usage.state(device).usage, "nothing is kept")
        harness.set(openai=server.url)
    assert harness.usage.state(device).usage["ann"] <= 100.0


async def test_the_use_of_the_server_is_told_and_kept(harness: Harness) -> None:
    await harness.outcome(say(owner="alice"))
    await until(lambda: bool(harness.observed), "no use was told")
    (used,) = harness.observed
    assert isinstance(used, DeviceUsed)
    assert used.owner == "alice"
    assert used.seconds > 0
    await harness.backend.close()
    device = f"server {harness.spec('chat').server.url}"  # type: ignore[union-attr]
    assert harness.usage.state(device).seconds_per_work


async def test_thoughts_are_shown_apart_wherever_the_server_puts_them(harness: Harness, server: FakeServer) -> None:
    streams = [
        [
            chunk(reasoning_content="Hm, "),
            chunk(reasoning_content="two."),
            chunk(content="It is"),
            chunk(content=" 2."),
        ],
        [chunk(reasoning="Hm, two."), chunk(content="It is 2.")],
        [chunk(content="<thi"), chunk(content="nk>Hm, two.</think>"), chunk(content="\n\nIt is 2.")],
        [chunk(content="Hm, two.</think>\n\n"), chunk(content="It is 2.")],
    ]
    for events in streams:
        server.reply = streaming(*events, chunk("stop"))
        reply = await harness.outcome(say(thinking=True))
        assert (reply.text, reply.thoughts) == ("It is 2.", "Hm, two.")


async def test_thoughts_have_room_of_their_own(harness: Harness, server: FakeServer) -> None:
    server.reply = streaming(chunk(reasoning="Hm."), *[chunk(content=" na")] * 30, chunk("stop"))
    reply = await harness.outcome(say(thinking=True, max_new_tokens=10))
    assert server.bodies[0]["max_tokens"] == 10 + 2048
    assert server.bodies[0]["chat_template_kwargs"] == {"enable_thinking": True}
    assert (reply.text.split(), reply.finish_reason) == (["na"] * 10, "length")


async def test_a_model_that_only_thought_gets_more_room_the_next_time(harness: Harness, server: FakeServer) -> None:
    server.reply = streaming(chunk(reasoning="Hm, so"), chunk("length"))
    failure = await harness.outcome(say(max_new_tokens=10))
    assert isinstance(failure, GenerationFailed)
    assert "had no room left for an answer. Try again" in str(failure)
    await harness.outcome(say(max_new_tokens=10))
    assert [body["max_tokens"] for body in server.bodies] == [10, 10 + 2048]


async def test_calls_of_tools_come_in_pieces_and_go_back_as_the_server_knows_them(
    harness: Harness, server: FakeServer
) -> None:
    first = {"index": 0, "id": "x", "function": {"name": "draw", "arguments": '{"pro'}}
    rest = {"index": 0, "function": {"arguments": 'mpt": "a fox"}'}}
    server.reply = streaming(chunk(content="Look:"), chunk(tool_calls=[first]), chunk("tool_calls", tool_calls=[rest]))
    reply = await harness.outcome(say("Draw a fox", tools=(TOOL,)))
    assert (reply.text, reply.tool_calls) == ("Look:", (ToolCall("draw", '{"prompt": "a fox"}'),))
    assert server.bodies[0]["tools"][0]["function"]["name"] == "draw"
    messages = (Message("user", "Draw a fox"), Message("assistant", reply.raw), Message("tool", "It is drawn."))
    await harness.outcome(ChatRequest(messages=messages, tools=(TOOL,)))
    _, asked, called, result = [{}, *server.bodies[1]["messages"]][-4:]
    assert asked == {"role": "user", "content": "Draw a fox"}
    assert called["tool_calls"][0]["function"] == {"name": "draw", "arguments": '{"prompt": "a fox"}'}
    assert (result["content"], result["tool_call_id"]) == ("It is drawn.", called["tool_calls"][0]["id"])


async def test_a_reply_that_is_stuck_in_a_loop_is_ended(harness: Harness, server: FakeServer) -> None:
    server.reply = streaming(*[chunk(content=" ho")] * 400)
    reply = await harness.outcome(say())
    assert len(reply.text.split()) < 5
    assert reply.finish_reason == "length"


async def test_a_loop_is_found_although_the_server_counts_several_tokens_at_once(
    harness: Harness, server: FakeServer
) -> None:
    events = [
        event(choices=[{"index": 0, "delta": {"content": " ho"}}], usage={"completion_tokens": 2 * number + 1})
        for number in range(400)
    ]
    server.reply = streaming(*events, chunk("stop"))
    ticket, caller = harness.submit(say())
    await caller.outcome()
    assert ticket.units < 400


async def test_the_oldest_messages_are_left_out_if_they_exceed_the_window_that_the_server_tells(
    harness: Harness, server: FakeServer
) -> None:
    server.models = [{"id": "m", "max_model_len": 1000}]
    long = "word " * 400
    messages = (Message("user", long), Message("assistant", "Oh."), Message("user", long), Message("user", "And now?"))
    reply = await harness.outcome(ChatRequest(messages=messages, max_new_tokens=100))
    assert reply.num_omitted == 2
    assert [entry["role"] for entry in server.bodies[0]["messages"]] == ["system", "user"]


async def test_the_operators_window_counts_more_than_the_servers(harness: Harness, server: FakeServer) -> None:
    server.models = [{"id": "m", "max_model_len": 100_000}]
    harness.set(context_length=300)
    failure = await harness.outcome(say("word " * 400, max_new_tokens=100))
    assert "about" in str(failure)
    assert "Shorten it" in str(failure)
    assert not server.bodies


async def test_going_on_begins_where_the_reply_has_ended(harness: Harness, server: FakeServer) -> None:
    server.reply = saying(" upon", " a time.")
    reply = await harness.outcome(say("Tell me", prefill="Once"))
    assert reply.text == " upon a time."
    assert server.bodies[0]["messages"][-1] == {"role": "assistant", "content": "Once"}
    assert server.bodies[0]["continue_final_message"] is True


async def test_a_server_that_begins_a_new_message_is_asked_to_go_on_and_what_it_repeats_is_left_out(
    harness: Harness, server: FakeServer
) -> None:
    server.models = [{"id": "m", "owned_by": "somebody"}]
    server.reply = saying("Once", " upon", " a time.")
    reply = await harness.outcome(say("Tell me", prefill="Once"))
    assert reply.text == " upon a time."
    assert [entry["role"] for entry in server.bodies[0]["messages"]][-2:] == ["assistant", "user"]


async def test_a_whole_continuation_that_is_a_word_of_the_prefill_is_kept(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("I")
    assert (await harness.outcome(say("Who?", prefill="I said that "))).text == "I"


async def test_closing_ends_all_requests(harness: Harness, server: FakeServer) -> None:
    server.reply = Waiting()
    harness.set(max_concurrency=1)
    callers = [harness.submit(say())[1] for _ in range(2)]
    await until(lambda: server.open == 1, "the first request did not start")
    await harness.backend.close()
    outcomes = await asyncio.gather(*(caller.outcome() for caller in callers))
    assert all(isinstance(outcome, RequestCancelled) for outcome in outcomes)


async def test_a_pause_lets_running_requests_go_on_and_others_wait(harness: Harness, server: FakeServer) -> None:
    harness.backend.pause(True)
    _, caller = harness.submit(say())
    await until(lambda: any(isinstance(event, Queued) for event in caller.events), "its position was not told")
    assert not server.bodies
    harness.backend.pause(False)
    assert isinstance(await caller.outcome(), ChatReply)


async def test_a_server_that_does_not_stream_is_understood_too(harness: Harness, server: FakeServer) -> None:
    from aiohttp import web

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        message = {"role": "assistant", "content": "Well met."}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

    server.reply = reply
    assert (await harness.outcome(say())).text == "Well met."


async def test_keep_alive_comments_and_empty_chunks_are_passed_over(harness: Harness, server: FakeServer) -> None:
    server.reply = streaming(b": waiting\n\n", chunk(role="assistant", content=None), chunk(content="Hi."), USAGE)
    assert (await harness.outcome(say())).text == "Hi."
