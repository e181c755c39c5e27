"""The state of one request: its plan, and the sequences of the plan's current step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.causal_lm.sampling import SequenceSampler
from inference.pipelines.pipeline import Job, wrap_library_errors
from inference.types import Output, PartialText, Progress
from inference.types.errors import InferenceError

if TYPE_CHECKING:
    import torch


class SequenceState:
    """One generated text with its sampler and what the model keeps of it."""

    def __init__(self, state: RequestState, text: OutputText, cache: Any) -> None:
        self.state = state
        self.text = text
        self.sampler = SequenceSampler(text.prompt, cache.capacity)
        self.cache = cache
        self.started = False
        """Whether the model has begun to read the prompt. It then has a place and memory."""
        self.num_prefilled = 0
        """Tokens of the prompt that the model has read."""
        self.prompt_logits: torch.Tensor | None = None
        """The logits after the prompt [1, vocabulary], from the prefill until the text is finished."""

    @property
    def prefilled(self) -> bool:
        return self.num_prefilled == len(self.text.prompt.tokens)


class RequestState:
    """Runs the plan of `job` step by step. `new_sequence` makes a sequence for one of its prompts."""

    def __init__(self, job: Job, plan: Plan[list[int]], new_sequence: NewSequence) -> None:
        self.job = job
        self.sequences: list[SequenceState] = []
        self._plan = plan
        self._new_sequence = new_sequence
        self._failed = False
        self._num_finished = 0
        """Texts that finished in earlier steps."""
        self._streamed = PartialText("")

    @property
    def ended(self) -> bool:
        """Whether the request needs no more tokens: its caller has left, or it has failed."""
        return self.job.cancelled or self._failed

    @property
    def step_finished(self) -> bool:
        return all(sequence.text.finished for sequence in self.sequences)

    def find_prefilled(self, prompt: Prompt[list[int]]) -> SequenceState | None:
        """Return a sequence that has processed the same prompt and still has its cache; None if there is none."""
        return next((s for s in self._with_prompt(prompt) if s.prompt_logits is not None), None)

    def is_prefilling(self, prompt: Prompt[list[int]]) -> bool:
        """Return whether a sequence has begun to process the same prompt, and not ended."""
        return any(s.started and not s.prefilled for s in self._with_prompt(prompt))

    def free_caches(self) -> None:
        """Free the caches of finished texts, unless a waiting sequence can still copy from them."""
        for sequence in self.sequences:
            same_prompt = self._with_prompt(sequence.text.prompt)
            if sequence.text.finished and all(other.prefilled for other in same_prompt):
                sequence.cache.clear()
                sequence.prompt_logits = None

    def advance(self) -> None:
        """Pass the finished texts to the plan, and start its next step or finish the job."""
        try:
            with wrap_library_errors():
                step = self._next_step()
        except InferenceError as error:
            self.fail(error)
            return
        self._num_finished += len(self.sequences)
        if isinstance(step, list):
            self.sequences = [self._new_sequence(self, prompt) for prompt in step]
        else:
            self.sequences = []
            self.job.finish(step)

    def fail(self, error: InferenceError) -> None:
        """Fail the job, unless it has failed already or its caller has left."""
        for sequence in self.sequences:
            sequence.cache.clear()
        self.sequences = []
        if not self.ended:
            self._failed = True
            self.job.fail(error)

    def emit_text(self, text: OutputText) -> None:
        """Report progress to the caller: the text itself if it is streamed, otherwise the number of finished texts."""
        if text.prompt.stream:
            grown = PartialText(text.stable_text, text.prompt.chat, text.thoughts)
            if (grown.text, grown.thoughts) != (self._streamed.text, self._streamed.thoughts):
                self._streamed = grown
                self.job.emit(grown)
        elif text.finished and not self.sequences[0].text.prompt.stream:
            total = self._num_finished + len(self.sequences)
            if total > 1:
                finished = self._num_finished + sum(sequence.text.finished for sequence in self.sequences)
                self.job.emit(Progress(finished, total))

    def _with_prompt(self, prompt: Prompt[list[int]]) -> list[SequenceState]:
        return [sequence for sequence in self.sequences if sequence.text.prompt.tokens is prompt.tokens]

    def _next_step(self) -> list[Prompt[list[int]]] | Output:
        try:
            texts = [sequence.text.continuation for sequence in self.sequences]
            return self._plan.send(texts) if texts else next(self._plan)
        except StopIteration as result:
            return result.value


NewSequence = Callable[[RequestState, Prompt[list[int]]], SequenceState]
