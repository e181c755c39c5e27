"""`upscale` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.commands.imagine import png_path
from inference.cli.documents import Documents, read_file
from inference.tasks import Request, UpscaledImage, UpscaleRequest
from inference.types.errors import InvalidRequest


class UpscaleCommand(TaskCommand[UpscaledImage]):
    """Writes the enlarged image, and prints its file and size."""

    request = UpscaleRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("image", metavar="IMAGE")
        parser.add_argument("-o", "--output", type=png_path, required=True, metavar="FILE", help="a .png file")

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        return UpscaleRequest(**self.fields_of(vars(args) | {"image": read_file(args.image)}))

    def write_files(self, output: UpscaledImage, args: argparse.Namespace) -> list[Path]:
        try:
            args.output.write_bytes(output.png)
        except OSError as error:
            raise InvalidRequest(
                "{file} can't be written: {reason}.", file=args.output, reason=error.strerror
            ) from error
        return [args.output]

    def to_json(self, output: UpscaledImage, shown: Shown) -> dict[str, Any]:
        return {"image": str(shown.images[0]), "width": output.width, "height": output.height}

    def to_text(self, output: UpscaledImage, shown: Shown) -> str:
        given = f"{output.given_width}×{output.given_height}"
        return f"{shown.images[0]}: {output.width}×{output.height}, enlarged from {given}"


COMMAND = UpscaleCommand()
