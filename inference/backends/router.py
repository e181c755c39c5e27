"""Several backends as one: each request goes to the backend of its model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from inference.backends.backend import Backend, DeviceTicket, Listener, ModelStatus, QueueStatus
from inference.config.schema import Config
from inference.tasks import Request
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable
from inference.types.observations import DeviceUsed


class BackendRouter:
    """Implements `Backend` with several `backends`; `backend_of` returns the one that a model belongs to."""

    def __init__(self, backends: Sequence[Backend], backend_of: Callable[[ModelSpec], Backend]) -> None:
        self._backends = backends
        self._backend_of = backend_of

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> DeviceTicket:
        return self._backend_of(spec).schedule(spec, request, listener, request_id)

    def queues(self) -> list[QueueStatus]:
        return [queue for backend in self._backends for queue in backend.queues()]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        return self._backend_of(spec).queue(spec)

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        return self._backend_of(spec).expected_seconds(spec, request)

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        found = [each for placed in spec.placements for each in self._backend_of(placed).placements(placed)]
        return list(dict.fromkeys(found))

    def loaded(self, spec: ModelSpec) -> bool:
        return self._backend_of(spec).loaded(spec)

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        return self._backend_of(spec).answers_about_pictures(spec)

    async def require_device(self, spec: ModelSpec) -> None:
        refusals: list[ModelUnavailable] = []
        for placed in spec.placements:
            try:
                return await self._backend_of(placed).require_device(placed)
            except ModelUnavailable as error:
                refusals.append(error)
        raise refusals[0]

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        parts = [[spec for spec in specs if self._backend_of(spec) is backend] for backend in self._backends]
        found = await asyncio.gather(
            *(backend.statuses(part) for backend, part in zip(self._backends, parts, strict=True))
        )
        by_spec = {status.spec: status for statuses in found for status in statuses}
        return [by_spec[spec] for spec in specs]

    def problems(self) -> list[str]:
        return [problem for backend in self._backends for problem in backend.problems()]

    def device_problems(self, *, probe: bool = False) -> list[str]:
        return [problem for backend in self._backends for problem in backend.device_problems(probe=probe)]

    async def problems_of(self, config: Config) -> list[str]:
        found = await asyncio.gather(*(backend.problems_of(config) for backend in self._backends))
        return [problem for problems in found for problem in problems]

    def apply(self, config: Config) -> None:
        for backend in self._backends:
            backend.apply(config)

    def pause(self, paused: bool) -> None:
        for backend in self._backends:
            backend.pause(paused)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await self._backend_of(spec).load(spec, on_progress)

    async def unload(self, spec: ModelSpec) -> bool:
        return await self._backend_of(spec).unload(spec)

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await self._backend_of(spec).download(spec, on_progress)

    def charge(self, use: DeviceUsed) -> None:
        for backend in self._backends:
            backend.charge(use)

    async def forget_owner(self, owner: str) -> None:
        for backend in self._backends:
            await backend.forget_owner(owner)

    async def close(self) -> None:
        await asyncio.gather(*(backend.close() for backend in self._backends))
