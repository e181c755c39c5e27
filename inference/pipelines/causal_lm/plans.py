"""Which plan serves which request."""

from __future__ import annotations

from inference.pipelines.causal_lm.answering import ask, explain
from inference.pipelines.causal_lm.completion import complete
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Plan
from inference.pipelines.causal_lm.summarization import summarize
from inference.tasks import AskRequest, ChatAnswerRequest, CompleteRequest, Request, SummarizeRequest
from inference.types.errors import InvalidRequest


def plan_for(request: Request, instructions: PromptTemplate) -> Plan:
    """Raises InvalidRequest for a task that is not one of writing."""
    match request:
        case CompleteRequest():
            return complete(instructions, request)
        case ChatAnswerRequest():
            return explain(instructions, request)
        case AskRequest():
            return ask(instructions, request)
        case SummarizeRequest():
            return summarize(instructions, request)
        case _:
            raise InvalidRequest("This model can't do {task}. Choose another one.", task=request.task)
