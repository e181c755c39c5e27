"""`complete` on the command line."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.documents import Documents
from inference.tasks import CompleteRequest, Completion, Request


class CompleteCommand(TaskCommand[Completion]):
    """Prints the continuation."""

    request = CompleteRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("prompt", metavar="PROMPT")
        parser.add_argument("--max-new-tokens", type=int, metavar="N")
        parser.add_argument("--temperature", type=float, metavar="T", help="0 is greedy")
        parser.add_argument("--top-p", type=float, metavar="P")
        parser.add_argument("--seed", type=int, metavar="N", help="of the first text; each further one adds 1")
        parser.add_argument("--n", type=int, metavar="N", help="so many texts; the first shows as it grows")
        parser.add_argument(
            "--stop",
            action="append",
            type=_unescape,
            metavar="TEXT",
            help="end before TEXT (\\n: a new line); repeatable",
        )
        parser.add_argument(
            "--repetition-penalty", type=float, metavar="P", help="above 1: words that are there come less"
        )
        parser.add_argument("--system", metavar="TEXT", help="who a chat model is, instead of the settings' line")

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        options = dict(vars(args))
        options["whole_sentences"] = "max_new_tokens" not in options  # nobody has asked for that many
        if options.get("n", 1) > 1:
            options.setdefault("seed", secrets.randbelow(2**32))  # each text is printed with its seed
        return CompleteRequest(**self.fields_of(options))

    def heading(self, request: Request) -> str:
        assert isinstance(request, CompleteRequest)
        return _heading(0, request.n, request.seed or 0) if request.n > 1 else ""

    def to_json(self, output: Completion, shown: Shown) -> dict[str, Any]:
        return {
            "text": output.text,
            "seed": output.seed,
            "texts": [output.text, *output.choices],
            "finish_reason": output.finish_reason,
            "chat": output.chat,
        }

    def to_text(self, output: Completion, shown: Shown) -> str:
        return "\n\n".join(_texts(output))

    def after_stream(self, output: Completion, shown: Shown) -> str:
        return "".join(f"\n{text}\n" for text in _texts(output)[1:])


def _texts(completion: Completion) -> list[str]:
    """Return the text, or several texts with headings."""
    if not completion.choices:
        return [completion.text]
    texts = [completion.text, *completion.choices]
    return [f"{_heading(i, len(texts), completion.seed)}\n{text}" for i, text in enumerate(texts)]


def _heading(i: int, total: int, seed: int) -> str:
    """Return the heading of text `i`, counted from 0. The first text has seed `seed`."""
    return f"--- {i + 1} of {total}, seed {seed + i} ---"


def _unescape(text: str) -> str:
    """Replace `\\n` and `\\t`: a new line or tab is hard to type in a shell."""
    return text.replace("\\n", "\n").replace("\\t", "\t")


COMMAND = CompleteCommand()
