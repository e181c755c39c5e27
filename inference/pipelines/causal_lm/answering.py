"""Generated answers to questions, from a text or from the model's own knowledge."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.retrieval import STOP_WORDS, abridge, relevant_spans
from inference.tasks import Answer, AskRequest, ChatAnswerRequest
from inference.types.errors import InvalidRequest

_LEAD = "According to the text,"
_MAX_NEW_TOKENS = 96
_MAX_CONTEXT_TOKENS = 1500
"""Tokens that are selected from a text that exceeds the window. Small models lose track of longer contexts."""
_REPETITION_PENALTY = 1.1
"""Keeps small models from repeating themselves. Only used without a text: else it leads them away from its words."""
_MIN_GROUNDED = 2 / 3
"""The share of the words added by an answer that must occur in the text."""
_STEM_LETTERS = 4
"""Words are compared by this many first letters: "brings" counts as "bring"."""
_WORD = re.compile(
    r"\d+|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]{2,}"
)  # figures; single characters of Thai, Lao, Burmese, Khmer, Japanese and Chinese (no spaces there); words
_OPEN_QUESTION = re.compile(r"\b(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_YES_NO = frozenset(["yes", "no", "ja", "nein", "oui", "non", "si", "sí", "sim", "não"])


def ask(template: PromptTemplate, request: AskRequest) -> Plan:
    """Answer in one sentence. The answer is empty unless the text supports it.

    Only the relevant sentences of a text that exceeds the window are read.
    """
    context = request.context
    room = template.max_prompt_tokens(_MAX_NEW_TOKENS) - len(_extractive_prompt(template, request.question, " "))
    if template.count(context) > room:
        context = abridge(context, request.question, min(room, _MAX_CONTEXT_TOKENS), template.count)
    tokens = template.check_fits(_extractive_prompt(template, request.question, context), _MAX_NEW_TOKENS)
    (text,) = yield [Prompt(tokens, _MAX_NEW_TOKENS, stop=("\n\n",))]
    answer = text.text.strip()
    grounded = answer if is_grounded(answer, request.context, request.question) else ""
    evidence = relevant_spans(request.context, f"{request.question} {grounded}")
    return Answer(grounded[:1].upper() + grounded[1:], 0.0, 0, 0, generated=True, passages=evidence)


def explain(template: PromptTemplate, request: ChatAnswerRequest) -> Plan:
    """Answer in a few sentences, which are streamed. If the text exceeds the window, only its beginning is read."""
    if request.image:
        raise InvalidRequest("This model can't see pictures. Choose another one.")
    new = request.max_new_tokens
    context = request.context
    if context:
        around = len(_chat_prompt(template, request.question, " "))
        context = template.beginning(context, template.max_prompt_tokens(new) - around)
    tokens = template.check_fits(_chat_prompt(template, request.question, context), new)
    stop = () if template.can_chat else ("\n\n", "\nQuestion:", "\nText:")
    penalty = 1.0 if context else _REPETITION_PENALTY
    (text,) = yield [Prompt(tokens, new, repetition_penalty=penalty, stop=stop, stream=True, chat=True)]
    return Answer(text.text.strip(), 0.0, 0, 0, generated=True)


def _extractive_prompt(template: PromptTemplate, question: str, context: str) -> list[int]:
    return template.instruct(
        f"Text:\n{context}\n\nQuestion: {question}" + ("" if template.can_chat else "\n\n"),
        lead=_LEAD,
        system="You answer questions about a text, in one short sentence.",
    )


def _chat_prompt(template: PromptTemplate, question: str, context: str) -> list[int]:
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


def is_grounded(answer: str, context: str, question: str) -> bool:
    """Return whether `answer` is supported by `context`.

    The context must share a word with the question. It must contain every figure and most of the words that the answer
    adds to the question. Language models answer even when the text does not, with names and figures from elsewhere.
    An answer that adds nothing is only accepted for questions that are not open: yes-no questions, and those that name
    the alternatives.
    """
    asked, known, answered = _words(question), _words(context), _words(answer) - _YES_NO
    if asked and not asked & known:
        return False
    added = answered - asked
    if not added:
        return bool(answer) and not _OPEN_QUESTION.search(question)
    figures = {word for word in added if word.isdigit()}
    words = added - figures
    return figures <= known and len(words & known) >= _MIN_GROUNDED * len(words)


def _words(text: str) -> set[str]:
    """Return the figures and word stems of `text`; single characters in scripts without spaces."""
    words = (word for word in _WORD.findall(text.lower()) if word not in STOP_WORDS)
    return {word[:_STEM_LETTERS] if word.isalpha() else word for word in words}
