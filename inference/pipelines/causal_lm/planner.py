"""Which plan serves which request."""

from __future__ import annotations

from inference.errors import InvalidRequest
from inference.pipelines.causal_lm.answering import ask, explain
from inference.pipelines.causal_lm.completing import complete
from inference.pipelines.causal_lm.instructions import Instructions
from inference.pipelines.causal_lm.prompts import Plan
from inference.pipelines.causal_lm.summarizing import summarize
from inference.types import AskRequest, CompleteRequest, ExplainRequest, Request, SummarizeRequest


def plan_for(request: Request, instructions: Instructions) -> Plan:
    """Raises InvalidRequest for a task that is not one of writing."""
    match request:
        case CompleteRequest():
            return complete(instructions, request)
        case ExplainRequest():
            return explain(instructions, request)
        case AskRequest():
            return ask(instructions, request)
        case SummarizeRequest():
            return summarize(instructions, request)
        case _:
            raise InvalidRequest("This model can't do {task}. Choose another one.", task=request.task)
