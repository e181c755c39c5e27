"""The decoding loop: many people's texts grow together, one token a round.

Between two rounds a few prompts are read, in turns between the tasks, so that nobody's text stands still while a
book is taken in. Texts that nobody sees, such as the summaries of a book's parts, take half of the rows at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.causal_lm.plans import plan_for
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.request_state import RequestState, SequenceState
from inference.pipelines.causal_lm.sampling import draw
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.pipeline import Batch, Job

if TYPE_CHECKING:
    import torch

_MAX_PREFILL_TOKENS = 512
"""Tokens of prompts that are read between two rounds; a longer prompt is read alone."""


class Generation:
    """Continues texts on one model; `rows` is how many grow at a time, `ends` the tokens that end a text."""

    def __init__(
        self, decoder: ModelRunner, vocabulary: Tokenizer, instructions: PromptTemplate, ends: set[int], rows: int
    ) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._instructions = instructions
        self._ends = ends
        self._rows = rows

    def run(self, batch: Batch) -> None:
        """Finish every job of the batch, and those that join it on the way."""
        waiting = self._start(batch.jobs)
        growing: list[SequenceState] = []
        while waiting or growing:
            waiting += self._start(batch.join(self._rows - len(growing)))
            batch.yield_point()
            growing = [branch for branch in growing if not branch.task.job.cancelled]
            waiting = [branch for branch in waiting if not branch.task.job.cancelled]
            for branch in self._next(waiting, growing):
                batch.yield_point()  # reading a long prompt takes as long as many tokens
                self._read(branch)
                waiting.remove(branch)
                growing.append(branch)
            growing, ended = self._round(growing)
            waiting += self._next_texts(ended)

    def _next(self, waiting: list[SequenceState], growing: list[SequenceState]) -> list[SequenceState]:
        """Whose prompts are read now: those first of whose task the fewest texts grow."""
        tasks = Counter(branch.task for branch in growing)
        hidden = sum(not branch.text.prompt.shown for branch in growing)
        chosen: list[SequenceState] = []
        tokens = 0
        while len(growing) + len(chosen) < self._rows:
            free = [b for b in waiting if b not in chosen and (b.text.prompt.shown or hidden < self._rows // 2)]
            if not free:
                break
            branch = min(free, key=lambda branch: tasks[branch.task])
            tokens += len(branch.text.prompt.tokens)
            if chosen and tokens > _MAX_PREFILL_TOKENS:
                break
            chosen.append(branch)
            tasks[branch.task] += 1
            hidden += not branch.text.prompt.shown
        return chosen

    def _start(self, jobs: Iterable[Job]) -> list[SequenceState]:
        tasks = [RequestState(job, plan_for(job.request, self._instructions), self._vocabulary) for job in jobs]
        for task in tasks:
            task.advance()
        return [branch for task in tasks for branch in task.branches]

    def _read(self, branch: SequenceState) -> None:
        """Take the prompt in, or what another text of the task has taken in, and draw the first token."""
        prompt, sequence = branch.text.prompt, branch.sequence
        if before := branch.task.read_before(prompt):
            twin, logits = before
            sequence.copy(twin, len(prompt.tokens))
        else:
            logits = self._decoder.prompt(sequence, prompt.tokens)
        branch.begun, branch.first = True, logits
        self._grow([branch], logits)

    def _round(self, branches: list[SequenceState]) -> tuple[list[SequenceState], list[SequenceState]]:
        """One token more for each text; returns those that go on and those that have ended."""
        going = [branch for branch in branches if not branch.text.done]
        if going:
            logits = self._decoder.step([b.sequence for b in going], [b.text.last for b in going])
            self._grow(going, logits)
        return [b for b in branches if not b.text.done], [b for b in branches if b.text.done]

    def _grow(self, branches: list[SequenceState], logits: torch.Tensor) -> None:
        """Draw each text's next token from its row of `logits` [texts, vocabulary]."""
        for branch, token in zip(branches, draw(logits, [branch.sampler for branch in branches]), strict=True):
            branch.sampler.add(token)
            branch.text.grow(token, self._ends)
            branch.task.emit_text(branch.text)
            if branch.text.done:
                branch.task.forget()

    def _next_texts(self, ended: list[SequenceState]) -> list[SequenceState]:
        """What the plans whose last text has just ended ask for next."""
        branches: list[SequenceState] = []
        for task in {branch.task: None for branch in ended}:
            if task.step_ended:
                task.advance()
                branches += task.branches
        return branches
