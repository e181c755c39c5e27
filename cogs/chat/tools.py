"""What a chat model may do by itself in a turn, under the rules for the person who wrote: it draws a picture.

A model calls a tool by words that its chat template defines. Each call is one request, as if the person had used the
command, and one line in the reply says what was done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from cogs.common import AttachedFile, ProgressRenderer, ReplySession, neutral
from cogs.common.error_messages import in_current_language
from cogs.common.quotas import check_allowances
from cogs.i18n import tr
from inference import Engine, ImageResult, ImagineRequest, InferenceError, RequestCancelled, Tool, ToolCall, shortened

MOST_CALLS = 3
"""The most calls in one turn, whatever a model or a file asks for."""

_LONGEST_SHOWN = 200

_IMAGINE = Tool(
    "imagine",
    "Draw a picture and show it to the user. Use it only if the user asks for a picture.",
    json.dumps(
        {
            "type": "object",
            "properties": {"prompt": {"type": "string", "description": "What the picture shows, in English"}},
            "required": ["prompt"],
        }
    ),
)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave: `content` is for the model, `line` for the people, with the `files` to show."""

    content: str
    line: str
    files: tuple[AttachedFile, ...] = ()


def tools_of(engine: Engine) -> tuple[Tool, ...]:
    """Return the tools for which models are configured."""
    return (_IMAGINE,) if engine.models("imagine") else ()


async def run_tool_call(session: ReplySession, call: ToolCall, drawing: ImagineRequest, seed: int) -> ToolResult:
    """Run a call. `drawing` is a request with the rules of the channel, to which the call adds the prompt.

    Raise RequestCancelled; every other failure is a result, so that the model can tell the person.
    """
    prompt = _prompt_of(call)
    if call.name != _IMAGINE.name or not prompt:
        return ToolResult(f"There is no tool {call.name} with these arguments.", "")
    shown = neutral(shortened(prompt, _LONGEST_SHOWN))
    status = ProgressRenderer(tr("Drawing: {prompt}", prompt=shown))
    try:
        checked = session.check(replace(drawing, prompt=prompt, seed=seed, owner=str(session.owner)))
        quotas, origin = session.services.quotas, session.target.origin  # the session itself has begun, and may go on
        allowances = quotas.allowances(origin, but=session)
        check_allowances(allowances, session.engine.expected_seconds(checked), quotas.returns)
        result = await session.run(checked, ImageResult, status)
    except RequestCancelled:
        raise
    except InferenceError as error:
        reason = in_current_language(error)
        return ToolResult(f"The picture could not be drawn: {reason}", tr("No picture: {reason}", reason=reason))
    pictures = [picture for picture in result.pictures if picture.png]
    if not pictures:
        line = tr("The safety checker held back {count} of {all}. Try another seed or other words.", count=1, all=1)
        return ToolResult("The safety checker held back the picture.", line)
    files = tuple(
        AttachedFile(f"inkling-{picture.seed}.png", picture.png, prompt, spoiler=picture.flagged)
        for picture in pictures
    )
    line = tr("Drawn: {prompt}, seed {seed}", prompt=shown, seed=pictures[0].seed)
    return ToolResult("The picture is shown to the user below your reply.", line, files)


def _prompt_of(call: ToolCall) -> str:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return ""
    prompt = arguments.get("prompt") if isinstance(arguments, dict) else None
    return prompt.strip() if isinstance(prompt, str) else ""
