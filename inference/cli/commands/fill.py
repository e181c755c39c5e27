"""`fill` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.tasks import FillMaskResult, FillRequest, Prediction


class FillCommand(TaskCommand[FillMaskResult]):
    """Prints the text with the best words, then the words for each blank."""

    request = FillRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("text", metavar="TEXT")
        parser.add_argument("--top-k", type=int, metavar="K", help="so many words a blank")

    def to_json(self, output: FillMaskResult, shown: Shown) -> dict[str, Any]:
        predictions = [
            {"blank": number, "word": prediction.word, "score": prediction.score, "text": prediction.text}
            for number, blank in enumerate(output.blanks, start=1)
            for prediction in blank
        ]
        return {"text": output.text, "predictions": predictions, "joint": [asdict(words) for words in output.joint]}

    def to_text(self, output: FillMaskResult, shown: Shown) -> str:
        return "\n".join([output.text, *_words(output), *_joint_words(output)])


def _words(result: FillMaskResult) -> list[str]:
    """Return the words for each blank. With several blanks, each has its number."""

    def lines(predictions: Sequence[Prediction]) -> list[str]:
        return [f"{prediction.score:6.1%}  {prediction.word}" for prediction in predictions]

    if len(result.blanks) == 1:
        return ["", *lines(result.blanks[0])]
    return [
        line for number, blank in enumerate(result.blanks, start=1) for line in ["", f"Blank {number}:", *lines(blank)]
    ]


def _joint_words(result: FillMaskResult) -> list[str]:
    """Return the joint predictions, if there are several blanks."""
    lines = [f"{joint.score:6.1%}  {', '.join(joint.words)}" for joint in result.joint]
    return ["", "Together:", *lines] if len(result.blanks) > 1 and lines else []


COMMAND = FillCommand()
