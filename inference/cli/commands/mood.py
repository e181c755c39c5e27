"""`mood` on the command line."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.documents import Documents, read_document
from inference.tasks import Request, SentimentRequest, SentimentResult


class MoodCommand(TaskCommand[SentimentResult]):
    """Prints one line for each text."""

    request = SentimentRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("texts", metavar="TEXT", nargs="+", help="- reads stdin")

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        texts = [read_document(text).text if text == "-" else text for text in args.texts]
        return SentimentRequest(**self.fields_of(vars(args) | {"texts": texts}))

    def to_json(self, output: SentimentResult, shown: Shown) -> dict[str, Any]:
        return asdict(output.moods[0]) if len(output.moods) == 1 else {"moods": [*map(asdict, output.moods)]}

    def to_text(self, output: SentimentResult, shown: Shown) -> str:
        return "\n".join(f"{mood.label} ({mood.score:.1%})" for mood in output.moods)


COMMAND = MoodCommand()
