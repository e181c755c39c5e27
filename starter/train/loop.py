"""The training loop: AdamW, averaged weights, and checkpoints from which a stopped run resumes exactly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

_WARM_UP_STEPS = 200
_COOL_DOWN_SHARE = 0.25
_SAVE_SECONDS = 300.0
_MAX_GRADIENT_NORM = 1.0


class TrainingTask(Protocol):
    """The networks to train, and the loss of a random batch that is chosen by `generator`."""

    @property
    def networks(self) -> nn.Module: ...

    def loss(self, generator: torch.Generator) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """The length of the training and the learning rate. `ema` is the decay of the averaged weights."""

    steps: int
    rate: float
    ema: float = 0.999
    seed: int = 0

    def factor(self, step: int) -> float:
        """Return the factor for the learning rate: warm-up, constant, then decay to zero over the last quarter.

        Since the rate is constant in between, a longer run is the same run up to its last quarter.
        """
        warm = (step + 1) / min(_WARM_UP_STEPS, self.steps)
        cool = (self.steps - step) / (self.steps * _COOL_DOWN_SHARE)
        return min(1.0, warm, cool)

    def average(self, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """Update the averaged weights, faster at first, so that the initial weights lose their influence."""
        decay = min(self.ema, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - decay)


class Training:
    """A training run that can be stopped and resumed. The file has weights, averages, optimizer, generator and step.

    A .csv file beside it gets a line at each save: the step, and the mean loss since the last save.
    """

    def __init__(self, task: TrainingTask, schedule: Schedule, file: Path, save_every: float = _SAVE_SECONDS) -> None:
        self.step = 0
        self._task = task
        self._schedule = schedule
        self._file = file
        self._save_every = save_every
        self._average = AveragedModel(task.networks, avg_fn=schedule.average)
        self._optimizer = torch.optim.AdamW(task.networks.parameters(), lr=schedule.rate, weight_decay=0.01, fused=True)
        self._generator = torch.Generator().manual_seed(schedule.seed)
        self._losses: list[Tensor] = []
        if file.exists():
            self._load()

    @property
    def averaged(self) -> Any:
        """The networks with averaged weights, which are better than those of any single step."""
        return self._average.module

    def run(self, after_save: Callable[[Training], None] | None = None) -> None:
        """Train to the end of the schedule. Save every few minutes and at the end."""
        saved = time.monotonic()
        steps = self._schedule.steps
        for _ in tqdm(range(self.step, steps), initial=self.step, total=steps, mininterval=10, dynamic_ncols=True):
            self._train_step()
            if self.step == steps or time.monotonic() - saved >= self._save_every:
                self._save()
                if after_save:
                    after_save(self)
                saved = time.monotonic()

    def _train_step(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.rate * self._schedule.factor(self.step)
        loss = self._task.loss(self._generator)
        self._losses.append(loss.detach())
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._task.networks.parameters(), _MAX_GRADIENT_NORM)
        self._optimizer.step()
        self._average.update_parameters(self._task.networks)
        self.step += 1

    def _save(self) -> None:
        state = {
            "step": self.step,
            "networks": self._task.networks.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
        }
        unfinished = self._file.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self._file)
        with self._file.with_suffix(".csv").open("a") as log_file:
            log_file.write(f"{self.step},{torch.stack(self._losses).mean().item():.4f}\n")
        self._losses.clear()

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(self._file, map_location="cpu", weights_only=True)
        self.step = state["step"]
        self._task.networks.load_state_dict(state["networks"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
