"""The plan for each kind of request."""

from __future__ import annotations

from inference.pipelines.causal_lm.answering import ask, explain
from inference.pipelines.causal_lm.completion import complete
from inference.pipelines.causal_lm.conversation import chat
from inference.pipelines.causal_lm.prompts import Plan, PromptBuilder, T
from inference.pipelines.causal_lm.summarization import summarize
from inference.tasks import AskRequest, ChatAnswerRequest, ChatRequest, CompleteRequest, Request, SummarizeRequest
from inference.types.errors import InvalidRequest


def plan_for(request: Request, template: PromptBuilder[T]) -> Plan[T]:
    """Return the plan for `request`. Raise InvalidRequest if the request does not generate text."""
    match request:
        case ChatRequest():
            return chat(template, request)
        case CompleteRequest():
            return complete(template, request)
        case ChatAnswerRequest():
            return explain(template, request)
        case AskRequest():
            return ask(template, request)
        case SummarizeRequest():
            return summarize(template, request)
        case _:
            raise InvalidRequest("This model can't do {task}. Choose another one.", task=request.task)
