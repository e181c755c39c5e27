"""`ask` on the command line: prints the answer with its source in the documents."""

from __future__ import annotations

import argparse
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Any

from inference.cli.commands.command import FILE_TYPES, Shown, TaskCommand
from inference.cli.documents import NO_DOCUMENTS, Documents, join_documents, read_document, read_file
from inference.tasks import Answer, AskRequest, ChatAnswerRequest, Request
from inference.text.sentences import sentences, shortened

_MAX_CONTEXT_CHARACTERS = 150
_MAX_QUOTE_CHARACTERS = 400


class AskCommand(TaskCommand[Answer]):
    """Prints the answer, the sentence that contains it, and alternatives."""

    request = AskRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("question", metavar="QUESTION")
        parser.add_argument("--image", metavar="FILE", help="a picture to ask about")
        parser.add_argument("--context", nargs="+", metavar="FILE", help=f"{FILE_TYPES}; - reads stdin")
        parser.add_argument("--alternatives", type=int, metavar="N", help="so many other answers")
        parser.add_argument(
            "--own-words",
            action="store_true",
            default=False,
            help="also let a language model answer, from what was found in the documents",
        )

    def read_documents(self, args: argparse.Namespace) -> Documents:
        return join_documents([read_document(path) for path in args.context]) if "context" in args else NO_DOCUMENTS

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        options = dict(vars(args))
        if "image" in options:
            image, model = read_file(args.image), options.get("model", "")
            return ChatAnswerRequest(question=args.question, context=documents.text, image=image, model=model)
        if "context" not in options:
            return ChatAnswerRequest(question=args.question, model=options.get("model", ""))
        return AskRequest(**self.fields_of(options | {"context": documents.text}))

    def to_json(self, output: Answer, shown: Shown) -> dict[str, Any]:
        """Return the answer. `source` is only included if there are several documents."""
        alternatives = [_fields(alternative, shown.documents) for alternative in output.alternatives]
        details: dict[str, Any] = {"generated": output.generated, "alternatives": alternatives}
        details |= {"passages": [*output.passages], "unsupported_figures": [*output.unsupported_figures]}
        return _fields(output, shown.documents) | details

    def to_text(self, output: Answer, shown: Shown) -> str:
        documents = shown.documents
        no_answer = "The text does not say." if documents.text else "The model had nothing to say."
        quotes, alternatives = _supporting_quotes(output, documents), _alternatives(output, documents)
        return "\n".join([output.text or no_answer, *quotes, *alternatives])

    def after_stream(self, output: Answer, shown: Shown) -> str:
        return "".join(f"{line}\n" for line in _supporting_quotes(output, shown.documents))

    def is_generated(self, output: Answer) -> bool:
        return output.generated and bool(output.text)


def in_own_words(request: AskRequest, answer: Answer) -> ChatAnswerRequest:
    """Return a chat request with the same question, about the passages of the extractive answer."""
    passages = [request.context[start:end] for start, end in answer.passages]
    return ChatAnswerRequest(question=request.question, context="\n\n".join(passages) or request.context)


def _supporting_quotes(answer: Answer, documents: Documents) -> list[str]:
    """Return lines that quote the answer's sentence, or the passages that a generated answer is based on."""
    if not answer.text or not documents.text:
        return []
    if not answer.generated:
        return ["", _quote(_surrounding_sentences(documents.text, answer.start, answer.end), answer.start, documents)]
    quotes = [_quote(documents.text[start:end], start, documents) for start, end in answer.passages]
    return ["", "From the text:", *quotes] if quotes else []


def _fields(answer: Answer, documents: Documents) -> dict[str, Any]:
    fields = {"answer": answer.text, "score": answer.score, "start": answer.start, "end": answer.end}
    has_source = documents.names and answer.text and not answer.generated
    return fields | ({"source": documents.source(answer.start)} if has_source else {})


def _alternatives(answer: Answer, documents: Documents) -> list[str]:
    rows = [
        f"{alternative.score:6.1%}  {_with_source(' '.join(alternative.text.split()), alternative.start, documents)}"
        for alternative in answer.alternatives
    ]
    return ["", "It might also be:", *rows] if rows else []


def _quote(text: str, start: int, documents: Documents) -> str:
    return _with_source(f"“{shortened(' '.join(text.split()), _MAX_QUOTE_CHARACTERS)}”", start, documents)


def _with_source(text: str, start: int, documents: Documents) -> str:
    source = documents.source(start)
    return f"{text} ({source})" if source else text


def _surrounding_sentences(text: str, start: int, end: int) -> str:
    """Return the sentences around `text[start:end]`; of long ones, some words before and after it."""
    ends = [0, *accumulate(map(len, sentences(text)))]
    first, last = ends[bisect_right(ends, start) - 1], ends[bisect_left(ends, end)]
    before, after = text[first:start], text[end:last]
    if len(before) > _MAX_CONTEXT_CHARACTERS:
        before = f"…{before[-_MAX_CONTEXT_CHARACTERS:].partition(' ')[2]}"
    if len(after) > _MAX_CONTEXT_CHARACTERS:
        after = f"{after[:_MAX_CONTEXT_CHARACTERS].rpartition(' ')[0]}…"
    return f"{before}{text[start:end]}{after}"


COMMAND = AskCommand()
