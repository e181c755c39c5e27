"""The decoding loop: continuous batching of the sequences of many requests, one token per step.

Between two steps a few prompts are processed (prefill), short ones together and long ones in pieces. Requests take
turns, so that a very long input does not stop the other texts. Texts that are not streamed, such as partial summaries,
use at most half of the sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from inference.pipelines.causal_lm.detokenizer import OutputText
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
        try:
            while waiting or running:
                waiting += self._add_jobs(batch.join(self._max_num_seqs - len(running)))
                batch.yield_point()
                running, waiting = _without_ended(running), _without_ended(waiting)
                self._prefill_some(batch, waiting, running)
                running, finished = self._step(batch, running)
                waiting += self._advance(finished)
                self._reserve(batch, [*running, *waiting])
        finally:  # a batch may end early, and states would live until the garbage is collected
            _clear_caches([*running, *waiting])

    def _prefill_some(self, batch: Batch, waiting: list[SequenceState], running: list[SequenceState]) -> None:
        """Process short prompts up to a limit, and one piece of one long prompt. Finished ones move to `running`."""
        budget, pieces = _MAX_PREFILL_TOKENS, 1
        while group := self._next_group(batch, waiting, running, budget, pieces):
            batch.yield_point()  # prefill of a long prompt takes as long as many tokens
            pieces -= sum(map(_is_long, group))
            budget -= sum(self._next_piece(sequence) for sequence in group if not _is_long(sequence))
            self._prefill(group)
            prefilled = [sequence for sequence in group if sequence.prefilled]
            waiting[:] = [sequence for sequence in waiting if sequence not in prefilled]
            running += prefilled

    def _next_group(
        self, batch: Batch, waiting: list[SequenceState], running: list[SequenceState], budget: int, pieces: int
    ) -> list[SequenceState]:
        """Return the sequences of which a piece is read together now: one, or several whose pieces are short."""
        group: list[SequenceState] = []
        room = 0
        while sequence := self._next_prefill(waiting, running, group, budget, pieces, room):
            if not sequence.started and not self._reserve(batch, [*running, *waiting], sequence):
                if not _started([*running, *waiting]):
                    self._put_off(batch, waiting, sequence)
                break  # until other texts have finished
            sequence.started = True
            group.append(sequence)
            if sequence.state.find_prefilled(sequence.text.prompt):
                break  # it is copied, not read
            room = self._runner.max_joint_tokens - sum(map(self._next_piece, group))
            budget -= 0 if _is_long(sequence) else self._next_piece(sequence)
            pieces -= _is_long(sequence)
        return group

    def _put_off(self, batch: Batch, waiting: list[SequenceState], sequence: SequenceState) -> None:
        """Let the request wait until another batch has given back its memory; if there is none, refuse it."""
        if batch.put_off(sequence.state.job):
            waiting[:] = [other for other in waiting if other.state is not sequence.state]
        else:
            waiting.remove(sequence)
            sequence.state.fail(self._no_memory(sequence))

    def _next_prefill(
        self,
        waiting: list[SequenceState],
        running: list[SequenceState],
        group: list[SequenceState],
        budget: int,
        pieces: int,
        room: int,
    ) -> SequenceState | None:
        """Return the sequence to prefill now, or beside a `group` that has `room` for more tokens.

        Requests with the fewest sequences come first.
        """
        started = _started([*running, *waiting])
        has_room = len(started) < self._max_num_seqs
        num_unstreamed = sum(not sequence.text.prompt.stream for sequence in started)
        num_started = Counter(sequence.state for sequence in started)

        def is_ready(sequence: SequenceState) -> bool:
            prompt = sequence.text.prompt
            copies = sequence.state.find_prefilled(prompt) is not None
            if group and (copies or self._next_piece(sequence) > room):
                return False
            if not copies and (not pieces if _is_long(sequence) else len(prompt.tokens) > budget):
                return False
            if sequence.started:
                return True
            may_start = has_room and (prompt.stream or num_unstreamed < self._max_num_seqs // 2)
            return may_start and not sequence.state.is_prefilling(prompt)  # then its cache is copied later

        ready = (sequence for sequence in waiting if sequence not in group and is_ready(sequence))
        return min(ready, key=lambda s: (not s.started, num_started[s.state]), default=None)

    def _reserve(self, batch: Batch, sequences: list[SequenceState], *new: SequenceState) -> bool:
        """Count what the started ones of `sequences`, and `new` ones, take in the memory budget."""
        started = [sequence for sequence in _started(sequences) if not sequence.text.finished]
        return batch.reserve(self._nbytes([*started, *new]))

    def _nbytes(self, sequences: list[SequenceState]) -> int:
        """Return the size of the caches, and of what the largest step keeps while it is computed."""
        pieces = [self._piece(sequence) for sequence in sequences if not sequence.prefilled]
        most_tokens = max([len(sequences), min(sum(pieces), self._runner.max_joint_tokens), *pieces])
        return (
            self._runner.cache_bytes([sequence.cache for sequence in sequences])
            + self._runner.num_rows(most_tokens) * self._runner.activation_bytes
        )

    def _piece(self, sequence: SequenceState) -> int:
        """Return how many tokens of the prompt are processed at once."""
        length = len(sequence.text.prompt.tokens)
        return min(length, _MAX_PREFILL_TOKENS) if self._runner.reads_in_chunks else length

    def _next_piece(self, sequence: SequenceState) -> int:
        """Return how many tokens are processed next; 0 if there is a sequence to copy them from."""
        if sequence.state.find_prefilled(sequence.text.prompt):
            return 0
        return min(self._piece(sequence), len(sequence.text.prompt.tokens) - sequence.num_prefilled)

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

    def _new_sequence(self, state: RequestState, prompt: Prompt[list[int]]) -> SequenceState:
        reasoning = self._template.reasoning_budget(prompt.tokens, prompt.max_new_tokens)
        text = OutputText(prompt, self._tokenizer, reasoning)
        return SequenceState(state, text, self._runner.new_cache(len(prompt.tokens) + text.max_tokens))

    def _prefill(self, group: list[SequenceState]) -> None:
        """Process the next piece of each prompt, or copy a single one from another sequence.

        At the end of a prompt, sample the first token.
        """
        source = group[0].state.find_prefilled(group[0].text.prompt)
        tokens = [sequence.text.prompt.tokens for sequence in group]
        if source and self._runner.copy_prompt(group[0].cache, source.cache, len(tokens[0])):
            assert source.prompt_logits is not None
            logits, ends = source.prompt_logits, [len(tokens[0])]
        else:
            starts = [sequence.num_prefilled for sequence in group]
            ends = [min(len(all), start + self._piece(s)) for all, start, s in zip(tokens, starts, group, strict=True)]
            pieces = [all[start:end] for all, start, end in zip(tokens, starts, ends, strict=True)]
            logits = self._runner.prefill([sequence.cache for sequence in group], pieces)
        for sequence, end, row in zip(group, ends, logits.split(1), strict=True):
            sequence.num_prefilled = end
            if sequence.prefilled:
                sequence.prompt_logits = row
                self._append_tokens([sequence], row)

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
    """Return the sequences that the model has begun to read."""
    return [sequence for sequence in sequences if sequence.started]


def _without_ended(sequences: list[SequenceState]) -> list[SequenceState]:
    """Return the sequences whose requests still need tokens. Free the memory of the others."""
    _clear_caches([sequence for sequence in sequences if sequence.state.ended])
    return [sequence for sequence in sequences if not sequence.state.ended]


def _clear_caches(sequences: list[SequenceState]) -> None:
    """Free the memory of the sequences, and of finished ones that were kept for them to copy from."""
    for sequence in sequences:
        for each in (sequence, *sequence.state.sequences):
            each.cache.clear()


def _is_long(sequence: SequenceState) -> bool:
    """Return whether the prompt is processed in several pieces."""
    return len(sequence.text.prompt.tokens) > _MAX_PREFILL_TOKENS


def _overflow() -> GenerationFailed:
    return GenerationFailed(
        "The model's numbers overflowed, so there is no text. Try a shorter or another text; if it happens often, the "
        "bot's operator can give this model another `dtype`: bfloat16 or float32."
    )
