"""python -m starter.evaluate: figures for the model cards, as Markdown, and a sheet of 64 pictures.

Uses the drawings of an artist, and combinations of colour and shape, that training did not use.
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
from starter.evaluate.pictures import difference_of_artists, evaluate_recognition, generate
from starter.evaluate.shapes import all_shapes, evaluate_shapes
from starter.evaluate.sheet import contact_sheet, prompts

_MODELS = Path(__file__).parents[1] / "models"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__, allow_abbrev=False)
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
    sheet_prompts = prompts()
    contact_sheet(generate(pipe, sheet_prompts, seed=2), sheet_prompts).save(arguments.sheet)


def _evaluate_painter(pipe: StableDiffusionPipeline, judge: Judge, collection: Collection) -> None:
    found, difference = evaluate_recognition(pipe, judge)
    _print_table("painter", "first", found)
    print("\n| hearts, circles, squares | pictures | shape | colour |\n|---|---|---|---|")
    seen, unseen = all_shapes()
    for label, shape_prompts in (("seen in training", seen), (f"never seen: {', '.join(unseen)}", unseen)):
        shapes = evaluate_shapes(
            torch.cat([generate(pipe, shape_prompts, seed) for seed in range(4)]), shape_prompts * 4
        )
        print(f"| {label} | {shapes.count} | {shapes.shape:.0%} | {shapes.colour:.0%} |")
    print(f"\nTwo pictures of one prompt differ by {difference:.3f} of 1 on average,", end=" ")
    print(f"two artists' drawings of one thing by {difference_of_artists(collection):.3f}.")


def _print_table(title: str, first: str, parts: Sequence[Accuracy]) -> None:
    print(f"\n| {title} | pictures | {first} | top 5 |\n|---|---|---|---|")
    for part in parts:
        print(f"| {part.category} | {part.count} | {part.first:.0%} | {part.top_five:.0%} |", flush=True)


if __name__ == "__main__":
    main()
