"""`caption` on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.documents import Documents, read_file
from inference.tasks import Caption, CaptionRequest, Request


class CaptionCommand(TaskCommand[Caption]):
    """Prints the caption."""

    request = CaptionRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("image", metavar="IMAGE")

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        return CaptionRequest(**self.fields_of(vars(args) | {"image": read_file(args.image)}))

    def to_json(self, output: Caption, shown: Shown) -> dict[str, Any]:
        return {"text": output.text, "note": str(output.note)}

    def to_text(self, output: Caption, shown: Shown) -> str:
        return f"{output.text}\n({output.note})" if str(output.note) else output.text


COMMAND = CaptionCommand()
