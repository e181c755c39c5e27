"""Answering questions in a model's own words, from a text or from what it knows."""

from __future__ import annotations

import re

from inference.pipelines.causal_lm.instructions import Instructions
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.passages import abridged, speaking_of
from inference.types import Answer, AskRequest, ExplainRequest

_LEAD = "According to the text,"
_TOKENS = 96
_LONG = 1500
"""Tokens that are picked out of a text too long for the window; from more, small models lose the thread."""
_PENALTY = 1.1
"""Keeps small models from going round in circles. Where there is a text, it would lead them away from its words."""


def ask(instructions: Instructions, request: AskRequest) -> Plan:
    """One sentence, which counts only if the text holds what it says; of a long text, what speaks of the question."""
    context = request.context
    room = instructions.room(_TOKENS) - len(_asked(instructions, request.question, " "))
    if instructions.count(context) > room:
        context = abridged(context, request.question, min(room, _LONG), instructions.count)
    tokens = instructions.fitting(_asked(instructions, request.question, context), _TOKENS)
    (text,) = yield [Prompt(tokens, _TOKENS, stop=("\n\n",))]
    answer = text.text.strip()
    said = answer if is_grounded(answer, request.context, request.question) else ""
    evidence = speaking_of(request.context, f"{request.question} {said}")
    return Answer(said[:1].upper() + said[1:], 0.0, 0, 0, generated=True, windows=evidence)


def explain(instructions: Instructions, request: ExplainRequest) -> Plan:
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


def _asked(instructions: Instructions, question: str, context: str) -> list[int]:
    return instructions.instruct(
        f"Text:\n{context}\n\nQuestion: {question}" + ("" if instructions.can_chat else "\n\n"),
        lead=_LEAD,
        system="You answer questions about a text, in one short sentence.",
    )


def _question(instructions: Instructions, question: str, context: str) -> list[int]:
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
    """Whether at least half of what the answer adds to the question stands in the text.

    A language model answers also when the text does not say; its names and figures then come from
    elsewhere.
    """
    asked, known = _words(question), _words(context)
    added = _words(answer) - asked
    return bool(answer) and (not added or len(added & known) * 2 >= len(added))


def _words(text: str) -> set[str]:
    """Words and figures that carry meaning, roughly: those of four letters and more, and all figures."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word[0].isdigit()}
