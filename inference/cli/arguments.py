"""What can be typed after `python -m inference`. An option is named like the field of the request that it sets."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from inference.parameters import sampler_named
from inference.regions import REGIONS
from inference.types import LENGTHS, SAMPLERS, Sampler

_EPILOG = """Without --config, config.yaml in the current folder is read. --model takes a name from that file,
or any hub id or folder that holds a model of the task's kind."""

_KINDS_OF_FILES = "text, Markdown, CSV, PDF, .docx, HTML"

NewTask = Callable[[str, str], argparse.ArgumentParser]

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Stands for a byte of the command line that is not UTF-8."""

_NOT_GIVEN: Any = argparse.SUPPRESS
"""Leaves an option's default to the request, or to what was said before TASK."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message} (see {self.prog} --help)\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, `task` among them; files are only named.

    Leaves the program with status 2 when they make no sense.
    """
    parser = _Parser(prog="python -m inference", description="Run one task on a local model.", epilog=_EPILOG)
    _add_switches(parser, config=Path("config.yaml"), json=False, verbose=False)
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")

    def new_task(name: str, summary: str) -> argparse.ArgumentParser:
        task = tasks.add_parser(
            name, help=summary, description=summary, epilog=_EPILOG, argument_default=argparse.SUPPRESS
        )
        _add_switches(task, config=_NOT_GIVEN, json=_NOT_GIVEN, verbose=_NOT_GIVEN)
        return task

    _add_text_tasks(new_task)
    _add_picture_tasks(new_task)
    _add_file_tasks(new_task)
    argv = sys.argv[1:] if argv is None else argv
    for text in argv:
        if _SURROGATE.search(text):
            parser.error(f"{text!a} is not UTF-8")
    return parser.parse_args(argv)


def _add_switches(parser: argparse.ArgumentParser, *, config: Path, json: bool, verbose: bool) -> None:
    parser.add_argument("--config", type=Path, default=config, metavar="FILE", help="the settings")
    parser.add_argument("--json", action="store_true", default=json, help="one JSON object on stdout")
    parser.add_argument("--verbose", action="store_true", default=verbose, help="the log on stderr")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="instead of the task's first model")


def _add_text_tasks(new_task: NewTask) -> None:
    complete = new_task("complete", "continue a text; prints the continuation alone")
    complete.add_argument("prompt", metavar="PROMPT")
    complete.add_argument("--max-new-tokens", type=int, metavar="N")
    complete.add_argument("--temperature", type=float, metavar="T", help="0 is greedy")
    complete.add_argument("--top-p", type=float, metavar="P")
    complete.add_argument("--seed", type=int, metavar="N", help="of the first text; each further one adds 1")
    complete.add_argument("--n", type=int, metavar="N", help="so many texts; the first shows as it grows")
    complete.add_argument(
        "--stop", action="append", type=_unescaped, metavar="TEXT", help="end before TEXT (\\n: a new line); repeatable"
    )
    complete.add_argument(
        "--repetition-penalty", type=float, metavar="P", help="above 1: words that are there come less"
    )
    complete.add_argument("--system", metavar="TEXT", help="who a chat model is, instead of the settings' line")
    fill = new_task("fill", "fill each [MASK] or ___ in a text")
    fill.add_argument("text", metavar="TEXT")
    fill.add_argument("--top-k", type=int, metavar="K", help="so many words a blank")
    _add_reading_tasks(new_task)
    mood = new_task("mood", "tell whether texts sound positive or negative")
    mood.add_argument("texts", metavar="TEXT", nargs="+", help="- reads stdin")
    for task in (complete, fill, mood):
        _add_model(task)


def _add_reading_tasks(new_task: NewTask) -> None:
    summarize = new_task("summarize", "shorten a text of any length")
    summarize.add_argument(
        "text",
        nargs="*",
        default=(),
        metavar="TEXT",
        help=f"or files: {_KINDS_OF_FILES}; - or nothing reads stdin",
    )
    summarize.add_argument("--length", choices=LENGTHS, help="medium if not given")
    ask = new_task("ask", "answer a question from documents; without them, from what a language model knows")
    ask.add_argument("question", metavar="QUESTION")
    ask.add_argument("--context", nargs="+", metavar="FILE", help=f"{_KINDS_OF_FILES}; - reads stdin")
    ask.add_argument("--alternatives", type=int, metavar="N", help="so many other answers")
    ask.add_argument(
        "--own-words",
        action="store_true",
        default=False,
        help="also let a language model answer, from what was found in the documents",
    )
    for task in (summarize, ask):
        _add_model(task)


def _add_picture_tasks(new_task: NewTask) -> None:
    caption = new_task("caption", "describe a picture")
    caption.add_argument("image", metavar="IMAGE")
    imagine = new_task("imagine", "draw a picture")
    imagine.add_argument(
        "prompt", nargs="?", default=_NOT_GIVEN, metavar="PROMPT", help="without: repeat the drawing given as --image"
    )
    imagine.add_argument("-o", "--output", type=_png, required=True, metavar="FILE", help="a .png file")
    _add_drawing_options(imagine)
    _add_source_options(imagine)
    for task in (caption, imagine):
        _add_model(task)


def _add_drawing_options(imagine: argparse.ArgumentParser) -> None:
    imagine.add_argument("--negative", dest="negative_prompt", metavar="TEXT", help="what the picture should not show")
    imagine.add_argument("--size", type=_size, metavar="WxH", help="in pixels, multiples of 8")
    imagine.add_argument("--steps", type=int, metavar="N")
    imagine.add_argument("--guidance", type=float, metavar="SCALE", help="how closely to follow the prompt")
    imagine.add_argument("--sampler", type=_sampler, metavar="NAME", help=f"of {', '.join(SAMPLERS)}")
    imagine.add_argument("--lora", metavar="NAME", help="a file in the folder of LoRA files; NAME:0.8 for less of it")
    imagine.add_argument("--temperature", type=float, metavar="T", help="of models that draw token by token; 0: greedy")
    imagine.add_argument("--top-k", type=int, metavar="K", help="… from the K likeliest tokens; 0: from all")
    imagine.add_argument("--seed", type=int, metavar="N", help="of the first picture; each further one adds 1")
    imagine.add_argument("--count", type=int, metavar="N", help="more than one: FILE-1.png, FILE-2.png …")


def _add_source_options(imagine: argparse.ArgumentParser) -> None:
    imagine.add_argument("--image", metavar="FILE", help="a picture to start from")
    imagine.add_argument("--strength", type=float, metavar="S", help="how far to go from it, from 0.01 to 1")
    imagine.add_argument("--mask", metavar="FILE", help="a picture: white is drawn anew, black stays")
    imagine.add_argument(
        "--region",
        metavar="NAME",
        help=f"instead of a mask: {', '.join(REGIONS)}; or cells of a 3 × 3 grid, such as 'cells 1 2 5'",
    )


def _add_file_tasks(new_task: NewTask) -> None:
    new_task("models", "list the models, and which are on disk")
    download = new_task("download", "fetch models, and record their commits so that later loads use the same")
    download.add_argument("names", nargs="*", default=[], metavar="NAME", help="name or hub id; without: all listed")


def _unescaped(text: str) -> str:
    """Shells make it hard to type a new line or a tab."""
    return text.replace("\\n", "\n").replace("\\t", "\t")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 512x512")
    return int(width), int(height)


def _sampler(text: str) -> Sampler:
    if not (sampler := sampler_named(text)):
        raise argparse.ArgumentTypeError(f"there is no sampler {text!r}; there is: {', '.join(SAMPLERS)}")
    return sampler


def _png(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png, the format that pictures are written in")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path
