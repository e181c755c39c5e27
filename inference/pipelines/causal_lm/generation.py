"""The decoding loop: continuous batching of the sequences of many requests, one token per step.

Between two steps a few prompts are processed (prefill). Requests take turns, so that a very long input does not stop
the other texts. Texts that are not streamed, such as partial summaries, use at most half of the sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.causal_lm.plans import plan_for
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.request_state import RequestState, SequenceState
from inference.pipelines.causal_lm.sampling import sample_tokens
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.pipeline import Batch, Job

if TYPE_CHECKING:
    import torch

_MAX_PREFILL_TOKENS = 512
"""Prompt tokens that are processed between two steps. A longer prompt is processed alone."""


class Generation:
    """Generates texts with one model: at most `max_num_seqs` at a time, each until one of `eos_token_ids`."""

    def __init__(
        self,
        runner: ModelRunner,
        tokenizer: Tokenizer,
        template: PromptTemplate,
        eos_token_ids: set[int],
        max_num_seqs: int,
    ) -> None:
        self._runner = runner
        self._tokenizer = tokenizer
        self._template = template
        self._eos_token_ids = eos_token_ids
        self._max_num_seqs = max_num_seqs

    def run(self, batch: Batch) -> None:
        """Finish every job of the batch, and every job that joins it meanwhile."""
        waiting = self._add_jobs(batch.jobs)
        running: list[SequenceState] = []
        while waiting or running:
            waiting += self._add_jobs(batch.join(self._max_num_seqs - len(running)))
            batch.yield_point()
            running = [sequence for sequence in running if not sequence.state.job.cancelled]
            waiting = [sequence for sequence in waiting if not sequence.state.job.cancelled]
            for sequence in self._schedule(waiting, running):
                batch.yield_point()  # prefill of a long prompt takes as long as many tokens
                self._prefill(sequence)
                waiting.remove(sequence)
                running.append(sequence)
            running, finished = self._step(running)
            waiting += self._advance(finished)

    def _schedule(self, waiting: list[SequenceState], running: list[SequenceState]) -> list[SequenceState]:
        """Return the sequences to prefill now. Requests with the fewest running sequences come first."""
        num_running = Counter(sequence.state for sequence in running)
        unstreamed = sum(not sequence.text.prompt.stream for sequence in running)
        scheduled: list[SequenceState] = []
        tokens = 0
        while len(running) + len(scheduled) < self._max_num_seqs:
            has_room = unstreamed < self._max_num_seqs // 2
            free = [s for s in waiting if s not in scheduled and (s.text.prompt.stream or has_room)]
            if not free:
                break
            sequence = min(free, key=lambda sequence: num_running[sequence.state])
            tokens += len(sequence.text.prompt.tokens)
            if scheduled and tokens > _MAX_PREFILL_TOKENS:
                break
            scheduled.append(sequence)
            num_running[sequence.state] += 1
            unstreamed += not sequence.text.prompt.stream
        return scheduled

    def _add_jobs(self, jobs: Iterable[Job]) -> list[SequenceState]:
        states = [RequestState(job, plan_for(job.request, self._template), self._tokenizer) for job in jobs]
        for state in states:
            state.advance()
        return [sequence for state in states for sequence in state.sequences]

    def _prefill(self, sequence: SequenceState) -> None:
        """Process the prompt, or copy it from another sequence of the request, and sample the first token."""
        prompt, cache = sequence.text.prompt, sequence.cache
        if copied := sequence.state.find_prefilled(prompt):
            source, logits = copied
            cache.copy(source, len(prompt.tokens))
        else:
            logits = self._runner.prefill(cache, prompt.tokens)
        sequence.prefilled, sequence.prompt_logits = True, logits
        self._append_tokens([sequence], logits)

    def _step(self, sequences: list[SequenceState]) -> tuple[list[SequenceState], list[SequenceState]]:
        """Generate one token for each text. Return the running and the finished sequences."""
        active = [sequence for sequence in sequences if not sequence.text.finished]
        if active:
            logits = self._runner.decode([s.cache for s in active], [s.text.last_token for s in active])
            self._append_tokens(active, logits)
        return [s for s in sequences if not s.text.finished], [s for s in sequences if s.text.finished]

    def _append_tokens(self, sequences: list[SequenceState], logits: torch.Tensor) -> None:
        """Sample the next token of each sequence from its row of `logits` [sequences, vocabulary]."""
        tokens = sample_tokens(logits, [sequence.sampler for sequence in sequences])
        for sequence, token in zip(sequences, tokens, strict=True):
            sequence.sampler.append(token)
            sequence.text.append(token, self._eos_token_ids)
            sequence.state.emit_text(sequence.text)
            if sequence.text.finished:
                sequence.state.free_caches()

    def _advance(self, finished: list[SequenceState]) -> list[SequenceState]:
        """Return the next sequences of the requests whose current sequences have all finished."""
        sequences: list[SequenceState] = []
        for state in {sequence.state: None for sequence in finished}:
            if state.step_finished:
                state.advance()
                sequences += state.sequences
        return sequences
