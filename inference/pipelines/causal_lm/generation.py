"""The decoding loop: many people's texts grow together, one token a round."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference.pipelines.base import Batch, Job
from inference.pipelines.causal_lm.instructions import Instructions
from inference.pipelines.causal_lm.planner import plan_for
from inference.pipelines.causal_lm.ragged import Decoder
from inference.pipelines.causal_lm.sampling import draw
from inference.pipelines.causal_lm.task import Branch, Task
from inference.pipelines.causal_lm.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch


class Generation:
    """Continues texts on one model; `rows` is how many grow at a time, `ends` the tokens that end a text."""

    def __init__(
        self, decoder: Decoder, vocabulary: Vocabulary, instructions: Instructions, ends: set[int], rows: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._instructions = instructions
        self._ends = ends
        self._rows = rows

    def run(self, batch: Batch) -> None:
        """Finish every job of the batch, and those that join it on the way."""
        waiting = deque(self._start(batch.jobs))
        growing: list[Branch] = []
        while waiting or growing:
            batch.checkpoint()
            growing = [branch for branch in growing if not branch.task.job.cancelled]
            waiting.extend(self._start(batch.join(self._rows - len(growing) - len(waiting))))
            while waiting and len(growing) < self._rows:
                branch = waiting.popleft()
                if not branch.task.job.cancelled:
                    batch.checkpoint()  # reading a long prompt takes as long as many tokens
                    self._read(branch)
                    growing.append(branch)
            growing, ended = self._round(growing)
            waiting.extend(self._next_texts(ended))

    def _start(self, jobs: Iterable[Job]) -> list[Branch]:
        tasks = [Task(job, plan_for(job.request, self._instructions), self._vocabulary) for job in jobs]
        for task in tasks:
            task.advance()
        return [branch for task in tasks for branch in task.branches]

    def _read(self, branch: Branch) -> None:
        """Take the prompt in, or what another text of the task has taken in, and draw the first token."""
        prompt, sequence = branch.text.prompt, branch.sequence
        if before := branch.task.read_before(prompt):
            twin, logits = before
            sequence.copy(twin, len(prompt.tokens))
        else:
            logits = self._decoder.prompt(sequence, prompt.tokens)
        branch.first = logits
        self._grow([branch], logits)

    def _round(self, branches: list[Branch]) -> tuple[list[Branch], list[Branch]]:
        """One token more for each text; returns those that go on and those that have ended."""
        going = [branch for branch in branches if not branch.text.done]
        if going:
            logits = self._decoder.step([b.sequence for b in going], [b.text.last for b in going])
            self._grow(going, logits)
        return [b for b in branches if not b.text.done], [b for b in branches if b.text.done]

    def _grow(self, branches: list[Branch], logits: torch.Tensor) -> None:
        """Draw each text's next token from its row of `logits` [texts, vocabulary]."""
        for branch, token in zip(branches, draw(logits, [branch.sampler for branch in branches]), strict=True):
            branch.sampler.add(token)
            branch.text.grow(token, self._ends)
            branch.task.tell(branch.text)

    def _next_texts(self, ended: list[Branch]) -> list[Branch]:
        """What the plans whose last text has just ended ask for next."""
        branches: list[Branch] = []
        for task in {branch.task: None for branch in ended}:
            if task.step_ended:
                task.advance()
                branches += task.branches
        return branches
