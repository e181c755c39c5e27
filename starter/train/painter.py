"""The painter's training: first the autoencoder, then the networks that draw in its latents."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

import torch

from starter.drawings.collection import Collection, collect
from starter.train.assemble import draw_sheet, pipeline, save
from starter.train.autoencoder import Reconstruction, balance, fidelity
from starter.train.denoiser import Denoising
from starter.train.examples import as_drawn, in_colours, on_white, to_tensor
from starter.train.loop import Schedule, Training
from starter.train.prompts import new_tokenizer

AUTOENCODER = Schedule(steps=9_000, rate=1e-3)
DENOISER = Schedule(steps=13_000, rate=8e-4, ema=0.9995)
_FIDELITY = 26.0
"""Decibels below which an autoencoder is not worth drawing with."""

_IN_COLOURS = 0.3
"""The share of recoloured drawings."""


def train_painter(
    data: Path, device: torch.device, autoencoder: Schedule = AUTOENCODER, denoiser: Schedule = DENOISER
) -> Path:
    """Train in `data`/painter, from where the last run stopped; the finished model's folder.

    Raises RuntimeError when drawings can't be had, the autoencoder falls short, or another one was there before.
    """
    folder = data / "painter"
    folder.mkdir(parents=True, exist_ok=True)
    collection = collect(data).for_training()
    eye = trained_autoencoder(collection, folder, device, autoencoder)
    require_same_latents(folder)
    train_denoiser(collection, eye, folder, device, denoiser)
    return folder / "model"


def trained_autoencoder(collection: Collection, folder: Path, device: torch.device, schedule: Schedule) -> Any:
    """The autoencoder from `folder`/autoencoder.pt, trained to the schedule's end, and balanced.

    Raises RuntimeError when its pictures are too far from the drawings.
    """
    drawings = to_tensor(collection.pixels)
    images = on_white(drawings)

    def report(training: Training) -> None:
        print(f"\nAutoencoder: {fidelity(training.averaged, images[::16]):.2f} dB", flush=True)

    torch.manual_seed(schedule.seed)  # the first weights
    training = Training(Reconstruction(drawings, device), schedule, folder / "autoencoder.pt")
    training.run(report)
    model = training.averaged.eval()
    reached = fidelity(model, images)
    if reached < _FIDELITY:
        raise RuntimeError(f"The autoencoder reaches {reached:.1f} dB of {_FIDELITY}. Train it for more steps.")
    balance(model, images)
    return model


def require_same_latents(folder: Path) -> None:
    """Remember in `folder`/latents.txt which autoencoder the denoiser learns with.

    Raises RuntimeError when it began with another one, whose latents mean something else.
    """
    record = folder / "latents.txt"
    digest = hashlib.sha256((folder / "autoencoder.pt").read_bytes()).hexdigest()
    if not (folder / "denoiser.pt").exists() or not record.exists():
        record.write_text(digest, encoding="utf-8")
    elif record.read_text(encoding="utf-8") != digest:
        raise RuntimeError(
            f"{folder / 'denoiser.pt'} belongs to another autoencoder. Remove it to train for the one that is there."
        )


def train_denoiser(
    collection: Collection, autoencoder: Any, folder: Path, device: torch.device, schedule: Schedule
) -> None:
    """Train the text encoder and UNet in `folder`/denoiser.pt; leaves the pipeline in `folder`/model."""
    tokenizer = new_tokenizer()
    examples = as_drawn(collection, autoencoder), in_colours(collection, autoencoder)

    def show(training: Training) -> None:
        networks = copy.deepcopy(training.averaged).eval()
        draw_sheet(pipeline(tokenizer, networks, autoencoder), folder / f"sheet-{training.step:06}.png")

    torch.manual_seed(schedule.seed)  # the first weights
    task = Denoising(examples, (1 - _IN_COLOURS, _IN_COLOURS), tokenizer, device)
    training = Training(task, schedule, folder / "denoiser.pt")
    training.run(show)
    save(pipeline(tokenizer, training.averaged.eval(), autoencoder), folder / "model")
