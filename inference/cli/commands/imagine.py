"""`imagine` on the command line."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.documents import Documents, read_file
from inference.images.regions import REGIONS
from inference.tasks import SAMPLERS, FastMode, ImageResult, ImagineRequest, Request, Sampler, infotext
from inference.tasks.infotext import sampler_named
from inference.types.errors import GenerationFailed, InvalidRequest


class ImagineCommand(TaskCommand[ImageResult]):
    """Writes the images, and prints their files and settings."""

    request = ImagineRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "prompt",
            nargs="?",
            default=argparse.SUPPRESS,
            metavar="PROMPT",
            help="without: repeat the drawing given as --image",
        )
        parser.add_argument("-o", "--output", type=png_path, required=True, metavar="FILE", help="a .png file")
        _add_generation_options(parser)
        _add_init_image_options(parser)

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        """Return the request. Without a prompt, it is read from the image file."""
        options = dict(vars(args))
        options |= {name: read_file(options[name]) for name in ("image", "mask") if name in options}
        if "size" in options:
            options |= dict(zip(("width", "height"), args.size, strict=True))
        fields = self.fields_of(options)
        return ImagineRequest(**fields) if "prompt" in fields else _repeat(**fields)

    def write_files(self, output: ImageResult, args: argparse.Namespace) -> list[Path]:
        try:
            return _write_pictures(output, args.output)
        except OSError as error:
            raise InvalidRequest(
                "{file} can't be written: {reason}.", file=args.output, reason=error.strerror
            ) from error

    def to_json(self, output: ImageResult, shown: Shown) -> dict[str, Any]:
        return {
            "images": [str(image) for image in shown.images],
            "seed": output.pictures[0].seed,
            "width": output.width,
            "height": output.height,
            "steps": output.steps,
            "guidance_scale": output.guidance_scale,
            "sampler": output.sampler,
            "strength": output.strength,
            "fast": output.fast
            and {"guidance_end": output.fast.guidance_end, "cache_interval": output.fast.cache_interval},
            "note": output.note,
        }

    def to_text(self, output: ImageResult, shown: Shown) -> str:
        return "\n".join(filter(None, [*map(str, shown.images), _settings(output), output.note]))


def _add_generation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--negative", dest="negative_prompt", metavar="TEXT", help="what the picture should not show")
    parser.add_argument("--size", type=_size, metavar="WxH", help="in pixels, multiples of 8")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument(
        "--guidance", dest="guidance_scale", type=float, metavar="SCALE", help="how closely to follow the prompt"
    )
    parser.add_argument("--sampler", type=_sampler, metavar="NAME", help=f"of {', '.join(SAMPLERS)}")
    parser.add_argument(
        "--fast",
        action="store_const",
        const=FastMode(),
        help="faster, but not quite the same picture: some of the computation is reused",
    )
    parser.add_argument("--lora", metavar="NAME", help="a file in the folder of LoRA files; NAME:0.8 for less of it")
    parser.add_argument("--temperature", type=float, metavar="T", help="of models that draw token by token; 0: greedy")
    parser.add_argument("--top-k", type=int, metavar="K", help="… from the K likeliest tokens; 0: from all")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first picture; each further one adds 1")
    parser.add_argument("--count", type=int, metavar="N", help="more than one: FILE-1.png, FILE-2.png …")


def _add_init_image_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", metavar="FILE", help="a picture to start from")
    parser.add_argument("--strength", type=float, metavar="S", help="how far to go from it, from 0.01 to 1")
    parser.add_argument(
        "--mask", metavar="FILE", help="a picture: white is drawn anew, black stays; or strokes on transparency"
    )
    parser.add_argument(
        "--region",
        metavar="NAME",
        help=f"instead of a mask: {', '.join(REGIONS)}; or cells of a 3 × 3 grid, such as 'cells 1 2 5'",
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 512x512")
    return int(width), int(height)


def _sampler(text: str) -> Sampler:
    if not (sampler := sampler_named(text)):
        raise argparse.ArgumentTypeError(f"there is no sampler {text!r}; there is: {', '.join(SAMPLERS)}")
    return sampler


def png_path(text: str) -> Path:
    """Return the path of a picture to write; refuse other formats and missing folders."""
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png, the format that pictures are written in")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


def _repeat(*, image: bytes = b"", **changes: Any) -> ImagineRequest:
    """Return the request that generated `image`, as read from its file, with `changes`."""
    if not image:
        raise InvalidRequest("There is nothing to draw. Write a PROMPT, or give a drawn PNG as --image to repeat it.")
    if changes.keys() & {"mask", "region", "strength"}:
        raise InvalidRequest("To draw from this picture, write what it should become as PROMPT.")
    request = infotext.read(image)
    if request is None:
        raise InvalidRequest(
            "This file does not tell what it was drawn from, so it can't be repeated. "
            "Write a PROMPT to draw from this picture."
        )
    if request.strength is not None:
        prompt, *other_options = infotext.options_in(request).items()
        options = [shlex.quote(prompt[1]), *(f"--{name} {shlex.quote(value)}" for name, value in other_options)]
        options += ["--fast"] * bool(request.fast)
        raise InvalidRequest(
            "This picture was drawn from another one, which its file does not hold. Give that one as --image, with: "
            "{options}",
            options=" ".join(options),
        )
    return replace(request, **changes)


def _write_pictures(result: ImageResult, output: Path) -> list[Path]:
    """Write images to `output`, or with -1, -2 … before its suffix. Raise GenerationFailed if all are withheld."""
    many = len(result.pictures) > 1
    images: list[Path] = []
    for i, picture in enumerate(result.pictures, start=1):
        if picture.png:
            path = output.with_stem(f"{output.stem}-{i}") if many else output
            path.write_bytes(picture.png)
            images.append(path)
    if not images:
        raise GenerationFailed("The safety checker held back all that was drawn. Try another prompt or seed.")
    return images


def _settings(result: ImageResult) -> str:
    settings = [
        _seeds([picture.seed for picture in result.pictures]),
        f"{result.width}×{result.height}",
        f"{result.steps} step{'s' * (result.steps != 1)}",
        f"guidance {result.guidance_scale:g}",
        result.sampler,
        "" if result.strength is None else f"strength {result.strength:g}",
        "fast" if result.fast else "",
    ]
    return ", ".join(filter(None, settings))


def _seeds(seeds: Sequence[int]) -> str:
    """Return `seed 7`, or `seeds 7 to 9`: seeds are consecutive."""
    return f"seed {seeds[0]}" if seeds[0] == seeds[-1] else f"seeds {seeds[0]} to {seeds[-1]}"


COMMAND = ImagineCommand()
