"""python -m starter.train painter|captioner|enlarger: train a starter model, or resume a stopped run."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from starter.train.captioner import CAPTIONER, train_captioner
from starter.train.enlarger import ENLARGER, train_enlarger
from starter.train.loop import Schedule
from starter.train.painter import AUTOENCODER, DENOISER, train_painter

_PAINTER = Path(__file__).parents[1] / "models" / "emoji-painter"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.train", description=__doc__, allow_abbrev=False)
    parser.add_argument("model", choices=["painter", "captioner", "enlarger"])
    parser.add_argument("--data", type=Path, default=Path("data/training"), help="where drawings and checkpoints lie")
    parser.add_argument("--steps", type=int, help="how long; more than last time goes on with a finished run")
    parser.add_argument("--autoencoder-steps", type=int, help="the same for the painter's first stage")
    parser.add_argument("--painter", type=Path, default=_PAINTER, help="whose images the enlarger is trained for")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.model == "captioner":
        model = train_captioner(arguments.data, device, _with_steps(CAPTIONER, arguments.steps))
    elif arguments.model == "enlarger":
        schedule = _with_steps(ENLARGER, arguments.steps)
        model = train_enlarger(arguments.data, arguments.painter, device, schedule)
    else:
        autoencoder = _with_steps(AUTOENCODER, arguments.autoencoder_steps)
        model = train_painter(arguments.data, device, autoencoder, _with_steps(DENOISER, arguments.steps))
    print(model)


def _with_steps(schedule: Schedule, steps: int | None) -> Schedule:
    return replace(schedule, steps=steps) if steps else schedule


if __name__ == "__main__":
    main()
