"""The decoding loop: continuous batching of the sequences of many requests, one token per step.

Between two steps a few prompts are processed (prefill), long ones in pieces. Requests take turns, so that a very long
input does not stop the other texts. Texts that are not streamed, such as partial summaries, use at most half of the
sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from inference.pipelines.causal_lm.detokenizer import CLOSING_TOKENS, OutputText
from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.causal_lm.plans import plan_for
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Prompt
from inference.pipelines.causal_lm.request_state import RequestState, SequenceState
from inference.pipelines.causal_lm.sampling import sample_tokens
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.pipeline import Batch, Job
from inference.types.errors import GenerationFailed, InvalidRequest
from inference.types.sizes import size_text

if TYPE_CHECKING:
    import torch

_MAX_PREFILL_TOKENS = 512
"""Prompt tokens that are processed between two steps, beside one piece of one longer prompt.

It is also the size of the pieces. They begin at the same tokens however busy the model is, so that a text does not
depend on others.
"""

_MAX_REASONING_TOKENS = 2048
"""Tokens of thoughts that precede one answer."""


class Generation:
    """Generates texts with one model: at most `max_num_seqs` at a time, each until one of `eos_token_ids`."""

    def __init__(
        self,
        runner: ModelRunner[Any],
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
            running, waiting = _without_ended(running), _without_ended(waiting)
            self._prefill_some(batch, waiting, running)
            running, finished = self._step(batch, running)
            waiting += self._advance(finished)
            self._reserve(batch, [*running, *waiting])

    def _prefill_some(self, batch: Batch, waiting: list[SequenceState], running: list[SequenceState]) -> None:
        """Process short prompts up to a limit, and one piece of one long prompt. Finished ones move to `running`."""
        budget, pieces = _MAX_PREFILL_TOKENS, 1
        while sequence := self._next_prefill(waiting, running, budget, pieces):
            if not sequence.num_prefilled and not self._reserve(batch, [*running, *waiting], sequence):
                if not _started([*running, *waiting]):
                    self._put_off(batch, waiting, sequence)
                return  # until other texts have finished
            batch.yield_point()  # prefill of a long prompt takes as long as many tokens
            read = self._prefill(sequence)
            if read and _is_long(sequence):
                pieces -= 1
            else:
                budget -= read
            if sequence.prefilled:
                waiting.remove(sequence)
                running.append(sequence)

    def _put_off(self, batch: Batch, waiting: list[SequenceState], sequence: SequenceState) -> None:
        """Let the request wait until another batch has given back its memory; if there is none, refuse it."""
        if batch.put_off(sequence.state.job):
            waiting[:] = [other for other in waiting if other.state is not sequence.state]
        else:
            waiting.remove(sequence)
            sequence.state.fail(self._no_memory(sequence))

    def _next_prefill(
        self, waiting: list[SequenceState], running: list[SequenceState], budget: int, pieces: int
    ) -> SequenceState | None:
        """Return the sequence to prefill now. Requests with the fewest sequences come first."""
        started = _started([*running, *waiting])
        has_room = len(started) < self._max_num_seqs
        num_unstreamed = sum(not sequence.text.prompt.stream for sequence in started)
        num_started = Counter(sequence.state for sequence in started)

        def is_ready(sequence: SequenceState) -> bool:
            prompt = sequence.text.prompt
            copies = sequence.state.find_prefilled(prompt) is not None
            if not copies and (not pieces if _is_long(sequence) else len(prompt.tokens) > budget):
                return False
            if sequence.num_prefilled:
                return True
            may_start = has_room and (prompt.stream or num_unstreamed < self._max_num_seqs // 2)
            return may_start and not sequence.state.is_prefilling(prompt)  # then its cache is copied later

        ready = filter(is_ready, waiting)
        return min(ready, key=lambda s: (not s.num_prefilled, num_started[s.state]), default=None)

    def _reserve(self, batch: Batch, sequences: list[SequenceState], *new: SequenceState) -> bool:
        """Count what the started ones of `sequences`, and `new` ones, take in the memory budget."""
        started = [sequence for sequence in _started(sequences) if not sequence.text.finished]
        return batch.reserve(self._nbytes([*started, *new]))

    def _nbytes(self, sequences: list[SequenceState]) -> int:
        """Return the size of the caches, and of what the largest step keeps while it is computed."""
        pieces = [self._piece(sequence) for sequence in sequences if not sequence.prefilled]
        return (
            self._runner.cache_bytes([sequence.cache for sequence in sequences])
            + max([len(sequences), *pieces]) * self._runner.activation_bytes
        )

    def _piece(self, sequence: SequenceState) -> int:
        """Return how many tokens of the prompt are processed at once."""
        length = len(sequence.text.prompt.tokens)
        return min(length, _MAX_PREFILL_TOKENS) if self._runner.reads_in_chunks else length

    def _no_memory(self, sequence: SequenceState) -> InvalidRequest:
        return InvalidRequest(
            "This text is too long for the bot's memory: it needs {size} beside the model. Shorten it, ask for fewer "
            "new tokens, or choose a smaller model.",
            size=size_text(self._nbytes([sequence])),
        )

    def _add_jobs(self, jobs: Iterable[Job]) -> list[SequenceState]:
        states = [RequestState(job, plan_for(job.request, self._template), self._new_sequence) for job in jobs]
        for state in states:
            state.advance()
        return [sequence for state in states for sequence in state.sequences]

    def _new_sequence(self, state: RequestState, prompt: Prompt) -> SequenceState:
        length, reasoning = len(prompt.tokens) + prompt.max_new_tokens, 0
        room = self._template.window - length - CLOSING_TOKENS
        if self._tokenizer.reasoning and not self._tokenizer.reasoning.begin(prompt.tokens).answering and room >= 0:
            reasoning = min(_MAX_REASONING_TOKENS, room)
            length += reasoning + CLOSING_TOKENS
        return SequenceState(state, OutputText(prompt, self._tokenizer, reasoning), self._runner.new_cache(length))

    def _prefill(self, sequence: SequenceState) -> int:
        """Process the prompt or its next piece, or copy it from another sequence. At its end, sample the first token.

        Return the number of processed tokens.
        """
        prompt, source = sequence.text.prompt, sequence.state.find_prefilled(sequence.text.prompt)
        length = len(prompt.tokens)
        if source and self._runner.copy_prompt(sequence.cache, source.cache, length):
            start = end = length
            logits = source.prompt_logits
        else:
            start = sequence.num_prefilled
            end = min(length, start + self._piece(sequence))
            logits = self._runner.prefill(sequence.cache, prompt.tokens[start:end])
        sequence.num_prefilled = end
        if sequence.prefilled:
            assert logits is not None
            sequence.prompt_logits = logits
            self._append_tokens([sequence], logits)
        return end - start

    def _step(self, batch: Batch, sequences: list[SequenceState]) -> tuple[list[SequenceState], list[SequenceState]]:
        """Generate one token for each text. Return the running and the finished sequences."""
        active = [sequence for sequence in sequences if not sequence.text.finished and not sequence.state.ended]
        size = self._runner.max_decode_seqs
        for i in range(0, len(active), size):
            if i:
                batch.yield_point()
            group = active[i : i + size]
            logits = self._runner.decode([s.cache for s in group], [s.text.last_token for s in group])
            self._append_tokens(group, logits)
        return [s for s in sequences if not s.text.finished], [s for s in sequences if s.text.finished]

    def _append_tokens(self, sequences: list[SequenceState], logits: torch.Tensor) -> None:
        """Sample the next token of each sequence from its row of `logits` [sequences, vocabulary]."""
        tokens = sample_tokens(logits, [sequence.sampler for sequence in sequences])
        for sequence, sampled in zip(sequences, tokens, strict=True):
            if sampled is None:
                sequence.state.fail(_overflow())
            if sequence.state.ended or sampled is None:
                continue
            token = sequence.text.choose(sampled)
            sequence.sampler.append(token)
            sequence.text.append(token, self._eos_token_ids)
            sequence.state.job.count_token()
            sequence.state.emit_text(sequence.text)
            if sequence.text.finished:
                sequence.state.free_caches()

    def _advance(self, finished: list[SequenceState]) -> list[SequenceState]:
        """Return the next sequences of the requests whose current sequences have all finished."""
        sequences: list[SequenceState] = []
        for state in {sequence.state: None for sequence in finished}:
            if state.step_finished and not state.ended:
                state.advance()
                sequences += state.sequences
        return sequences


def _started(sequences: list[SequenceState]) -> list[SequenceState]:
    """Return the sequences of which the model has read something."""
    return [sequence for sequence in sequences if sequence.num_prefilled]


def _without_ended(sequences: list[SequenceState]) -> list[SequenceState]:
    """Return the sequences whose requests still need tokens. Free the memory of the others."""
    for sequence in sequences:
        if sequence.state.ended:
            sequence.cache.clear()
    return [sequence for sequence in sequences if not sequence.state.ended]


def _is_long(sequence: SequenceState) -> bool:
    """Return whether the prompt is processed in several pieces."""
    return len(sequence.text.prompt.tokens) > _MAX_PREFILL_TOKENS


def _overflow() -> GenerationFailed:
    return GenerationFailed(
        "The model's numbers overflowed, so there is no text. Try a shorter or another text; if it happens often, the "
        "bot's operator can give this model another `dtype`: bfloat16 or float32."
    )
