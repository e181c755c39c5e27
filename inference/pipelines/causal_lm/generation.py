"""The decoding loop: many people's texts grow together, one token a round."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference.errors import InferenceError
from inference.pipelines.base import Batch, Job, translated
from inference.pipelines.causal_lm.prompts import Plan, Planner, Prompt
from inference.pipelines.causal_lm.ragged import Decoder, Sequence
from inference.pipelines.causal_lm.sampling import Sampler, draw
from inference.pipelines.causal_lm.vocabulary import Vocabulary
from inference.types import Chunk, CompleteRequest, Progress, Value

if TYPE_CHECKING:
    import torch

_CONTEXT = 4
"""Tokens of the prompt decoded with the new ones, since some tokenizers drop a leading space."""


class Text:
    """One prompt that waits to be continued, is being continued, or has been."""

    def __init__(self, task: Task, prompt: Prompt) -> None:
        self.task = task
        self.prompt = prompt
        self.sequence = Sequence(len(prompt.tokens) + prompt.max_new_tokens)
        self.tokens: list[int] = []
        self.written = ""
        self.ended = False
        self.sampler = Sampler(prompt.temperature, prompt.top_p, prompt.seed)

    def grow(self, token: int, vocabulary: Vocabulary, ends: set[int]) -> None:
        """Take the next token, and see whether the text ends with or before it."""
        if token in ends:
            self.ended = True
            return
        self.tokens.append(token)
        written = self._decoded(vocabulary)
        cut = min((at for stop in self.prompt.stop if (at := written.find(stop)) >= 0), default=None)
        self.written = written[:cut]
        self.ended = cut is not None or len(self.tokens) == self.prompt.max_new_tokens

    def _decoded(self, vocabulary: Vocabulary) -> str:
        before = self.prompt.tokens[-_CONTEXT:]
        return vocabulary.text(before + self.tokens)[len(vocabulary.text(before)) :]


class Task:
    """One job, its plan, and the texts that the plan asked for last."""

    def __init__(self, job: Job, plan: Plan) -> None:
        self.job = job
        self.texts: list[Text] = []
        self._plan = plan

    def advance(self) -> None:
        """Give the plan its texts; it asks for more, or the job ends."""
        try:
            with translated():
                reply = self._reply()
        except InferenceError as error:
            self.texts = []
            self.job.fail(error)
            return
        if isinstance(reply, list):
            self.texts = [Text(self, prompt) for prompt in reply]
        else:
            self.texts = []
            self.job.finish(reply)

    def show(self, text: Text) -> None:
        """Tell the caller how far it is: the words themselves where they are all that was asked for."""
        if isinstance(self.job.request, CompleteRequest):
            self.job.emit(Chunk(text.written.rstrip("\ufffd")))  # half of a character that takes two tokens
        elif text.ended and len(self.texts) > 1:
            self.job.emit(Progress(sum(other.ended for other in self.texts), len(self.texts)))

    def _reply(self) -> list[Prompt] | Value:
        try:
            return self._plan.send([text.written for text in self.texts]) if self.texts else next(self._plan)
        except StopIteration as result:
            return result.value


class Generation:
    """Continues texts on one model; `rows` is how many grow at a time, `ends` the tokens that end a text."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary, planner: Planner, ends: set[int], rows: int) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._planner = planner
        self._ends = ends
        self._rows = rows

    def run(self, batch: Batch) -> None:
        """Finish every job of the batch, and those that join it on the way."""
        waiting = deque(self._start(batch.jobs))
        growing: list[Text] = []
        while waiting or growing:
            batch.checkpoint()
            growing = [text for text in growing if not text.task.job.cancelled]
            waiting.extend(self._start(batch.join(self._rows - len(growing) - len(waiting))))
            while waiting and len(growing) < self._rows:
                text = waiting.popleft()
                if not text.task.job.cancelled:
                    batch.checkpoint()  # reading a long prompt takes as long as many tokens
                    self._read(text)
                    growing.append(text)
            growing, ended = self._round(growing)
            waiting.extend(self._next_texts(ended))

    def _start(self, jobs: Iterable[Job]) -> list[Text]:
        tasks = [Task(job, self._planner.plan(job.request)) for job in jobs]
        for task in tasks:
            task.advance()
        return [text for task in tasks for text in task.texts]

    def _read(self, text: Text) -> None:
        """Take the prompt in, and draw the first token."""
        self._grow([text], self._decoder.prompt(text.sequence, text.prompt.tokens))

    def _round(self, texts: list[Text]) -> tuple[list[Text], list[Text]]:
        """One token more for each text; returns those that go on and those that have ended."""
        going = [text for text in texts if not text.ended]
        if going:
            self._grow(going, self._decoder.step([t.sequence for t in going], [t.tokens[-1] for t in going]))
        return [text for text in texts if not text.ended], [text for text in texts if text.ended]

    def _grow(self, texts: list[Text], logits: torch.Tensor) -> None:
        """Draw each text's next token from its row of `logits` [texts, vocabulary]."""
        for text, token in zip(texts, draw(logits, [text.sampler for text in texts]), strict=True):
            text.grow(token, self._vocabulary, self._ends)
            text.task.show(text)

    def _next_texts(self, ended: list[Text]) -> list[Text]:
        """What the plans whose last text has just ended ask for next."""
        texts: list[Text] = []
        for task in {text.task: None for text in ended}:
            if all(text.ended for text in task.texts):
                task.advance()
                texts += task.texts
        return texts
