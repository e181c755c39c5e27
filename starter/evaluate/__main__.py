"""python -m starter.evaluate: figures for the model cards, as Markdown, and sheets of pictures.

Uses the drawings of an artist, and combinations of colour and shape, that training did not use.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as functional
from diffusers import StableDiffusionPipeline
from torch import Tensor

from starter.drawings.collection import Collection, collect, collect_large
from starter.drawings.packages import UNSEEN_ARTIST
from starter.drawings.vocabulary import things
from starter.evaluate.captions import accuracies
from starter.evaluate.enlarging import bicubic, comparison_sheet, evaluate_enlarging, load_enlarger
from starter.evaluate.judge import Accuracy, Judge
from starter.evaluate.pictures import difference_of_artists, evaluate_recognition, generate
from starter.evaluate.shapes import all_shapes, evaluate_shapes
from starter.evaluate.sheet import contact_sheet, prompts
from starter.train.enlarger import LATENT_NOISE, repaint
from starter.train.examples import on_white, to_tensor

_LARGEST = 512
"""Width and height in pixels of the largest drawings that enlarged ones are compared with."""

_SHARE = 8
"""Of the largest drawings, every eighth is enlarged, since each takes a second."""

_MODELS = Path(__file__).parents[1] / "models"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, default=Path("data/training"), help="where the drawings lie")
    parser.add_argument("--painter", type=Path, default=_MODELS / "emoji-painter")
    parser.add_argument("--captioner", type=Path, default=_MODELS / "emoji-captioner")
    parser.add_argument("--sheet", type=Path, default=Path("data/training/sheet.png"), help="where pictures go")
    parser.add_argument("--enlarger", type=Path, default=_MODELS / "emoji-enlarger")
    parser.add_argument("--enlarged", type=Path, default=Path("data/training/enlarged.png"), help="where they go")
    parser.add_argument("--only", choices=["enlarger"], help="measure one model alone")
    arguments = parser.parse_args()
    judge = Judge(arguments.captioner, [thing.name for thing in things()])
    pipe = StableDiffusionPipeline.from_pretrained(arguments.painter, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    if arguments.enlarger.exists():
        _evaluate_enlarger(arguments.enlarger, pipe.vae, judge, arguments.data, arguments.enlarged)
    if arguments.only == "enlarger":
        return
    collection = collect(arguments.data)
    _print_table("unseen artist", "exact", accuracies(collection, judge))
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


def _evaluate_enlarger(folder: Path, autoencoder: object, judge: Judge, data: Path, sheet: Path) -> None:
    """Print the quality on the unseen artist's drawings, and save a sheet of some."""
    collection = collect_large(data, _LARGEST, [UNSEEN_ARTIST])
    largest = on_white(to_tensor(collection.pixels))
    large = functional.avg_pool2d(largest, 2)
    small = functional.avg_pool2d(large, 4)
    painted = repaint(autoencoder, small, LATENT_NOISE, torch.Generator().manual_seed(0))
    enlarger = load_enlarger(folder)
    rows: tuple[tuple[str, Tensor, Tensor], ...] = (
        ("64 to 256 pixels", small, large),
        ("64 to 256 pixels, as the painter draws", painted, large),
        ("256 to 512 pixels", large[::_SHARE], largest[::_SHARE]),
    )
    print("\n| unseen artist | pictures | by | PSNR | features | edges |\n|---|---|---|---|---|---|")
    for label, given, truth in rows:
        for name, enlarge in (("bicubic", bicubic), ("enlarger", enlarger)):
            found = evaluate_enlarging(enlarge, given, truth, judge.encoder)
            figures = f"{found.psnr:.2f} dB | {found.features:.3f} | {found.edges:.4f}"
            print(f"| {label} | {found.count} | {name} | {figures} |", flush=True)
    some = slice(0, None, len(small) // 8)
    comparison_sheet(enlarger, painted[some], large[some]).save(sheet)


def _print_table(title: str, first: str, parts: Sequence[Accuracy]) -> None:
    print(f"\n| {title} | pictures | {first} | top 5 |\n|---|---|---|---|")
    for part in parts:
        print(f"| {part.category} | {part.count} | {part.first:.0%} | {part.top_five:.0%} |", flush=True)


if __name__ == "__main__":
    main()
