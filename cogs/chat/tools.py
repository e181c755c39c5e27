"""What a chat model may do by itself in a turn, under the rules for the person who wrote.

A model calls a tool by words that its chat template defines. Each call is one request, as if the person had used the
command, and one line in the reply says what was done.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import discord

from cogs.common import AttachedFile, MessageContent, ProgressRenderer, ReplySession, neutral
from cogs.common.channel_history import Transcript, read_back, transcribe
from cogs.common.error_messages import in_current_language
from cogs.common.quotas import check_allowances
from cogs.i18n import ntr, tr
from inference import (
    CheckedRequest,
    Engine,
    ImageResult,
    ImagineRequest,
    InferenceError,
    InvalidRequest,
    Request,
    RequestCancelled,
    SummarizeRequest,
    Summary,
    Tool,
    ToolCall,
    serializable,
    shortened,
)

MOST_CALLS = 3
"""The most calls in one turn, whatever a model or a file asks for."""

_MOST_MESSAGES = 200
"""The most messages of the channel that a call reads, if the server's limit is not lower."""

_MOST_FOUND = 5
_LONGEST_SHOWN = 200
_PAUSE = 1.5
"""Seconds between two edits."""


@serializable
@dataclass(frozen=True, slots=True)
class ToolRules:
    """What holds for calls in this turn: a `drawing` with the rules of the channel, but without a prompt.

    `may_read` says whether the person may read the earlier messages of the channel.
    """

    drawing: ImagineRequest
    may_read: bool


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave: `content` is for the model, `line` for the people, with the `files` to show."""

    content: str
    line: str = ""
    files: tuple[AttachedFile, ...] = ()


Arguments = Mapping[str, Any]
Run = Callable[[ReplySession, Arguments, ToolRules, int], Awaitable[ToolResult]]
"""Runs a call with its arguments, the rules of the turn and a seed."""


def tools_of(engine: Engine, rules: ToolRules) -> tuple[Tool, ...]:
    """Return the tools that the rules allow, and for which models are configured."""
    names = {
        "imagine": bool(engine.models("imagine")),
        "summarize_channel": rules.may_read and bool(engine.models("summarize")),
        "search_messages": rules.may_read,
    }
    return tuple(tool for tool in _TOOLS if names[tool.name])


async def run_tool_call(session: ReplySession, call: ToolCall, rules: ToolRules, seed: int) -> ToolResult:
    """Run a call. Raise RequestCancelled; every other failure is a result, so that the model can tell the person."""
    run, arguments = _RUNS.get(call.name), _arguments_of(call)
    if run is None or arguments is None:
        return ToolResult(f"There is no tool {call.name} with these arguments.")
    try:
        return await run(session, arguments, rules, seed)
    except RequestCancelled:
        raise
    except InferenceError as error:
        reason = in_current_language(error)
        return ToolResult(f"It could not be done: {reason}", f"🛠️ {tr('Not done: {reason}', reason=reason)}")


async def _imagine(session: ReplySession, arguments: Arguments, rules: ToolRules, seed: int) -> ToolResult:
    prompt = _text(arguments, "prompt")
    shown = neutral(shortened(prompt, _LONGEST_SHOWN))
    checked = _checked(session, replace(rules.drawing, prompt=prompt, seed=seed, owner=str(session.owner)))
    result = await session.run(checked, ImageResult, ProgressRenderer(tr("Drawing: {prompt}", prompt=shown)))
    pictures = [picture for picture in result.pictures if picture.png]
    if not pictures:
        line = tr("The safety checker held back {count} of {all}. Try another seed or other words.", count=1, all=1)
        return ToolResult("The safety checker held back the picture.", f"🎨 {line}")
    files = tuple(
        AttachedFile(f"inkling-{picture.seed}.png", picture.png, prompt, spoiler=picture.flagged)
        for picture in pictures
    )
    line = tr("Drawn: {prompt}, seed {seed}", prompt=shown, seed=pictures[0].seed)
    return ToolResult("The picture is shown to the user below your reply.", f"🎨 {line}", files)


async def _summarize(session: ReplySession, arguments: Arguments, rules: ToolRules, seed: int) -> ToolResult:
    transcript = await _read(session, rules, arguments.get("messages"))
    request = SummarizeRequest(
        text=transcript.text, boundaries=transcript.boundaries, text_source="channel", owner=str(session.owner)
    )
    summary = await session.run(_checked(session, request), Summary, ProgressRenderer(tr("Summarizing the channel…")))
    return ToolResult(summary.text, f"📜 {tr('Summarized: {coverage}', coverage=transcript.coverage())}")


async def _search(session: ReplySession, arguments: Arguments, rules: ToolRules, seed: int) -> ToolResult:
    query = _text(arguments, "words")
    transcript = await _read(session, rules, None)
    terms = query.lower().split()
    found = [each for each in transcript.messages if all(term in each.words.lower() for term in terms)][-_MOST_FOUND:]
    count = ntr("{count} message found", "{count} messages found", len(found), count=len(found))
    links = " ".join(message.jump_url for message in found)
    line = f"🔎 {neutral(shortened(query, _LONGEST_SHOWN))}: {count} {links}".rstrip()
    told = "\n".join(f"{message.at:%Y-%m-%d %H:%M} {message}" for message in found)
    return ToolResult(told or "No message has all of these words.", line)


async def _read(session: ReplySession, rules: ToolRules, count: object) -> Transcript:
    """Return the last messages of the channel, as many as wanted within the limits. Raise InvalidRequest."""
    if not rules.may_read:
        raise InvalidRequest("You may not read the earlier messages of this channel, so I don't read them for you.")
    most = min(_MOST_MESSAGES, session.limits.messages)
    limit = max(1, min(count, most)) if isinstance(count, int) else most
    session.show_progress(MessageContent(tr("Reading the channel…")), _PAUSE)
    before = discord.Object(session.target.asked_in or session.where[1])
    messages, _ = await session.wait(read_back(session.channel, limit, before))
    return transcribe(messages, session.me, longest=session.limits.text_characters, complete=True)


def _checked(session: ReplySession, request: Request) -> CheckedRequest[Any]:
    """Check a request, and the quotas too: the turn itself has begun, and they would let it go on."""
    checked = session.check(request)
    quotas = session.services.quotas
    allowances = quotas.allowances(session.target.origin, but=session)
    check_allowances(allowances, session.engine.expected_seconds(checked), quotas.returns)
    return checked


def _arguments_of(call: ToolCall) -> Arguments | None:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None


def _text(arguments: Arguments, name: str) -> str:
    text = arguments.get(name)
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest("The model called a tool without saying what for. Ask again in other words.")
    return text.strip()


def _tool(name: str, description: str, argument: str, kind: str, meaning: str, *, required: bool = True) -> Tool:
    schema = {
        "type": "object",
        "properties": {argument: {"type": kind, "description": meaning}},
        "required": [argument] if required else [],
    }
    return Tool(name, description, json.dumps(schema))


_TOOLS = (
    _tool(
        "imagine",
        "Draw a picture and show it to the user. Use it only if the user asks for a picture.",
        "prompt",
        "string",
        "What the picture shows, in English",
    ),
    _tool(
        "summarize_channel",
        "Summarize the last messages of this channel.",
        "messages",
        "integer",
        "How many messages, at most 200",
        required=False,
    ),
    _tool(
        "search_messages",
        "Find messages in this channel that have all of these words.",
        "words",
        "string",
        "One to three words",
    ),
)
_RUNS: Mapping[str, Run] = {"imagine": _imagine, "summarize_channel": _summarize, "search_messages": _search}
