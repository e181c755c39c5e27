"""One job on its way: its plan, and the texts that the plan asked for last."""

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
    """A text of a task, and what it takes to grow it."""

    def __init__(self, task: RequestState, prompt: Prompt, vocabulary: Tokenizer) -> None:
        self.task = task
        self.text = OutputText(prompt, vocabulary)
        self.sampler = SequenceSampler(prompt)
        self.sequence = KVCache(len(prompt.tokens) + prompt.max_new_tokens)
        self.begun = False
        self.first: torch.Tensor | None = None
        """The logits after the prompt [1, vocabulary], from when it has been read until the text is done."""


class RequestState:
    """Runs the plan of `job` step by step."""

    def __init__(self, job: Job, plan: Plan, vocabulary: Tokenizer) -> None:
        self.job = job
        self.branches: list[SequenceState] = []
        self._plan = plan
        self._vocabulary = vocabulary
        self._before = 0
        """Texts that ended in earlier steps."""
        self._shown = ""

    @property
    def step_ended(self) -> bool:
        return all(branch.text.done for branch in self.branches)

    def read_before(self, prompt: Prompt) -> tuple[KVCache, torch.Tensor] | None:
        """The sequence of another text that has taken in the same prompt, and the logits after it."""
        for branch in self.branches:
            if branch.first is not None and branch.text.prompt.tokens is prompt.tokens:
                return branch.sequence, branch.first
        return None

    def forget(self) -> None:
        """Let go of the keys and values of texts that are done, unless another one has yet to begin with them."""
        to_begin = {id(branch.text.prompt.tokens) for branch in self.branches if not branch.begun}
        for branch in self.branches:
            if branch.text.done and id(branch.text.prompt.tokens) not in to_begin:
                branch.sequence.clear()
                branch.first = None

    def advance(self) -> None:
        """Give the plan its texts; it asks for more, or the job ends."""
        try:
            with wrap_library_errors():
                reply = self._reply()
        except InferenceError as error:
            self.branches = []
            self.job.fail(error)
            return
        self._before += len(self.branches)
        if isinstance(reply, list):
            self.branches = [SequenceState(self, prompt, self._vocabulary) for prompt in reply]
        else:
            self.branches = []
            self.job.finish(reply)

    def emit_text(self, text: OutputText) -> None:
        """Tell the caller how far it is: the words themselves where they are all that was asked for."""
        if text.prompt.shown:
            if text.settled != self._shown:
                self._shown = text.settled
                self.job.emit(PartialText(self._shown, text.prompt.chat))
        elif text.done and not self.branches[0].text.prompt.shown:
            total = self._before + len(self.branches)
            if total > 1:
                self.job.emit(Progress(self._before + sum(branch.text.done for branch in self.branches), total))

    def _reply(self) -> list[Prompt] | Output:
        try:
            texts = [branch.text.continuation for branch in self.branches]
            return self._plan.send(texts) if texts else next(self._plan)
        except StopIteration as result:
            return result.value
