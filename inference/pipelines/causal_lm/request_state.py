"""The state of one request: its plan, and the sequences of the plan's current step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.model_runner import KVCache
from inference.pipelines.causal_lm.prompts import Plan, Prompt
from inference.pipelines.causal_lm.sampling import SequenceSampler
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.pipeline import Job, wrap_library_errors
from inference.types import Output, PartialText, Progress
from inference.types.errors import InferenceError

if TYPE_CHECKING:
    import torch


class SequenceState:
    """One generated text with its sampler and key-value cache."""

    def __init__(self, state: RequestState, prompt: Prompt, tokenizer: Tokenizer) -> None:
        self.state = state
        self.text = OutputText(prompt, tokenizer)
        self.sampler = SequenceSampler(prompt)
        self.cache = KVCache(len(prompt.tokens) + prompt.max_new_tokens)
        self.prefilled = False
        self.prompt_logits: torch.Tensor | None = None
        """The logits after the prompt [1, vocabulary], from the prefill until the text is finished."""


class RequestState:
    """Runs the plan of `job` step by step."""

    def __init__(self, job: Job, plan: Plan, tokenizer: Tokenizer) -> None:
        self.job = job
        self.sequences: list[SequenceState] = []
        self._plan = plan
        self._tokenizer = tokenizer
        self._num_finished = 0
        """Texts that finished in earlier steps."""
        self._streamed = ""

    @property
    def step_finished(self) -> bool:
        return all(sequence.text.finished for sequence in self.sequences)

    def find_prefilled(self, prompt: Prompt) -> tuple[KVCache, torch.Tensor] | None:
        """Return cache and logits of a sequence that has processed the same prompt; None if there is none."""
        for sequence in self.sequences:
            if sequence.prompt_logits is not None and sequence.text.prompt.tokens is prompt.tokens:
                return sequence.cache, sequence.prompt_logits
        return None

    def free_caches(self) -> None:
        """Free the caches of finished texts, unless a waiting sequence can still copy from them."""
        waiting = {id(sequence.text.prompt.tokens) for sequence in self.sequences if not sequence.prefilled}
        for sequence in self.sequences:
            if sequence.text.finished and id(sequence.text.prompt.tokens) not in waiting:
                sequence.cache.clear()
                sequence.prompt_logits = None

    def advance(self) -> None:
        """Pass the finished texts to the plan, and start its next step or finish the job."""
        try:
            with wrap_library_errors():
                step = self._next_step()
        except InferenceError as error:
            self.sequences = []
            self.job.fail(error)
            return
        self._num_finished += len(self.sequences)
        if isinstance(step, list):
            self.sequences = [SequenceState(self, prompt, self._tokenizer) for prompt in step]
        else:
            self.sequences = []
            self.job.finish(step)

    def emit_text(self, text: OutputText) -> None:
        """Report progress to the caller: the text itself if it is streamed, otherwise the number of finished texts."""
        if text.prompt.stream:
            if text.stable_text != self._streamed:
                self._streamed = text.stable_text
                self.job.emit(PartialText(self._streamed, text.prompt.chat))
        elif text.finished and not self.sequences[0].text.prompt.stream:
            total = self._num_finished + len(self.sequences)
            if total > 1:
                finished = self._num_finished + sum(sequence.text.finished for sequence in self.sequences)
                self.job.emit(Progress(finished, total))

    def _next_step(self) -> list[Prompt] | Output:
        try:
            texts = [sequence.text.continuation for sequence in self.sequences]
            return self._plan.send(texts) if texts else next(self._plan)
        except StopIteration as result:
            return result.value
