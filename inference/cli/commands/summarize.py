"""`summarize` on the command line."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from inference.cli.commands.command import FILE_TYPES, Shown, TaskCommand
from inference.cli.documents import Documents, join_documents, read_text
from inference.tasks import LENGTHS, Request, SummarizeRequest, Summary


class SummarizeCommand(TaskCommand[Summary]):
    """Prints the summary."""

    request = SummarizeRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "text",
            nargs="*",
            default=(),
            metavar="TEXT",
            help=f"or files: {FILE_TYPES}; - or nothing reads stdin",
        )
        parser.add_argument("--length", choices=LENGTHS, help="medium if not given")

    def read_documents(self, args: argparse.Namespace) -> Documents:
        return join_documents([read_text(text) for text in args.text or ["-"]])

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        documents_fields = {"text": documents.text, "boundaries": documents.boundaries}
        return SummarizeRequest(**self.fields_of(vars(args) | documents_fields))

    def to_json(self, output: Summary, shown: Shown) -> dict[str, Any]:
        return {
            "text": output.text,
            "parts": output.parts,
            "sections": [*map(asdict, output.sections)],
            "unsupported_figures": [*output.unsupported_figures],
        }

    def to_text(self, output: Summary, shown: Shown) -> str:
        return output.text

    def is_generated(self, output: Summary) -> bool:
        return True


COMMAND = SummarizeCommand()
