"""`edit` on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from inference.cli.commands.command import Shown
from inference.cli.commands.imagine import ImagineCommand, picture_size, png_path
from inference.cli.documents import Documents, read_file
from inference.tasks import EditRequest, ImageResult, Request


class EditCommand(ImagineCommand):
    """Writes the edited images, and prints their files and settings."""

    request = EditRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("image", metavar="PICTURE")
        parser.add_argument("prompt", metavar="INSTRUCTION", help="what should change, such as 'make the cup red'")
        parser.add_argument("-o", "--output", type=png_path, required=True, metavar="FILE", help="a .png file")
        parser.add_argument("--negative", dest="negative_prompt", metavar="TEXT", help="what it should not show")
        parser.add_argument("--size", type=picture_size, metavar="WxH", help="instead of the picture's own size")
        parser.add_argument("--steps", type=int, metavar="N")
        parser.add_argument(
            "--guidance", dest="guidance_scale", type=float, metavar="SCALE", help="how closely to follow the words"
        )
        parser.add_argument(
            "--image-guidance",
            dest="image_guidance_scale",
            type=float,
            metavar="SCALE",
            help="how closely to keep to the picture, of models such as InstructPix2Pix",
        )
        parser.add_argument("--seed", type=int, metavar="N", help="of the first picture; each further one adds 1")
        parser.add_argument("--count", type=int, metavar="N", help="more than one: FILE-1.png, FILE-2.png …")

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        options = dict(vars(args)) | {"image": read_file(args.image)}
        if "size" in options:
            options |= dict(zip(("width", "height"), args.size, strict=True))
        return EditRequest(**self.fields_of(options))

    def to_json(self, output: ImageResult, shown: Shown) -> dict[str, Any]:
        fields = super().to_json(output, shown)
        del fields["strength"], fields["fast"]
        return fields | {"image_guidance_scale": output.image_guidance_scale}


COMMAND = EditCommand()
