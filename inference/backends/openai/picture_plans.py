"""Plans for requests with a picture; the others are those of every language model."""

from __future__ import annotations

from inference.backends.openai.prompts import ServerPrompt, ServerPrompts
from inference.pipelines.causal_lm.plans import plan_for
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.picture_prompts import CAPTION_MESSAGE, MAX_CAPTION_TOKENS
from inference.tasks import Answer, Caption, CaptionRequest, ChatAnswerRequest, Request


def plan_with_pictures(request: Request, prompts: ServerPrompts) -> Plan[ServerPrompt]:
    """Return the plan for `request`, which may have a picture."""
    match request:
        case CaptionRequest():
            return _describe(request, prompts)
        case ChatAnswerRequest() if request.image:
            return _answer(request, prompts)
        case _:
            return plan_for(request, prompts)


def _describe(request: CaptionRequest, prompts: ServerPrompts) -> Plan[ServerPrompt]:
    (text,) = yield [_prompt(request.image, CAPTION_MESSAGE, MAX_CAPTION_TOKENS, prompts)]
    return Caption(text.text.strip())


def _answer(request: ChatAnswerRequest, prompts: ServerPrompts) -> Plan[ServerPrompt]:
    question, new = request.question, request.max_new_tokens
    if request.context:
        around = len(prompts.picture(request.image, question))
        context = prompts.beginning(request.context, prompts.max_prompt_tokens(new) - around)
        question = f"Text:\n{context}\n\nQuestion: {question}"
    (text,) = yield [_prompt(request.image, question, new, prompts)]
    return Answer(text.text.strip(), 0.0, 0, 0, generated=True)


def _prompt(image: bytes, message: str, max_new_tokens: int, prompts: ServerPrompts) -> Prompt[ServerPrompt]:
    tokens = prompts.check_fits(prompts.picture(image, message), max_new_tokens)
    return Prompt(tokens, max_new_tokens, stream=True, stop_at_loop=True)
