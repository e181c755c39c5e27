"""The one training loop: AdamW, averaged weights, and checkpoints from which a killed run goes on to the last bit."""

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

_WARM_UP = 200
_COOL_DOWN = 0.25
_SAVE_EVERY = 300.0
_MAX_NORM = 1.0


class TrainingTask(Protocol):
    """What is trained: networks, and the loss of one batch that `generator` chooses and disturbs."""

    @property
    def networks(self) -> nn.Module: ...

    def loss(self, generator: torch.Generator) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to train, and how fast. `ema` is the share that the averaged weights keep at each step."""

    steps: int
    rate: float
    ema: float = 0.999
    seed: int = 0

    def factor(self, step: int) -> float:
        """Of the learning rate: rises at first, stays, and falls to nothing over the last quarter.

        A constant rate in between means that a longer run is the same run up to its last quarter.
        """
        warm = (step + 1) / min(_WARM_UP, self.steps)
        cool = (self.steps - step) / (self.steps * _COOL_DOWN)
        return min(1.0, warm, cool)

    def average(self, averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """The averaged weights moved a little; early on more, to leave the first ones behind."""
        keep = min(self.ema, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - keep)


class Training:
    """A run that can stop and go on. The file holds weights, their average, optimizer, generator and step.

    Next to it, a .csv of the same name gets a line at each save: the step, and the mean loss since the last save.
    """

    def __init__(self, task: TrainingTask, schedule: Schedule, file: Path, save_every: float = _SAVE_EVERY) -> None:
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
        """The averaged networks: better than those of any single step."""
        return self._average.module

    def run(self, after_save: Callable[[Training], None] | None = None) -> None:
        """Train to the schedule's end, saving every few minutes and at the end."""
        saved = time.monotonic()
        steps = self._schedule.steps
        for _ in tqdm(range(self.step, steps), initial=self.step, total=steps, mininterval=10, dynamic_ncols=True):
            self._learn()
            if self.step == steps or time.monotonic() - saved >= self._save_every:
                self._save()
                if after_save:
                    after_save(self)
                saved = time.monotonic()

    def _learn(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.rate * self._schedule.factor(self.step)
        loss = self._task.loss(self._generator)
        self._losses.append(loss.detach())
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._task.networks.parameters(), _MAX_NORM)
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
        half_done = self._file.with_suffix(".part")
        torch.save(state, half_done)
        half_done.replace(self._file)
        with self._file.with_suffix(".csv").open("a") as curve:
            curve.write(f"{self.step},{torch.stack(self._losses).mean().item():.4f}\n")
        self._losses.clear()

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(self._file, map_location="cpu", weights_only=True)
        self.step = state["step"]
        self._task.networks.load_state_dict(state["networks"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
