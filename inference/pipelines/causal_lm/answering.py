"""Answering questions in a model's own words, from a text or from what it knows."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.retrieval import EMPTY, abridge, relevant_spans
from inference.tasks import Answer, AskRequest, ChatAnswerRequest

_LEAD = "According to the text,"
_TOKENS = 96
_LONG = 1500
"""Tokens that are picked out of a text too long for the window; from more, small models lose the thread."""
_PENALTY = 1.1
"""Keeps small models from going round in circles. Where there is a text, it would lead them away from its words."""
_HELD = 2 / 3
"""What part of the words that an answer adds must stand in the text."""
_LETTERS = 4
"""Of a word: "brings" is "bring"."""
_WORD = re.compile(
    r"\d+|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]{2,}"
)  # figures; characters of Thai, Lao, Burmese, Khmer, Japanese and Chinese, which set no spaces; words
_OPEN = re.compile(r"\b(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_YES_NO = frozenset(["yes", "no", "ja", "nein", "oui", "non", "si", "sí", "sim", "não"])


def ask(instructions: PromptTemplate, request: AskRequest) -> Plan:
    """One sentence, which counts only if the text holds what it says; of a long text, what speaks of the question."""
    context = request.context
    room = instructions.room(_TOKENS) - len(_asked(instructions, request.question, " "))
    if instructions.count(context) > room:
        context = abridge(context, request.question, min(room, _LONG), instructions.count)
    tokens = instructions.fitting(_asked(instructions, request.question, context), _TOKENS)
    (text,) = yield [Prompt(tokens, _TOKENS, stop=("\n\n",))]
    answer = text.text.strip()
    said = answer if is_grounded(answer, request.context, request.question) else ""
    evidence = relevant_spans(request.context, f"{request.question} {said}")
    return Answer(said[:1].upper() + said[1:], 0.0, 0, 0, generated=True, passages=evidence)


def explain(instructions: PromptTemplate, request: ChatAnswerRequest) -> Plan:
    """A few sentences, shown as they come. Of a text too long for the window, its beginning is read."""
    new = request.max_new_tokens
    context = request.context
    if context:
        around = len(_question(instructions, request.question, " "))
        context = instructions.beginning(context, instructions.room(new) - around)
    tokens = instructions.fitting(_question(instructions, request.question, context), new)
    stop = () if instructions.can_chat else ("\n\n", "\nQuestion:", "\nText:")
    penalty = 1.0 if context else _PENALTY
    (text,) = yield [Prompt(tokens, new, repetition_penalty=penalty, stop=stop, shown=True, chat=True)]
    return Answer(text.text.strip(), 0.0, 0, 0, generated=True)


def _asked(instructions: PromptTemplate, question: str, context: str) -> list[int]:
    return instructions.instruct(
        f"Text:\n{context}\n\nQuestion: {question}" + ("" if instructions.can_chat else "\n\n"),
        lead=_LEAD,
        system="You answer questions about a text, in one short sentence.",
    )


def _question(instructions: PromptTemplate, question: str, context: str) -> list[int]:
    if instructions.can_chat:
        message = f"Text:\n{context}\n\nQuestion: {question}" if context else question
    else:
        message = f"Text:\n{context}\n\nQuestion: {question}\nAnswer:" if context else f"Question: {question}\nAnswer:"
    system = (
        "You answer questions about a text in your own words, briefly, and only from what the text says. "
        "If the text does not say, you say so."
        if context
        else "You answer questions in a few plain sentences. If you don't know, you say so."
    )
    return instructions.instruct(message, lead="", system=system)


def is_grounded(answer: str, context: str, question: str) -> bool:
    """Whether the text speaks of the question, and holds what the answer adds to it: all figures, most of the words.

    A language model answers also when the text does not say; its names and figures then come from elsewhere. What
    adds nothing is no answer, unless yes, no, or one of what the question names was asked for.
    """
    asked, known, said = _words(question), _words(context), _words(answer) - _YES_NO
    if asked and not asked & known:
        return False
    added = said - asked
    if not added:
        return bool(answer) and not _OPEN.search(question)
    figures = {word for word in added if word.isdigit()}
    words = added - figures
    return figures <= known and len(words & known) >= _HELD * len(words)


def _words(text: str) -> set[str]:
    """The figures, and the first letters of the words that carry meaning; a character where words have no spaces."""
    return {word[:_LETTERS] if word.isalpha() else word for word in _WORD.findall(text.lower()) if word not in EMPTY}
