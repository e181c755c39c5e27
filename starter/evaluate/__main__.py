"""python -m starter.evaluate: figures for the model cards, as Markdown, and a sheet of 64 pictures.

On the drawings of an artist that training never saw, and on colours never seen with a shape.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusers import StableDiffusionPipeline

from starter.drawings.collection import collect
from starter.drawings.vocabulary import HELD_OUT, things
from starter.evaluate.captions import accuracies
from starter.evaluate.judge import Judge
from starter.evaluate.pictures import figures
from starter.train.assemble import draw_sheet


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/training"), help="where drawings and models lie")
    data: Path = parser.parse_args().data
    judge = Judge(data / "captioner" / "model", [thing.name for thing in things()])
    print("| unseen artist | drawings | exact | top 5 |\n|---|---|---|---|")
    for part in accuracies(collect(data), judge):
        print(f"| {part.category} | {part.count} | {part.exact:.0%} | {part.top_five:.0%} |")
    _evaluate_painter(data / "painter", judge)


def _evaluate_painter(folder: Path, judge: Judge) -> None:
    pipe = StableDiffusionPipeline.from_pretrained(folder / "model")
    pipe.set_progress_bar_config(disable=True)
    found = figures(pipe, judge)
    print("\n| painter | |\n|---|---|")
    print(f"| the thing is among the judge's first five | {found.top_five:.0%} |")
    print(f"| hearts, circles and squares have the right colour | {found.colours:.0%} |")
    print(f"| the same, combinations never seen ({', '.join(sorted(HELD_OUT))}) | {found.held_out:.0%} |")
    print(f"| mean difference of two pictures of one prompt, of 1 | {found.diversity:.3f} |")
    draw_sheet(pipe, folder / "sheet.png", _sixty_four())


def _sixty_four() -> list[str]:
    """Prompts across the vocabulary: what is held out, and every so many names."""
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    others = 64 - len(HELD_OUT)
    return [*sorted(HELD_OUT), *(names[i * len(names) // others] for i in range(others))]


if __name__ == "__main__":
    main()
