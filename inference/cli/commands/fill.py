"""`fill` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.tasks import FillMaskResult, FillRequest, Prediction


class FillCommand(TaskCommand[FillMaskResult]):
    """Prints the text with its best words, then the words for each blank."""

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
        return "\n".join([output.text, *_words(output), *_words_together(output)])


def _words(result: FillMaskResult) -> list[str]:
    """Those for each blank, under its number where there are several."""

    def rows(predictions: Sequence[Prediction]) -> list[str]:
        return [f"{prediction.score:6.1%}  {prediction.word}" for prediction in predictions]

    if len(result.blanks) == 1:
        return ["", *rows(result.blanks[0])]
    return [
        line for number, blank in enumerate(result.blanks, start=1) for line in ["", f"Blank {number}:", *rows(blank)]
    ]


def _words_together(result: FillMaskResult) -> list[str]:
    """Words for several blanks; of one, there is nothing more to say."""
    rows = [f"{joint.score:6.1%}  {', '.join(joint.words)}" for joint in result.joint]
    return ["", "Together:", *rows] if len(result.blanks) > 1 and rows else []


COMMAND = FillCommand()
