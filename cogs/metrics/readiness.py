"""Whether the bot can answer: it is connected to Discord, and its models are where they can be used."""

from __future__ import annotations

from cogs.gateway import Gateway
from inference import Engine, ModelStatus


class Readiness:
    """Finds the reasons why the bot is not ready."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self._engine = engine
        self._gateway = gateway

    async def reasons(self) -> list[str]:
        """Return a sentence for each reason; an empty list if the bot is ready."""
        reasons = [] if self._gateway.is_connected else ["The bot is not connected to Discord's gateway."]
        if self._engine.found_problems is None:
            reasons.append("The devices are being checked.")
        return [*reasons, *filter(None, map(self._problem, await self._engine.statuses()))]

    def _problem(self, status: ModelStatus) -> str:
        """Say why no request can use a model; empty for others, and for one that is downloaded at its first use."""
        if status.problem:
            return status.problem
        if status.state == "not downloaded" and not self._engine.config.download:
            return f"The model {status.spec.name} for {status.spec.task} is not downloaded, and `download` is false."
        return ""
