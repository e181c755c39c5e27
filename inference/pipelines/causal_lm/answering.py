"""Generated answers to questions, from a text or from the model's own knowledge."""

from __future__ import annotations

from collections.abc import Generator

from inference.pipelines.causal_lm.grounding import is_grounded, is_stated
from inference.pipelines.causal_lm.prompts import Continuation, Plan, Prompt, PromptBuilder, T
from inference.pipelines.causal_lm.repetition import is_complete, without_last_word
from inference.pipelines.retrieval import abridge, relevant_spans
from inference.tasks import Answer, AskRequest, ChatAnswerRequest
from inference.text.figures import figures_not_in
from inference.types.errors import InvalidRequest

_LEAD = "According to the text,"
_MAX_NEW_TOKENS = 96
_MAX_CONTEXT_TOKENS = 1500
"""Tokens that are selected from a text that exceeds the window. Small models lose track of longer contexts."""
_REPETITION_PENALTY = 1.1
"""Keeps small models from repeating themselves. Only used without a text: else it leads them away from its words."""
_CLOSE_TOKENS = 100
"""Tokens of the second try, which reads only what is closest to the question."""


def ask(template: PromptBuilder[T], request: AskRequest) -> Plan[T]:
    """Answer in one sentence. The answer is empty unless the text supports it.

    Only the relevant sentences of a text that exceeds the window are read. Small models lose track even of short texts:
    if the text does not support the answer, only the sentences closest to the question are read again.
    """
    question, text = request.question, request.context
    room = template.max_prompt_tokens(_MAX_NEW_TOKENS) - len(_extractive_prompt(template, question, " "))
    context = text if template.count(text) <= room else _abridged(template, request, min(room, _MAX_CONTEXT_TOKENS))
    answer = yield from _short_answer(template, question, context)
    supported = is_grounded(answer, text, question)
    if not supported and relevant_spans(text, question):
        closest = _abridged(template, request, min(room, _CLOSE_TOKENS))
        if closest != context:
            answer = yield from _short_answer(template, question, closest)
            supported = is_stated(answer, text, question)
    answer = answer[:1].upper() + answer[1:] if supported else ""
    return Answer(answer, 0.0, 0, 0, generated=True, passages=relevant_spans(text, f"{question} {answer}"))


def _short_answer(
    template: PromptBuilder[T], question: str, context: str
) -> Generator[list[Prompt[T]], list[Continuation], str]:
    tokens = template.check_fits(_extractive_prompt(template, question, context), _MAX_NEW_TOKENS)
    (text,) = yield [Prompt(tokens, _MAX_NEW_TOKENS, stop=("\n\n",))]
    return _with_ellipsis(text)


def _abridged(template: PromptBuilder[T], request: AskRequest, max_tokens: int) -> str:
    return abridge(request.context, request.question, max_tokens, template.count)


def explain(template: PromptBuilder[T], request: ChatAnswerRequest) -> Plan[T]:
    """Answer in a few sentences, which are streamed. If the text exceeds the window, only its beginning is read."""
    if request.image:
        raise InvalidRequest("This model can't see pictures. Choose another one.")
    new = request.max_new_tokens
    question, context = request.question, request.context
    if context:
        around = len(_chat_prompt(template, question, " "))
        context = template.beginning(context, template.max_prompt_tokens(new) - around)
    tokens = template.check_fits(_chat_prompt(template, question, context), new)
    stop = () if template.can_chat else ("\n\n", "\nQuestion:", "\nText:")
    penalty = 1.0 if context else _REPETITION_PENALTY
    prompt = Prompt(
        tokens, new, repetition_penalty=penalty, stop=stop, sentence_after=new * 2 // 3, stream=True, chat=True
    )
    (text,) = yield [prompt]
    answer = _with_ellipsis(text)
    unsupported = figures_not_in(f"{request.context}\n{question}", answer) if context else ()
    return Answer(answer, 0.0, 0, 0, generated=True, unsupported_figures=unsupported)


def _with_ellipsis(text: Continuation) -> str:
    """Return the answer. If it ends in the middle of a sentence, "…" stands for the last word, which may be a part."""
    answer = text.text.strip()
    if text.finish_reason != "length" or is_complete(answer):
        return answer
    return without_last_word(answer)


def _extractive_prompt(template: PromptBuilder[T], question: str, context: str) -> T:
    return template.instruct(
        f"Text:\n{context}\n\nQuestion: {question}" + ("" if template.can_chat else "\n\n"),
        lead=_LEAD,
        system="You answer questions about a text, in one short sentence.",
    )


def _chat_prompt(template: PromptBuilder[T], question: str, context: str) -> T:
    if template.can_chat:
        message = f"Text:\n{context}\n\nQuestion: {question}" if context else question
    else:
        message = f"Text:\n{context}\n\nQuestion: {question}\nAnswer:" if context else f"Question: {question}\nAnswer:"
    system = (
        "You answer questions about a text in your own words, briefly, and only from what the text says. "
        "If the text does not say, you say so."
        if context
        else "You answer questions in a few plain sentences. If you don't know, you say so."
    )
    return template.instruct(message, lead="", system=system)
