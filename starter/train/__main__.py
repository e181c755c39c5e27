"""python -m starter.train painter: train a starter model, or go on with a run that stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from starter.train.painter import train_painter


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.train", description=__doc__)
    parser.add_argument("model", choices=["painter"])
    parser.add_argument("--data", type=Path, default=Path("data/training"), help="where drawings and checkpoints lie")
    arguments = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_painter(arguments.data, device)


if __name__ == "__main__":
    main()
