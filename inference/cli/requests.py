"""From arguments to a request."""

from __future__ import annotations

import argparse
import secrets
import shlex
from dataclasses import fields, replace
from typing import Any

from inference import parameters
from inference.cli.documents import NOTHING, Documents, read_document, read_file, read_text, together
from inference.errors import InvalidRequest
from inference.types import (
    Answer,
    AskRequest,
    CaptionRequest,
    CompleteRequest,
    ExplainRequest,
    FillRequest,
    ImagineRequest,
    Request,
    SentimentRequest,
    SummarizeRequest,
)

_KINDS: tuple[type[Request], ...] = (
    CompleteRequest,
    FillRequest,
    SummarizeRequest,
    AskRequest,
    CaptionRequest,
    ImagineRequest,
    SentimentRequest,
)


def read_documents(args: argparse.Namespace) -> Documents:
    """What is to be read for `args.task`. Raises InvalidRequest for what can't be read."""
    if args.task == "summarize":
        return together([read_text(text) for text in args.text or ["-"]])
    if args.task == "ask" and "context" in args:
        return together([read_document(path) for path in args.context])
    return NOTHING


def build_request(args: argparse.Namespace, documents: Documents) -> Request:
    """The request of `args.task`; each of its fields is an option of the same name, or keeps its default.

    Raises InvalidRequest for a file that can't be read, and for a drawing without a prompt, unless its picture's file
    says how to repeat it.
    """
    kind = next(kind for kind in _KINDS if kind.task == args.task)
    options: dict[str, Any] = dict(vars(args))
    if kind is AskRequest and "context" not in options:
        return ExplainRequest(question=args.question, model=options.get("model", ""))
    if kind is AskRequest:
        options["context"] = documents.text
    if kind is SummarizeRequest:
        options |= {"text": documents.text, "borders": documents.borders}
    if kind is SentimentRequest:
        options["texts"] = [read_document(text).text if text == "-" else text for text in args.texts]
    if kind is CompleteRequest and options.get("n", 1) > 1:
        options.setdefault("seed", secrets.randbelow(2**32))  # so that each text can stand under its own
    options |= {name: read_file(options[name]) for name in ("image", "mask") if name in options}
    if "size" in options:
        options |= dict(zip(("width", "height"), args.size, strict=True))
    names = {field.name for field in fields(kind)}
    given = {name: _frozen(value) for name, value in options.items() if name in names}
    if kind is ImagineRequest and "prompt" not in given:
        return _repeated(**given)
    return kind(**given)


def explaining(request: AskRequest, evidence: Answer) -> ExplainRequest:
    """The same question for a language model, about the stretches that speak of it."""
    stretches = [request.context[start:end] for start, end in evidence.windows]
    return ExplainRequest(question=request.question, context="\n\n".join(stretches) or request.context)


def _frozen(value: Any) -> Any:
    """An option that takes several values gives a list; a request holds a tuple."""
    return tuple(value) if isinstance(value, list) else value


def _repeated(*, image: bytes = b"", **given: Any) -> ImagineRequest:
    """The request that drew `image`, as its file tells, but for what is given."""
    if not image:
        raise InvalidRequest("There is nothing to draw. Write a PROMPT, or give a drawn PNG as --image to repeat it.")
    if given.keys() & {"mask", "region", "strength"}:
        raise InvalidRequest("To draw from this picture, write what it should become as PROMPT.")
    found = parameters.read(image)
    if found is None:
        raise InvalidRequest(
            "This file does not tell what it was drawn from, so it can't be repeated. "
            "Write a PROMPT to draw from this picture."
        )
    if found.strength is not None:
        prompt, *others = parameters.options(found).items()
        options = [shlex.quote(prompt[1]), *(f"--{name} {shlex.quote(value)}" for name, value in others)]
        raise InvalidRequest(
            "This picture was drawn from another one, which its file does not hold. Give that one as --image, with: "
            "{options}",
            options=" ".join(options),
        )
    return replace(found, **given)
