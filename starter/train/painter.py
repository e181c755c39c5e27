"""Training of the image model: first the autoencoder, then the networks that work on its latents."""

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
from starter.train.examples import on_white, original_examples, recoloured_examples, to_tensor
from starter.train.loop import Schedule, Training
from starter.train.prompts import new_tokenizer

AUTOENCODER = Schedule(steps=9_000, rate=1e-3)
DENOISER = Schedule(steps=13_000, rate=8e-4, ema=0.9995)
_MIN_FIDELITY = 26.0
"""The minimum fidelity of a usable autoencoder, in decibels."""

_RECOLOURED_SHARE = 0.3
"""The share of recoloured drawings."""


def train_painter(
    data: Path, device: torch.device, autoencoder: Schedule = AUTOENCODER, denoiser: Schedule = DENOISER
) -> Path:
    """Train in `data`/painter, or resume the last run. Return the folder of the finished model.

    Raise RuntimeError if drawings can't be downloaded, if the autoencoder is too inaccurate, or if it was replaced.
    """
    folder = data / "painter"
    folder.mkdir(parents=True, exist_ok=True)
    collection = collect(data).for_training()
    trained = train_autoencoder(collection, folder, device, autoencoder)
    require_same_latents(folder)
    train_denoiser(collection, trained, folder, device, denoiser)
    return folder / "model"


def train_autoencoder(collection: Collection, folder: Path, device: torch.device, schedule: Schedule) -> Any:
    """Train the autoencoder in `folder`/autoencoder.pt to the end of the schedule, and balance it. Return it.

    Raise RuntimeError if its reconstructions are too inaccurate.
    """
    drawings = to_tensor(collection.pixels)
    images = on_white(drawings)

    def report(training: Training) -> None:
        print(f"\nAutoencoder: {fidelity(training.averaged, images[::16]):.2f} dB", flush=True)

    torch.manual_seed(schedule.seed)  # for the initial weights
    training = Training(Reconstruction(drawings, device), schedule, folder / "autoencoder.pt")
    training.run(report)
    model = training.averaged.eval()
    achieved = fidelity(model, images)
    if achieved < _MIN_FIDELITY:
        raise RuntimeError(f"The autoencoder reaches {achieved:.1f} dB of {_MIN_FIDELITY}. Train it for more steps.")
    balance(model, images)
    return model


def require_same_latents(folder: Path) -> None:
    """Record in `folder`/latents.txt which autoencoder the denoiser is trained with.

    Raise RuntimeError if its training started with another one, whose latents have other meanings.
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
    """Train text encoder and UNet in `folder`/denoiser.pt. Save the pipeline to `folder`/model."""
    tokenizer = new_tokenizer()
    examples = original_examples(collection, autoencoder), recoloured_examples(collection, autoencoder)

    def save_sheet(training: Training) -> None:
        networks = copy.deepcopy(training.averaged).eval()
        draw_sheet(pipeline(tokenizer, networks, autoencoder), folder / f"sheet-{training.step:06}.png")

    torch.manual_seed(schedule.seed)  # for the initial weights
    task = Denoising(examples, (1 - _RECOLOURED_SHARE, _RECOLOURED_SHARE), tokenizer, device)
    training = Training(task, schedule, folder / "denoiser.pt")
    training.run(save_sheet)
    save(pipeline(tokenizer, training.averaged.eval(), autoencoder), folder / "model")
