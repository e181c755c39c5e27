"""python -m starter.evaluate: figures for the model cards, as Markdown, and a sheet of 64 pictures.

On the drawings of an artist that training never saw, and on colours never seen with a shape.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from starter.drawings.collection import Collection, collect
from starter.drawings.vocabulary import things
from starter.evaluate.captions import accuracies
from starter.evaluate.judge import Accuracy, Judge
from starter.evaluate.pictures import difference_of_artists, drawn, recognised
from starter.evaluate.shapes import all_shapes, right_shapes
from starter.evaluate.sheet import labelled, prompts

_MODELS = Path(__file__).parents[1] / "models"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/training"), help="where the drawings lie")
    parser.add_argument("--painter", type=Path, default=_MODELS / "emoji-painter")
    parser.add_argument("--captioner", type=Path, default=_MODELS / "emoji-captioner")
    parser.add_argument("--sheet", type=Path, default=Path("data/training/sheet.png"), help="where pictures go")
    arguments = parser.parse_args()
    judge = Judge(arguments.captioner, [thing.name for thing in things()])
    collection = collect(arguments.data)
    _print_table("unseen artist", "exact", accuracies(collection, judge))
    pipe = StableDiffusionPipeline.from_pretrained(arguments.painter, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    _evaluate_painter(pipe, judge, collection)
    wanted = prompts()
    labelled(drawn(pipe, wanted, seed=2), wanted).save(arguments.sheet)


def _evaluate_painter(pipe: StableDiffusionPipeline, judge: Judge, collection: Collection) -> None:
    found, difference = recognised(pipe, judge)
    _print_table("painter", "first", found)
    print("\n| hearts, circles, squares | pictures | shape | colour |\n|---|---|---|---|")
    seen, unseen = all_shapes()
    for label, asked in (("seen in training", seen), (f"never seen: {', '.join(unseen)}", unseen)):
        part = right_shapes(torch.cat([drawn(pipe, asked, seed) for seed in range(4)]), asked * 4)
        print(f"| {label} | {part.count} | {part.shape:.0%} | {part.colour:.0%} |")
    print(f"\nTwo pictures of one prompt differ by {difference:.3f} of 1 on average,", end=" ")
    print(f"two artists' drawings of one thing by {difference_of_artists(collection):.3f}.")


def _print_table(title: str, first: str, parts: Sequence[Accuracy]) -> None:
    print(f"\n| {title} | pictures | {first} | top 5 |\n|---|---|---|---|")
    for part in parts:
        print(f"| {part.category} | {part.count} | {part.first:.0%} | {part.top_five:.0%} |", flush=True)


if __name__ == "__main__":
    main()
