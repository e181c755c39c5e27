"""One request: its plan yields prompts, and the server continues each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from inference.backends.local_job import LocalJob
from inference.backends.openai import errors
from inference.backends.openai.client import Delta, NoSuchEndpoint, ServerClient
from inference.backends.openai.picture_plans import plan_with_pictures
from inference.backends.openai.prompts import ServerPrompt, ServerPrompts
from inference.backends.openai.text import ServerText
from inference.backends.openai.turns import Turns
from inference.pipelines.causal_lm.prompts import Continuation, Plan, Prompt
from inference.types import Output, Progress

R = TypeVar("R")

_CHAT = "/chat/completions"
_COMPLETIONS = "/completions"


class TextJob:
    """Runs `job` with `prompts`. At most `max_texts` of its texts are written at one time, in turns with other jobs.

    `turns` has as many places as the server gets requests at one time.
    """

    def __init__(
        self, job: LocalJob, client: ServerClient, prompts: ServerPrompts, turns: Turns, max_texts: int
    ) -> None:
        self._job = job
        self._client = client
        self._prompts = prompts
        self._turns = turns
        self._own_turns = asyncio.Semaphore(max_texts)
        self._num_finished = 0
        self.thinks = False
        """Whether the model has written thoughts."""

    async def run(self) -> Output:
        """Return the result. Raise InferenceError, or NoSuchEndpoint if the server does not continue texts."""
        plan = plan_with_pictures(self._job.request, self._prompts)
        texts: list[Continuation] = []
        while True:
            step = await asyncio.to_thread(_next_step, plan, texts)  # it may read long texts, or a picture
            if isinstance(step, Output):
                return step
            total = self._num_finished + len(step)
            texts = await _gather([self._in_turn(prompt, total) for prompt in step])

    async def _in_turn(self, prompt: Prompt[ServerPrompt], total: int) -> Continuation:
        async with self._own_turns, self._turns:
            text = await self._write(prompt)
        self._num_finished += 1
        if not prompt.stream and total > 1:
            self._job.emit(Progress(self._num_finished, total))
        return text

    async def _write(self, prompt: Prompt[ServerPrompt]) -> Continuation:
        text = ServerText(prompt, self._prompts.reasoning_budget(prompt.tokens, prompt.max_new_tokens))
        counted, shown = 0, None
        try:
            async with aclosing(self._deltas(prompt, text.max_tokens)) as deltas:
                async for delta in deltas:
                    text.add(delta)
                    self._job.units += text.num_tokens - counted
                    counted = text.num_tokens
                    if prompt.stream and (partial := text.partial) != shown:
                        shown = partial
                        self._job.emit(partial)
                    if text.finished:
                        break
        finally:
            self.thinks = self.thinks or text.thinks
        return text.continuation

    def _deltas(self, prompt: Prompt[ServerPrompt], max_tokens: int) -> AsyncGenerator[Delta]:
        content = prompt.tokens
        body = _parameters(prompt) | {"model": self._job.spec.repo, "max_tokens": max_tokens}
        if not content.messages:
            return self._client.stream(_COMPLETIONS, body | {"prompt": content.text})
        body |= dict(content.options)
        body |= {"messages": content.messages, "chat_template_kwargs": {"enable_thinking": content.thinking}}
        return self._chat(body | ({"tools": content.tools} if content.tools else {}))

    async def _chat(self, body: dict[str, Any]) -> AsyncGenerator[Delta]:
        try:
            async with aclosing(self._client.stream(_CHAT, body)) as deltas:
                async for delta in deltas:
                    yield delta
        except NoSuchEndpoint as error:
            raise errors.not_an_api(self._client.server) from error


def _parameters(prompt: Prompt[ServerPrompt]) -> dict[str, Any]:
    """Return how the text is sampled. Stop strings are looked for here: servers would also find them in thoughts."""
    parameters: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": prompt.temperature,
    }
    if prompt.temperature:
        parameters |= {"top_p": prompt.top_p, "seed": prompt.seed}
    if prompt.repetition_penalty != 1:  # the names that vLLM and llama-server have for it
        parameters |= {
            "repetition_penalty": prompt.repetition_penalty,
            "repeat_penalty": prompt.repetition_penalty,
        }
    return parameters


def _next_step(plan: Plan[ServerPrompt], texts: list[Continuation]) -> list[Prompt[ServerPrompt]] | Output:
    try:
        return plan.send(texts) if texts else next(plan)
    except StopIteration as result:
        return result.value


async def _gather(work: Sequence[Coroutine[Any, Any, R]]) -> list[R]:
    """Return all results. If one fails, cancel the others and raise its error."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
