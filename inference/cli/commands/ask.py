"""`ask` on the command line: the answer, and where in the documents it was found."""

from __future__ import annotations

import argparse
from bisect import bisect_left, bisect_right
from itertools import accumulate
from textwrap import shorten
from typing import Any

from inference.cli.commands.command import KINDS_OF_FILES, Shown, TaskCommand
from inference.cli.documents import NOTHING, Documents, join_documents, read_document
from inference.pipelines.text_splitting import sentences
from inference.tasks import Answer, AskRequest, ChatAnswerRequest, Request

_REACH = 150
_LONGEST = 400


class AskCommand(TaskCommand[Answer]):
    """Prints the answer, the sentence that it stands in, and what else it might be."""

    request = AskRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("question", metavar="QUESTION")
        parser.add_argument("--context", nargs="+", metavar="FILE", help=f"{KINDS_OF_FILES}; - reads stdin")
        parser.add_argument("--alternatives", type=int, metavar="N", help="so many other answers")
        parser.add_argument(
            "--own-words",
            action="store_true",
            default=False,
            help="also let a language model answer, from what was found in the documents",
        )

    def read_documents(self, args: argparse.Namespace) -> Documents:
        return join_documents([read_document(path) for path in args.context]) if "context" in args else NOTHING

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        options = dict(vars(args))
        if "context" not in options:
            return ChatAnswerRequest(question=args.question, model=options.get("model", ""))
        return AskRequest(**self.fields_of(options | {"context": documents.text}))

    def to_json(self, output: Answer, shown: Shown) -> dict[str, Any]:
        """`source` stands only where there are several documents."""
        others = [_fields(other, shown.documents) for other in output.alternatives]
        more = {"generated": output.generated, "alternatives": others, "passages": [*output.passages]}
        return _fields(output, shown.documents) | more

    def to_text(self, output: Answer, shown: Shown) -> str:
        documents = shown.documents
        nothing = "The text does not say." if documents.text else "The model had nothing to say."
        return "\n".join([output.text or nothing, *_evidence(output, documents), *_others(output, documents)])

    def after_stream(self, output: Answer, shown: Shown) -> str:
        return "".join(f"{line}\n" for line in _evidence(output, shown.documents))

    def is_generated(self, output: Answer) -> bool:
        return output.generated and bool(output.text)


def in_own_words(request: AskRequest, found: Answer) -> ChatAnswerRequest:
    """Return the same question for a language model, about the passages that were found."""
    passages = [request.context[start:end] for start, end in found.passages]
    return ChatAnswerRequest(question=request.question, context="\n\n".join(passages) or request.context)


def _evidence(answer: Answer, documents: Documents) -> list[str]:
    """Lines that quote the sentence of the answer, or the stretches that one in a model's own words was made from."""
    if not answer.text or not documents.text:
        return []
    if not answer.generated:
        return ["", _quote(_around(documents.text, answer.start, answer.end), answer.start, documents)]
    quotes = [_quote(documents.text[start:end], start, documents) for start, end in answer.passages]
    return ["", "From the text:", *quotes] if quotes else []


def _fields(answer: Answer, documents: Documents) -> dict[str, Any]:
    fields = {"answer": answer.text, "score": answer.score, "start": answer.start, "end": answer.end}
    found = documents.names and answer.text and not answer.generated
    return fields | ({"source": documents.source(answer.start)} if found else {})


def _others(answer: Answer, documents: Documents) -> list[str]:
    rows = [
        f"{other.score:6.1%}  {_from(' '.join(other.text.split()), other.start, documents)}"
        for other in answer.alternatives
    ]
    return ["", "It might also be:", *rows] if rows else []


def _quote(text: str, start: int, documents: Documents) -> str:
    return _from(f"“{shorten(text, _LONGEST, placeholder=' …')}”", start, documents)


def _from(text: str, start: int, documents: Documents) -> str:
    source = documents.source(start)
    return f"{text} ({source})" if source else text


def _around(text: str, start: int, end: int) -> str:
    """The sentences that hold `text[start:end]`; of longer ones, some characters on either side."""
    ends = [0, *accumulate(map(len, sentences(text)))]
    first, last = ends[bisect_right(ends, start) - 1], ends[bisect_left(ends, end)]
    left, right = max(first, start - _REACH), min(last, end + _REACH)
    return "…" * (left > first) + text[left:right] + "…" * (right < last)


COMMAND = AskCommand()
